"""Fills a database with a year of a shop's chats, for measuring the desk: conversations, requests, orders, opinions.

Every id is random, as ids are; the rest follows from one seed. The rows are what the services would have written, as
far as the desk reads them.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bench.report import say

AGENTS, CAPACITY = 20, 3
WAITING, ACTIVE, CALL_BACKS = 500, 60, 440
YEAR = timedelta(days=365)
RARE_WORD = "zanzibar"
REGULAR_CONVERSATIONS = 200
_KNOWN = "refund order delivery broken voucher points where thanks please parcel size colour return invoice".split()
_REASONS = ("asked", "asked", "asked", "misunderstood", "anger", "complaint", "report_problem", "low_rating")
_BATCH = 20_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Sizes:
    """How much there is of everything."""

    conversations: int = 300_000
    customers: int = 20_000
    handoffs: int = 30_000
    orders: int = 60_000
    # Of so many of the newest conversations the assistant's own notes are there.
    with_notes: int = 2_000


COLUMNS = {
    "agents": "id email name role password_hash presence capacity skills languages seen_at free_since "
    "must_change_password wrong_passwords created_at",
    "customers": "id external_id name email phone created_at",
    "orders": "number customer_id email status currency total_minor placed_at",
    "order_lines": "order_number position sku title quantity unit_price_minor",
    "channel_identities": "id channel external_id customer_id created_at",
    "conversations": "id channel identity_id customer_id verified_until owner last_seq read_seq created_at "
    "visitor_details resolved_at",
    "messages": "id conversation_id channel seq author author_name text choices agent_id external_id reply_to_seq "
    "turn_state attempts at",
    "handoffs": "id conversation_id reason state requested_at waiting_since priority agent_id passed_by claimed_at "
    "first_reply_at due_at summary closed_at outcome",
    "conversation_events": "conversation_id kind detail at",
    "conversation_labels": "conversation_id label",
    "desk_reads": "conversation_id seq",
    "desk_notes": "id conversation_id agent_id text after_seq at",
    "feedback": "id kind key customer_id conversation_id asked_at answered_at score",
    "tracker_events": "conversation_id position begins_session event at",
}


class Year:
    """A year of a shop, as rows of its tables. `until` is now."""

    def __init__(self, sizes: Sizes, until: datetime, seed: int = 1) -> None:
        self._sizes, self._until, self._chance = sizes, until, random.Random(seed)
        syllables = ["ba", "de", "ki", "lo", "mu", "ra", "se", "ti", "vo", "zu", "na", "pe"]
        made_up = ["".join(self._chance.choices(syllables, k=self._chance.randint(2, 4))) for _ in range(3_000)]
        self._words = [*_KNOWN * 30, *made_up]
        self.agents = [f"agent-{number:02d}" for number in range(AGENTS)]
        self.customers = [self._id() for _ in range(sizes.customers)]
        self._identities = [self._id() for _ in self.customers]
        self._talk_every = YEAR / sizes.conversations

    def _id(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"

    def _text(self) -> str:
        return " ".join(self._chance.choices(self._words, k=self._chance.randint(3, 25))).capitalize() + "."

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Every row, with its table's name, in an order in which every row finds what it refers to."""
        yield from self._people()
        for number in range(self._sizes.conversations):
            yield from self._conversation(number)

    def _people(self) -> Iterator[tuple[str, Row]]:
        began, until = self._until - YEAR, self._until
        for number, agent in enumerate(self.agents):
            email, name = f"{agent}@example.com", f"Agent {number + 1}"
            busy: Row = ("online", CAPACITY, [], [], until, until - timedelta(minutes=number), False, 0, began)
            yield "agents", (agent, email, name, "agent", "", *busy)
        for number, (customer, identity) in enumerate(zip(self.customers, self._identities, strict=True)):
            name = " ".join(self._chance.choices(self._words, k=2)).title()
            email, phone = f"customer{number}@example.com", f"+49170{number:07d}"
            yield "customers", (customer, f"C-{number:06d}", name, email, phone, began)
            yield "channel_identities", (identity, "web", f"web-{identity}", customer, began)
        for number in range(self._sizes.orders):
            of = number % len(self.customers)
            at = began + YEAR * (number / self._sizes.orders)
            order = f"TC-{10_000 + number}"
            yield "orders", (order, self.customers[of], f"customer{of}@example.com", "delivered", "EUR", 4_990, at)
            for position in (1, 2):
                yield "order_lines", (order, position, f"SKU-{position}", "Mug", 1, 2_495)

    def _conversation(self, number: int) -> Iterator[tuple[str, Row]]:
        """One conversation; the newest ones are those in which a person has something to do."""
        chance, left = self._chance, self._sizes.conversations - number
        conversation, began = self._id(), self._until - self._talk_every * (left + 20)
        customer, identity, details = self._who(number)
        if customer is None:
            yield "channel_identities", (identity, "web", f"web-{identity}", None, began)
        lines = [*self._lines(conversation, began)]
        request = self._request(number, left, began)
        if request is not None and request[0] != "waiting":
            lines += self._with_a_person(conversation, lines, request[1])
        owner = {"waiting": "queue", "active": "agent"}.get(request[0] if request else "", "bot")
        resolved_at = lines[-1][-1] if request is not None and request[0] == "closed" else None
        verified = began + timedelta(minutes=30) if customer else None
        last = len(lines)
        state = (owner, last, max(last - 2, 0), began, details, resolved_at)
        yield "conversations", (conversation, "web", identity, customer, verified, *state)
        for line in lines:
            yield "messages", line
        if left <= self._sizes.with_notes:
            yield from self._notes(conversation, lines)
        if request is not None:
            yield from self._of_request(conversation, customer, request, lines)
        if customer is not None and chance.random() < 0.3:
            yield "conversation_events", (conversation, "verified_by_code", {}, began)
        if chance.random() < 0.1:
            at = lines[-1][-1] + timedelta(minutes=2)
            rated = (f"csat:{conversation}:1", customer, conversation, at, at, chance.randint(1, 5))
            yield "feedback", (self._id(), "csat", *rated)

    def _who(self, number: int) -> tuple[str | None, str, dict[str, str] | None]:
        if number % 10 < 4:
            # One of them writes far more often than the others.
            of = 0 if number % (self._sizes.conversations // REGULAR_CONVERSATIONS) == 0 else number * 7 + number // 10
            of %= len(self.customers)
            return self.customers[of], self._identities[of], None
        name = f"Visitor {number}"
        return None, self._id(), {"name": name, "email": f"v{number}@example.org"} if number % 3 == 0 else None

    def _lines(self, conversation: str, began: datetime) -> Iterator[Row]:
        at = began
        for turn in range(self._chance.randint(1, 9)):
            seq = 2 * turn + 1
            text = self._text() if self._chance.random() > 1e-5 else f"I live in {RARE_WORD}."
            written: Row = (self._id(), conversation, "web", seq, "customer", None, text, [], None, self._id())
            yield *written, None, "handled", 0, at
            at += timedelta(seconds=1)
            yield self._said(conversation, seq + 1, "bot", at, reply_to=seq)
            at += timedelta(seconds=self._chance.randint(5, 90))

    def _said(self, conversation: str, seq: int, author: str, at: datetime, **by: Any) -> Row:
        agent, reply_to = by.get("agent"), by.get("reply_to")
        name = f"Agent {int(agent[-2:]) + 1}" if agent else None
        written: Row = (self._id(), conversation, "web", seq, author, name, self._text(), [], agent)
        return *written, None, reply_to, None, 0, at

    def _request(self, number: int, left: int, began: datetime) -> tuple[str, str] | None:
        """The state of a conversation's request for a person, and who has it."""
        agent = self.agents[number % AGENTS]
        for state, until in (("waiting", WAITING), ("active", WAITING + ACTIVE), ("callback", 1_000)):
            if left <= until:
                return state, agent
        every = max(self._sizes.conversations // max(self._sizes.handoffs, 1), 1)
        return ("closed", agent) if number % every == 0 else None

    def _with_a_person(self, conversation: str, lines: list[Row], agent: str) -> Iterator[Row]:
        at, seq = lines[-1][-1] + timedelta(seconds=self._chance.randint(20, 900)), len(lines)
        for turn in range(self._chance.randint(1, 5)):
            yield self._said(conversation, seq + 2 * turn + 1, "agent", at, agent=agent)
            at += timedelta(seconds=self._chance.randint(10, 120))
            written: Row = (
                self._id(),
                conversation,
                "web",
                seq + 2 * turn + 2,
                "customer",
                None,
                self._text(),
                [],
                None,
            )
            yield *written, self._id(), None, "not_for_bot", 0, at
            at += timedelta(seconds=self._chance.randint(10, 120))

    def _of_request(
        self, conversation: str, customer: str | None, request: tuple[str, str], lines: list[Row]
    ) -> Iterator[tuple[str, Row]]:
        state, agent = request
        handoff, chance = self._id(), self._chance
        by_agent = [line[-1] for line in lines if line[4] == "agent"]
        asked = max(line[-1] for line in lines if line[4] == "bot")
        closed_at = lines[-1][-1] if state == "closed" else None
        helped = state in ("active", "closed")
        claimed = by_agent[0] - timedelta(seconds=5) if helped else None
        first, due = by_agent[0] if helped else None, asked + timedelta(hours=4) if state == "callback" else None
        outcome = "resolve" if closed_at else None
        reason, about = chance.choice(_REASONS), {"wish": "track_order", "tried": "track_order, ask_refund"}
        standing: Row = (
            reason,
            state,
            asked,
            asked,
            int(chance.random() < 0.1),
            agent if helped else None,
            [],
            claimed,
        )
        yield (
            "handoffs",
            (handoff, conversation, *standing, first, due, about, closed_at, outcome),
        )
        steps: list[Row] = [("ask", "bot", "queue", asked, None)]
        if claimed is not None:
            steps.append(("claim", "queue", "agent", claimed, agent))
        if closed_at is not None:
            steps.append(("resolve", "agent", "resolved", closed_at, agent))
        for step, begins, ends, at, by in steps:
            detail = {"step": step, "from": begins, "to": ends, **({"agent": by} if by else {})}
            yield "conversation_events", (conversation, "handoff_step", detail, at)
        yield "conversation_labels", (conversation, f"label {chance.randint(1, 20)}")
        yield "desk_reads", (conversation, max(len(lines) - 2, 0))
        if chance.random() < 0.3:
            yield "desk_notes", (self._id(), conversation, agent, self._text(), len(lines), lines[-1][-1])
        if closed_at is not None and chance.random() < 0.4:
            rated = (f"csat:handoff:{handoff}", customer, conversation, closed_at, closed_at, chance.randint(1, 5))
            yield "feedback", (self._id(), "csat", *rated)

    def _notes(self, conversation: str, lines: list[Row]) -> Iterator[tuple[str, Row]]:
        position = 0
        for line in lines:
            said = {"event": "user", "text": line[6], "message_id": line[0]}
            read = {"parse_data": {"intent": {"name": "track_order", "confidence": 0.97}, "entities": []}}
            for event in ({**said, **read}, *({"event": "action", "name": "utter"} for _ in range(8))):
                position += 1
                note = json.dumps({**event, "metadata": {"model": "x" * 200}})
                yield "tracker_events", (conversation, position, position == 1, note, line[-1])


def fill_sqlite(path: Path, year: Year) -> None:
    """Fill an empty, migrated database file."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1000000")
        for table, rows in _batches(year):
            names = COLUMNS[table].split()
            words = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})"
            connection.executemany(words, [[_for_sqlite(value) for value in row] for row in rows])
        connection.commit()
    finally:
        connection.close()


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    return json.dumps(value) if isinstance(value, dict | list) else value


async def fill_postgresql(url: str, year: Year) -> None:
    """Fill an empty, migrated database."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        # What refers to what was made right above.
        await connection.execute("SET session_replication_role = replica")
        await connection.set_type_codec(
            "json", encoder=_as_json, decoder=json.loads, schema="pg_catalog", format="binary"
        )
        for table, rows in _batches(year):
            await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table].split())
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _batches(year: Year) -> Iterator[tuple[str, list[Row]]]:
    waiting: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    messages = 0
    for table, row in year.rows():
        waiting[table].append(row)
        if table == "messages" and len(waiting[table]) >= _BATCH:
            messages += len(waiting[table])
            say(f"  {messages:,} messages ...")
            # In the order of the columns above, so that every row finds what it refers to.
            for name, rows in waiting.items():
                if rows:
                    yield name, rows
            waiting = {name: [] for name in COLUMNS}
    yield from ((name, rows) for name, rows in waiting.items() if rows)
