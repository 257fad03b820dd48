"""A customer's timeline: everything, once, in one order, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from bot.core.consents import MARKETING
from bot.core.customers import EMAIL
from bot.core.ledger import EntryKind
from bot.core.punch_cards import NEW, StampEntry, StampKind
from bot.core.timeline import KINDS
from bot.errors import CustomerNotFound
from bot.services.consents import record_consent
from bot.services.customers import add_note
from bot.services.ledger import award_points
from bot.services.merges import merge_customers
from bot.services.timeline import timeline_of
from bot.storage import tables
from tests.builders import (
    NOW,
    a_handoff,
    a_refund,
    a_request,
    a_return,
    stored_conversation,
    stored_customer,
    stored_order,
)

MINUTE = timedelta(minutes=1)
MARIA = "maria@example.com"


async def live(db, clock, customer, number=1):
    """One of everything, a minute apart, in the order in which the kinds are listed."""
    order = await stored_order(db, number=f"TC-{number}", customer_id=customer.id, placed_at=clock.now())
    at = clock.advance(MINUTE)
    async with db.transaction() as work:
        await work.refunds.add(a_refund(order_number=order.number, requested_at=at))
        await work.returns.add(a_return(order, number=f"R-{number}", created_at=clock.advance(MINUTE)))
    talk = await stored_conversation(db, customer_id=customer.id, created_at=clock.advance(MINUTE))
    async with db.transaction() as work:
        connection = work.customers._connection
        await work.handoffs.add(a_handoff(talk, requested_at=clock.advance(MINUTE)))
        request = a_request(talk, number=f"S-{number}", customer_id=customer.id, created_at=clock.advance(MINUTE))
        await work.requests.add(request)
        answer = {
            "id": f"f{number}",
            "kind": "csat",
            "key": f"f{number}",
            "score": 5,
            "answered_at": clock.advance(MINUTE),
        }
        await connection.execute(insert(tables.feedback).values(customer_id=customer.id, **answer))
        clock.advance(MINUTE)
        await award_points(work, clock, customer.id, EntryKind.ORDER, 29, key=f"k{number}", source=order.number)
        voucher = {
            **{"code": f"SUKI-{number}", "kind": "reward", "name": "cup", "title": "A cup", "effect": {}, "uses": 0},
            **{"minimum_minor": 0, "stackable": False, "use_limit": 1, "key": f"v{number}"},
        }
        await connection.execute(
            insert(tables.vouchers).values(customer_id=customer.id, created_at=clock.advance(MINUTE), **voucher)
        )
        stamp = StampEntry(NEW, customer.id, "coffee", StampKind.OPENING, 7, f"s{number}", clock.advance(MINUTE))
        await work.stamps.add([stamp])
        clock.advance(MINUTE)
        await record_consent(
            work,
            clock,
            channel=EMAIL,
            address=customer.email,
            purpose=MARKETING,
            granted=False,
            wording="No news",
            source="chat",
        )
        clock.advance(MINUTE)
        await add_note(work, clock, customer.id, "Loves dark roasts.", author="agent:Ana")
        clock.advance(MINUTE)


async def timeline(db, customer, **more):
    async with db.reading() as work:
        return await timeline_of(work, customer.id, **more)


async def pages(db, customer, limit):
    found, before = [], None
    while page := await timeline(db, customer, before=before, limit=limit):
        assert len(page) <= limit
        found += page
        before = page[-1].place
    return found


async def test_everything_is_there_newest_first(sql_db, clock):
    maria = await stored_customer(sql_db, email=MARIA)
    await live(sql_db, clock, maria)
    # Somebody else's life is not hers.
    await live(sql_db, clock, await stored_customer(sql_db), 2)

    found = await timeline(sql_db, maria)

    assert [entry.kind for entry in found] == [*reversed(KINDS)]
    assert [entry.at for entry in found] == [NOW + MINUTE * number for number in range(len(KINDS) - 1, -1, -1)]
    details = {entry.kind: (entry.id, entry.detail) for entry in found}
    assert details["order"] == ("TC-1", {"status": "shipped", "total_minor": 2_900, "currency": "USD"})
    assert details["ledger"][1] == {"kind": "order", "points": 29, "source": "TC-1", "expires_at": None}
    assert details["refund"][1]["order_number"] == "TC-1"
    assert details["consent"][1] == {
        **{"channel": "email", "purpose": "marketing", "granted": False, "wording": "No news", "source": "chat"},
    }
    assert details["note"][1] == {"author": "agent:Ana", "text": "Loves dark roasts."}


@pytest.mark.parametrize("limit", [1, 3, 5, 50])
async def test_pages_miss_nothing_and_repeat_nothing(sql_db, clock, limit):
    maria = await stored_customer(sql_db, email=MARIA)
    await live(sql_db, clock, maria)
    for number in range(5):
        # All of one moment, so that only their names tell them apart.
        await stored_order(sql_db, number=f"TC-1{number}", customer_id=maria.id, placed_at=NOW)
        async with sql_db.transaction() as work:
            await work.refunds.add(a_refund(order_number=f"TC-1{number}", requested_at=NOW))

    found = await pages(sql_db, maria, limit)

    assert len(found) == len({(entry.kind, entry.id) for entry in found}) == len(KINDS) + 10
    assert found == await timeline(sql_db, maria)
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)


async def test_what_happens_meanwhile_shifts_no_page(sql_db, clock):
    maria = await stored_customer(sql_db, email=MARIA)
    await live(sql_db, clock, maria)
    everything = await timeline(sql_db, maria)
    first = await timeline(sql_db, maria, limit=4)

    async with sql_db.transaction() as work:
        await add_note(work, clock, maria.id, "Called.", author="agent:Ben")

    assert first + await timeline(sql_db, maria, before=first[-1].place) == everything


async def test_whoever_was_merged_has_the_timeline_of_who_they_are(sql_db, clock):
    maria, mia = await stored_customer(sql_db, email=MARIA), await stored_customer(sql_db)
    await live(sql_db, clock, maria, 1)
    await live(sql_db, clock, mia, 2)
    apart = {(entry.kind, entry.id) for one in (maria, mia) for entry in await timeline(sql_db, one)}

    async with sql_db.transaction() as work:
        await merge_customers(work, clock, maria.id, mia.id, reason="asked", author="agent:Ana")
    # Too late to be moved, and seen all the same.
    await stored_order(sql_db, number="TC-3", customer_id=mia.id)

    together = await timeline(sql_db, mia)
    assert together == await timeline(sql_db, maria)
    new = {(entry.kind, entry.id) for entry in together} - apart
    assert apart <= {(entry.kind, entry.id) for entry in together}
    assert ("order", "TC-3") in new
    assert {kind for kind, _ in new} == {"order", "ledger", "stamp"}


async def test_of_nobody_there_is_no_timeline(sql_db, clock):
    assert await timeline(sql_db, await stored_customer(sql_db, email=None)) == []
    with pytest.raises(CustomerNotFound):
        async with sql_db.reading() as work:
            await timeline_of(work, "nobody")
