"""Files at the desk: what agents send to customers, and what they look at."""

from __future__ import annotations

from bot.core.agents import Agent
from bot.core.attachments import IncomingFile, file_in_words
from bot.core.conversations import ConversationId, Message
from bot.errors import DuplicateMessageId
from bot.services.agent_replies import record_reply, theirs_to_answer
from bot.services.attachments import StoredFile, check_file, is_same_file, keep_file
from bot.services.audit import actor_of, record_audit
from bot.services.desk import locked
from bot.services.ports import Clock, Database


async def send_file(
    db: Database, clock: Clock, agent: Agent, conversation_id: ConversationId, file: IncomingFile, client_id: str
) -> Message:
    """Send a file to the customer, and return the message that it is, with its place.

    Safe to repeat: the same `client_id` with the same file is the same message. Raises FileRefused, FileTooLarge,
    StepRefused when the conversation is not theirs (any more), DuplicateMessageId (same id, something else) or
    ConversationNotFound, recording nothing.
    """
    checked = check_file(file)
    async with db.transaction() as work:
        conversation = await locked(work, conversation_id)
        if (recorded := await work.messages.by_client_id(conversation_id, client_id)) is not None:
            if recorded.agent_id != agent.id or not await is_same_file(work, recorded, checked):
                raise DuplicateMessageId
            return recorded
        handoff = await theirs_to_answer(work, agent, conversation)
        attachment = await keep_file(work, clock, conversation, checked)
        words = file_in_words(attachment)
        return await record_reply(work, clock, agent, conversation, handoff, words, client_id, attachment)


async def open_file(db: Database, clock: Clock, agent: Agent, attachment_id: str) -> StoredFile | None:
    """A file of any conversation; None where there is none, and its content is None once that was deleted.

    That somebody saw what is in it is in the audit log before they do.
    """
    async with db.reading() as work:
        found = await work.desk.file(attachment_id)
        if found is None:
            return None
        conversation_id, attachment, content = found
        conversation = await work.conversations.get(conversation_id)
    if content is not None:
        async with db.transaction() as work:
            customer_id = conversation.customer_id if conversation else None
            detail = {"conversation": conversation_id, "file": attachment_id}
            actor = actor_of(agent)
            await record_audit(work, clock, actor=actor, action="read_file", customer_id=customer_id, detail=detail)
    return StoredFile(attachment, content)
