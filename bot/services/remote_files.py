"""Files that a platform still has: whether one of them is worth fetching, asked before it is fetched."""

from __future__ import annotations

from enum import Enum

from bot.services.attachments import has_room
from bot.services.conversations import current_conversation
from bot.services.ports import Clock, Database


class Prospect(str, Enum):
    """What would become of a file."""

    KEPT = "kept"
    KNOWN = "known"
    TOO_MANY = "too_many"


async def file_prospect(
    db: Database, clock: Clock, channel: str, update_id: str, address: str, size: int | None
) -> Prospect:
    """Whether what an update brings is there already, or would be more than is kept in a day. Changes nothing.

    It is only a look ahead: whoever records the file decides, whatever has happened meanwhile.
    """
    async with db.reading() as work:
        if await work.messages.by_external_id(channel, f"{channel}:{update_id}") is not None:
            return Prospect.KNOWN
        conversation = await current_conversation(work, channel, address)
        has = await has_room(work, clock, conversation.id if conversation else None, size or 1)
        return Prospect.KEPT if has else Prospect.TOO_MANY
