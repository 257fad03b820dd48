"""The line looked after: offers, asking who waits, promising a call-back, and whoever is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.core.agents import Agent, Presence
from bot.core.conversations import Choice, Conversation, ConversationId
from bot.core.desk import Assignment
from bot.core.handoffs import Handoff, HandoffState, Stage, Step
from bot.core.shop import Shop
from bot.core.waiting_line import Helper, offers
from bot.services.handoffs import Standing, say, standing_of, take_step
from bot.services.ports import Clock, Database, Hint, UnitOfWork

WAIT_ON, LEAVE_MESSAGE, BACK_TO_BOT = "/wait_on", "/leave_message", "/leave_line"
# What somebody in the line may pick, and which step it is; waiting on is none.
LINE_CHOICES = {WAIT_ON: None, LEAVE_MESSAGE: Step.LEAVE_MESSAGE, BACK_TO_BOT: Step.CANCEL}


async def look_after_line(db: Database, clock: Clock, shop: Shop) -> int:
    """Do what is due in the line and at the desk; how much that was. To be run again and again, by any number at once.

    Each conversation is looked at anew under its lock, so that what was done meanwhile is not done twice.
    """
    async with db.reading() as work:
        waiting = await work.handoffs.in_state(HandoffState.WAITING)
        active = await work.handoffs.in_state(HandoffState.ACTIVE)
    done = 0
    for handoff in waiting:
        done += await _one(db, handoff.conversation_id, lambda work, at: _who_waits(work, clock, shop, at))
    for handoff in active:
        done += await _one(db, handoff.conversation_id, lambda work, at: _who_is_helped(work, clock, shop, at))
    return done + await offer_all(db, clock, shop)


async def offer_all(db: Database, clock: Clock, shop: Shop) -> int:
    """Offer what waits to whoever can take it; how much was offered. Nothing, where people take for themselves."""
    if shop.desk.assignment is Assignment.MANUAL:
        return 0
    now = clock.now()
    async with db.transaction() as work:
        await work.agents.lock_line()
        waiting = await work.handoffs.in_state(HandoffState.WAITING)
        helpers = await _helpers(work, waiting, now)
        found = offers(waiting, helpers, now)
        for handoff, agent_id in found:
            until = now + shop.desk.offer_time
            await work.handoffs.save(replace(handoff, offered_to=agent_id, offered_until=until))
        if found:
            work.hint(Hint("desk"))
        return len(found)


async def _helpers(work: UnitOfWork, waiting: list[Handoff], now: datetime) -> list[Helper]:
    loads = await work.handoffs.loads()
    for handoff in waiting:
        if handoff.offered_to is not None and handoff.offered_until is not None and now < handoff.offered_until:
            loads[handoff.offered_to] = loads.get(handoff.offered_to, 0) + 1
    return [
        Helper(
            agent.id,
            agent.capacity,
            loads.get(agent.id, 0),
            agent.free_since,
            frozenset(agent.skills),
            frozenset(agent.languages),
        )
        for agent in await work.agents.all()
        if agent.is_there(now)
    ]


async def _one(
    db: Database, conversation_id: ConversationId, look: Callable[[UnitOfWork, Standing], Awaitable[bool]]
) -> bool:
    async with db.transaction() as work:
        conversation = await work.conversations.lock(conversation_id)
        return conversation is not None and await look(work, await standing_of(work, conversation))


async def _who_waits(work: UnitOfWork, clock: Clock, shop: Shop, at: Standing) -> bool:
    now, handoff, desk = clock.now(), at.handoff, shop.desk
    if handoff is None or at.stage is not Stage.QUEUE or handoff.waiting_since is None:
        return False
    if now - handoff.waiting_since >= desk.give_up_after or not desk.is_open(shop.hours, now):
        await take_step(work, clock, shop, at.conversation, Step.NOBODY_CAME, by=None)
        return True
    did = False
    if handoff.offered_to is not None and handoff.offered_until is not None and now >= handoff.offered_until:
        passed = (*handoff.passed_by, handoff.offered_to)
        handoff = replace(handoff, passed_by=passed, offered_to=None, offered_until=None)
        did = True
    if now - (handoff.asked_at or handoff.waiting_since) >= desk.ask_after:
        handoff = replace(handoff, asked_at=now)
        await _ask(work, clock, at.conversation)
        did = True
    if did:
        await work.handoffs.save(handoff)
        work.hint(Hint("desk", at.conversation.id))
    return did


async def _ask(work: UnitOfWork, clock: Clock, conversation: Conversation) -> None:
    await say(
        work,
        clock,
        conversation,
        "Thank you for waiting; everybody is still busy. Would you like to go on waiting?",
        choices=(
            Choice("Go on waiting", WAIT_ON),
            Choice("Leave a message", LEAVE_MESSAGE),
            Choice("Back to the assistant", BACK_TO_BOT),
        ),
    )
    work.hint(Hint("outbound", conversation.id))


async def _who_is_helped(work: UnitOfWork, clock: Clock, shop: Shop, at: Standing) -> bool:
    now, handoff = clock.now(), at.handoff
    if handoff is None or handoff.agent_id is None or at.stage is not Stage.AGENT:
        return False
    agent = await work.agents.get(handoff.agent_id)
    if agent is None or _is_gone(agent, shop, now):
        await take_step(work, clock, shop, at.conversation, Step.VANISH, by=None)
        return True
    if handoff.snoozed_until is not None and now < handoff.snoozed_until:
        return False
    last = await work.messages.last_words(at.conversation.id)
    since = max(filter(None, (last.get("customer"), handoff.claimed_at)), default=None)
    answered = last.get("agent")
    if answered is None or since is None or answered < since or now - answered < shop.desk.customer_grace:
        return False
    await take_step(work, clock, shop, at.conversation, Step.GIVE_UP, by=None)
    return True


def _is_gone(agent: Agent, shop: Shop, now: datetime) -> bool:
    """Whether somebody has left what they were working on: closed the desk, or lost it. Being away is not leaving."""
    if agent.disabled_at is not None or agent.seen_at is None:
        return True
    grace = shop.desk.agent_grace * (1 if agent.presence is Presence.ONLINE else 5)
    return now - agent.seen_at >= grace
