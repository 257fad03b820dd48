"""What the assistant should know when a conversation comes back to it from people, or from the line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from bot.core.conversations import Author, Choice, Conversation
from bot.core.feedback import Question
from bot.core.handoffs import HandoffState, Step
from bot.core.shop import Shop
from bot.services.feedback import waiting_question
from bot.services.orders_spoken_of import order_spoken_of
from bot.services.ports import Clock, UnitOfWork

_BEFORE_ALL = datetime.min.replace(tzinfo=timezone.utc)
_COMES_BACK = frozenset(
    step.value
    for step in (
        # Within a turn it is the assistant's own doing; else the turn failed.
        *(Step.ASK_CLOSED, Step.CANCEL, Step.NOBODY_CAME, Step.LEAVE_MESSAGE),
        *(Step.RETURN, Step.RESOLVE, Step.GIVE_UP, Step.CALLED, Step.END, Step.STOP, Step.BLOCK),
    )
)


@dataclass(frozen=True)
class Aftermath:
    """What was said last while the assistant was silent, what the customer was asked with it, and about which order."""

    text: str
    choices: tuple[Choice, ...] = ()
    survey: Question | None = None
    asks_contact: bool = False
    order: str | None = None


async def aftermath_of(work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation) -> Aftermath | None:
    """What has happened since the assistant's last turn; None if nobody else had the conversation meanwhile."""
    handoff = await work.handoffs.last_of(conversation.id)
    if handoff is None:
        # As nearly always.
        return None
    since = await work.tracker_events.last_at(conversation.id) or _BEFORE_ALL
    if handoff.closed_at is not None and handoff.closed_at <= since:
        return None
    steps = [event for event in await work.conversations.events(conversation.id) if event.kind == "handoff_step"]
    if not any(event.at > since and event.detail["step"] in _COMES_BACK for event in steps):
        return None
    recent = await work.messages.after(conversation.id, max(conversation.last_seq - LINES_LOOKED_AT, 0))
    said = [one for one in recent if one.author is Author.SYSTEM and one.at > since]
    question = await waiting_question(work, clock, shop, conversation)
    asked = question is not None and bool(said) and bool(said[-1].choices)
    return Aftermath(
        text=said[-1].text if said else "",
        choices=said[-1].choices if said and asked else (),
        survey=question if asked else None,
        asks_contact=handoff.state is HandoffState.CALLBACK and handoff.contact is None,
        order=await order_spoken_of(work, clock, shop, conversation, [one for one in recent if one.at > since]),
    )


# A line about what happened is among the last that were said.
LINES_LOOKED_AT = 50
