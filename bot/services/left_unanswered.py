"""What a customer wrote to a person who did not answer it any more: the assistant does, so that no question is lost."""

from __future__ import annotations

from dataclasses import replace

from bot.core.conversations import Author, Conversation, Message, TurnState
from bot.core.goodbyes import is_courtesy
from bot.services.ports import Clock, Hint, UnitOfWork

# Of more than a few lines the last ones count; and further back than this nobody looks for them.
ANSWERED_AT_MOST = 3
LINES_LOOKED_AT = 50


async def left_unanswered(work: UnitOfWork, conversation: Conversation, *, unread: bool) -> list[Message]:
    """The customer's last words that nobody has answered; with `unread`, that nobody at the desk has even seen."""
    recent = await work.messages.after(conversation.id, max(conversation.last_seq - LINES_LOOKED_AT, 0))
    answered = max((_answers(one) for one in recent if one.author in (Author.AGENT, Author.BOT)), default=0)
    if unread:
        answered = max(answered, await work.desk.read_until(conversation.id))
    words = [one for one in recent if one.seq > answered and one.author is Author.CUSTOMER]
    words = [one for one in words if one.attachment is None and one.payload is None and not is_courtesy(one.text)]
    return words[-ANSWERED_AT_MOST:]


def _answers(line: Message) -> int:
    """Up to where a line answers: what the bot says may be about something before the last words."""
    return line.reply_to_seq if line.author is Author.BOT and line.reply_to_seq is not None else line.seq


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
