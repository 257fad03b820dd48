"""Who is watching which conversation, and what each of them has yet to see."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime

from bot.core.conversations import Author, Conversation, ConversationId, Message, Owner
from bot.gateway.frames import Frame, message_frame, owner_frame, signed_out_frame, typing_frame
from bot.services.ports import Clock, Database, Hint, UnitOfWork
from bot.waits import set_within

# How late a message is shown when its wake-up got lost.
POLL_SECONDS = 3.0
# How often the places in the line are told again while it moves fast.
LINE_SECONDS = 0.25
PAGE = 200

EVERYTHING = frozenset({"echo", "outbound", "typing", "agent_typing"})
TYPING = {"typing": "bot", "agent_typing": "agent"}
ANSWERS = frozenset({"outbound"})

log = logging.getLogger(__name__)


class Watch:
    """One watcher of one conversation: set when there may be something new."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.changed = asyncio.Event()
        # Whether there is more to be told than another place in the line.
        self.has_news = False
        self.moved_to: int | None = None
        # Who is writing: the bot, an agent.
        self.typing: set[str] = set()
        self.seen_seq = 0
        # The place in the line that was told last; None: it waits in none.
        self.position: int | None = None
        # When the proof runs out without which it may not go on.
        self.ends_at: datetime | None = None

    def wake(self) -> None:
        """There may be something new: look."""
        self.has_news = True
        self.changed.set()

    def move(self, place: int) -> None:
        """It has another place in the line; nothing else need be looked at."""
        self.moved_to = place
        self.changed.set()

    def look(self) -> None:
        """What is read from now on is news."""
        self.has_news, self.moved_to = False, None
        self.changed.clear()


class LiveConversations:
    """Passes wake-ups on to the watchers, and looks itself now and then for what no wake-up told of."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._watches: defaultdict[ConversationId, set[Watch]] = defaultdict(set)
        self.listeners: list[Callable[[Hint], None]] = []
        self.closing = asyncio.Event()
        self._line_moved = asyncio.Event()

    def receive_hint(self, hint: Hint) -> None:
        """Wake the watchers of the conversation, and whoever else listens."""
        for listener in self.listeners:
            listener(hint)
        if hint.topic == "desk":
            self._line_moved.set()
        for watch in self._watches.get(ConversationId(hint.conversation_id), ()):
            if hint.topic in watch.topics:
                if (author := TYPING.get(hint.topic)) is not None:
                    watch.typing.add(author)
                watch.wake()

    def close(self) -> None:
        """End every feed; for shutting down."""
        self.closing.set()
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    @contextlib.contextmanager
    def watching(self, conversation_id: ConversationId, topics: frozenset[str] = EVERYTHING) -> Iterator[Watch]:
        """A watch that is told of changes while it is open."""
        watch = Watch(topics)
        self._watches[conversation_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[conversation_id].discard(watch)
            if not self._watches[conversation_id]:
                del self._watches[conversation_id]

    async def poll(self) -> None:
        """Wake those who are behind, and those whose place in the line changed, until cancelled.

        One query for all of them.
        """
        loop = asyncio.get_running_loop()
        polled = loop.time()
        while True:
            await set_within(self._line_moved, polled + POLL_SECONDS - loop.time())
            self._line_moved.clear()
            try:
                await self._wake_those_who_moved_up()
                if loop.time() >= polled + POLL_SECONDS:
                    polled = loop.time()
                    self._wake_those_who_must_go()
                    await self._wake_those_behind()
            except Exception:
                log.exception("could not look for new messages; trying again")
            await asyncio.sleep(LINE_SECONDS)

    def _wake_those_who_must_go(self) -> None:
        now = self._clock.now()
        for watches in self._watches.values():
            for watch in watches:
                if watch.ends_at is not None and now >= watch.ends_at:
                    watch.wake()

    async def _wake_those_behind(self) -> None:
        ids = list(self._watches)
        for start in range(0, len(ids), PAGE):
            async with self._db.reading() as work:
                last = await work.conversations.last_seqs(ids[start : start + PAGE])
            for conversation_id, seq in last.items():
                for watch in self._watches.get(conversation_id, ()):
                    if seq > watch.seen_seq:
                        watch.wake()

    async def _wake_those_who_moved_up(self) -> None:
        waiting = {
            watch: conversation_id
            for conversation_id, watches in self._watches.items()
            for watch in watches
            if watch.position is not None
        }
        if not waiting:
            return
        async with self._db.reading() as work:
            places = {conversation_id: place for place, conversation_id in enumerate(await work.handoffs.line(), 1)}
        # Told as they are found: if each watcher looked for itself, a line would be read as often as it is long.
        for watch, conversation_id in waiting.items():
            place = places.get(conversation_id)
            if place is None:
                watch.wake()
            elif place != watch.position:
                watch.move(place)

    async def position(self, conversation: Conversation) -> int | None:
        """The conversation's place in the line of those who wait for a person; None when it does not wait."""
        if conversation.owner is not Owner.QUEUE:
            return None
        async with self._db.reading() as work:
            return await _position(work, conversation)

    async def feed(self, conversation: Conversation, after: int, position: int | None = None) -> AsyncIterator[Frame]:
        """Every message after that seq, in order and once, then live; ownership and typing in between.

        It ends with `signed_out` once the conversation may not be seen any more: the customer has logged out, or the
        proof of who they are has run out. `position` is the place in the line that the watcher knows already.
        """
        owner, name = conversation.owner, None
        with self.watching(conversation.id) as watch:
            watch.seen_seq, watch.position = _seen(conversation, after), position
            while not self.closing.is_set():
                watch.look()
                messages, current, place, person = await self._read(conversation.id, watch.seen_seq)
                is_over = current is None or not current.is_open_to_visitor(self._clock.now())
                for message in _still_to_see(messages, current) if is_over else messages:
                    watch.seen_seq = message.seq
                    yield message_frame(message)
                if is_over:
                    yield signed_out_frame(by_themselves=current is not None and current.signed_out_at is not None)
                    return
                watch.ends_at = current.verified_until if current and current.customer_id else None
                if len(messages) == PAGE:
                    continue
                if current is not None and (current.owner, place, person) != (owner, watch.position, name):
                    owner, watch.position, name = current.owner, place, person
                    yield owner_frame(owner, place, person)
                if all(message.author is Author.CUSTOMER for message in messages):
                    for author in sorted(watch.typing):
                        yield typing_frame(author)
                watch.typing.clear()
                await watch.changed.wait()
                while watch.moved_to is not None and not watch.has_news:
                    watch.position = watch.moved_to
                    watch.look()
                    yield owner_frame(owner, watch.position, name)
                    await watch.changed.wait()

    async def news(self, conversation: Conversation, after: int) -> list[Frame]:
        """The same for those who ask now and then: at most a page of messages after that seq, and who speaks now."""
        messages, current, position, name = await self._read(conversation.id, _seen(conversation, after))
        if current is None or not current.is_open_to_visitor(self._clock.now()):
            return [signed_out_frame(by_themselves=current is not None and current.signed_out_at is not None)]
        return [*map(message_frame, messages), owner_frame(current.owner, position, name)]

    async def _read(
        self, conversation_id: ConversationId, after: int
    ) -> tuple[list[Message], Conversation | None, int | None, str | None]:
        async with self._db.reading() as work:
            messages = await work.messages.after(conversation_id, after, PAGE)
            current = await work.conversations.get(conversation_id)
            if current is None:
                return messages, None, None, None
            return messages, current, await _position(work, current), await _person(work, current)


def _still_to_see(messages: Sequence[Message], current: Conversation | None) -> list[Message]:
    """What was said when the customer logged out: the goodbye, and nothing that others said later. Else nothing."""
    if current is None or current.signed_out_at is None:
        return []
    return [one for one in messages if one.author is Author.CUSTOMER or one.reply_to_seq is not None]


async def _position(work: UnitOfWork, conversation: Conversation) -> int | None:
    if conversation.owner is not Owner.QUEUE:
        return None
    line = await work.handoffs.line()
    return line.index(conversation.id) + 1 if conversation.id in line else None


async def _person(work: UnitOfWork, conversation: Conversation) -> str | None:
    # Who of the shop's people has the conversation, by name.
    if conversation.owner is not Owner.AGENT:
        return None
    handoff = await work.handoffs.open_for(conversation.id)
    agent = await work.agents.get(handoff.agent_id) if handoff is not None and handoff.agent_id else None
    return agent.name if agent is not None else None


def _seen(conversation: Conversation, after: int) -> int:
    # A client that remembers another conversation's seq must still see all of this one.
    return after if after <= conversation.last_seq else 0
