"""The audit of the crash benchmark: what became of every message, from the database and from what customers saw."""

from __future__ import annotations

import itertools
import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.crash_clients import Customer
from bot.storage.tables import conversation_events, conversations, messages, tracker_events


@dataclass
class Audit:
    """Messages counted by what became of them."""

    sent: int = 0
    acknowledged: int = 0
    sent_again: int = 0
    connections: int = 0
    answered_once: int = 0
    answered_twice: int = 0
    lost: int = 0
    unanswered: int = 0
    out_of_order: int = 0
    shown_wrongly: int = 0
    apologies: int = 0
    drops: int = 0
    tries_that_died: int = 0
    slowest_answer_seconds: float = 0.0
    median_answer_seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything that was sent is acknowledged, and answered exactly once and in order."""
        return (
            self.sent == self.acknowledged == self.answered_once
            and not (self.answered_twice or self.lost or self.unanswered or self.out_of_order or self.shown_wrongly)
            and not self.findings
        )


async def count_answered(engine: AsyncEngine) -> int:
    """How many messages have had their turn."""
    async with engine.connect() as connection:
        done = messages.c.turn_state.in_(("handled", "failed", "not_for_bot"))
        return await connection.scalar(select(func.count()).where(done)) or 0


async def count_waiting(engine: AsyncEngine) -> int:
    """How many messages wait for their turn."""
    async with engine.connect() as connection:
        return await connection.scalar(select(func.count()).where(messages.c.turn_state == "pending")) or 0


async def count_turns_held(engine: AsyncEngine, worker_id: str) -> int:
    """How many conversations a worker holds a lease of, which it does only while it works on a turn."""
    async with engine.connect() as connection:
        held = select(func.count()).where(conversations.c.lease_holder == worker_id)
        return await connection.scalar(held) or 0


async def audit(engine: AsyncEngine, customers: Sequence[Customer]) -> Audit:
    """Look at everything. Nothing may be running any more that writes."""
    found = Audit()
    async with engine.connect() as connection:
        recorded: dict[str, list[Any]] = defaultdict(list)
        for row in await connection.execute(select(messages).order_by(messages.c.conversation_id, messages.c.seq)):
            recorded[row.conversation_id].append(row)
        heard: dict[str, list[str]] = defaultdict(list)
        c = tracker_events.c
        for row in await connection.execute(select(c.conversation_id, c.event).order_by(c.conversation_id, c.position)):
            event = json.loads(row.event)
            if event["event"] == "user":
                heard[row.conversation_id].append(event["message_id"])
        dropped = conversation_events.c.kind == "turn_dropped"
        found.drops = await connection.scalar(select(func.count()).where(dropped)) or 0
    waits: list[float] = []
    for number, customer in enumerate(customers):
        rows = recorded.pop(customer.conversation_id or "", [])
        _audit_conversation(found, f"customer {number}", customer, rows, heard[customer.conversation_id or ""], waits)
    for rows in recorded.values():
        found.findings.append(f"{len(rows)} messages in a conversation that belongs to no customer")
    if waits:
        found.slowest_answer_seconds, found.median_answer_seconds = max(waits), statistics.median(waits)
    return found


def _audit_conversation(
    found: Audit, name: str, customer: Customer, rows: Sequence[Any], heard: Sequence[str], waits: list[float]
) -> None:
    seen = customer.seen
    found.sent += len(seen.sent)
    found.acknowledged += len(seen.acks)
    found.sent_again += seen.resent
    found.connections += seen.connections
    found.findings += [f"{name}: {what}" for what in seen.contradictions]

    questions = {row.external_id.rpartition(":")[2]: row for row in rows if row.author == "customer"}
    if len(questions) != sum(row.author == "customer" for row in rows):
        found.findings.append(f"{name}: one client_id was recorded twice")
    for client_id in questions.keys() - set(seen.sent):
        found.findings.append(f"{name}: {client_id} was recorded but never sent")

    # A turn leaves one user event in the dialogue's own history, committed with its replies: two of them for one
    # message would be two turns, whatever they said.
    turns = Counter(heard)
    for client_id, seq in seen.acks.items():
        question = questions.get(client_id)
        if question is None or question.seq != seq:
            found.lost += 1
            found.findings.append(f"{name}: {client_id} was acknowledged as {seq} and is not recorded there")
            continue
        replies = [row for row in rows if row.reply_to_seq == question.seq]
        texts = Counter(reply.text for reply in replies)
        found.apologies += question.turn_state == "failed"
        found.tries_that_died += max(question.attempts - 1, 0)
        if turns[question.id] > 1 or any(count > 1 for count in texts.values()):
            found.answered_twice += 1
            found.findings.append(f"{name}: message {seq} was answered twice")
        elif question.turn_state == "handled" and replies and turns[question.id] == 1:
            found.answered_once += 1
        else:
            found.unanswered += 1
            found.findings.append(f"{name}: message {seq} is {question.turn_state} with {len(replies)} replies")
        if replies:
            waits.append((replies[0].at - question.at).total_seconds())

    answered = [row.reply_to_seq for row in rows if row.reply_to_seq is not None]
    wrong = sum(later < earlier for earlier, later in itertools.pairwise(answered))
    wrong += sum(row.reply_to_seq >= row.seq for row in rows if row.reply_to_seq is not None)
    asked = [row.id for row in rows if row.author == "customer" and turns[row.id]]
    wrong += list(dict.fromkeys(heard)) != asked
    if wrong:
        found.out_of_order += wrong
        found.findings.append(f"{name}: answers out of order")
    if seen.shown != [row.seq for row in rows]:
        found.shown_wrongly += 1
        found.findings.append(f"{name}: was shown {seen.shown}, and the conversation is {[row.seq for row in rows]}")
