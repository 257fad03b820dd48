"""Where a conversation stands between the bot and people."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.conversations import Conversation
from bot.core.handoffs import Handoff, Stage, stage_of
from bot.services.ports import UnitOfWork


@dataclass(frozen=True)
class Standing:
    """Where a conversation stands, and the request for a person that is open in it."""

    conversation: Conversation
    handoff: Handoff | None

    @property
    def stage(self) -> Stage:
        """Which of the stages."""
        return stage_of(self.conversation.owner, self.handoff, self.conversation.resolved_at)


async def standing_of(work: UnitOfWork, conversation: Conversation) -> Standing:
    """Where a conversation stands; by the time somebody acts on it that may have changed, unless it is locked."""
    return Standing(conversation, await work.handoffs.open_for(conversation.id))


async def locked_standing_of(work: UnitOfWork, conversation: Conversation) -> Standing:
    """Where a locked conversation stands; its request is locked, too."""
    return Standing(conversation, await work.handoffs.lock_open(conversation.id))
