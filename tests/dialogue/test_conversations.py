"""Whole conversations, written down as data, with the real model, actions and database."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from sqlalchemy import Column, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import tables

Check = Callable[[AsyncConnection, Any], Awaitable[bool]]

FOLDER = Path(__file__).parent / "conversations"


def conversations() -> list[Any]:
    return [
        pytest.param(conversation, id=f"{path.stem}: {conversation['name']}")
        for path in sorted(FOLDER.glob("*.yml"))
        for conversation in YAML(typ="safe").load(path)
    ]


@pytest.mark.parametrize("conversation", conversations())
async def test_conversation(conversation: dict[str, Any], talk_as, demo_db) -> None:
    talk = await talk_as(conversation.get("as"))
    for step in conversation["steps"]:
        said = step["say"]
        if "{code}" in said or "{wrong_code}" in said:
            code = await latest_code(demo_db)
            said = said.format(code=code, wrong_code=f"{(int(code) + 1) % 1_000_000:06d}")
        answer = await talk.text(said)
        assert answer, f"no answer to {said!r}"
        assert "something went wrong on my side" not in answer
        for pattern in _listed(step.get("has")):
            assert re.search(pattern, answer, re.IGNORECASE), f"{said!r} was answered: {answer}"
        for pattern in _listed(step.get("not")):
            assert not re.search(pattern, answer, re.IGNORECASE), f"{said!r} was answered: {answer}"
        for title in _listed(step.get("offers")):
            assert title in talk.offered, f"{said!r} offered {talk.offered}"
    async with demo_db.reading() as work:
        for name, expected in conversation.get("then", {}).items():
            assert await CHECKS[name](work.conversations._connection, expected), f"{name} is not {expected}"


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


async def latest_code(db) -> str:
    """The code in the newest mail to a customer."""
    query = (
        select(tables.outbox.c.payload).where(tables.outbox.c.kind.like("%mail")).order_by(tables.outbox.c.created_at)
    )
    async with db.reading() as work:
        bodies = [payload.get("body", "") for payload in (await work.conversations._connection.scalars(query)).all()]
    codes = [match for body in bodies for match in re.findall(r"\b[0-9]{6}\b", body)]
    assert codes, "no code was mailed"
    return codes[-1]


def counted(query: Select[Any]) -> Check:
    async def check(connection: AsyncConnection, expected: int) -> bool:
        return await connection.scalar(query) == expected

    return check


def each_order(column: Column[Any]) -> Check:
    async def check(connection: AsyncConnection, expected: dict[str, Any]) -> bool:
        query = select(tables.orders.c.number, column).where(tables.orders.c.number.in_(expected))
        return dict((await connection.execute(query)).tuples().all()) == expected

    return check


def listed(column: Column[Any]) -> Check:
    async def check(connection: AsyncConnection, expected: list[Any]) -> bool:
        return sorted((await connection.scalars(select(column))).all()) == sorted(expected)

    return check


async def balances(connection: AsyncConnection, expected: dict[str, int]) -> bool:
    """Whether the customers' entries sum up to these points."""
    customers, entries = tables.customers.c, tables.ledger_entries.c
    query = (
        select(customers.external_id, func.coalesce(func.sum(entries.points), 0))
        .join(tables.ledger_entries, entries.customer_id == customers.id, isouter=True)
        .where(customers.external_id.in_(expected))
        .group_by(customers.external_id)
    )
    return {name: int(points) for name, points in await connection.execute(query)} == expected


async def birthdays(connection: AsyncConnection, expected: dict[str, str]) -> bool:
    c = tables.customers.c
    query = select(c.external_id, c.birthday_month, c.birthday_day).where(c.external_id.in_(expected))
    return {name: f"{month:02d}-{day:02d}" for name, month, day in await connection.execute(query)} == expected


async def opinions(connection: AsyncConnection, expected: list[list[Any]]) -> bool:
    """Whether just these were asked or said in conversations, with these scores; the demo shop's own are older."""
    c = tables.feedback.c
    today = select(tables.conversations.c.id).where(tables.conversations.c.channel == "web")
    query = select(c.kind, c.score).where(c.conversation_id.in_(today)).order_by(c.asked_at)
    return [[*row] for row in await connection.execute(query)] == expected


async def mails(connection: AsyncConnection, expected: int) -> bool:
    """How many were queued now; the demo shop's own are older."""
    c = tables.outbox.c
    recently = datetime.now(timezone.utc) - timedelta(hours=1)
    query = select(func.count()).where(c.kind == "mail", c.created_at > recently)
    return await connection.scalar(query) == expected


async def vouchers(connection: AsyncConnection, expected: list[str]) -> bool:
    """Whether just these were given now; the demo shop's own are older."""
    c = tables.vouchers.c
    query = select(c.kind).where(c.created_at > datetime.now(timezone.utc) - timedelta(hours=1))
    return list((await connection.scalars(query)).all()) == expected


async def erased(connection: AsyncConnection, expected: list[str]) -> bool:
    c = tables.customers.c
    return list((await connection.scalars(select(c.external_id).where(c.erased_at.is_not(None)))).all()) == expected


def rows_of(name: str) -> Table:
    return tables.metadata.tables[name]


# What may stand under `then`, and how it is looked up.
CHECKS: dict[str, Check] = {
    "handoffs": counted(select(func.count()).select_from(tables.handoffs)),
    "handoff_reasons": listed(tables.handoffs.c.reason),
    "mails": mails,
    "failed_attempts": counted(select(func.count()).where(tables.verification_attempts.c.succeeded.is_(False))),
    "order_status": each_order(tables.orders.c.status),
    "order_address": each_order(tables.orders.c.shipping_address),
    "requests": listed(rows_of("service_requests").c.kind),
    "request_texts": listed(rows_of("service_requests").c.text),
    "request_contacts": listed(rows_of("service_requests").c.contact),
    "request_ratings": listed(rows_of("service_requests").c.rating),
    # The demo shop begins with one return and one refund, both of TC-10011.
    "returns_of": listed(rows_of("returns").c.order_number),
    "return_reasons": listed(rows_of("returns").c.reason),
    "refunds_of": listed(rows_of("refunds").c.order_number),
    "points": balances,
    "vouchers": vouchers,
    "birthdays": birthdays,
    "referrals": counted(select(func.count()).select_from(tables.referrals)),
    # The demo shop has said nothing about newsletters.
    "consents": listed(tables.consents.c.granted),
    "erased": erased,
    "feedback": opinions,
    "codes_sent": counted(select(func.count()).select_from(rows_of("verification_codes"))),
}
