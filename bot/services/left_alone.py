"""Conversations that people have, looked after: whoever is gone, and whoever has been silent for too long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from bot.core.agents import Agent, AgentId, Presence
from bot.core.conversations import Author, ConversationId, Message
from bot.core.desk import DeskPolicy
from bot.core.goodbyes import is_goodbye
from bot.core.handoffs import Handoff, Stage, Step
from bot.core.shop import Shop
from bot.services.handoff_words import STILL_THERE
from bot.services.handoffs import take_step
from bot.services.line_places import tell_place
from bot.services.ports import Clock, Hint, UnitOfWork
from bot.services.standings import Standing
from bot.services.system_lines import say

# Who says that they are away, and has conversations, is given so many times as long as who is just gone.
AWAY_GRACE = 5
# Who is not at the desk for so long does not come back to what they put off: a long weekend is shorter.
ABSENT_FOR = timedelta(days=5)


class _Due(str, Enum):
    """What follows from somebody being gone, or silent."""

    VANISH = "vanish"  # the agent is gone, or as good as that
    ASK = "ask"  # the customer is asked whether they are still there
    GIVE_UP = "give_up"  # the customer is gone


async def left_alone(
    work: UnitOfWork,
    shop: Shop,
    active: Iterable[Handoff],
    agents: Mapping[AgentId, Agent],
    now: datetime,
    *,
    is_manned: bool,
) -> list[ConversationId]:
    """In which of the conversations that people have something is due; what was said is read for all of them at once.

    `is_manned` is whether somebody could help, were an agent gone: people answer, or somebody is there all the same.
    """
    having = [(one, agents.get(one.agent_id) if one.agent_id else None) for one in active]
    late = [(one, agent) for one, agent in having if _may_be_due(one, agent, shop.desk, now)]
    said = await work.messages.last_said([one.conversation_id for one, _ in late])
    return [
        one.conversation_id
        for one, agent in late
        if _due(one, agent, said.get(one.conversation_id, ()), shop.desk, now, is_manned=is_manned)
    ]


async def who_is_helped(work: UnitOfWork, clock: Clock, shop: Shop, at: Standing, *, is_manned: bool) -> bool:
    """Do what is due in a locked conversation that somebody has; whether anything was."""
    now, handoff = clock.now(), at.handoff
    if handoff is None or handoff.agent_id is None or at.stage is not Stage.AGENT:
        return False
    agent = await work.agents.get(handoff.agent_id)
    said = (await work.messages.last_said([at.conversation.id])).get(at.conversation.id, ())
    match _due(handoff, agent, said, shop.desk, now, is_manned=is_manned):
        case _Due.VANISH:
            after = await take_step(work, clock, shop, at.conversation, Step.VANISH, by=None)
            if is_manned:
                await tell_place(work, clock, shop, after)
            else:
                # They are not sent to a line in which nobody is helped any more today.
                await take_step(work, clock, shop, after.conversation, Step.NOBODY_CAME, by=None)
        case _Due.GIVE_UP:
            await take_step(work, clock, shop, at.conversation, Step.GIVE_UP, by=None)
        case _Due.ASK:
            await say(work, clock, at.conversation, STILL_THERE)
            locked = await work.handoffs.lock_open(at.conversation.id)
            await work.handoffs.save(replace(locked or handoff, asked_at=now))
            work.hint(Hint("desk", at.conversation.id))
        case None:
            return False
    return True


def _may_be_due(handoff: Handoff, agent: Agent | None, desk: DeskPolicy, now: datetime) -> bool:
    """Whether it is worth reading what was said: somebody is gone, or nothing was heard of the customer for long."""
    if _is_put_off(handoff, agent, now):
        return False
    heard = max(filter(None, (handoff.claimed_at or handoff.requested_at, handoff.heard_at)))
    quiet = now - heard
    if quiet >= min(desk.customer_grace, desk.give_up_after) or _is_gone(agent, desk, now):
        return True
    return _is_away(agent) and quiet >= AWAY_GRACE * desk.agent_grace


def _due(
    handoff: Handoff, agent: Agent | None, said: Sequence[Message], desk: DeskPolicy, now: datetime, *, is_manned: bool
) -> _Due | None:
    """What is due now."""
    if _is_put_off(handoff, agent, now):
        return None
    claimed = handoff.claimed_at or handoff.requested_at
    # What was put off begins anew when its time has come.
    began = max(claimed, handoff.snoozed_until or claimed)
    wrote = next((one for one in said if one.author is Author.CUSTOMER), None)
    answered = next((one for one in said if one.author is Author.AGENT), None)
    # Whoever has had no answer does not mean with their thanks that they need none.
    is_bye = (
        wrote is not None
        and answered is not None
        and answered.at >= claimed
        and is_goodbye(wrote.text, agent.name if agent else "")
    )
    # When they last had nothing to wait for.
    settled = max((one.at for one in (answered, wrote if is_bye else None) if one and one.at >= claimed), default=None)
    is_owed = settled is None or (wrote is not None and wrote.at > settled)
    if _is_gone(agent, desk, now) and (is_owed or is_manned):
        return _Due.VANISH
    if is_owed or settled is None:
        waited = now - max(began, wrote.at if wrote else began)
        away = _is_away(agent) and min(waited, now - _away_since(agent, claimed)) >= AWAY_GRACE * desk.agent_grace
        return _Due.VANISH if away or waited >= desk.give_up_after else None
    quiet_since = max(began, settled)
    # Nobody is asked who has said goodbye, or by whom there is nobody to hear the answer.
    asked = handoff.asked_at if handoff.asked_at is not None and handoff.asked_at > quiet_since else None
    if now - (asked or quiet_since) < desk.customer_grace:
        return None
    return _Due.GIVE_UP if asked is not None or is_bye or _is_gone(agent, desk, now) else _Due.ASK


def _is_put_off(handoff: Handoff, agent: Agent | None, now: datetime) -> bool:
    """Whether it is put off, by somebody who can be expected to come back to it."""
    if handoff.snoozed_until is None or now >= handoff.snoozed_until:
        return False
    if agent is None or agent.disabled_at is not None:
        return False
    return agent.seen_at is None or now - agent.seen_at < ABSENT_FOR


def _is_gone(agent: Agent | None, desk: DeskPolicy, now: datetime) -> bool:
    """Whether somebody has left what they were working on: closed the desk, or lost it. Being away is not leaving."""
    if agent is None or agent.disabled_at is not None or agent.seen_at is None:
        return True
    return now - agent.seen_at >= desk.agent_grace * (AWAY_GRACE if _is_away(agent) else 1)


def _is_away(agent: Agent | None) -> bool:
    return agent is not None and agent.presence is Presence.AWAY


def _away_since(agent: Agent | None, otherwise: datetime) -> datetime:
    return (agent.away_since if agent else None) or otherwise
