"""Where in the line a conversation is, and what its customer hears about it."""

from __future__ import annotations

from datetime import timedelta

from bot.core.conversations import Conversation, Reply
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
from bot.services.ports import Clock, UnitOfWork
from bot.services.standings import Standing
from bot.services.system_lines import say

# The pace of the line is judged by the claims of so long.
PACE_WINDOW = timedelta(hours=1)


async def place_of(work: UnitOfWork, clock: Clock, handoff: Handoff) -> Place | None:
    """The place in the line; None for somebody who does not wait."""
    now = clock.now()
    line = await work.handoffs.line()
    if handoff.conversation_id not in line:
        return None
    position = line.index(handoff.conversation_id) + 1
    claims = await work.handoffs.claims_since(now - PACE_WINDOW)
    there = any(agent.is_there(now) for agent in await work.agents.all())
    return Place(position, expected_wait(position, claims, now, PACE_WINDOW), there)


async def tell_place(work: UnitOfWork, clock: Clock, standing: Standing) -> Conversation:
    """Tell somebody who is in line again where, and what they can choose. The conversation must be locked."""
    if standing.handoff is None:
        return standing.conversation
    text = f"{place_in_words(await place_of(work, clock, standing.handoff))} You can wait, or choose something else."
    return await say(work, clock, standing.conversation, text, (LEAVE_MESSAGE_CHOICE, BACK_TO_BOT_CHOICE))


async def what_comes_next(work: UnitOfWork, clock: Clock, shop: Shop, standing: Standing) -> Reply | None:
    """What a customer hears who has asked for a person: before they wait, how long that will be and what else there is.

    None in a shop where nobody works at a desk.
    """
    now, handoff = clock.now(), standing.handoff
    if handoff is None:
        return None
    if standing.stage is Stage.QUEUE:
        where = place_in_words(await place_of(work, clock, handoff))
        text = f"A person from our team will join us here. {where} You can wait, or choose something else."
        return Reply(text, (LEAVE_MESSAGE_CHOICE, BACK_TO_BOT_CHOICE))
    match await reach_of(work, shop, now):
        case Reach.NO_DESK:
            return None
        case Reach.CLOSED:
            return Reply(f"{closed_in_words(shop, now)} Your request is noted: {promise_in_words(shop, handoff, now)}")
        case Reach.OPEN:
            return Reply(f"Your request is with our team: {promise_in_words(shop, handoff, now)}")
