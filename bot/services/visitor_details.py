"""Keeping what a visitor answers before the chat, and what they think of an answer of the bot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.core.conversations import ConversationId
from bot.core.shop import Shop
from bot.core.visitor_details import checked_answers
from bot.errors import ConversationNotFound, NotAnAnswer, WrongAnswer
from bot.services.ports import Database, Hint


async def keep_details(db: Database, shop: Shop, conversation_id: ConversationId, answers: Mapping[str, str]) -> None:
    """Keep the answers to the shop's questions before the chat; what was answered before is replaced. Safe to repeat.

    Raises WrongAnswer, keeping nothing, when one of them cannot be taken.
    """
    try:
        checked = checked_answers(shop.widget.questions, answers)
    except ValueError as error:
        raise WrongAnswer(str(error)) from None
    async with db.transaction() as work:
        conversation = await work.conversations.lock(conversation_id)
        if conversation is None:
            raise ConversationNotFound
        if conversation.visitor_details != checked:
            await work.conversations.save(replace(conversation, visitor_details=checked))
            work.hint(Hint("desk", conversation_id))


async def rate_answer(db: Database, conversation_id: ConversationId, seq: int, helpful: bool) -> None:
    """Note whether an answer of the bot helped; the last word counts. Safe to repeat.

    Raises NotAnAnswer when the bot said nothing there.
    """
    async with db.transaction() as work:
        if not await work.messages.rate(conversation_id, seq, helpful):
            raise NotAnAnswer
        work.hint(Hint("desk", conversation_id))
