"""What a visitor answers before the chat begins: claims, checked for their form and never for their truth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.core.conversations import Conversation, clean_text
from bot.core.widget import Question

MAX_ANSWER_CHARACTERS = 200
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def are_details_asked(conversation: Conversation, questions: Sequence[Question]) -> bool:
    """Whether the questions before the chat are still to be asked: nothing was answered, and nothing said yet."""
    return bool(questions) and conversation.visitor_details is None and conversation.last_seq == 0


def checked_answers(questions: Sequence[Question], answers: Mapping[str, str]) -> dict[str, str]:
    """The answers by the question's id, each as one line, in the order of the questions; those left empty are left out.

    Raises ValueError, in words for the visitor, for an answer that cannot be taken.
    """
    if unknown := set(answers) - {question.id for question in questions}:
        raise ValueError(f"There is no question {min(unknown)[:40]!r} here.")
    checked = {question.id: _checked(question, answers.get(question.id, "")) for question in questions}
    return {name: answer for name, answer in checked.items() if answer}


def _checked(question: Question, answer: str) -> str:
    answer = " ".join(clean_text(answer).split())
    if not answer:
        if question.required:
            raise ValueError(f"Please answer: {question.label}")
        return ""
    if len(answer) > MAX_ANSWER_CHARACTERS:
        raise ValueError(f"“{question.label}”: please keep it within {MAX_ANSWER_CHARACTERS} characters.")
    if question.kind == "email" and not _EMAIL.fullmatch(answer):
        raise ValueError(f"“{question.label}”: please write a whole e-mail address, such as name@example.com.")
    if question.kind == "choice" and answer not in question.choices:
        raise ValueError(f"“{question.label}”: please choose one of the answers that are offered.")
    return answer
