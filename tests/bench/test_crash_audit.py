"""The crash benchmark's audit: each thing that may go wrong is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bench.crash_audit import Audit, audit
from bench.crash_clients import Customer, Instalments
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.tables import channel_identities, conversations, messages, tracker_events

AT = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)


class Evidence:
    """Two questions, each answered once, in order; to be tampered with."""

    def __init__(self) -> None:
        self.rows = [
            self._message(1, "customer", external_id="visitor:a", turn_state="handled", attempts=1),
            self._message(2, "customer", external_id="visitor:b", turn_state="handled", attempts=1),
            self._message(3, "bot", reply_to_seq=1),
            self._message(4, "bot", reply_to_seq=2),
        ]
        self.heard = ["m1", "m2"]
        self.customer = Customer("", ["one", "two"], Instalments(), "seed")
        self.customer.conversation_id = "c"
        seen = self.customer.seen
        seen.sent, seen.acks, seen.shown = ["a", "b"], {"a": 1, "b": 2}, [1, 2, 3, 4]

    def _message(self, seq: int, author: str, **values: Any) -> dict[str, Any]:
        defaults = {"external_id": None, "reply_to_seq": None, "turn_state": None, "attempts": 0}
        place = {"id": f"m{seq}", "conversation_id": "c", "channel": "web", "seq": seq, "author": author}
        return {**defaults, **place, "text": f"text {seq}", "choices": [], "at": AT + timedelta(seconds=seq), **values}

    def answer_again(self) -> None:
        self.rows.append(self._message(5, "bot", reply_to_seq=1, text="text 3"))
        self.customer.seen.shown.append(5)

    def run_a_turn_again(self) -> None:
        self.heard.append("m1")

    def forget_an_answer(self) -> None:
        self.rows.pop()
        self.customer.seen.shown.pop()

    def forget_a_question(self) -> None:
        self.customer.seen.sent.append("c")
        self.customer.seen.acks["c"] = 9

    def swap_the_answers(self) -> None:
        self.rows[2]["reply_to_seq"], self.rows[3]["reply_to_seq"] = 2, 1

    def show_one_twice(self) -> None:
        self.customer.seen.shown.append(4)

    def leave_one_unacknowledged(self) -> None:
        del self.customer.seen.acks["b"]

    async def audit(self, folder: Path) -> Audit:
        engine = create_engine(f"sqlite:///{folder / 'audit.db'}")
        try:
            await migrate(engine)
            async with engine.begin() as connection:
                identity = {"id": "i", "channel": "web", "external_id": "visitor", "created_at": AT}
                await connection.execute(insert(channel_identities).values(identity))
                conversation = {"id": "c", "channel": "web", "identity_id": "i", "owner": "bot", "created_at": AT}
                await connection.execute(insert(conversations).values(**conversation, last_seq=9, read_seq=0))
                await connection.execute(insert(messages), self.rows)
                for position, message_id in enumerate(self.heard):
                    event = json.dumps({"event": "user", "message_id": message_id})
                    values = {"conversation_id": "c", "position": position, "begins_session": False, "event": event}
                    await connection.execute(insert(tracker_events).values(**values, at=AT))
            return await audit(engine, [self.customer])
        finally:
            await engine.dispose()


async def test_everything_answered_once_and_in_order_is_clean(tmp_path: Path) -> None:
    found = await Evidence().audit(tmp_path)

    assert found.is_clean
    assert (found.sent, found.acknowledged, found.answered_once) == (2, 2, 2)


@pytest.mark.parametrize(
    ("tamper", "counted_as"),
    [
        (Evidence.answer_again, "answered_twice"),
        (Evidence.run_a_turn_again, "answered_twice"),
        (Evidence.forget_an_answer, "unanswered"),
        (Evidence.forget_a_question, "lost"),
        (Evidence.swap_the_answers, "out_of_order"),
        (Evidence.show_one_twice, "shown_wrongly"),
    ],
)
async def test_what_went_wrong_is_counted(tamper: Callable[[Evidence], None], counted_as: str, tmp_path: Path) -> None:
    evidence = Evidence()
    tamper(evidence)

    found = await evidence.audit(tmp_path)

    assert getattr(found, counted_as) > 0
    assert not found.is_clean


async def test_a_message_that_was_never_acknowledged_is_not_clean(tmp_path: Path) -> None:
    evidence = Evidence()
    evidence.leave_one_unacknowledged()

    assert not (await evidence.audit(tmp_path)).is_clean
