"""A dialogue worker: claims turns, answers them, and keeps its leases while it does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.shop import Shop
from bot.core.turns import LEASE_RENEWAL_SECONDS
from bot.dialogue.assistant import Assistant
from bot.errors import LeaseLost
from bot.metrics import TurnMetrics
from bot.services.ports import Clock, Database, Hint, PageLinks, ShopContent, WorkerState
from bot.services.turn_context import TurnContext
from bot.services.turns import (
    Turn,
    begin_turn,
    claim_turn,
    fail_turn,
    finish_turn,
    give_up_turn,
    release_worker,
    renew_leases,
)
from bot.waits import set_within

POLL_SECONDS = 1.0
# The dialogue itself takes the processor; more than a few at once only wait for each other.
TURNS_AT_ONCE = 4

log = logging.getLogger(__name__)


class Worker:
    """Works until told to stop; then finishes the turns it has begun and gives back everything else."""

    def __init__(
        self,
        worker_id: str,
        assistant: Assistant,
        db: Database,
        clock: Clock,
        shop: Shop,
        content: ShopContent,
        links: PageLinks,
        metrics: TurnMetrics,
    ) -> None:
        self.id = worker_id
        self._assistant = assistant
        self._db = db
        self._clock = clock
        self._shop = shop
        self._content = content
        self._links = links
        self._metrics = metrics
        self._wake = asyncio.Event()
        self._stopping = False
        self._turns: set[asyncio.Task[None]] = set()

    def receive_hint(self, hint: Hint) -> None:
        """Look for work now instead of at the next poll."""
        if hint.topic == "inbound":
            self._wake.set()

    def stop(self) -> None:
        """Begin no further turn."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until stop() is called. A database that is away is waited for."""
        started_at = self._clock.now()
        await self._report(started_at)
        keeping = asyncio.create_task(self._keep_alive(started_at))
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    more = await self._begin_next()
                except Exception:
                    log.exception("could not look for work; trying again")
                    more = False
                    await asyncio.sleep(POLL_SECONDS)
                if not more:
                    await set_within(self._wake, POLL_SECONDS)
        finally:
            if self._turns:
                await asyncio.wait(self._turns)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await release_worker(self._db, self.id)

    async def _begin_next(self) -> bool:
        """Begin the turn that is due longest; whether there are likely more.

        A turn that a hint told of is mostly the only one, and looking for another would only keep it waiting: the next
        hint and the end of each turn are soon enough. One that has waited for longer is part of a backlog.
        """
        while len(self._turns) >= TURNS_AT_ONCE:
            await asyncio.wait(self._turns, return_when=asyncio.FIRST_COMPLETED)
        if self._stopping:
            return False
        turn = await claim_turn(self._db, self._clock, self.id)
        if turn is None:
            return False
        task = asyncio.create_task(self.work_on(turn))
        self._turns.add(task)
        task.add_done_callback(self._end)
        return self._clock.now() - turn.message.at > timedelta(seconds=POLL_SECONDS)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._turns.discard(task)
        self._wake.set()

    async def work_on(self, turn: Turn) -> None:
        """See one turn to an end: answered, set for another try, or given up. Never raises."""
        where = {"conversation_id": turn.conversation.id, "seq": turn.message.seq}
        self._metrics.observe("wait", max((self._clock.now() - turn.message.at).total_seconds(), 0.0))
        try:
            if turn.is_exhausted:
                await give_up_turn(self._db, self._clock, self._shop, turn)
                outcome = "given_up"
            else:
                outcome = "answered" if await self._answer(turn) else "dropped"
        except LeaseLost:
            outcome = "lease_lost"
            log.warning("lost the lease of a turn; whoever holds it answers", extra=where)
        except Exception as error:
            outcome = "failed"
            log.exception("a turn failed", extra=where)
            await self._note_failure(turn, error)
        self._metrics.count(outcome)

    async def _answer(self, turn: Turn) -> bool:
        with self._timed("understand"):
            parsed = await self._assistant.understand(turn.message)
        with self._timed("total"):
            async with self._db.transaction() as work:
                conversation = await begin_turn(work, self._clock, turn)
                if conversation is None:
                    return False
                customer_id = conversation.verified_customer(self._clock.now())
                customer = await work.customers.get(customer_id) if customer_id else None
                context = TurnContext(work, self._clock, self._shop, conversation, customer, self._content, self._links)
                with self._timed("dialogue"):
                    replies = await self._assistant.answer(context, turn.message, parsed)
                with self._timed("record"):
                    await finish_turn(work, self._clock, self._shop, turn, replies, context.conversation)
        return True

    async def _note_failure(self, turn: Turn, error: Exception) -> None:
        try:
            await fail_turn(self._db, self._clock, turn, error)
        except Exception:
            # The lease runs out, and the turn is tried again: nothing is lost, only later.
            log.exception("could not note that a turn failed")

    async def _keep_alive(self, started_at: datetime) -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL_SECONDS)
            try:
                if self._turns:
                    await renew_leases(self._db, self._clock, self.id)
                await self._report(started_at)
            except Exception:
                log.exception("could not report; trying again")

    async def _report(self, started_at: datetime) -> None:
        async with self._db.transaction(durable=False) as work:
            await work.workers.report(WorkerState(self.id, started_at, self._clock.now(), self._assistant.name))

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._metrics.observe(stage, time.perf_counter() - began)
