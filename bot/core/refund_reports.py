"""What a shop's report makes of an order's refunds and returns.

Refunds are told apart by the shop's own ids. What only this side knew (a refund owed for a cancellation, or everything
that the status `refunded` stands for) gives way to what the shop says it has paid, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.order_reports import Fault, OrderReport, ReportedRefund
from bot.core.orders import Order, OrderStatus
from bot.core.refunds import Refund, RefundId, RefundReason, RefundStatus
from bot.core.returns import Return, ReturnStatus

_RETURN_PROGRESS = (ReturnStatus.REQUESTED, ReturnStatus.RECEIVED, ReturnStatus.REFUNDED)


def refunds_after(
    order: Order,
    known: Sequence[Refund],
    returns: Sequence[Return],
    report: OrderReport,
    now: datetime,
    make_id: Callable[[], str],
) -> tuple[list[Refund], list[Fault]]:
    """The refunds of the order (as it is after the report), and what is wrong with those that were reported.

    An id that is known is the same refund. A new one is what was owed here, if that is for the same return or of the
    same amount; else what was owed for a cancellation gets less by it. The status `refunded` without any refunds says
    that everything was paid back.
    """
    refunds, faults = list(known), []
    if report.refunds and order.status is OrderStatus.PENDING:
        return refunds, [Fault("refunds", "can only be of an order that was paid")]
    for place, reported in enumerate(report.refunds):
        same = next((one for one in refunds if one.external_id == reported.external_id), None)
        if same is None:
            refunds = _with_reported(order, refunds, returns, reported, now, make_id)
        elif same.amount_minor != reported.amount_minor:
            text = f"is {reported.amount_minor}, but this refund was reported with {same.amount_minor}"
            faults.append(Fault(f"refunds[{place}].amount_minor", text))
    if report.status is OrderStatus.REFUNDED and not report.refunds:
        refunds = _all_paid_back(order, refunds, now, make_id)
    refunded = _paid(refunds)
    if report.refunds and refunded > order.total_minor:
        faults.append(Fault("refunds", f"come to {refunded} together, more than the total of {order.total_minor}"))
    return refunds, faults


def _with_reported(
    order: Order,
    refunds: list[Refund],
    returns: Sequence[Return],
    reported: ReportedRefund,
    now: datetime,
    make_id: Callable[[], str],
) -> list[Refund]:
    """The refunds with one more that the shop has paid."""
    return_number = reported.return_number or _return_of_amount(refunds, returns, reported)
    if any(one.return_number == return_number and one.external_id for one in refunds):
        return_number = None  # a return's second refund; the first one bears its number
    owed = _owed_for_cancellation(refunds, reported)
    counterpart = _counterpart(refunds, reported, return_number)
    if counterpart is None and owed is not None and owed.amount_minor < reported.amount_minor:
        counterpart = owed
    if counterpart is not None:
        settled = replace(
            counterpart,
            external_id=reported.external_id,
            amount_minor=reported.amount_minor,
            return_number=counterpart.return_number or return_number,
            status=RefundStatus.PAID,
            paid_at=reported.paid_at or counterpart.paid_at or now,
        )
        refunds = [settled if one is counterpart else one for one in refunds]
    else:
        if owed is not None:
            less = replace(owed, amount_minor=owed.amount_minor - reported.amount_minor)
            refunds = [less if one is owed else one for one in refunds]
        refunds = [*refunds, _new_refund(order, refunds, reported, return_number, now, make_id)]
    return _made_room(refunds, _paid(refunds) - order.total_minor)


def _counterpart(refunds: Sequence[Refund], reported: ReportedRefund, return_number: str | None) -> Refund | None:
    """The refund without a name of the shop's that this one must be: of the same return, else of the same amount."""
    nameless = [one for one in refunds if one.external_id is None]
    if return_number is not None and (same := [one for one in nameless if one.return_number == return_number]):
        return same[0]
    fitting = (one for one in nameless if one.return_number is None and one.amount_minor == reported.amount_minor)
    return next(fitting, None)


def _owed_for_cancellation(refunds: Sequence[Refund], reported: ReportedRefund) -> Refund | None:
    if reported.reason not in (None, RefundReason.CANCELLED):
        return None
    owed = (one for one in refunds if one.status is RefundStatus.PENDING and one.reason is RefundReason.CANCELLED)
    return next(owed, None)


def _new_refund(
    order: Order,
    refunds: Sequence[Refund],
    reported: ReportedRefund,
    return_number: str | None,
    now: datetime,
    make_id: Callable[[], str],
) -> Refund:
    reason = reported.reason or (RefundReason.RETURNED if return_number else RefundReason.PROBLEM)
    if reason is RefundReason.CANCELLED and any(one.reason is reason for one in refunds):
        reason = RefundReason.PROBLEM  # an order is cancelled once; this is another part of its money
    return Refund(
        id=RefundId(make_id()),
        order_number=order.number,
        amount_minor=reported.amount_minor,
        currency=order.currency,
        reason=reason,
        status=RefundStatus.PAID,
        # When it was heard of, so that refunds stay in the order in which they took points back.
        requested_at=now,
        return_number=return_number,
        paid_at=reported.paid_at or now,
        external_id=reported.external_id,
    )


def _return_of_amount(refunds: Sequence[Refund], returns: Sequence[Return], reported: ReportedRefund) -> str | None:
    """The one return that a refund must be for, by its amount."""
    if reported.reason not in (None, RefundReason.RETURNED):
        return None
    refunded = {one.return_number for one in refunds if one.external_id}
    fitting = [
        one.number
        for one in returns
        if one.number not in refunded
        and one.status in (ReturnStatus.REQUESTED, ReturnStatus.RECEIVED)
        and one.amount_minor == reported.amount_minor
    ]
    return fitting[0] if len(fitting) == 1 else None


def _made_room(refunds: list[Refund], too_much: int) -> list[Refund]:
    """Where more was paid back than the total, refunds that the shop never named are part of those that it did."""
    kept = []
    for one in refunds:
        if too_much > 0 and one.external_id is None and one.status is RefundStatus.PAID:
            part = min(too_much, one.amount_minor)
            too_much -= part
            if part == one.amount_minor:
                continue
            one = replace(one, amount_minor=one.amount_minor - part)
        kept.append(one)
    return kept


def _all_paid_back(order: Order, refunds: list[Refund], now: datetime, make_id: Callable[[], str]) -> list[Refund]:
    paid = [
        one if one.status is RefundStatus.PAID else replace(one, status=RefundStatus.PAID, paid_at=now)
        for one in refunds
    ]
    rest = order.total_minor - _paid(paid)
    # For a cancellation the shop has kept its fee.
    if rest > 0 and not any(one.reason is RefundReason.CANCELLED for one in paid):
        reason = RefundReason.CANCELLED if order.cancelled_at else RefundReason.PROBLEM
        paid.append(
            Refund(
                *(RefundId(make_id()), order.number, rest, order.currency, reason, RefundStatus.PAID, now),
                paid_at=now,
            )
        )
    return paid


def _paid(refunds: Sequence[Refund]) -> int:
    return sum(one.amount_minor for one in refunds if one.status is RefundStatus.PAID)


def returns_after(
    status: OrderStatus, known: Sequence[Return], refunds: Sequence[Refund], report: OrderReport
) -> tuple[list[Return], list[Fault]]:
    """The returns of the order after the report, and what is wrong with those that it names."""
    numbers = {one.number for one in known}
    faults = [
        *(
            Fault(f"returns[{place}].number", "is not a return of this order")
            for place, one in enumerate(report.returns)
            if one.number not in numbers
        ),
        *(
            Fault(f"refunds[{place}].return_number", "is not a return of this order")
            for place, refund in enumerate(report.refunds)
            if refund.return_number is not None and refund.return_number not in numbers
        ),
    ]
    reported = {one.number: one.status for one in report.returns}
    refunded = {one.return_number for one in refunds if one.status is RefundStatus.PAID}
    after = []
    for one in known:
        steps = [reported.get(one.number, one.status)]
        if status in (OrderStatus.RETURNED, OrderStatus.REFUNDED):
            steps.append(ReturnStatus.RECEIVED)
        if one.number in refunded or status is OrderStatus.REFUNDED:
            steps.append(ReturnStatus.REFUNDED)
        for step in steps:
            one = replace(one, status=_moved_on(one.status, step))
        after.append(one)
    return after, faults


def _moved_on(status: ReturnStatus, step: ReturnStatus) -> ReturnStatus:
    """A return's next status: forward only; what was refused or refunded stays so."""
    if status in (ReturnStatus.REFUSED, ReturnStatus.REFUNDED):
        return status
    if step is ReturnStatus.REFUSED:
        return step
    return max(status, step, key=_RETURN_PROGRESS.index)
