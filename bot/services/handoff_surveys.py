"""Asking how it was once a person has helped: at most once for each request, and never after an automatic end."""

from __future__ import annotations

import json

from bot.core.conversations import Choice, Conversation
from bot.core.feedback import FeedbackKind, Question, Survey
from bot.core.handoffs import Handoff
from bot.core.shop import Shop
from bot.services.feedback import ask
from bot.services.ports import Clock, UnitOfWork
from bot.services.system_lines import say

SKIP = "skip"
_SCORE = '/provide_details{"rating":'


async def ask_how_it_was(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, handoff: Handoff
) -> Conversation:
    """Ask the customer how the person's help was, if the person wrote anything and it may be asked now.

    The answer is the dialogue's business, as any other. Go on with the conversation that is returned.
    """
    said = await work.messages.last_words(conversation.id)
    wrote = said.get("agent")
    if Survey.CSAT not in shop.feedback.surveys or wrote is None or wrote < handoff.requested_at:
        return conversation
    customer_id = conversation.verified_customer(clock.now())
    customer = await work.customers.get(customer_id) if customer_id else None
    key = survey_key(handoff)
    question = await ask(work, clock, shop, Survey.CSAT, key=key, customer=customer, conversation=conversation)
    if question is None:
        return conversation
    return await say(work, clock, conversation, question_in_words(question), score_choices(question))


def survey_key(handoff: Handoff) -> str:
    """What the question about a person's help is about."""
    return f"{FeedbackKind.CSAT.value}:handoff:{handoff.id}"


def is_score_choice(payload: str | None) -> bool:
    """Whether a picked choice answers a question of how it was."""
    return payload is not None and payload.startswith(_SCORE)


def question_in_words(question: Question) -> str:
    """What is asked, with what the ends of the scale mean."""
    scale = question.scale
    return f"{question.text} ({scale.least} is {scale.least_means}, {scale.most} is {scale.most_means})"


def score_choices(question: Question) -> tuple[Choice, ...]:
    """The scores to pick from, as the dialogue understands them, the best first; and not to answer."""
    scores = [(question.scale.label(score), str(score)) for score in reversed(question.scale.scores)]
    return tuple(
        Choice(title, f"/provide_details{json.dumps({'rating': rating})}")
        for title, rating in (*scores, ("Not now", SKIP))
    )
