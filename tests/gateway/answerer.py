"""A dialogue worker without a model: it claims turns as the real one does, and says back what it heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from bot.core.conversations import Message, Reply
from bot.core.shop import Shop
from bot.errors import LeaseLost
from bot.services.ports import Clock, Database, Hint
from bot.services.turns import Turn, begin_turn, claim_turn, finish_turn

POLL_SECONDS = 0.5

Answer = Callable[[Message], Sequence[Reply]]


def echo(message: Message) -> Sequence[Reply]:
    """Say it back."""
    return [Reply(f"echo: {message.text}")]


class Answerer:
    """Answers until stopped. `answer` may be replaced; while `may_answer` is clear, claimed turns wait."""

    def __init__(self, db: Database, clock: Clock, shop: Shop) -> None:
        self.answer: Answer = echo
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.claimed = asyncio.Event()
        self.turns = 0
        self._db = db
        self._clock = clock
        self._shop = shop
        self._wake = asyncio.Event()
        self._stopping = False

    def receive_hint(self, hint: Hint) -> None:
        if hint.topic == "inbound":
            self._wake.set()

    def stop(self) -> None:
        """Finish what was begun and nothing more."""
        self._stopping = True
        self._wake.set()
        self.may_answer.set()

    async def run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            turn = await claim_turn(self._db, self._clock, "answerer")
            if turn is not None:
                self.claimed.set()
                await self.may_answer.wait()
                await self._finish(turn)
            else:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _finish(self, turn: Turn) -> None:
        with contextlib.suppress(LeaseLost):
            async with self._db.transaction() as work:
                conversation = await begin_turn(work, self._clock, turn)
                if conversation is not None:
                    replies = self.answer(turn.message)
                    await finish_turn(work, self._clock, self._shop, turn, replies, conversation)
        self.turns += 1
