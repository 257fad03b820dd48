"""Files that customers and agents send: taken in with their message, handed out, and forgotten in the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.core.attachments import (
    MAX_BYTES_A_DAY,
    MAX_BYTES_A_DAY_OF_ALL,
    MAX_FILE_BYTES,
    MAX_FILES_A_DAY,
    MAX_FILES_A_DAY_OF_ALL,
    IncomingFile,
    clean_name,
    file_in_words,
    media_type_of,
    what_it_is,
)
from bot.core.conversations import Attachment, Conversation, ConversationId, InboundMessage, Message
from bot.core.shop import Shop
from bot.errors import ConversationNotFound, DuplicateMessageId, FileRefused, FileTooLarge, SignedOut
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, UnitOfWork
from bot.services.wordless import record_wordless

DAY = timedelta(days=1)
# So many are forgotten in one transaction: each may be large.
FORGOTTEN_AT_ONCE = 50
_AN_ID = re.compile(r"[0-9a-f]{32}")
FILE_ANSWER = (
    "Thank you. I cannot look into files myself, but our team sees this one with our conversation. Please tell me in "
    "words what it is about, or write “talk to a person”."
)


@dataclass(frozen=True)
class CheckedFile:
    """A file that may be kept: what it really is, and what is in it."""

    attachment: Attachment
    content: bytes


@dataclass(frozen=True)
class StoredFile:
    """A file as it is kept; its content is None once that was deleted."""

    attachment: Attachment
    content: bytes | None


def check_file(file: IncomingFile) -> CheckedFile:
    """What a file really is, under a name that hides nothing. Raises FileRefused or FileTooLarge."""
    if len(file.content) > MAX_FILE_BYTES:
        raise FileTooLarge
    if not file.content:
        raise FileRefused("empty")
    media_type = media_type_of(file.content)
    if media_type is None:
        raise FileRefused("kind", what_it_is(file.content))
    name = clean_name(file.name, media_type)
    return CheckedFile(Attachment(new_id(), name, media_type, len(file.content)), file.content)


async def keep_file(work: UnitOfWork, clock: Clock, conversation: Conversation, file: CheckedFile) -> Attachment:
    """Keep a file in a conversation that is locked, for a message to go with it. Raises FileRefused if it is too much.

    Whoever sends it: what a conversation may hold in a day is one measure for all who speak in it.
    """
    if not await has_room(work, clock, conversation.id, file.attachment.size):
        raise FileRefused("too_many")
    await work.attachments.add(conversation.id, file.attachment, file.content, clock.now())
    return file.attachment


async def has_room(work: UnitOfWork, clock: Clock, conversation_id: ConversationId | None, size: int) -> bool:
    """Whether a file may be kept today: in its conversation (None: in one that has yet to begin), and among all.

    Of those that come at the same moment in several conversations, a few may go beyond the measure of all.
    """
    since = clock.now() - DAY
    if conversation_id is not None:
        number, together = await work.attachments.since(conversation_id, since)
        if number >= MAX_FILES_A_DAY or together + size > MAX_BYTES_A_DAY:
            return False
    number, together = await work.attachments.since_of_all(since)
    return number < MAX_FILES_A_DAY_OF_ALL and together + size <= MAX_BYTES_A_DAY_OF_ALL


async def receive_file(
    db: Database, clock: Clock, conversation_id: ConversationId, external_id: str, file: IncomingFile
) -> Message:
    """Record a customer's file, and the message that it is, together; the message with its place is returned.

    The bot is not asked: people see the file, and the customer is told so. Safe to repeat: the same external id with
    the same file returns the recorded message. Raises FileRefused, FileTooLarge, DuplicateMessageId (same id, another
    file) or ConversationNotFound, recording nothing; and SignedOut, of a visitor who could not see it any more.
    """
    checked = check_file(file)
    async with db.transaction() as work:
        conversation = await work.conversations.lock(conversation_id)
        if conversation is None:
            raise ConversationNotFound
        recorded = await work.messages.by_external_id(conversation.channel, external_id)
        if recorded is not None:
            if recorded.conversation_id != conversation_id or not await is_same_file(work, recorded, checked):
                raise DuplicateMessageId
            return recorded
        # Checked again here: a large file takes minutes, and they may have logged out meanwhile.
        if not conversation.is_open_to_visitor(clock.now()):
            raise SignedOut
        attachment = await keep_file(work, clock, conversation, checked)
        inbound = InboundMessage(external_id, file_in_words(attachment), attachment=attachment)
        return await record_wordless(work, clock, conversation, inbound, FILE_ANSWER)


async def read_file(db: Database, conversation_id: ConversationId, attachment_id: str) -> StoredFile | None:
    """A file of a conversation; None where the conversation has no such file. Who may see it is for others to say."""
    # Whatever else is asked for, a database may not even be able to read.
    if not _AN_ID.fullmatch(attachment_id):
        return None
    async with db.reading() as work:
        attachment = await work.attachments.get(conversation_id, attachment_id)
        if attachment is None:
            return None
        return StoredFile(attachment, await work.attachments.content(conversation_id, attachment_id))


async def forget_files(db: Database, clock: Clock, shop: Shop) -> int:
    """Delete what is in files that were kept as long as the shop decided; how many. Messages keep their words."""
    before = clock.now() - timedelta(days=shop.files_keep_days)
    forgotten = 0
    while True:
        async with db.transaction() as work:
            number = await work.attachments.forget_content(before, FORGOTTEN_AT_ONCE)
        forgotten += number
        if number < FORGOTTEN_AT_ONCE:
            return forgotten


async def is_same_file(work: UnitOfWork, recorded: Message, file: CheckedFile) -> bool:
    """Whether a message that was recorded brought this very file."""
    was, now = recorded.attachment, file.attachment
    if was is None or (was.name, was.media_type, was.size) != (now.name, now.media_type, now.size):
        return False
    # None if it was deleted since: what it was is known all the same.
    return await work.attachments.content(recorded.conversation_id, was.id) in (None, file.content)
