"""Who is at the desk now, what each of them looks at, and what each has yet to be told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.core.agents import Agent, AgentId
from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId
from bot.services.desk_views import NAME_AGAIN_AFTER, READ_AGAIN_AFTER, Look
from bot.services.noted_lately import NotedLately
from bot.services.ports import Clock, Database, Hint
from bot.waits import set_within

# Hints that several came of are looked at together.
GATHER_SECONDS = 0.05
# Everybody looks again now and then, for what no wake-up told of.
LOOK_AGAIN_SECONDS = 20.0
# Somebody who looks at a conversation says so again and again; who does not has left it.
VIEWING_SECONDS = 40.0
# So many changes at once are told as one: look at everything again.
MAX_CHANGED = 50

# What happens in a conversation that is watched, by the topic of its hint.
_MESSAGES = frozenset({"echo", "outbound", "desk"})
_TYPING = {"customer_typing": "customer", "agent_typing": "agent", "typing": "bot"}

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Screen:
    """One open desk: whose it is, what is on it, and what it has yet to be told. Never more than one of each."""

    agent: Agent
    watched: ConversationId | None = None
    seen_seq: int = 0
    has_news: bool = False
    was_read: bool = False
    look_at: set[ConversationId | None] = field(default_factory=set)
    typing: set[str] = field(default_factory=set)
    viewers: list[dict[str, Any]] | None = None
    offers: dict[ConversationId, str] = field(default_factory=dict)
    told_offers: set[tuple[ConversationId, str]] = field(default_factory=set)
    check_session: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self, conversation_id: ConversationId | None) -> None:
        """There is something new in a conversation, or somewhere."""
        self.look_at.add(conversation_id)
        if len(self.look_at) > MAX_CHANGED:
            self.look_at = {None}
        self.wake.set()


class DeskHub:
    """Passes wake-ups on to the open desks of this process."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.screens: set[Screen] = set()
        self.noted_reads: NotedLately[Look] = NotedLately(READ_AGAIN_AFTER)
        self.noted_names: NotedLately[tuple[AgentId, CustomerId]] = NotedLately(NAME_AGAIN_AFTER)
        # Who looks at what, on whichever process: until when that counts, by conversation and agent.
        self._viewing: defaultdict[ConversationId, dict[AgentId, float]] = defaultdict(dict)
        self._names: dict[AgentId, str] = {}
        self._offers_due = asyncio.Event()

    @contextlib.contextmanager
    def open(self, agent: Agent) -> Iterator[Screen]:
        """A desk that is told of changes while it is open."""
        screen = Screen(agent)
        self.screens.add(screen)
        self._names[agent.id] = agent.name
        self._offers_due.set()
        try:
            yield screen
        finally:
            self.screens.discard(screen)

    def receive_hint(self, hint: Hint) -> None:
        """Note what the desks have to be told."""
        if hint.topic == "viewing":
            self._note_viewing(hint.conversation_id)
            return
        conversation_id = ConversationId(hint.conversation_id)
        for screen in self.screens:
            if hint.topic == "desk":
                screen.check_session |= hint.conversation_id == screen.agent.id
                screen.change(conversation_id or None)
            if screen.watched == conversation_id and conversation_id:
                screen.has_news |= hint.topic in _MESSAGES
                screen.was_read |= hint.topic == "read"
                if (author := _TYPING.get(hint.topic)) is not None:
                    screen.typing.add(author)
                screen.wake.set()
        if hint.topic == "desk":
            self._offers_due.set()

    def viewers_of(self, conversation_id: ConversationId) -> list[dict[str, Any]]:
        """Who looks at a conversation, by name."""
        now = time.monotonic()
        there = [one for one, until in self._viewing.get(conversation_id, {}).items() if until > now]
        return sorted(({"id": one, "name": self._names.get(one, "")} for one in there), key=lambda one: one["name"])

    def is_on_a_screen_of(self, agent: Agent, conversation_id: ConversationId) -> bool:
        """Whether one of somebody's open desks here shows a conversation."""
        return any(screen.agent.id == agent.id for screen in self._watching(conversation_id))

    async def tell_viewing(self, agent: Agent, conversation_id: ConversationId, *, looks: bool) -> None:
        """Let the others at the desk know that somebody looks at a conversation, or has left it."""
        async with self._db.transaction(durable=False) as work:
            work.hint(Hint("viewing", f"{conversation_id}:{agent.id}:{int(looks)}"))

    async def run(self) -> None:
        """Tell of offers and of whatever no wake-up told of, until cancelled."""
        while True:
            await set_within(self._offers_due, LOOK_AGAIN_SECONDS)
            try:
                if self._offers_due.is_set():
                    await asyncio.sleep(GATHER_SECONDS)
                    self._offers_due.clear()
                else:
                    self._look_again()
                await self._find_offers()
            except Exception:
                log.exception("could not look for what the desk has to be told; trying again")

    def _look_again(self) -> None:
        for screen in self.screens:
            screen.has_news |= screen.watched is not None
            screen.change(None)
        for conversation_id in list(self._viewing):
            self._tell_viewers(conversation_id)

    async def _find_offers(self) -> None:
        if not self.screens:
            return
        async with self._db.reading() as work:
            agents = {screen.agent.id for screen in self.screens}
            open_offers = await work.desk.offers_to(sorted(agents), self._clock.now())
            if any(agent_id not in self._names for viewing in self._viewing.values() for agent_id in viewing):
                self._names |= {agent.id: agent.name for agent in await work.agents.all()}
        for screen in self.screens:
            offers = {
                (offer.conversation_id, offer.until.isoformat())
                for offer in open_offers
                if offer.agent_id == screen.agent.id
            }
            screen.offers |= dict(offers - screen.told_offers)
            screen.told_offers = offers
            if screen.offers:
                screen.wake.set()

    def _note_viewing(self, text: str) -> None:
        name, _, rest = text.partition(":")
        agent_name, _, looks = rest.partition(":")
        conversation_id, agent_id = ConversationId(name), AgentId(agent_name)
        before = {one["id"] for one in self.viewers_of(conversation_id)}
        viewing = self._viewing[conversation_id]
        if looks == "1":
            viewing[agent_id] = time.monotonic() + VIEWING_SECONDS
        else:
            viewing.pop(agent_id, None)
        if agent_id not in self._names:
            self._offers_due.set()
        if before != {one["id"] for one in self.viewers_of(conversation_id)}:
            self._tell_viewers(conversation_id)
        if not viewing:
            self._viewing.pop(conversation_id, None)

    def _tell_viewers(self, conversation_id: ConversationId) -> None:
        viewers = self.viewers_of(conversation_id)
        if not viewers:
            self._viewing.pop(conversation_id, None)
        for screen in self._watching(conversation_id):
            screen.viewers = viewers
            screen.wake.set()

    def _watching(self, conversation_id: ConversationId) -> Iterable[Screen]:
        return [screen for screen in self.screens if screen.watched == conversation_id]


DESK = web.AppKey("desk", DeskHub)
