"""Visitor, lead, customer, regular, gone: from a few facts."""

from datetime import date, timedelta

import pytest

from bot.core.lifecycle import PAID_STATUSES, Stage, stage
from bot.core.orders import OrderStatus

TODAY = date(2026, 1, 5)


def at(*, known=True, paid=0, days_ago=None, lapsed_days=180):
    last = TODAY - timedelta(days=days_ago) if days_ago is not None else None
    return stage(is_known=known, paid_orders=paid, last_paid_on=last, today=TODAY, lapsed_days=lapsed_days)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"known": False}, Stage.VISITOR),
        ({}, Stage.LEAD),
        ({"paid": 1, "days_ago": 0}, Stage.CUSTOMER),
        ({"paid": 2, "days_ago": 10}, Stage.REPEAT),
        ({"paid": 1, "days_ago": 179}, Stage.CUSTOMER),
        ({"paid": 1, "days_ago": 180}, Stage.LAPSED),
        ({"paid": 9, "days_ago": 400}, Stage.LAPSED),
        ({"paid": 9, "days_ago": 400, "lapsed_days": 401}, Stage.REPEAT),
        # Ordered without ever being known otherwise.
        ({"known": False, "paid": 1, "days_ago": 3}, Stage.CUSTOMER),
    ],
)
def test_the_stage_follows_from_the_facts(facts, expected):
    assert at(**facts) is expected


def test_what_was_never_paid_is_no_purchase():
    assert {OrderStatus.PENDING, OrderStatus.CANCELLED} == set(OrderStatus) - PAID_STATUSES
