"""The line looked after: offers, asking who waits, promising a call-back; and conversations that are left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.agents import Agent, AgentId
from bot.core.conversations import ConversationId
from bot.core.desk import Assignment
from bot.core.handoffs import Handoff, HandoffId, Stage, Step
from bot.core.shop import Shop
from bot.services.handoff_words import (
    ASKED_TO_GO_ON,
    BACK_TO_BOT_CHOICE,
    LEAVE_MESSAGE_CHOICE,
    NOBODY_THERE_YET,
    WAIT_ON_CHOICE,
)
from bot.services.handoffs import take_step
from bot.services.left_alone import left_alone, who_is_helped
from bot.services.line_looks import as_offered, asked_anew, is_on_offer, look
from bot.services.one_by_one import one_by_one
from bot.services.ports import Clock, Database, Hint, UnitOfWork
from bot.services.retries import again_if_lost
from bot.services.standings import Standing, standing_of
from bot.services.system_lines import say

_Act = Callable[[UnitOfWork, Standing], Awaitable[bool]]


async def look_after_line(db: Database, clock: Clock, shop: Shop) -> int:
    """Do what is due in the line and at the desk; how much that was. To be run again and again, by any number at once.

    Each conversation is looked at anew under its lock, so that what was done meanwhile is not done twice.
    """
    now = clock.now()
    async with db.reading() as work:
        desk = await look(work)
        # Whoever is at the desk after hours helps those who came in time.
        is_manned = shop.desk.is_open(shop.hours, now) or any(agent.is_there(now) for agent in desk.agents.values())
        late = await left_alone(work, shop, desk.active, desk.agents, now, is_manned=is_manned)
    found = [] if shop.desk.assignment is Assignment.MANUAL else desk.offers(now)
    # Nobody is sent away for whom somebody is about to be asked.
    expected = frozenset(asked_anew(found))
    line = _Line(shop, now, desk.agents, expected, is_manned)
    due = [one.conversation_id for one in desk.waiting if line.is_due(one)]
    done = await _each(db, due, lambda work, at: _who_waits(work, clock, line, at))
    done += await _each(db, late, lambda work, at: who_is_helped(work, clock, shop, at, is_manned=is_manned))
    if shop.desk.assignment is Assignment.MANUAL or (not done and not found):
        # Mostly there is nothing to offer, and nobody need wait for that.
        return done
    return done + await _offer_all(db, clock, shop)


async def _offer_all(db: Database, clock: Clock, shop: Shop) -> int:
    """Offer what waits to whoever can take it; how much was offered."""

    async def attempt() -> int:
        now = clock.now()
        async with db.transaction() as work:
            await work.agents.lock_line()
            until = now + shop.desk.offer_time
            found = (await look(work)).offers(now)
            made = [one for one, agent_id in found if await work.handoffs.offer(one.id, agent_id, now, until)]
            for handoff in made:
                work.hint(Hint("desk", handoff.conversation_id))
            return len(made)

    return await again_if_lost(attempt)


async def _each(db: Database, ids: list[ConversationId], look: _Act) -> int:
    async def do(work: UnitOfWork, conversation_id: ConversationId) -> int:
        conversation = await work.conversations.lock(conversation_id)
        return int(conversation is not None and await look(work, await standing_of(work, conversation)))

    return await one_by_one(db, ids, do, what="the line")


@dataclass(frozen=True)
class _Line:
    """What is due in the line now. `expected` are those for whom somebody is about to be asked."""

    shop: Shop
    now: datetime
    agents: Mapping[AgentId, Agent]
    expected: Collection[HandoffId]
    is_manned: bool

    def is_due(self, handoff: Handoff) -> bool:
        """Whether there is something to do for somebody who waits."""
        return (
            self.is_in_vain(handoff)
            or self.is_offer_over(handoff)
            or _is_silent(handoff, self.shop, self.now)
            or _is_to_be_asked(handoff, self.shop, self.now)
        )

    def is_in_vain(self, handoff: Handoff) -> bool:
        """Whether nobody comes any more: not today, or not after so long, unless somebody is just being asked."""
        desk, heard = self.shop.desk, handoff.heard_at
        if not self.is_manned:
            return True
        if self.now - (handoff.waiting_since or handoff.requested_at) < desk.give_up_after:
            return False
        # Nor is anybody sent away who has only just said that they go on waiting.
        is_just_heard = heard is not None and self.now - heard < desk.offer_time
        return not (is_just_heard or handoff.id in self.expected or is_on_offer(handoff, self.agents, self.now))

    def is_offer_over(self, handoff: Handoff) -> bool:
        """Whether an offer was let pass, or whoever it was made to has gone."""
        return as_offered(handoff, self.agents, self.now) != handoff


def _is_silent(handoff: Handoff, shop: Shop, now: datetime) -> bool:
    """Whether they were asked whether they go on waiting, and have not said a word for long."""
    asked, heard = handoff.asked_at, handoff.heard_at
    return asked is not None and (heard is None or heard < asked) and now - asked >= shop.desk.customer_grace


def _is_to_be_asked(handoff: Handoff, shop: Shop, now: datetime) -> bool:
    # Who has not answered is not asked again: their place is theirs all the same.
    since, asked, heard = handoff.waiting_since or handoff.requested_at, handoff.asked_at, handoff.heard_at
    if asked is not None:
        if heard is None or heard < asked:
            return False
        since = heard
    return now - since >= shop.desk.ask_after


async def _who_waits(work: UnitOfWork, clock: Clock, before: _Line, at: Standing) -> bool:
    now, handoff, shop = clock.now(), at.handoff, before.shop
    if handoff is None or at.stage is not Stage.QUEUE:
        return False
    agents = {agent.id: agent for agent in await work.agents.all()}
    line = replace(before, now=now, agents=agents)
    if not line.is_due(handoff):
        return False
    if line.is_in_vain(handoff):
        await take_step(work, clock, shop, at.conversation, Step.NOBODY_CAME, by=None)
        return True
    if _is_silent(handoff, shop, now):
        await take_step(work, clock, shop, at.conversation, Step.GIVE_UP, by=None)
        return True
    locked = await work.handoffs.lock_open(at.conversation.id)
    if locked is None:
        return False
    handoff = as_offered(locked, agents, now)
    if _is_to_be_asked(handoff, shop, now):
        handoff = replace(handoff, asked_at=now)
        there = any(agent.is_there(now) for agent in agents.values())
        text = ASKED_TO_GO_ON if there else NOBODY_THERE_YET
        choices = (WAIT_ON_CHOICE, LEAVE_MESSAGE_CHOICE, BACK_TO_BOT_CHOICE)
        await say(work, clock, at.conversation, text, choices)
    if handoff == locked:
        return False
    await work.handoffs.save(handoff)
    work.hint(Hint("desk", at.conversation.id))
    return True
