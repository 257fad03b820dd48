"""A busy day at the desk, with the real rules and a real database, on a clock that jumps."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from bench.report import percentile
from bot.core.agents import Agent, AgentId, Presence, Role
from bot.core.conversations import Conversation, ConversationId, Owner
from bot.core.customers import ChannelIdentity, IdentityId
from bot.core.handoffs import Handoff, HandoffReason, HandoffState, Stage, Step
from bot.core.shop import Shop
from bot.errors import StepRefused
from bot.services.handoffs import request_handoff, take_step
from bot.services.ports import Database
from bot.services.standings import standing_of
from bot.services.waiting import look_after_line

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=timezone.utc)
HOURS = 8
# How much of the day's customers come in each hour: two rushes, in which more come than can be helped.
RUSH = (4, 8, 22, 10, 8, 24, 14, 10)
MINUTES_OF_HELP = 14.0
SECONDS_TO_TAKE = (2.0, 8.0)
TICK = timedelta(seconds=1)
SEEN_EVERY = timedelta(seconds=15)


@dataclass
class DayClock:
    """Shows the time that the day has come to."""

    at: datetime = MORNING

    def now(self) -> datetime:
        """The present moment."""
        return self.at


@dataclass(frozen=True)
class Customer:
    """When somebody comes, and how long they take to help."""

    number: int
    comes_at: datetime
    help_takes: timedelta


@dataclass
class Day:
    """What came of it: how long each customer waited, here and in an ideal line; None for who was never helped."""

    customers: Sequence[Customer]
    waited: dict[int, timedelta] = field(default_factory=dict)
    ideal: dict[int, timedelta] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    ticks: int = 0

    @property
    def starved(self) -> int:
        """How many were never helped."""
        return len(self.customers) - len(self.waited)

    @property
    def overtaken(self) -> int:
        """How many saw somebody helped before them who had come later, by more than a minute."""
        comes = {one.number: one.comes_at for one in self.customers}
        latest, count = MORNING, 0
        for number in self.order:
            count += latest - comes[number] > timedelta(minutes=1)
            latest = max(latest, comes[number])
        return count

    def minutes(self, waits: dict[int, timedelta], percent: float) -> float:
        """So long so many waited at most, in minutes."""
        return percentile([wait.total_seconds() / 60 for wait in waits.values()], percent)


def make_customers(count: int, seed: int) -> list[Customer]:
    """The day's customers, in the order in which they come."""
    chance = random.Random(seed)
    hours = chance.choices(range(HOURS), RUSH, k=count)
    moments = sorted(MORNING + timedelta(hours=hour, seconds=chance.uniform(0, 3600)) for hour in hours)
    return [
        Customer(number, moment, timedelta(minutes=chance.expovariate(1 / MINUTES_OF_HELP) + 1))
        for number, moment in enumerate(moments)
    ]


def ideal_waits(customers: Sequence[Customer], agents: int) -> dict[int, timedelta]:
    """How long each waits where whoever is free takes the first in line at once: first come, first served."""
    free = [MORNING] * agents
    waits = {}
    for customer in customers:
        begins = max(heapq.heappop(free), customer.comes_at)
        waits[customer.number] = begins - customer.comes_at
        heapq.heappush(free, begins + customer.help_takes)
    return waits


async def simulate(db: Database, shop: Shop, *, customers: int, agents: int, seed: int) -> Day:
    """Let the day pass, and see what became of everybody."""
    day = Day(make_customers(customers, seed))
    day.ideal = ideal_waits(day.customers, agents)
    await _Desk(db, shop, day, agents, seed).run()
    return day


class _Desk:
    """Agents who take what they are offered after a moment, and customers who wait as long as it takes."""

    def __init__(self, db: Database, shop: Shop, day: Day, agents: int, seed: int) -> None:
        self._db, self._day, self._clock, self._chance = db, day, DayClock(), random.Random(seed + 1)
        # Everybody is helped on the day, so that all waits can be compared.
        long = timedelta(hours=20)
        self._shop = replace(shop, desk=replace(shop.desk, always_open=True, ask_after=long, give_up_after=long))
        self._agents = [_agent(number) for number in range(agents)]
        self._by_conversation: dict[ConversationId, Customer] = {}
        self._takes: dict[ConversationId, tuple[datetime, Agent]] = {}
        self._ends: list[tuple[datetime, ConversationId, AgentId]] = []

    async def run(self) -> None:
        async with self._db.transaction(durable=False) as work:
            for agent in self._agents:
                await work.agents.add(agent)
        coming, last_seen = list(reversed(self._day.customers)), MORNING - SEEN_EVERY
        while coming or self._by_conversation:
            now = self._clock.at
            if now - last_seen >= SEEN_EVERY:
                last_seen = now
                await self._see_everybody()
            while coming and coming[-1].comes_at <= now:
                await self._come(coming.pop())
            await self._end_what_is_over()
            await look_after_line(self._db, self._clock, self._shop)
            await self._take_offers()
            self._day.ticks += 1
            self._clock.at = now + TICK
            if not self._takes and len(self._by_conversation) == len(self._ends):
                # Nobody waits: on to whatever comes next.
                comes = [coming[-1].comes_at] if coming else []
                self._clock.at = max(self._clock.at, min([*comes, *(end for end, _, _ in self._ends[:1])], default=now))

    async def _see_everybody(self) -> None:
        async with self._db.transaction(durable=False) as work:
            for agent in self._agents:
                await work.agents.see(agent.id, self._clock.at)

    async def _come(self, customer: Customer) -> None:
        now, name = self._clock.at, f"{customer.number:032d}"
        conversation = Conversation(ConversationId(name), "web", IdentityId(name), Owner.BOT, 0, now)
        async with self._db.transaction(durable=False) as work:
            await work.customers.add_identity(ChannelIdentity(IdentityId(name), "web", name, None, now))
            await work.conversations.add(conversation)
            await request_handoff(work, self._clock, self._shop, conversation, HandoffReason.ASKED)
        self._by_conversation[conversation.id] = customer

    async def _take_offers(self) -> None:
        """Whoever is offered something takes it a moment later."""
        now = self._clock.at
        async with self._db.reading() as work:
            offered = [one for one in await work.handoffs.in_state(HandoffState.WAITING) if one.offered_to]
        agents = {agent.id: agent for agent in self._agents}
        for one in offered:
            self._note_offer(one, agents, now)
        for conversation_id, (at, agent) in list(self._takes.items()):
            if at <= now:
                del self._takes[conversation_id]
                await self._take(conversation_id, agent)

    def _note_offer(self, handoff: Handoff, agents: dict[AgentId, Agent], now: datetime) -> None:
        if handoff.conversation_id not in self._takes and handoff.offered_to is not None:
            moment = now + timedelta(seconds=self._chance.uniform(*SECONDS_TO_TAKE))
            self._takes[handoff.conversation_id] = moment, agents[handoff.offered_to]

    async def _take(self, conversation_id: ConversationId, agent: Agent) -> None:
        customer, now = self._by_conversation[conversation_id], self._clock.at
        try:
            await self._step(conversation_id, Step.CLAIM, agent)
        except StepRefused:
            return
        self._day.waited[customer.number] = now - customer.comes_at
        self._day.order.append(customer.number)
        heapq.heappush(self._ends, (now + customer.help_takes, conversation_id, agent.id))

    async def _end_what_is_over(self) -> None:
        agents = {agent.id: agent for agent in self._agents}
        while self._ends and self._ends[0][0] <= self._clock.at:
            _, conversation_id, agent_id = heapq.heappop(self._ends)
            del self._by_conversation[conversation_id]
            await self._step(conversation_id, Step.RESOLVE, agents[agent_id])

    async def _step(self, conversation_id: ConversationId, step: Step, agent: Agent) -> None:
        async with self._db.transaction(durable=False) as work:
            locked = await work.conversations.lock(conversation_id)
            if locked is None:
                raise StepRefused(Stage.BOT.value)
            standing = await standing_of(work, locked)
            await take_step(work, self._clock, self._shop, standing.conversation, step, by=agent)


def _agent(number: int) -> Agent:
    return Agent(
        id=AgentId(f"agent-{number:02d}"),
        email=f"agent-{number:02d}@example.com",
        name=f"Agent {number + 1}",
        role=Role.AGENT,
        password_hash="",
        created_at=MORNING,
        free_since=MORNING,
        presence=Presence.ONLINE,
        seen_at=MORNING,
        # One at a time, as in the theory that it is compared with.
        capacity=1,
    )
