"""Who may take a step between the bot and people, and what becomes of the request for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.agents import Agent, Presence
from bot.core.desk import FIRST, NORMAL
from bot.core.handoffs import DESK_STEPS, Handoff, HandoffId, HandoffReason, Stage, Step, stage_after
from bot.core.shop import Shop
from bot.errors import StepRefused
from bot.services.ids import new_id
from bot.services.ports import UnitOfWork
from bot.services.standings import Standing


async def check_step(
    work: UnitOfWork, before: Standing, step: Step, by: Agent | None, to: Agent | None, now: datetime
) -> tuple[Agent | None, Agent | None]:
    """Whoever takes the step, and whoever gets the conversation, as they are now. Raises StepRefused."""
    stage = before.stage
    if stage_after(stage, step) is None or (by is not None) != (step in DESK_STEPS):
        raise StepRefused(stage.value)
    if by is None:
        return None, None
    taker = await work.agents.get(by.id)
    if taker is None or taker.disabled_at is not None:
        raise StepRefused(stage.value, "This account is closed.")
    if stage is Stage.AGENT and before.handoff is not None and before.handoff.agent_id != by.id:
        raise StepRefused(stage.value)
    if step in (Step.CLAIM, Step.TAKE_OVER) and before.conversation.blocked_at is not None:
        raise StepRefused(stage.value, "This conversation is blocked. Unblock it first.")
    if step in (Step.CLAIM, Step.TAKE_OVER) and before.conversation.signed_out_at is not None:
        raise StepRefused(stage.value, "They have logged out here, and would not see what you write.")
    if step in (Step.CLAIM, Step.TAKE_OVER) and taker.presence is Presence.AWAY:
        raise StepRefused(stage.value, "You are away: say that you are online first, to take conversations.")
    if step is not Step.TRANSFER:
        return taker, None
    getter = await work.agents.get(to.id) if to is not None else None
    if getter is None or getter.id == taker.id:
        raise StepRefused(stage.value, "Choose a colleague to pass it on to.")
    if not getter.is_there(now):
        # Nobody is passed on to an empty chair.
        raise StepRefused(stage.value, f"{getter.name} is not there now. Choose somebody else, or pass it to a team.")
    return taker, getter


def request_after(
    shop: Shop,
    before: Standing,
    step: Step,
    *,
    by: Agent | None,
    to: Agent | None,
    topic: str | None,
    now: datetime,
) -> Handoff | None:
    """The request as it is once the step is taken, but for its state."""
    handoff = before.handoff
    if step is Step.TAKE_OVER and by is not None:
        handoff = Handoff(HandoffId(new_id()), before.conversation.id, HandoffReason.TAKEN_OVER, now)
        language = before.conversation.language
        return replace(handoff, agent_id=by.id, claimed_at=now, waiting_since=now, language=language)
    if handoff is None:
        return None
    nobody: dict[str, Any] = {"offered_to": None, "offered_until": None, "passed_by": ()}
    again: dict[str, Any] = {
        **{"agent_id": None, "waiting_since": now, "priority": FIRST, "snoozed_until": None, "asked_at": None},
        # Whoever had it is asked again only if nobody else is there.
        **{"heard_at": None, "wanted_agent_id": None, "passed_by": (handoff.agent_id,) if handoff.agent_id else ()},
    }
    changes: dict[str, Any] = nobody
    match step:
        case Step.CLAIM if by is not None:
            since = handoff.waiting_since or handoff.requested_at
            changes = {**nobody, "agent_id": by.id, "claimed_at": now, "due_at": None, "waiting_since": since}
        case Step.TRANSFER if to is not None:
            changes = {"agent_id": to.id, "claimed_at": now, "snoozed_until": None}
        case Step.TRANSFER_TEAM:
            changes = {**again, "topic": topic}
        case Step.VANISH:
            changes = again
        case Step.NOBODY_CAME | Step.LEAVE_MESSAGE:
            # Who goes before the others for having lost their agent does so while they wait for another one.
            priority = handoff.priority if handoff.priority < FIRST else NORMAL
            changes = {**nobody, "due_at": shop.desk.due_at(shop.hours, now), "priority": priority}
    return replace(handoff, **changes)
