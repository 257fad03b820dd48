"""Lines of the bot's that no turn makes: what is said at once, beside the dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.conversations import Author, Choice, Conversation, Message, MessageId
from bot.services.ids import new_id
from bot.services.ports import Clock, Hint, UnitOfWork


async def say_at_once(
    work: UnitOfWork,
    clock: Clock,
    conversation: Conversation,
    text: str,
    *,
    answering: Message,
    choices: Sequence[Choice] = (),
) -> Conversation:
    """Say something about a message, without a turn. The conversation must be locked, and as it is now; go on with the
    one that is returned, which is saved."""
    said = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        seq=conversation.last_seq + 1,
        author=Author.BOT,
        text=text,
        choices=tuple(choices),
        at=clock.now(),
        reply_to_seq=answering.seq,
    )
    await work.messages.add(said, channel=conversation.channel)
    conversation = replace(conversation, last_seq=said.seq)
    await work.conversations.save(conversation)
    work.hint(Hint("outbound", conversation.id))
    return conversation
