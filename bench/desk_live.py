"""Live conversations between scripted customers and agents, over the sockets and the API of a real gateway."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from bench.processes import BenchmarkError, Child, child_environment, free_port, run_bot
from bench.report import say
from bot.clock import SystemClock
from bot.core.agents import Agent, Role
from bot.core.conversations import ConversationId
from bot.core.handoffs import HandoffReason
from bot.core.shop import Shop
from bot.services.agents import add_agent
from bot.services.handoffs import request_handoff
from bot.storage.engine import create_engine
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

START_SECONDS = 30.0
ARRIVAL_SECONDS = 20.0
CLOCK = SystemClock()


@dataclass
class Live:
    """What was measured, in milliseconds."""

    arrivals: list[float] = field(default_factory=list)
    # From the agent's sending to the API's answer that it is committed.
    answers: list[float] = field(default_factory=list)
    customer_messages: int = 0
    lost: int = 0


class Gateway:
    """`python -m bot gateway` on a database of its own, with agents who can sign in."""

    def __init__(self, folder: Path, database_url: str, shop: Shop) -> None:
        port = free_port()
        self.url, self._shop = f"http://127.0.0.1:{port}", shop
        settings = {"PORT": str(port), "DATABASE_URL": database_url, "DESK_HOURS": "always"}
        self._env = child_environment(folder, **settings)
        run_bot("migrate", self._env, folder)
        command = [sys.executable, "-m", "bot", "gateway"]
        self._child = Child("gateway", command, env=self._env, cwd=folder, log=folder / "gateway.log")
        self.db = SqlDatabase(create_engine(database_url), create_wakeups(database_url))

    async def wait(self, session: aiohttp.ClientSession) -> None:
        """Until it answers."""
        until = time.monotonic() + START_SECONDS
        while True:
            self._child.check()
            try:
                async with session.get(f"{self.url}/healthz") as answer:
                    if answer.status < 500:
                        return
            except aiohttp.ClientError:
                pass
            if time.monotonic() > until:
                raise BenchmarkError("the gateway does not answer")
            await asyncio.sleep(0.1)

    async def agent(self, number: int) -> tuple[Agent, str]:
        """Somebody new at the desk, and their password."""
        email, name = f"agent-{number:02d}@example.com", f"Agent {number + 1}"
        agent, password = await add_agent(self.db, CLOCK, email=email, name=name, role=Role.AGENT)
        async with self.db.transaction() as work:
            await work.agents.save(replace(agent, must_change_password=False, capacity=50))
        return agent, password

    async def ask_for_a_person(self, conversation_id: str) -> None:
        """What the assistant does when a customer asks for one."""
        shop = replace(self._shop, desk=replace(self._shop.desk, always_open=True))
        async with self.db.transaction() as work:
            locked = await work.conversations.lock(ConversationId(conversation_id))
            if locked is None:
                raise BenchmarkError("a conversation is gone")
            await request_handoff(work, CLOCK, shop, locked, HandoffReason.ASKED)

    async def stop(self) -> None:
        """Stop it. Safe to repeat."""
        await self.db.close()
        self._child.stop()


class Customer:
    """A socket on which everything that arrives is noted with its moment."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._socket = socket
        self.conversation_id = ""
        self.arrived: dict[str, float] = {}
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Say hello, and listen from then on."""
        await self._socket.send_json({"type": "hello", "visitor_token": None, "identity_token": None, "last_seq": 0})
        ready: dict[str, Any] = await self._socket.receive_json(timeout=ARRIVAL_SECONDS)
        self.conversation_id = str(ready["conversation_id"])
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            at = time.perf_counter()
            frame = json.loads(message.data)
            if frame["type"] == "message" and frame["author"] == "agent":
                self.arrived[frame["text"]] = at

    async def write(self, text: str) -> None:
        """Send a message, without waiting for it."""
        await self._socket.send_json({"type": "message", "client_id": str(uuid.uuid4()), "text": text})

    async def close(self) -> None:
        """Leave."""
        if self._reading is not None:
            self._reading.cancel()
        await self._socket.close()


class AgentSeat:
    """An agent's browser: signed in, online, with an open socket."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url, self._csrf = session, f"{url}/desk/api", ""

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in, and say that conversations are taken."""
        answer = await self._ask("POST", "login", {"email": email, "password": password})
        self._csrf = answer["csrf"]
        await self._ask("PUT", "presence", {"status": "online"})

    async def claim(self, conversation_id: str) -> None:
        """Take a conversation from the line."""
        await self._ask("POST", f"conversations/{conversation_id}/claim", {})

    async def reply(self, conversation_id: str, text: str) -> None:
        """Write to the customer; returns once it is committed."""
        body = {"text": text, "client_id": str(uuid.uuid4())}
        await self._ask("POST", f"conversations/{conversation_id}/reply", body)

    async def _ask(self, method: str, path: str, body: dict[str, Any]) -> Any:
        headers = {"X-CSRF-Token": self._csrf}
        async with self._session.request(method, f"{self._url}/{path}", json=body, headers=headers) as answer:
            if answer.status != 200:
                raise BenchmarkError(f"{path} was answered with {answer.status}: {await answer.text()}")
            return await answer.json()


async def run_live(
    gateway: Gateway, *, conversations: int, agents: int, seconds: float, pause: float, seed: int = 1
) -> Live:
    """Let them talk: in each conversation the agent writes every `pause` seconds or so, and the customer as often."""
    live = Live()
    sessions = [aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) for _ in range(agents)]
    public = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    customers: list[Customer] = []
    try:
        await gateway.wait(public)
        seats = [AgentSeat(session, gateway.url) for session in sessions]
        for number, seat in enumerate(seats):
            agent, password = await gateway.agent(number)
            await seat.sign_in(agent.email, password)
        say(f"{agents} agents are at their desks")
        for number in range(conversations):
            customer = Customer(await public.ws_connect(f"{gateway.url}/chat/ws"))
            await customer.open()
            customers.append(customer)
            await gateway.ask_for_a_person(customer.conversation_id)
            await seats[number % agents].claim(customer.conversation_id)
        say(f"{conversations} conversations are open; talking for {seconds:.0f} s")
        until = time.monotonic() + seconds
        pairs = [(customer, seats[number % agents]) for number, customer in enumerate(customers)]
        talks = [
            _talk(live, customer, seat, until, pause, random.Random(seed + number))
            for number, (customer, seat) in enumerate(pairs)
        ]
        await asyncio.gather(*talks)
    finally:
        await _close([*customers, *sessions, public])
    return live


async def _talk(
    live: Live, customer: Customer, seat: AgentSeat, until: float, pause: float, chance: random.Random
) -> None:
    sent: dict[str, float] = {}
    # Not all at the same moment.
    await asyncio.sleep(chance.uniform(0, pause))
    while time.monotonic() < until:
        text = f"It is on its way, number {uuid.uuid4()}."
        sent[text] = time.perf_counter()
        await seat.reply(customer.conversation_id, text)
        live.answers.append((time.perf_counter() - sent[text]) * 1000)
        await asyncio.sleep(chance.uniform(0.25, 0.75) * pause)
        await customer.write("Thank you, and the other one?")
        live.customer_messages += 1
        await asyncio.sleep(chance.uniform(0.25, 0.75) * pause)
    late = time.monotonic() + ARRIVAL_SECONDS
    while len(customer.arrived) < len(sent) and time.monotonic() < late:  # noqa: ASYNC110 - from another process
        await asyncio.sleep(0.05)
    live.lost += len(sent) - len(customer.arrived)
    live.arrivals += [(customer.arrived[text] - at) * 1000 for text, at in sent.items() if text in customer.arrived]


async def _close(open_ones: Sequence[Customer | aiohttp.ClientSession]) -> None:
    for one in open_ones:
        await one.close()
