"""What the system says in a conversation: who comes, who goes, and what the customer may choose."""

from __future__ import annotations

from dataclasses import replace

from bot.core.conversations import Author, Choice, Conversation, Message, MessageId, clean_text
from bot.services.ids import new_id
from bot.services.ports import Clock, Hint, UnitOfWork


async def say(
    work: UnitOfWork, clock: Clock, conversation: Conversation, text: str, choices: tuple[Choice, ...] = ()
) -> Conversation:
    """A line for everybody who sees the conversation, which must be locked. Go on with the one that is returned."""
    message = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        seq=conversation.last_seq + 1,
        author=Author.SYSTEM,
        text=clean_text(text),
        choices=choices,
        at=clock.now(),
    )
    await work.messages.add(message, channel=conversation.channel)
    conversation = replace(conversation, last_seq=message.seq)
    await work.conversations.save(conversation)
    work.hint(Hint("outbound", conversation.id))
    return conversation
