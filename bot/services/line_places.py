"""Where in the line a conversation is, and what its customer hears about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.agents import Agent
from bot.core.conversations import Conversation, Reply
from bot.core.desk import Assignment
from bot.core.handoffs import Handoff, Stage
from bot.core.shop import Shop
from bot.core.waiting_line import expected_wait
from bot.services.handoff_words import (
    BACK_TO_BOT_CHOICE,
    LEAVE_MESSAGE_CHOICE,
    Place,
    closed_in_words,
    place_in_words,
    promise_in_words,
)
from bot.services.handoffs import Reach, reach_of
from bot.services.line_looks import look
from bot.services.ports import Clock, UnitOfWork
from bot.services.standings import Standing
from bot.services.system_lines import say

# The pace of the line is judged by the claims of so long.
PACE_WINDOW = timedelta(hours=1)


async def place_of(work: UnitOfWork, clock: Clock, shop: Shop, handoff: Handoff) -> Place | None:
    """The place in the line; None for somebody who does not wait."""
    now = clock.now()
    line = await work.handoffs.line()
    if handoff.conversation_id not in line:
        return None
    position = line.index(handoff.conversation_id) + 1
    there = [agent for agent in await work.agents.all() if agent.is_there(now)]
    if shop.desk.assignment is Assignment.OFFER and await _is_anybody_free(work, there):
        whole = await look(work)
        # As it is now: what was read with the conversation may not know of an offer.
        theirs = next((one for one in whole.waiting if one.id == handoff.id), handoff)
        if whole.is_expected(theirs, now):
            return Place(position, None, True, is_expected=True)
    claims = await work.handoffs.claims_since(now - PACE_WINDOW)
    stands_since = await work.handoffs.line_since() or now
    return Place(position, expected_wait(position, claims, stands_since, now, PACE_WINDOW), bool(there))


async def _is_anybody_free(work: UnitOfWork, there: Sequence[Agent]) -> bool:
    loads = await work.handoffs.loads() if there else {}
    return any(loads.get(agent.id, 0) < agent.capacity for agent in there)


async def tell_place(work: UnitOfWork, clock: Clock, shop: Shop, standing: Standing) -> Conversation:
    """Tell somebody who is in line again where, and what they can choose. The conversation must be locked."""
    if standing.handoff is None:
        return standing.conversation
    told = await _place_told(work, clock, shop, standing.handoff)
    return await say(work, clock, standing.conversation, told.text, told.choices)


async def _place_told(work: UnitOfWork, clock: Clock, shop: Shop, handoff: Handoff) -> Reply:
    where = place_in_words(await place_of(work, clock, shop, handoff))
    return Reply(f"{where} You can wait, or choose something else.", (LEAVE_MESSAGE_CHOICE, BACK_TO_BOT_CHOICE))


async def what_comes_next(work: UnitOfWork, clock: Clock, shop: Shop, standing: Standing) -> Reply | None:
    """What a customer hears who has asked for a person: before they wait, how long that will be and what else there is.

    None in a shop where nobody works at a desk.
    """
    now, handoff = clock.now(), standing.handoff
    if handoff is None:
        return None
    if standing.stage is Stage.QUEUE:
        told = await _place_told(work, clock, shop, handoff)
        return replace(told, text=f"A person from our team will join us here. {told.text}")
    match await reach_of(work, shop, now):
        case Reach.NO_DESK:
            return None
        case Reach.CLOSED:
            return Reply(f"{closed_in_words(shop, now)} Your request is noted: {promise_in_words(shop, handoff, now)}")
        case Reach.OPEN:
            return Reply(f"Your request is with our team: {promise_in_words(shop, handoff, now)}")
