"""What may still be done with an order: cancel, change, send back."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.core.orders import (
    CancellationTerms,
    CannotCancel,
    CannotReturn,
    OrderLine,
    OrderStatus,
    ReturnTerms,
    can_change,
    can_change_address,
    cancellation_terms,
    return_terms,
)
from bot.core.returns import returnable_lines
from bot.core.shop import Policies
from tests.builders import a_return, an_order

MANILA = ZoneInfo("Asia/Manila")
STILL_HERE = ("pending", "paid", "preparing")
GONE = ("shipped", "delivered", "cancelled", "returned", "refunded")


def test_every_status_is_looked_at_here():
    assert {*STILL_HERE, *GONE} == {status.value for status in OrderStatus}


@pytest.mark.parametrize(
    ("status", "fee", "total", "terms"),
    [
        ("pending", 300, 2_900, (0, 0)),
        ("paid", 0, 2_900, (0, 2_900)),
        ("paid", 300, 2_900, (300, 2_600)),
        ("preparing", 300, 2_900, (300, 2_600)),
        ("preparing", 2_900, 2_900, (2_900, 0)),
        ("preparing", 5_000, 2_900, (2_900, 0)),
        ("paid", 300, 0, (0, 0)),
    ],
)
def test_cancelling_costs_the_fee_at_most_what_was_paid(status, fee, total, terms):
    order = an_order(status=OrderStatus(status), total_minor=total)

    assert cancellation_terms(order, Policies(cancellation_fee_minor=fee)) == CancellationTerms(*terms)


@pytest.mark.parametrize("status", GONE)
def test_what_has_left_or_ended_cannot_be_cancelled_or_changed(status):
    order = an_order(status=OrderStatus(status))

    assert cancellation_terms(order, Policies()) == CannotCancel(status)
    assert not can_change(order)
    assert not can_change_address(order)


@pytest.mark.parametrize("status", STILL_HERE)
def test_what_is_still_here_can_be_changed(status):
    order = an_order(status=OrderStatus(status))

    assert can_change(order)
    assert can_change_address(order)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("pending", "not_delivered_yet"),
        ("paid", "not_delivered_yet"),
        ("preparing", "not_delivered_yet"),
        ("shipped", "not_delivered_yet"),
        ("cancelled", "cancelled"),
        ("returned", "already_returned"),
        ("refunded", "refunded"),
    ],
)
def test_only_what_was_delivered_can_be_sent_back(status, reason):
    order = an_order(status=OrderStatus(status))

    assert return_terms(order, Policies(), datetime(2026, 1, 5, tzinfo=MANILA)) == CannotReturn(reason)


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (datetime(2026, 5, 21, 8, tzinfo=MANILA), True),
        (datetime(2026, 6, 20, 23, 59, tzinfo=MANILA), True),
        (datetime(2026, 6, 21, 0, 0, tzinfo=MANILA), False),
        (datetime(2026, 7, 1, tzinfo=MANILA), False),
    ],
)
def test_the_last_day_to_send_back_is_counted_and_ends_in_the_shops_zone(now, allowed):
    # Already the 21st in Manila.
    delivered = datetime(2026, 5, 20, 20, tzinfo=timezone.utc)
    order = an_order(status=OrderStatus.DELIVERED, delivered_at=delivered)

    terms = return_terms(order, Policies(returns_days=30), now)

    assert terms == (ReturnTerms(date(2026, 6, 20)) if allowed else CannotReturn("too_late"))


@pytest.mark.parametrize(
    ("known", "last_day"),
    [
        ({}, date(2026, 1, 31)),
        ({"shipped_at": datetime(2026, 1, 3, tzinfo=timezone.utc)}, date(2026, 2, 2)),
        ({"shipped_at": datetime(2026, 1, 3, tzinfo=timezone.utc), "due_on": date(2026, 1, 6)}, date(2026, 2, 5)),
        ({"due_on": date(2026, 1, 6), "delivered_at": datetime(2026, 1, 4, tzinfo=timezone.utc)}, date(2026, 2, 3)),
    ],
)
def test_where_no_delivery_was_noted_the_latest_day_that_is_known_counts(known, last_day):
    placed = datetime(2026, 1, 1, tzinfo=timezone.utc)
    order = an_order(status=OrderStatus.DELIVERED, placed_at=placed, **known)

    assert return_terms(order, Policies(), placed.astimezone(MANILA) + timedelta(days=7)) == ReturnTerms(last_day)


def test_lines_that_are_in_a_return_are_not_sent_back_again():
    mug, beans, filters = (OrderLine(sku, sku, 1, 100) for sku in ("MUG", "BEANS", "FILTERS"))
    order = an_order(customer_id="1", lines=(mug, beans, filters))

    assert returnable_lines(order, []) == (mug, beans, filters)
    assert returnable_lines(order, [a_return(order, lines=(beans,))]) == (mug, filters)
    assert returnable_lines(order, [a_return(order, lines=(beans,)), a_return(order, lines=(mug, filters))]) == ()


def test_a_return_is_worth_what_its_lines_cost():
    order = an_order(customer_id="1", lines=(OrderLine("MUG", "Mug", 2, 1_450), OrderLine("BEANS", "Beans", 1, 1_200)))

    assert a_return(order).amount_minor == 4_100
