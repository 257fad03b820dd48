"""What reports of a shop make of an order, in whatever order they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.order_reports import (
    Fault,
    OrderReport,
    ReportedRefund,
    ReportedReturn,
    forbidden_changes,
    money_faults,
    new_order,
    order_after,
    same_lines,
)
from bot.core.orders import PROGRESS, OrderLine, OrderStatus
from bot.core.refund_reports import refunds_after, returns_after
from bot.core.refunds import RefundReason, RefundStatus
from bot.core.returns import ReturnStatus
from tests.builders import NOW, a_refund, a_return, an_order

LATER = NOW + timedelta(days=1)
S = OrderStatus
MUGS, BEANS = OrderLine("MUG", "Mug", 2, 1_450), OrderLine("BEANS", "Beans", 1, 900)


def after(order, status, now=LATER, **changes):
    return order_after(order, OrderReport(status, changes), now)


def refunds_of(order, known, *reported, status=None, returns=(), now=LATER):
    """(amount, status, the shop's id) of each refund after the report, and the faults."""
    ids = iter(range(100))
    report = OrderReport(status or order.status, refunds=tuple(reported))
    refunds, faults = refunds_after(order, known, returns, report, now, lambda: f"new-{next(ids)}")
    return [(one.amount_minor, one.status.value, one.external_id) for one in refunds], faults


def reported(external_id, amount, **more):
    return ReportedRefund(external_id, amount, **more)


# The status


def test_a_status_moves_forward_and_notes_when():
    order, ignored = after(an_order(status=S.PAID, paid_at=NOW), S.SHIPPED, tracking_number="T-1")

    assert (order.status, order.shipped_at, order.tracking_number, order.paid_at) == (S.SHIPPED, LATER, "T-1", NOW)
    assert ignored == ()


def test_what_the_shop_says_about_a_step_counts_more_than_when_it_said_it():
    order, _ = after(an_order(status=S.SHIPPED), S.DELIVERED, delivered_at=NOW)

    assert order.delivered_at == NOW


@pytest.mark.parametrize(("present", "late"), [(S.REFUNDED, S.DELIVERED), (S.DELIVERED, S.PAID), (S.CANCELLED, S.PAID)])
def test_a_status_that_lies_behind_is_ignored_with_all_that_came_with_it(present, late):
    order = an_order(status=present, paid_at=NOW, tracking_number="T-2")

    same, ignored = after(order, late, tracking_number="T-1", email=order.email, paid_at=NOW)

    assert same == order
    assert ignored == ("status", "tracking_number")


def test_a_late_payment_is_noted_though_its_status_is_not():
    order, ignored = after(an_order(status=S.DELIVERED), S.PAID)

    assert (order.status, order.paid_at, ignored) == (S.DELIVERED, LATER, ("status",))


def test_a_payment_is_taken_once():
    order = an_order(status=S.PAID, paid_at=NOW)

    same, ignored = after(order, S.PAID, paid_at=LATER)

    assert (same, ignored) == (order, ("paid_at",))


@pytest.mark.parametrize("status", [status for status in PROGRESS if status not in (S.PENDING, S.CANCELLED)])
def test_every_later_status_but_cancelled_says_that_it_is_paid(status):
    assert after(an_order(status=S.PENDING), status)[0].paid_at == LATER
    assert after(an_order(status=S.PENDING), S.CANCELLED)[0].paid_at is None


def test_an_order_that_is_first_heard_of_long_afterwards_was_paid_when_it_was_placed():
    report = OrderReport(S.DELIVERED, {"placed_at": NOW, "total_minor": 100})

    order = new_order(an_order(placed_at=LATER, status=S.PENDING), report)

    assert (order.placed_at, order.paid_at, order.delivered_at) == (NOW, NOW, None)


@given(st.lists(st.sampled_from(PROGRESS), min_size=1, max_size=12))
def test_in_whatever_order_reports_come_the_furthest_status_stands(statuses):
    order = an_order(status=S.PENDING)
    for status in statuses:
        order, _ = after(order, status)

    assert order.status is max(statuses, key=PROGRESS.index)
    assert all(after(order, status)[0] == order for status in statuses)


# What was bought


def test_lines_are_the_same_in_any_order_and_under_any_title():
    assert same_lines([MUGS, BEANS], [replace(BEANS, title="Kape"), MUGS])
    assert not same_lines([MUGS], [replace(MUGS, quantity=1)])
    assert not same_lines([MUGS], [MUGS, MUGS])


@pytest.mark.parametrize(
    "changes",
    [{"lines": (BEANS,)}, {"lines": ()}, {"total_minor": 1}, {"discount_minor": 1}, {"delivery_minor": 1}],
    ids=str,
)
def test_what_was_bought_cannot_change_once_it_is_paid(changes):
    paid = an_order(status=S.PAID, lines=(MUGS,), discount_minor=0, delivery_minor=0)

    assert [fault.field for fault in forbidden_changes(paid, OrderReport(S.SHIPPED, changes))] == list(changes)
    assert forbidden_changes(replace(paid, status=S.PENDING), OrderReport(S.PAID, changes)) == []


def test_what_was_not_known_may_be_filled_in_and_what_is_equal_may_be_said_again():
    bare = an_order(status=S.PAID, lines=(), total_minor=2_900)
    changes = {"lines": (MUGS,), "discount_minor": 0, "delivery_minor": 0, "total_minor": 2_900}

    assert forbidden_changes(bare, OrderReport(S.PAID, changes)) == []
    assert forbidden_changes(replace(bare, **changes), OrderReport(S.PAID, changes)) == []


def test_a_late_report_may_say_what_it_likes():
    order = an_order(status=S.SHIPPED, lines=(MUGS,))

    assert forbidden_changes(order, OrderReport(S.PAID, {"lines": (BEANS,)})) == []


def test_the_total_is_what_the_lines_come_to():
    order = an_order(lines=(MUGS,), discount_minor=500, delivery_minor=200, total_minor=2_600)

    assert money_faults(order) == []
    assert money_faults(replace(order, discount_minor=None, delivery_minor=None, total_minor=7)) == []
    assert money_faults(replace(order, lines=(), total_minor=7)) == []
    assert money_faults(replace(order, delivery_minor=None)) == [
        Fault("total_minor", "is 2600, but lines 2900 - discount 500 + delivery 0 is 2400")
    ]


# Refunds


@pytest.fixture
def order():
    return an_order(status=S.DELIVERED, total_minor=2_900)


def test_partial_refunds_add_up_and_the_same_one_twice_is_one(order):
    first, faults = refunds_of(order, [], reported("RF-1", 500), reported("RF-2", 400), reported("RF-1", 500))

    assert (first, faults) == ([(500, "paid", "RF-1"), (400, "paid", "RF-2")], [])


def test_a_refund_that_was_another_amount_before_is_a_fault(order):
    known = [a_refund(external_id="RF-1", amount_minor=500, paid_at=NOW)]

    assert refunds_of(order, known, reported("RF-1", 600))[1] == [
        Fault("refunds[0].amount_minor", "is 600, but this refund was reported with 500")
    ]


def test_no_more_is_paid_back_than_was_paid(order):
    assert refunds_of(order, [], reported("RF-1", 2_900))[1] == []
    assert [one.field for one in refunds_of(order, [], reported("RF-1", 2_000), reported("RF-2", 901))[1]] == [
        "refunds"
    ]


def test_nothing_is_paid_back_that_was_not_paid(order):
    assert refunds_of(replace(order, status=S.PENDING), [], reported("RF-1", 1))[1] != []


def a_cancellation(**changes):
    return a_refund(reason=RefundReason.CANCELLED, amount_minor=2_400, **changes)


def test_a_refund_that_was_owed_for_a_cancellation_is_that_refund(order):
    cancelled = replace(order, status=S.CANCELLED)

    assert refunds_of(cancelled, [a_cancellation()], reported("RF-1", 2_400)) == ([(2_400, "paid", "RF-1")], [])


def test_a_cancellation_that_is_refunded_without_its_fee_is_still_one_refund(order):
    assert refunds_of(order, [a_cancellation()], reported("RF-1", 2_900)) == ([(2_900, "paid", "RF-1")], [])


def test_a_cancellation_is_refunded_in_parts_until_nothing_is_owed(order):
    parts, faults = refunds_of(order, [a_cancellation()], reported("RF-1", 2_000))
    assert (sorted(parts), faults) == ([(400, "pending", None), (2_000, "paid", "RF-1")], [])

    whole, faults = refunds_of(order, [a_cancellation()], reported("RF-1", 2_000), reported("RF-2", 400))
    assert (sorted(whole), faults) == ([(400, "paid", "RF-2"), (2_000, "paid", "RF-1")], [])


def test_a_refund_for_something_else_leaves_what_is_owed(order):
    broken = reported("RF-1", 300, reason=RefundReason.PROBLEM)

    assert sorted(refunds_of(order, [a_cancellation()], broken)[0]) == [(300, "paid", "RF-1"), (2_400, "pending", None)]


def test_the_status_refunded_alone_says_that_all_was_paid_back(order):
    part = a_refund(external_id="RF-1", amount_minor=500, paid_at=NOW)

    refunds, _ = refunds_of(replace(order, status=S.REFUNDED), [part])
    assert refunds == [(500, "paid", "RF-1"), (2_400, "paid", None)]


def test_of_a_cancelled_order_the_fee_is_kept(order):
    refunds, _ = refunds_of(replace(order, status=S.REFUNDED), [a_cancellation()])

    assert refunds == [(2_400, "paid", None)]


def test_the_status_refunded_with_refunds_says_no_more_than_they_do(order):
    assert refunds_of(replace(order, status=S.REFUNDED), [], reported("RF-1", 500))[0] == [(500, "paid", "RF-1")]


def test_refunds_that_are_named_after_the_status_are_part_of_it(order):
    refunded = replace(order, status=S.REFUNDED)
    ids = iter("abcdef")

    known = []
    for named in ((), (reported("RF-1", 500),), (reported("RF-2", 2_400),)):
        report = OrderReport(S.REFUNDED, refunds=named)
        known, faults = refunds_after(refunded, known, (), report, LATER, lambda: next(ids))
        assert faults == []
        assert sum(one.amount_minor for one in known) == 2_900
    assert {one.external_id for one in known} == {"RF-1", "RF-2"}


def test_the_refund_of_a_return_is_found_by_its_number_or_its_amount(order):
    sent_back = a_return(order, lines=(replace(MUGS, quantity=1),))
    for named in (reported("RF-1", 1_000, return_number="R-482915"), reported("RF-1", 1_450)):
        report = OrderReport(S.DELIVERED, refunds=(named,))
        (refund,), faults = refunds_after(order, [], [sent_back], report, LATER, lambda: "id")
        assert (refund.return_number, refund.reason, faults) == ("R-482915", RefundReason.RETURNED, [])
        (now,), _ = returns_after(order.status, [sent_back], [refund], report)
        assert now.status is ReturnStatus.REFUNDED


def test_a_second_refund_of_a_return_does_not_bear_its_number(order):
    known = [a_refund(external_id="RF-1", amount_minor=500, return_number="R-1", paid_at=NOW)]
    report = OrderReport(S.DELIVERED, refunds=(reported("RF-2", 100, return_number="R-1"),))

    refunds, _ = refunds_after(order, known, [], report, LATER, lambda: "id")

    assert [one.return_number for one in refunds] == ["R-1", None]


AMOUNTS = st.lists(st.integers(1, 1_500), min_size=1, max_size=6)


@given(AMOUNTS, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_refunds_in_any_order_and_any_number_of_times_come_to_the_same(amounts, was_cancelled, is_refunded, random):
    order = an_order(total_minor=sum(amounts) + 10, status=S.REFUNDED if is_refunded else S.DELIVERED)
    known = [a_refund(reason=RefundReason.CANCELLED, amount_minor=order.total_minor - 10)] if was_cancelled else []
    reports = [(reported(f"RF-{place}", amount),) for place, amount in enumerate(amounts)]
    reports += [()] if is_refunded else []
    reports = reports * 2
    random.shuffle(reports)

    ids = iter(range(1_000))
    for one in reports:
        report = OrderReport(order.status, refunds=one)
        known, faults = refunds_after(order, known, (), report, LATER, lambda: str(next(ids)))
        assert faults == []
        assert sum(one.amount_minor for one in known) <= order.total_minor

    named = sorted(one.amount_minor for one in known if one.external_id)
    assert named == sorted(amounts)
    paid = sum(one.amount_minor for one in known if one.status is RefundStatus.PAID)
    assert paid == sum(amounts) if not is_refunded else sum(amounts) <= paid <= order.total_minor
    if was_cancelled and not is_refunded:
        assert sum(one.amount_minor for one in known) == order.total_minor - 10


# Returns


@pytest.mark.parametrize(
    ("known", "status", "then"),
    [
        (ReturnStatus.REQUESTED, S.DELIVERED, ReturnStatus.REQUESTED),
        (ReturnStatus.REQUESTED, S.RETURNED, ReturnStatus.RECEIVED),
        (ReturnStatus.RECEIVED, S.REFUNDED, ReturnStatus.REFUNDED),
        (ReturnStatus.REFUSED, S.REFUNDED, ReturnStatus.REFUSED),
        (ReturnStatus.REFUNDED, S.RETURNED, ReturnStatus.REFUNDED),
    ],
)
def test_a_return_follows_its_order(order, known, status, then):
    (one,), faults = returns_after(status, [a_return(order, status=known)], [], OrderReport(status))

    assert (one.status, faults) == (then, [])


@pytest.mark.parametrize(
    ("known", "said", "then"),
    [
        (ReturnStatus.REQUESTED, ReturnStatus.RECEIVED, ReturnStatus.RECEIVED),
        (ReturnStatus.RECEIVED, ReturnStatus.REQUESTED, ReturnStatus.RECEIVED),
        (ReturnStatus.RECEIVED, ReturnStatus.REFUSED, ReturnStatus.REFUSED),
        (ReturnStatus.REFUSED, ReturnStatus.RECEIVED, ReturnStatus.REFUSED),
        (ReturnStatus.REFUNDED, ReturnStatus.REFUSED, ReturnStatus.REFUNDED),
    ],
)
def test_a_return_moves_forward_only(order, known, said, then):
    report = OrderReport(S.DELIVERED, returns=(ReportedReturn("R-482915", said),))

    assert returns_after(S.DELIVERED, [a_return(order, status=known)], [], report)[0][0].status is then


def test_returns_that_nobody_registered_are_faults(order):
    report = OrderReport(
        S.DELIVERED,
        refunds=(reported("RF-1", 1, return_number="R-2"),),
        returns=(ReportedReturn("R-1", ReturnStatus.RECEIVED),),
    )

    assert [one.field for one in returns_after(S.DELIVERED, [], [], report)[1]] == [
        "returns[0].number",
        "refunds[0].return_number",
    ]
