"""What the shop's own systems report about customers and orders, one transaction each; twice, late or at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.customers import Customer, CustomerId
from bot.core.merges import MergeState
from bot.core.order_reports import (
    Fault,
    OrderReport,
    forbidden_changes,
    is_behind,
    money_faults,
    new_order,
    order_after,
)
from bot.core.orders import Order, OrderStatus
from bot.core.refund_reports import refunds_after, returns_after
from bot.core.refunds import Refund
from bot.core.returns import Return
from bot.core.shop import Shop
from bot.errors import NoSuchDay, ReportConflict, ReportRefused
from bot.services.birthdays import set_birthday
from bot.services.customers import add_customer, save_customer
from bot.services.earning import settle_order
from bot.services.ids import new_id
from bot.services.orders import kept_number
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, UnitOfWork

SOURCE = "api"
# Clocks differ; but what lies further ahead than this is a mistake, and would shift points and returns.
MOST_AHEAD = timedelta(days=1)
MOMENTS = ("placed_at", "paid_at", "shipped_at", "delivered_at", "cancelled_at")
PERSONAL = frozenset({"email", "postcode", "shipping_address", "tracking_number"})


@dataclass(frozen=True)
class ReportedCustomer:
    """Who ordered, by the shop's own number; with a name (and e-mail address) they become known if they are not."""

    external_id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class CustomerState:
    """A customer as they are known. `created` and `ignored` are about the report that led to it."""

    customer: Customer
    created: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrderState:
    """An order with everything around it. `created` and `ignored` are about the report that led to it."""

    order: Order
    customer: Customer | None
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
    created: bool = False
    ignored: tuple[str, ...] = field(default=())


async def upsert_customer(db: Database, clock: Clock, external_id: str, changes: Mapping[str, Any]) -> CustomerState:
    """Take in what the shop knows about a customer: `changes` are fields by name, the others stay as they are.

    A `birthday` is a month and a day. Safe to repeat. Of a number that turned out to be another customer's (the records
    were merged), only what is not known of them counts. Raises ReportRefused for a new customer without a name or a
    birthday that no year has, and ReportConflict for somebody whose data were erased; then nothing is changed.
    """
    async with db.transaction() as work:
        created = False
        known = await work.customers.by_external_id(external_id)
        if known is None:
            if "name" not in changes:
                raise ReportRefused([("name", "is missing: this customer is not known yet")])
            known, created = await _add_customer(work, clock, external_id, changes["name"], changes.get("email"))
        # Read again: nobody else changes them from here on.
        known = await work.customers.lock(known.id) or known
        if known.erased_at is not None:
            raise ReportConflict([("external_id", "belongs to somebody whose data were erased; use another number")])
        taken = {name: value for name, value in changes.items() if _is_open(known, name, external_id)}
        await _save_customer(work, clock, known, taken)
        after = await work.customers.get(known.id) or known
        return CustomerState(after, created, tuple(name for name in changes if name not in taken))


def _is_open(known: Customer, name: str, external_id: str) -> bool:
    """Whether a field may be changed under that number."""
    field = "birthday_month" if name == "birthday" else name
    return known.external_id == external_id or getattr(known, field) is None


async def _save_customer(work: UnitOfWork, clock: Clock, known: Customer, changes: Mapping[str, Any]) -> None:
    fields = {name: value for name, value in changes.items() if name != "birthday"}
    birthday = changes.get("birthday")
    if "birthday" in changes and birthday is None:
        fields |= {"birthday_month": None, "birthday_day": None, "birthday_set_at": None}
    customer = replace(known, **fields)
    if customer != known:
        await save_customer(work, clock, customer)
    if birthday is not None:
        try:
            await set_birthday(work, clock, known.id, *birthday)
        except NoSuchDay as error:
            raise ReportRefused([("birthday", "is a day that no year has")]) from error


async def order_state(work: UnitOfWork, shop: Shop, number: str) -> OrderState | None:
    """The order with that number, whichever of its forms it has; None when there is none."""
    order = await work.orders.by_number(await kept_number(work, number, shop.order_prefix))
    return await _state(work, order) if order else None


async def upsert_order(
    db: Database, clock: Clock, shop: Shop, number: str, report: OrderReport, customer: ReportedCustomer | None = None
) -> OrderState:
    """Take in what the shop reports about an order, and bring points to what that calls for.

    Safe to repeat: the same report again changes nothing and returns the same. A late report (its status is behind) is
    ignored, as `ignored` says, but for its refunds. Raises ReportRefused for what cannot be, and ReportConflict for
    what contradicts what is known; then nothing at all is changed.
    """
    async with db.transaction() as work:
        now = clock.now()
        _refuse(ReportRefused, _simple_faults(report, shop, now))
        number = await kept_number(work, number, shop.order_prefix)
        known = await work.orders.by_number(number, lock=True)
        owner = await _owner(work, clock, customer)
        if owner is not None and (known is None or known.customer_id != owner.id):
            owner = await _held(work, owner)
        report, ignored = await _without_the_erased(work, known, owner, report)
        created = False
        if known is None:
            order = _first_seen(number, report, owner, shop, now)
            created = await work.orders.add_unless_known(order)
            # Reported twice at once: the other one was first.
            known = None if created else await work.orders.by_number(number, lock=True)
        if known is not None:
            order, late = await _changed(work, known, report, owner, now)
            ignored = (*late, *ignored)
        refunds, returns = await _save_what_came_back(work, order, report, now)
        await settle_order(work, clock, shop, order)
        return OrderState(order, await _owner_of(work, order), refunds, returns, created, ignored)


async def _without_the_erased(
    work: UnitOfWork, known: Order | None, owner: Customer | None, report: OrderReport
) -> tuple[OrderReport, tuple[str, ...]]:
    """The report without personal data, and what was left out, where it is about somebody whose data were erased.

    What becomes of the order is no secret; who they are and where they live is not written down a second time.
    """
    holder = await _owner_of(work, known) if known else None
    if not any(one is not None and one.erased_at is not None for one in (owner, holder)):
        return report, ()
    kept = {name: value for name, value in report.changes.items() if name not in PERSONAL}
    left_out = [name for name in report.changes if name in PERSONAL]
    if owner is not None and owner.erased_at is not None and (known is None or known.customer_id != owner.id):
        left_out.append("customer")
    return replace(report, changes=kept), tuple(left_out)


def _first_seen(number: str, report: OrderReport, owner: Customer | None, shop: Shop, now: datetime) -> Order:
    if "total_minor" not in report.changes:
        raise ReportRefused([("total_minor", "is missing: this order is not known yet")])
    empty = Order(number, None, OrderStatus.PENDING, now, 0, shop.currency)
    if owner is not None and owner.erased_at is None:
        empty = replace(empty, customer_id=owner.id, email=owner.email)
    order = new_order(empty, report)
    _refuse(ReportRefused, money_faults(order))
    return order


async def _changed(
    work: UnitOfWork, known: Order, report: OrderReport, owner: Customer | None, now: datetime
) -> tuple[Order, tuple[str, ...]]:
    """The known order after the report, saved; and what of the report was ignored."""
    _refuse(ReportConflict, forbidden_changes(known, report))
    order, ignored = order_after(known, report, now)
    if owner is not None and owner.erased_at is None and owner.id != known.customer_id:
        if is_behind(report.status, known.status) or await _were_one(work, known.customer_id, owner.id):
            ignored = (*ignored, "customer")
        elif known.customer_id is not None and known.status is not OrderStatus.PENDING:
            raise ReportConflict([("customer", f"cannot change any more: the order is {known.status.value}")])
        else:
            order = replace(order, customer_id=owner.id)
    _refuse(ReportRefused, money_faults(order))
    if order.lines != known.lines:
        if "total_minor" not in report.changes:
            raise ReportRefused([("total_minor", "is missing: other lines come to another total")])
        await work.orders.replace_lines(order)
    if order != known:
        await work.orders.save(order)
    return order, ignored


async def _were_one(work: UnitOfWork, one_id: CustomerId | None, other_id: CustomerId) -> bool:
    """Whether two customers were taken for one for a time: what was ordered then stays where it went."""
    pair = await work.merges.of_pair(one_id, other_id) if one_id else []
    return any(merge.state is MergeState.UNDONE for merge in pair)


async def _save_what_came_back(
    work: UnitOfWork, order: Order, report: OrderReport, now: datetime
) -> tuple[tuple[Refund, ...], tuple[Return, ...]]:
    """Bring refunds and returns to what the report makes of them, and return them as they are then."""
    refunds, returns = await work.refunds.of_order(order.number), await work.returns.of_order(order.number)
    refunds_now, refund_faults = refunds_after(order, refunds, returns, report, now, new_id)
    returns_now, return_faults = returns_after(order.status, returns, refunds_now, report)
    _refuse(ReportRefused, [*refund_faults, *return_faults])
    before = {one.id: one for one in refunds}
    for refund_id in before.keys() - {one.id for one in refunds_now}:
        await work.refunds.remove(refund_id)
    for refund in refunds_now:
        if refund.id not in before:
            await work.refunds.add(refund)
        elif refund != before[refund.id]:
            await work.refunds.save(refund)
    for sent_back in returns_now:
        if sent_back not in returns:
            await work.returns.set_status(sent_back.number, sent_back.status)
    return tuple(sorted(refunds_now, key=lambda one: (one.requested_at, one.id))), tuple(returns_now)


async def _owner(work: UnitOfWork, clock: Clock, reported: ReportedCustomer | None) -> Customer | None:
    """Whose order it is, made known if need be."""
    if reported is None:
        return None
    customer = await work.customers.by_external_id(reported.external_id)
    if customer is None:
        if reported.name is None:
            raise ReportRefused([("customer.name", "is missing: this customer is not known yet")])
        customer, _ = await _add_customer(work, clock, reported.external_id, reported.name, reported.email)
    return customer


async def _held(work: UnitOfWork, owner: Customer) -> Customer:
    """Whose the order becomes, whom nobody merges until then: it would stay behind with a record that is no more."""
    while (held := await work.customers.lock(owner.id)) is not None and held.merged_into_id is not None:
        owner = await customer_of(work, held.id)
    return held or owner


async def _add_customer(
    work: UnitOfWork, clock: Clock, external_id: str, name: str, email: str | None
) -> tuple[Customer, bool]:
    """A customer with that number, and whether they are new: somebody else may just have added them."""
    new = Customer(CustomerId(new_id()), external_id, name, email, clock.now(), source=SOURCE)
    if await add_customer(work, clock, new):
        return new, True
    known = await work.customers.by_external_id(external_id)
    if known is None:
        raise RuntimeError("a customer's number is taken, but leads to nobody")
    return known, False


async def _owner_of(work: UnitOfWork, order: Order) -> Customer | None:
    return await work.customers.get(order.customer_id) if order.customer_id else None


async def _state(work: UnitOfWork, order: Order) -> OrderState:
    refunds, returns = await work.refunds.of_order(order.number), await work.returns.of_order(order.number)
    return OrderState(order, await _owner_of(work, order), tuple(refunds), tuple(returns))


def _simple_faults(report: OrderReport, shop: Shop, now: datetime) -> list[Fault]:
    """What is wrong with a report whatever is known of the order."""
    faults = []
    currency = report.changes.get("currency", shop.currency)
    if currency != shop.currency:
        faults.append(Fault("currency", f"is {currency}, but this shop sells in {shop.currency}"))
    moments: list[tuple[str, Any]] = [(name, report.changes.get(name)) for name in MOMENTS]
    moments += [(f"refunds[{place}].paid_at", one.paid_at) for place, one in enumerate(report.refunds)]
    faults += [
        Fault(name, "lies in the future")
        for name, moment in moments
        if moment is not None and moment > now + MOST_AHEAD
    ]
    ids = [one.external_id for one in report.refunds]
    faults += [
        Fault(f"refunds[{place}].id", "is there twice, with another amount")
        for place, one in enumerate(report.refunds)
        if report.refunds[ids.index(one.external_id)].amount_minor != one.amount_minor
    ]
    return faults


def _refuse(error: type[ReportRefused], faults: Iterable[Fault]) -> None:
    if found := [(fault.field, fault.text) for fault in faults]:
        raise error(found)
