"""Messages that waited for the bot and are not for it any more: a person took over, or the customer logged out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.conversations import Conversation, ConversationEvent, Owner, TurnState
from bot.services.ports import Hint, UnitOfWork


async def drop_waiting(
    work: UnitOfWork, conversation: Conversation, now: datetime, owner: Owner | None = None
) -> Conversation:
    """Let nothing wait for the bot, and take the conversation from whoever works on it; as it is now, saved.

    The conversation must be locked. Safe to repeat; what was dropped is recorded, with the owner that it is about to
    have where that is not the present one.
    """
    dropped = []
    while (message := await work.messages.first_pending(conversation.id)) is not None:
        await work.messages.set_turn(message.id, TurnState.NOT_FOR_BOT, message.attempts)
        dropped.append(message.seq)
    if dropped:
        detail = {"seqs": dropped, "owner": (owner or conversation.owner).value}
        await work.conversations.add_event(ConversationEvent(conversation.id, "turn_dropped", now, detail))
    conversation = replace(conversation, next_turn_at=None, lease_holder=None, lease_expires_at=None)
    await work.conversations.save(conversation)
    work.hint(Hint("outbound", conversation.id))
    return conversation
