"""What people at the desk teach the assistant, and the texts that they often write themselves."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from bot.core.agents import Agent
from bot.core.conversations import Author, ConversationId, clean_text
from bot.core.desk_records import (
    MAX_CANNED_CHARACTERS,
    MAX_QUESTION_CHARACTERS,
    CannedReply,
    KnowledgeDraft,
    TeachingMark,
    normalise_shortcut,
)
from bot.core.wishes import ASK_KNOWLEDGE, NO_WISH, WISHES
from bot.errors import ConversationNotFound, DeskRefused
from bot.services.ids import new_id
from bot.services.ports import Clock, Database

# What a message can have been meant as.
_MORE = frozenset({ASK_KNOWLEDGE, "contact_human_agent"})
INTENTS: tuple[str, ...] = tuple(sorted((WISHES | NO_WISH | _MORE) - {"provide_details"}))
MARKS_SHOWN, DRAFTS_SHOWN = 1_000, 500
# What Rasa would read as the mark of an entity.
_MARKUP = re.compile(r"[\[\]{}]")
# What nobody can see, or what stands for something that could not be kept: it teaches nothing, and turns text around.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
_LOST = "\N{REPLACEMENT CHARACTER}"


async def teach(
    db: Database, clock: Clock, agent: Agent, conversation_id: ConversationId, seq: int, intent: str
) -> TeachingMark:
    """Note what a customer's message was meant as. Safe to repeat; the last one counts.

    Raises DeskRefused for a wish that there is not and for a file, and ConversationNotFound where the customer wrote no
    such message.
    """
    if intent not in INTENTS:
        raise DeskRefused("There is no such wish. Choose one from the list.")
    async with db.transaction() as work:
        found = await work.messages.after(conversation_id, seq - 1, 1)
        if not found or found[0].seq != seq or found[0].author is not Author.CUSTOMER:
            raise ConversationNotFound
        if found[0].attachment is not None:
            raise DeskRefused("A file has no words to learn from.")
        understood = (await work.desk.understood(conversation_id)).get(found[0].id)
        mark = TeachingMark(
            conversation_id,
            seq,
            found[0].text,
            understood.intent if understood else None,
            intent,
            agent.id,
            clock.now(),
        )
        await work.desk.mark(mark)
        return mark


async def marks(db: Database) -> Sequence[TeachingMark]:
    """What was taught, newest first."""
    async with db.reading() as work:
        return await work.desk.marks(MARKS_SHOWN)


def as_examples(taught: Sequence[TeachingMark]) -> str:
    """Training examples in Rasa's own form, to be looked through and put into data/nlu/."""
    by_intent: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for mark in sorted(taught, key=lambda mark: (mark.intent, mark.at)):
        text = " ".join(_MARKUP.sub(" ", "".join(map(_seen, mark.text))).split())
        if text:
            by_intent[mark.intent][text] = None
    lines = ['version: "3.1"', "nlu:" if by_intent else "nlu: []"]
    for intent, texts in by_intent.items():
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    return "\n".join(lines) + "\n"


def _seen(character: str) -> str:
    if character == _LOST or (unicodedata.category(character) in _UNSEEN and character not in _JOINERS):
        return " " if character.isspace() or character == _LOST else ""
    return character


async def forget_mark(db: Database, conversation_id: ConversationId, seq: int) -> None:
    """Drop what a message was meant as, because it was marked wrongly or is dealt with. Safe to repeat."""
    async with db.transaction() as work:
        await work.desk.unmark(conversation_id, seq)


async def forget_draft(db: Database, draft_id: str) -> None:
    """Drop a question, because it has an answer or needs none. Safe to repeat."""
    async with db.transaction() as work:
        await work.desk.remove_draft(draft_id)


async def draft_question(
    db: Database, clock: Clock, agent: Agent, question: str, conversation_id: ConversationId | None = None
) -> KnowledgeDraft:
    """Keep a question that the assistant should have an answer to. Raises DeskRefused, or ConversationNotFound."""
    question = clean_text(question)
    if not 0 < len(question) <= MAX_QUESTION_CHARACTERS:
        raise DeskRefused(f"A question has 1 to {MAX_QUESTION_CHARACTERS} characters.")
    draft = KnowledgeDraft(new_id(), conversation_id, question, agent.id, clock.now())
    async with db.transaction() as work:
        if conversation_id is not None and await work.conversations.get(conversation_id) is None:
            raise ConversationNotFound
        await work.desk.add_draft(draft)
    return draft


async def drafts(db: Database) -> Sequence[KnowledgeDraft]:
    """The questions that wait for an answer, newest first."""
    async with db.reading() as work:
        return await work.desk.drafts(DRAFTS_SHOWN)


async def canned_replies(db: Database) -> Sequence[CannedReply]:
    """The texts that are often written, by their shortcuts."""
    async with db.reading() as work:
        return await work.desk.canned()


async def keep_canned_reply(db: Database, clock: Clock, agent: Agent, shortcut: str, text: str) -> CannedReply:
    """Keep a text under a shortcut, in place of an earlier one. Safe to repeat. Raises DeskRefused."""
    text = clean_text(text)
    if not 0 < len(text) <= MAX_CANNED_CHARACTERS:
        raise DeskRefused(f"A text has 1 to {MAX_CANNED_CHARACTERS:,} characters.")
    reply = CannedReply(_shortcut(shortcut), text, agent.id, clock.now())
    async with db.transaction() as work:
        await work.desk.save_canned(reply)
    return reply


async def remove_canned_reply(db: Database, shortcut: str) -> None:
    """Forget a text. Safe to repeat. Raises DeskRefused for what is no shortcut."""
    async with db.transaction() as work:
        await work.desk.remove_canned(_shortcut(shortcut))


def _shortcut(text: str) -> str:
    shortcut = normalise_shortcut(text)
    if shortcut is None:
        raise DeskRefused("A shortcut has up to 40 letters, digits, - and _.")
    return shortcut
