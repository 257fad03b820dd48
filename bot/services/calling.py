"""When a person is called for without having been asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.core.conversations import Conversation
from bot.core.desk import Signal
from bot.core.handoffs import HandoffReason, Step
from bot.core.sentiment import is_angry, is_threat
from bot.core.shop import Shop
from bot.services.handoffs import Reach, reach_of
from bot.services.ports import Clock, UnitOfWork

# Whoever has just left the line wanted to go on with the assistant, however they feel.
LEFT_FOR = timedelta(hours=1)
_LEAVING = frozenset({Step.CANCEL.value, Step.LEAVE_MESSAGE.value})


@dataclass(frozen=True)
class Calling:
    """Why a person is called, and about what."""

    reason: HandoffReason = HandoffReason.ASKED
    wish: str | None = None


async def why_a_person(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, wish: str, text: str
) -> Calling | None:
    """Why the assistant should leave a message to people: the shop gives them that wish, or the customer is angry.

    None where it should try itself: mostly, and always in a shop without anybody at a desk. `text` is what the customer
    wrote, and empty for a choice they picked. Whoever is angry while nobody can come is called back, once.
    """
    is_theirs = wish in shop.desk.for_people
    is_heated = Signal.ANGER in shop.desk.call_for and (is_angry(text) or is_threat(text))
    if not is_theirs and not is_heated:
        return None
    reach = await reach_of(work, shop, clock.now())
    if reach is Reach.NO_DESK:
        return None
    if is_heated and not await _is_enough(work, clock, conversation, reach):
        return Calling(HandoffReason.ANGER, wish)
    return Calling(HandoffReason.FOR_PEOPLE, wish) if is_theirs else None


async def is_called_for(work: UnitOfWork, clock: Clock, shop: Shop, signal: Signal) -> bool:
    """Whether a person is brought in at such a signal, and one may come."""
    return signal in shop.desk.call_for and await reach_of(work, shop, clock.now()) is Reach.OPEN


async def _is_enough(work: UnitOfWork, clock: Clock, conversation: Conversation, reach: Reach) -> bool:
    """Whether all that can be done for somebody who is angry is done: a call-back is noted, or they left the line."""
    handoff = await work.handoffs.open_for(conversation.id)
    if handoff is not None and reach is Reach.CLOSED:
        return True
    steps = [event for event in await work.conversations.events(conversation.id) if event.kind == "handoff_step"]
    # A call-back is asked for beside the line: it says nothing about whether they want to wait there.
    last = next((one for one in reversed(steps) if one.detail["step"] != Step.ASK_CLOSED.value), None)
    return last is not None and last.detail["step"] in _LEAVING and clock.now() - last.at < LEFT_FOR
