"""What a customer wrote to a person who did not answer it any more: the assistant does, so that no question is lost."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.core.conversations import Author, Conversation, Message, TurnState
from bot.services.ports import Clock, Hint, UnitOfWork

# Of more than a few lines the last ones count; and further back than this nobody looks for them.
ANSWERED_AT_MOST = 3
LINES_LOOKED_AT = 50
# Whoever only says thank you, or goodbye, has asked nothing.
_COURTESIES = frozenset(
    "thanks thank you thx ty cheers ok okay k great perfect super good fine nice bye goodbye see ya so very much a lot "
    "many for your help all right alright cool got it".split()
)


async def left_unanswered(work: UnitOfWork, conversation: Conversation, *, unread: bool) -> list[Message]:
    """The customer's last words that nobody has answered; with `unread`, that nobody at the desk has even seen."""
    recent = await work.messages.after(conversation.id, max(conversation.last_seq - LINES_LOOKED_AT, 0))
    answered = max((one.seq for one in recent if one.author in (Author.AGENT, Author.BOT)), default=0)
    if unread:
        answered = max(answered, await work.desk.read_until(conversation.id))
    words = [one for one in recent if one.seq > answered and one.author is Author.CUSTOMER]
    words = [one for one in words if one.attachment is None and one.payload is None and not _is_courtesy(one.text)]
    return words[-ANSWERED_AT_MOST:]


def _is_courtesy(text: str) -> bool:
    words = re.findall(r"[^\W_]+", text.casefold())
    return all(word in _COURTESIES for word in words)


async def leave_to_bot(
    work: UnitOfWork, clock: Clock, conversation: Conversation, messages: list[Message]
) -> Conversation:
    """Let the bot answer them; the conversation, which must be locked and the bot's, as it is now, saved."""
    for message in messages:
        await work.messages.set_turn(message.id, TurnState.PENDING, 0)
    conversation = replace(conversation, next_turn_at=clock.now())
    await work.conversations.save(conversation)
    work.hint(Hint("inbound", conversation.id))
    return conversation
