"""Since when somebody at the desk has been free, by when their desk was seen."""

from __future__ import annotations

from datetime import timedelta

from bot.core.agents import GONE_AFTER
from tests.builders import NOW
from tests.services.desk import ANA, add_agents, agent_now

SOON = timedelta(seconds=15)


async def see(db, at):
    async with db.transaction() as work:
        await work.agents.see(ANA.id, at)
    return await agent_now(db, ANA)


async def test_whoever_stays_there_has_been_free_all_along(sql_db):
    await add_agents(sql_db, ANA)

    agent = await see(sql_db, NOW + SOON)

    assert (agent.seen_at, agent.free_since) == (NOW + SOON, NOW)


async def test_whoever_comes_back_has_been_free_since_then_and_not_before_those_who_were_there(sql_db):
    await add_agents(sql_db, ANA)
    morning = NOW + GONE_AFTER

    agent = await see(sql_db, morning)

    assert (agent.seen_at, agent.free_since) == (morning, morning)
