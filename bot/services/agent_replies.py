"""What an agent says to a customer: recorded under the conversation's lock, and only while it is theirs to answer."""

from __future__ import annotations

from dataclasses import replace

from bot.core.agents import Agent
from bot.core.conversations import Attachment, Author, Conversation, Message, MessageId
from bot.core.handoffs import Handoff
from bot.errors import StepRefused
from bot.services.ids import new_id
from bot.services.ports import Clock, Hint, UnitOfWork
from bot.services.standings import locked_standing_of


async def theirs_to_answer(work: UnitOfWork, agent: Agent, conversation: Conversation) -> Handoff:
    """The request that an agent is working on, in a conversation that is locked. Raises StepRefused where it is none.

    Asked under the lock: it may have been passed on, or taken back, while the reply was being written.
    """
    standing = await locked_standing_of(work, conversation)
    if standing.handoff is None or not standing.handoff.is_helped_by(agent.id):
        raise StepRefused(standing.stage.value)
    return standing.handoff


async def record_reply(
    work: UnitOfWork,
    clock: Clock,
    agent: Agent,
    conversation: Conversation,
    handoff: Handoff,
    text: str,
    client_id: str,
    attachment: Attachment | None = None,
) -> Message:
    """Say something, or send a file that is kept already, in a locked conversation; the message with its place."""
    now = clock.now()
    message = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        seq=conversation.last_seq + 1,
        author=Author.AGENT,
        author_name=agent.name,
        text=text,
        at=now,
        attachment=attachment,
        agent_id=agent.id,
        client_id=client_id,
    )
    await work.messages.add(message, channel=conversation.channel)
    await work.conversations.save(replace(conversation, last_seq=message.seq))
    if handoff.first_reply_at is None or handoff.snoozed_until is not None:
        first = handoff.first_reply_at or now
        await work.handoffs.save(replace(handoff, first_reply_at=first, snoozed_until=None))
    await work.desk.read(conversation.id, message.seq)
    await work.agents.see(agent.id, now)
    work.hint(Hint("outbound", conversation.id))
    work.hint(Hint("desk", conversation.id))
    return message
