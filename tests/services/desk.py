"""A desk for tests: two agents who are there, a shop that is open, and steps as transactions of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.core.agents import Agent, AgentId, Presence, Role
from bot.core.conversations import Author, Choice, Conversation, Message, MessageId
from bot.core.handoffs import HandoffReason, Stage, Step
from bot.core.shop import Shop
from bot.services.handoffs import request_handoff, take_step
from bot.services.ids import new_id
from bot.services.ports import Clock, Database
from bot.services.standings import Standing, standing_of
from tests.builders import NOW, messages_now

ANA = Agent(
    AgentId("ana"), "ana@example.com", "Ana", Role.AGENT, "hash", NOW, NOW, presence=Presence.ONLINE, seen_at=NOW
)
BEN = replace(ANA, id=AgentId("ben"), email="ben@example.com", name="Ben")


def open_always(shop: Shop, **changes: Any) -> Shop:
    """The shop, with people who answer at any hour."""
    return replace(shop, desk=replace(shop.desk, always_open=True, **changes))


async def add_agents(db: Database, *agents: Agent) -> None:
    async with db.transaction() as work:
        for agent in agents:
            assert await work.agents.add(agent)


async def change_agent(db: Database, agent: Agent, **changes: Any) -> None:
    async with db.transaction() as work:
        await work.agents.save(replace(await work.agents.lock(agent.id), **changes))


async def see(db: Database, clock: Clock, *agents: Agent) -> None:
    """Their desks are open now."""
    async with db.transaction() as work:
        for agent in agents:
            await work.agents.see(agent.id, clock.now())


async def step(
    db: Database,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    what: Step,
    *,
    by: Agent | None = None,
    to: Agent | None = None,
    topic: str | None = None,
) -> Standing:
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        return await take_step(work, clock, shop, locked, what, by=by, to=to, topic=topic)


async def ask(
    db: Database,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    reason: HandoffReason = HandoffReason.ASKED,
    **more: Any,
) -> Standing:
    async with db.transaction() as work:
        return await request_handoff(work, clock, shop, await work.conversations.lock(conversation.id), reason, **more)


async def reply(db: Database, clock: Clock, conversation: Conversation, agent: Agent, text: str = "Hello!") -> Message:
    """What an agent writes, who must have the conversation."""
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        standing = await standing_of(work, locked)
        assert standing.handoff is not None and standing.handoff.agent_id == agent.id
        message = Message(
            MessageId(new_id()), locked.id, locked.last_seq + 1, Author.AGENT, text, clock.now(), author_name=agent.name
        )
        await work.messages.add(replace(message, agent_id=agent.id), channel=locked.channel)
        await work.conversations.save(replace(locked, last_seq=message.seq))
        return message


async def standing_now(db: Database, conversation: Conversation) -> Standing:
    async with db.reading() as work:
        found = await work.conversations.get(conversation.id)
        assert found is not None
        return await standing_of(work, found)


async def stage(db: Database, conversation: Conversation) -> Stage:
    return (await standing_now(db, conversation)).stage


async def agent_now(db: Database, agent: Agent) -> Agent:
    async with db.reading() as work:
        found = await work.agents.get(agent.id)
    assert found is not None
    return found


async def system_lines(db: Database, conversation: Conversation) -> list[str]:
    return [one.text for one in await messages_now(db, conversation.id) if one.author is Author.SYSTEM]


async def offered(db: Database, conversation: Conversation) -> tuple[Choice, ...]:
    """The choices that the customer was given last."""
    async with db.reading() as work:
        return await work.messages.last_offer(conversation.id)
