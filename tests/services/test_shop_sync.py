"""What the shop's systems report, on both databases: once, twice, late, at once, and half."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.customers import erased_external_id
from bot.core.earning import EARNING_STATUSES, kept_points
from bot.core.ledger import Balance
from bot.core.loyalty import EarningRules, Program
from bot.core.order_reports import OrderReport, ReportedRefund, ReportedReturn
from bot.core.orders import PROGRESS, OrderLine, OrderStatus
from bot.core.refunds import RefundStatus
from bot.core.returns import ReturnStatus
from bot.errors import OrderActionRefused, ReportConflict, ReportRefused
from bot.services import shop_sync
from bot.services.ids import new_id
from bot.services.ledger import balance_of, redeem_points
from bot.services.merges import merge_customers, undo_merge
from bot.services.orders import cancel_order
from bot.services.privacy import erase_customer
from bot.services.returns import request_return
from bot.services.shop_sync import ReportedCustomer, order_state, upsert_customer, upsert_order
from tests.builders import a_shop, stored_customer, stored_order
from tests.fakes import FakeClock
from tests.storage.databases import in_processes, open_database, run

S = OrderStatus
MARIA = ReportedCustomer("C-1", "Maria Santos", "maria@example.com")
MUGS = OrderLine("MUG", "Mug", 2, 1_450)
BOUGHT = {"total_minor": 2_900, "lines": (MUGS,)}
# A point for each dollar.
PROGRAM = Program("Suki", earning=EarningRules(Fraction(1, 100)))


@pytest.fixture
def shop():
    return a_shop(loyalty=PROGRAM)


@pytest.fixture
def report(sql_db, clock, shop):
    """Reports an order, TC-1001 of Maria unless said otherwise."""

    async def report(status, *, number="TC-1001", customer=MARIA, refunds=(), returns=(), **changes):
        said = OrderReport(status, changes, tuple(refunds), tuple(returns))
        return await upsert_order(sql_db, clock, shop, number, said, customer)

    return report


async def points(db, clock, external_id="C-1"):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        customer = await work.customers.by_external_id(external_id)
        return await balance_of(work, clock, customer.id)


async def everything(db):
    """All that reports can change."""
    async with db.reading() as work:
        customer = await work.customers.by_external_id("C-1")
        state = await order_state(work, a_shop(), "TC-1001")
        entries = await work.ledger.page(customer.id, before=None, limit=100) if customer else []
        return customer, state, entries


# Orders


async def test_a_first_report_makes_the_order_and_its_customer(sql_db, clock, report):
    state = await report(S.PAID, **BOUGHT, postcode="1200")

    assert state.created
    assert (state.customer.external_id, state.customer.source) == ("C-1", "api")
    order = state.order
    assert (order.status, order.total_minor, order.lines, order.currency) == (S.PAID, 2_900, (MUGS,), "USD")
    assert (order.email, order.postcode, order.paid_at) == ("maria@example.com", "1200", clock.now())
    assert await points(sql_db, clock) == Balance(29)


@pytest.mark.parametrize("kept", ["536365", "TC536365"])
async def test_an_order_that_was_imported_under_a_number_of_another_form_is_the_one_that_is_reported(
    sql_db, shop, report, kept
):
    maria = await stored_customer(sql_db, external_id="C-1", email="maria@example.com")
    await stored_order(sql_db, number=kept, customer_id=maria.id, status=S.PAID, total_minor=2_900)

    state = await report(S.SHIPPED, number="TC-536365")

    assert (state.created, state.order.number, state.order.status) == (False, kept, S.SHIPPED)
    async with sql_db.reading() as work:
        assert await order_state(work, shop, "TC-536365") == replace(state, ignored=())


async def test_the_same_report_again_changes_nothing_and_returns_the_same(sql_db, clock, report):
    refunds = [ReportedRefund("RF-1", 500)]
    first = await report(S.DELIVERED, **BOUGHT, refunds=refunds)
    before = await everything(sql_db)

    clock.advance(days=1)
    again = await report(S.DELIVERED, **BOUGHT, refunds=refunds)

    assert again == replace(first, created=False)
    assert await everything(sql_db) == before


async def test_what_is_left_out_stays_and_what_is_none_is_emptied(report):
    await report(S.SHIPPED, **BOUGHT, carrier="LBC", tracking_number="T-1")

    state = await report(S.SHIPPED, carrier=None)

    assert (state.order.carrier, state.order.tracking_number, state.order.lines) == (None, "T-1", (MUGS,))


async def test_an_order_of_nobody_is_somebodys_later(sql_db, clock, report):
    guest = await report(S.PAID, **BOUGHT, customer=None, email="maria@example.com")
    assert guest.customer is None

    state = await report(S.SHIPPED)

    assert state.customer.external_id == "C-1"
    assert await points(sql_db, clock) == Balance(29)


async def test_an_order_does_not_go_to_another_customer_once_it_is_paid(report):
    other = ReportedCustomer("C-2", "John Reyes")
    await report(S.PENDING, **BOUGHT)

    assert (await report(S.PENDING, customer=other)).customer.external_id == "C-2"
    await report(S.PAID, customer=other)
    with pytest.raises(ReportConflict) as refused:
        await report(S.PAID)
    assert [field for field, _ in refused.value.faults] == ["customer"]


@pytest.fixture
async def doubles(sql_db):
    """Maria, and Maria once more under another number."""
    # Whose account is locked first, where both are, is decided by their ids.
    kept_id, merged_id = sorted((new_id(), new_id()))
    await stored_customer(sql_db, id=kept_id, external_id="C-1")
    await stored_customer(sql_db, id=merged_id, external_id="C-2")
    return kept_id, merged_id


async def merge(db, clock, doubles):
    async with db.transaction() as work:
        return await merge_customers(work, clock, *doubles, reason="asked", author="agent:Ana")


async def test_orders_that_come_while_their_customer_is_merged_go_along(sql_db, clock, report, doubles):
    def placed(numbers):
        return (report(S.PAID, **BOUGHT, number=f"TC-{n}", customer=ReportedCustomer("C-2")) for n in numbers)

    await asyncio.gather(*placed(range(1001, 1009)), merge(sql_db, clock, doubles), *placed(range(1009, 1017)))

    async with sql_db.reading() as work:
        orders = [await work.orders.by_number(f"TC-{number}") for number in range(1001, 1017)]
    assert {order.customer_id for order in orders} == {doubles[0]}
    assert await points(sql_db, clock) == Balance(16 * 29)


async def test_orders_of_a_merged_customer_that_are_cancelled_at_once_do_not_wait_for_each_other(
    sql_db, clock, report, doubles
):
    numbers, mia = [f"TC-{number}" for number in range(1001, 1007)], ReportedCustomer("C-2")
    for number in numbers:
        await report(S.PAID, **BOUGHT, number=number, customer=mia)
    async with sql_db.transaction() as work:
        # What half of the orders brought is spent, and stays behind; the rest goes along.
        await redeem_points(work, clock, doubles[1], 3 * 29, key="before")
    await merge(sql_db, clock, doubles)

    await asyncio.gather(*(report(S.CANCELLED, number=number, customer=mia) for number in numbers))

    assert await points(sql_db, clock) == Balance(-3 * 29)


async def test_what_was_ordered_while_two_were_one_can_still_be_reported(sql_db, clock, report, doubles):
    merged = await merge(sql_db, clock, doubles)
    await report(S.PAID, **BOUGHT, customer=ReportedCustomer("C-2"))
    async with sql_db.transaction() as work:
        await undo_merge(work, clock, merged.id, author="agent:Ana")

    state = await report(S.RETURNED, customer=ReportedCustomer("C-2"), refunds=[ReportedRefund("RF-1", 2_900)])

    assert (state.order.status, state.customer.external_id, state.ignored) == (S.RETURNED, "C-1", ("customer",))
    assert await points(sql_db, clock) == Balance(0)


async def test_a_stranger_without_a_name_is_no_customer(sql_db, report):
    with pytest.raises(ReportRefused) as refused:
        await report(S.PAID, **BOUGHT, customer=ReportedCustomer("C-1"))

    assert [field for field, _ in refused.value.faults] == ["customer.name"]
    assert (await everything(sql_db))[:2] == (None, None)


async def test_an_order_that_is_not_known_needs_a_total(sql_db, report):
    with pytest.raises(ReportRefused) as refused:
        await report(S.PAID)

    assert [field for field, _ in refused.value.faults] == ["total_minor"]
    assert (await everything(sql_db))[:2] == (None, None)


async def test_lines_change_until_the_order_is_paid(report):
    beans = (OrderLine("BEANS", "Beans", 1, 900),)
    await report(S.PENDING, **BOUGHT)

    assert (await report(S.PENDING, lines=beans, total_minor=900)).order.lines == beans
    assert (await report(S.PAID, lines=(MUGS,), total_minor=2_900)).order.lines == (MUGS,)
    with pytest.raises(ReportConflict) as refused:
        await report(S.SHIPPED, lines=beans, total_minor=900)
    assert [field for field, _ in refused.value.faults] == ["lines", "total_minor"]
    state = await report(S.SHIPPED, lines=(replace(MUGS, title="Big mug"),), total_minor=2_900)
    assert (state.order.status, state.order.lines) == (S.SHIPPED, (MUGS,))


async def test_other_lines_come_with_their_total(report):
    await report(S.PENDING, **BOUGHT)

    with pytest.raises(ReportRefused):
        await report(S.PENDING, lines=())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "PHP"}, "currency"),
        ({"discount_minor": 1}, "total_minor"),
        ({"placed_at": FakeClock().now() + timedelta(days=2)}, "placed_at"),
        ({"paid_at": FakeClock().now() + timedelta(days=2)}, "paid_at"),
        ({"refunds": [ReportedRefund("RF-1", 2_901)]}, "refunds"),
        ({"refunds": [ReportedRefund("RF-1", 1), ReportedRefund("RF-1", 2)]}, "refunds[1].id"),
        ({"refunds": [ReportedRefund("RF-1", 1, return_number="R-1")]}, "refunds[0].return_number"),
        ({"returns": [ReportedReturn("R-1", ReturnStatus.RECEIVED)]}, "returns[0].number"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused_and_changes_nothing(sql_db, report, changes, field):
    await report(S.PENDING, **BOUGHT)
    before = await everything(sql_db)

    with pytest.raises(ReportRefused) as refused:
        await report(S.PAID, **changes)

    assert [name for name, _ in refused.value.faults][:1] == [field]
    assert await everything(sql_db) == before


async def test_the_largest_order_fits(sql_db, clock, report):
    line = OrderLine("GOLD", "Gold", 1_000_000, 10**12)

    for _ in range(2):
        state = await report(S.PAID, total_minor=10**12, lines=(line,), delivery_minor=None)
        assert (state.order.total_minor, state.order.lines) == (10**12, (line,))
    assert (await points(sql_db, clock)).available > 0
    await report(S.REFUNDED)
    assert await points(sql_db, clock) == Balance(0)


# Reports that come late


async def test_a_late_report_is_ignored_and_the_present_state_returned(sql_db, report):
    state = await report(S.REFUNDED, **BOUGHT)
    before = await everything(sql_db)

    late = await report(S.DELIVERED, **BOUGHT)

    assert (late.order, late.refunds, late.ignored) == (state.order, state.refunds, ("status",))
    assert await everything(sql_db) == before


async def test_a_refund_that_comes_with_a_late_report_counts(sql_db, clock, report):
    await report(S.DELIVERED, **BOUGHT)

    late = await report(S.PAID, refunds=[ReportedRefund("RF-1", 1_450)])

    assert (late.order.status, late.ignored, len(late.refunds)) == (S.DELIVERED, ("status",), 1)
    assert await points(sql_db, clock) == Balance(14)


async def test_what_another_customer_is_said_to_have_bought_is_ignored_when_it_comes_late(report):
    await report(S.DELIVERED, **BOUGHT)

    late = await report(S.PAID, customer=ReportedCustomer("C-2", "John Reyes"))

    assert (late.customer.external_id, late.ignored) == ("C-1", ("status", "customer"))


# Points


async def test_partial_refunds_take_back_their_share_once_each(sql_db, clock, report):
    await report(S.DELIVERED, **BOUGHT)
    one, other = ReportedRefund("RF-1", 1_000), ReportedRefund("RF-2", 1_900)

    await report(S.DELIVERED, refunds=[one])
    await report(S.DELIVERED, refunds=[one])
    assert await points(sql_db, clock) == Balance(19)
    await report(S.DELIVERED, refunds=[one, other])
    assert await points(sql_db, clock) == Balance(0)


async def test_a_refund_of_points_that_were_spent_leaves_a_debt(sql_db, clock, report):
    state = await report(S.DELIVERED, **BOUGHT)
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, state.customer.id, 20, key="r")

    await report(S.REFUNDED)

    assert await points(sql_db, clock) == Balance(-20)


async def test_an_order_that_is_refunded_before_it_is_known_earns_nothing(sql_db, clock, report):
    await report(S.REFUNDED, **BOUGHT)
    await report(S.PAID, **BOUGHT)

    assert await points(sql_db, clock) == Balance(0)


# What was done in the chat meanwhile


@pytest.fixture
async def cancelled(sql_db, clock, shop, report):
    """An order that its customer cancelled in the chat: 2,400 is owed of 2,900."""
    shop = replace(shop, policies=replace(shop.policies, cancellation_fee_minor=500))
    state = await report(S.PAID, **BOUGHT)
    async with sql_db.transaction() as work:
        return await cancel_order(work, clock, shop, state.customer.id, "TC-1001")


@pytest.mark.parametrize("amount", [2_400, 2_900, 1_000])
async def test_the_refund_of_a_cancellation_is_not_counted_twice(sql_db, clock, report, cancelled, amount):
    await report(S.PREPARING, refunds=[ReportedRefund("RF-1", amount)])
    state = await report(S.CANCELLED, refunds=[ReportedRefund("RF-1", amount)])

    paid = [one.amount_minor for one in state.refunds if one.status is RefundStatus.PAID]
    assert (state.order.status, paid) == (S.CANCELLED, [amount])
    assert sum(one.amount_minor for one in state.refunds) == max(amount, 2_400)
    assert await points(sql_db, clock) == Balance(0)


async def test_a_cancelled_order_that_is_refunded_has_one_refund(report, cancelled):
    state = await report(S.REFUNDED)

    assert [(one.id, one.status, one.amount_minor) for one in state.refunds] == [
        (cancelled.refund.id, RefundStatus.PAID, 2_400)
    ]


async def test_a_return_follows_what_is_reported(sql_db, clock, shop, report):
    state = await report(S.DELIVERED, **BOUGHT)
    async with sql_db.transaction() as work:
        sent_back = await request_return(work, clock, shop, state.customer.id, "TC-1001", None, "Too small.")

    received = await report(S.DELIVERED, returns=[ReportedReturn(sent_back.number, ReturnStatus.RECEIVED)])
    assert [one.status for one in received.returns] == [ReturnStatus.RECEIVED]
    refunded = await report(S.RETURNED, refunds=[ReportedRefund("RF-1", 2_900)])
    assert [one.status for one in refunded.returns] == [ReturnStatus.REFUNDED]
    assert [one.return_number for one in refunded.refunds] == [sent_back.number]
    async with sql_db.reading() as work:
        assert await work.returns.of_order("TC-1001") == list(refunded.returns)
    assert await points(sql_db, clock) == Balance(0)


# Somebody who was erased


@pytest.fixture
async def erased(sql_db, clock):
    number = erased_external_id("C-1")
    return await stored_customer(sql_db, external_id=number, name="", email=None, erased_at=clock.now())


async def test_of_an_erased_customers_order_only_what_becomes_of_it_is_kept(sql_db, report, erased):
    await stored_order(sql_db, number="TC-1001", customer_id=erased.id, email=None, postcode=None, status=S.PAID)

    state = await report(S.SHIPPED, email="maria@example.com", shipping_address="7 Mango Avenue", carrier="LBC")

    order = state.order
    assert (order.status, order.carrier, order.email, order.shipping_address) == (S.SHIPPED, "LBC", None, None)
    assert (order.customer_id, state.ignored) == (erased.id, ("email", "shipping_address"))


async def test_a_new_order_of_an_erased_customer_is_nobodys(sql_db, report, erased):
    for _ in range(2):
        state = await report(S.PAID, **BOUGHT, email="maria@example.com", postcode="1200")

        assert (state.order.customer_id, state.order.email, state.order.postcode) == (None, None, None)
        assert state.ignored == ("email", "postcode", "customer")


async def test_what_was_erased_does_not_come_back_with_a_webhook_that_is_sent_again(sql_db, clock, report):
    said = {**BOUGHT, "email": "maria@example.com", "shipping_address": "7 Mango Avenue", "tracking_number": "T-1"}
    state = await report(S.DELIVERED, **said)
    async with sql_db.transaction() as work:
        await erase_customer(work, clock, state.customer.id, actor="operator")

    for _ in range(2):
        again = await report(S.DELIVERED, **said, refunds=[ReportedRefund("RF-1", 2_900)])
        kept = again.order
        assert (kept.email, kept.shipping_address, kept.tracking_number, kept.postcode) == (None, None, None, None)
        assert (again.customer.email, len(again.refunds)) == (None, 1)
    with pytest.raises(ReportConflict):
        await upsert_customer(sql_db, clock, "C-1", {"name": "Maria Santos"})
    async with sql_db.reading() as work:
        assert await work.customers.by_email("maria@example.com") is None


# Customers


async def test_a_customer_is_made_and_changed(sql_db, clock):
    first = await upsert_customer(
        sql_db, clock, "C-1", {"name": "Maria", "email": "m@example.com", "birthday": (2, 29)}
    )
    assert (first.created, first.customer.source) == (True, "api")
    clock.advance(days=1)

    again = await upsert_customer(sql_db, clock, "C-1", {"name": "Maria", "birthday": (2, 29)})
    assert again == replace(first, created=False)

    changed = (await upsert_customer(sql_db, clock, "C-1", {"email": "new@example.com", "birthday": None})).customer
    assert (changed.name, changed.email, changed.birthday_month) == ("Maria", "new@example.com", None)
    async with sql_db.reading() as work:
        assert await work.customers.get(changed.id) == changed
        assert await work.customers.by_email("new@example.com") == changed


async def test_a_new_customer_needs_a_name(sql_db, clock):
    with pytest.raises(ReportRefused):
        await upsert_customer(sql_db, clock, "C-1", {"email": "m@example.com"})


async def test_a_day_that_no_year_has_is_refused_with_all_that_came_with_it(sql_db, clock):
    with pytest.raises(ReportRefused):
        await upsert_customer(sql_db, clock, "C-1", {"name": "Maria", "birthday": (2, 30)})

    async with sql_db.reading() as work:
        assert await work.customers.count() == 0


async def test_an_erased_customer_does_not_come_back_under_the_same_number(sql_db, clock, erased):
    with pytest.raises(ReportConflict):
        await upsert_customer(sql_db, clock, "C-1", {"name": "Maria"})

    async with sql_db.reading() as work:
        assert await work.customers.by_external_id("C-1") == erased


async def test_a_merged_number_fills_in_what_is_not_known_of_the_other(sql_db, clock):
    kept = await stored_customer(sql_db, external_id="C-2", name="Maria", phone=None)
    await stored_customer(sql_db, external_id="C-1", merged_into_id=kept.id)

    state = await upsert_customer(sql_db, clock, "C-1", {"name": "Somebody", "phone": "+63 917 123 4567"})

    assert state.customer == replace(kept, phone="+63 917 123 4567")
    assert state.ignored == ("name",)


# Many at once, and failures


async def test_twenty_webhooks_at_once_earn_once(sql_db, clock, report):
    states = await asyncio.gather(*(report(S.PAID, **BOUGHT) for _ in range(20)))

    assert [state.created for state in states].count(True) == 1
    assert len({state.order for state in states}) == 1
    assert len((await everything(sql_db))[2]) == 1
    assert await points(sql_db, clock) == Balance(29)


async def test_every_status_at_once_ends_in_the_furthest(sql_db, clock, report):
    statuses = [S.PENDING, S.PAID, S.SHIPPED, S.DELIVERED, S.REFUNDED] * 4

    await asyncio.gather(*(report(status, **BOUGHT) for status in statuses))

    _, state, _ = await everything(sql_db)
    assert (state.order.status, [one.amount_minor for one in state.refunds]) == (S.REFUNDED, [2_900])
    assert await points(sql_db, clock) == Balance(0)


async def test_one_customers_orders_at_once_make_one_customer(sql_db, clock, report):
    await asyncio.gather(*(report(S.PAID, number=f"TC-100{n}", **BOUGHT) for n in range(10)))

    async with sql_db.reading() as work:
        assert await work.customers.count() == 1
    assert await points(sql_db, clock) == Balance(290)


async def _report_five_times(url: str) -> None:
    db = open_database(url)
    for _ in range(5):
        for status in (S.PAID, S.DELIVERED):
            said = OrderReport(status, BOUGHT, (ReportedRefund("RF-1", 900),))
            await upsert_order(db, FakeClock(), a_shop(loyalty=PROGRAM), "TC-1001", said, MARIA)
    await db.close()


async def _points(url: str) -> Balance:
    db = open_database(url)
    found = await points(db, FakeClock())
    await db.close()
    return found


def test_processes_that_report_the_same_earn_once(sql_url):
    in_processes(4, _report_five_times, sql_url)

    assert run(_points(sql_url)) == Balance(20)


@pytest.mark.parametrize("step", ["settle_order", "refunds_after", "returns_after"])
async def test_a_report_that_fails_half_way_leaves_nothing(sql_db, report, monkeypatch, step):
    await report(S.PAID, **BOUGHT)
    before = await everything(sql_db)
    whole = getattr(shop_sync, step)

    def fail(*args):
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(shop_sync, step, fail)
    with pytest.raises(RuntimeError):
        await report(S.REFUNDED, customer=ReportedCustomer("C-1"), refunds=[ReportedRefund("RF-1", 900)])
    with pytest.raises(RuntimeError):
        await report(S.PAID, number="TC-1002", **BOUGHT, customer=ReportedCustomer("C-2", "John Reyes"))
    assert await everything(sql_db) == before
    async with sql_db.reading() as work:
        assert await work.customers.count() == 1

    monkeypatch.setattr(shop_sync, step, whole)
    state = await report(S.REFUNDED, refunds=[ReportedRefund("RF-1", 900)])
    assert [one.amount_minor for one in state.refunds] == [900]


# Anything in any order

REFUNDS = st.lists(st.integers(1, 900), min_size=0, max_size=4)
# The database is the same for all examples, so each has an order of its own.
EXAMPLES = itertools.count(1_000)
STEPS = st.lists(st.sampled_from(PROGRESS), min_size=1, max_size=5)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statuses=STEPS, amounts=REFUNDS, cancels=st.booleans(), random=st.randoms(use_true_random=False))
async def test_in_whatever_order_reports_come_points_are_what_the_order_calls_for(
    sql_db, clock, shop, report, statuses, amounts, cancels, random
):
    number, customer = f"TC-{next(EXAMPLES)}", ReportedCustomer(new_id(), "Maria")
    await report(S.PAID, **BOUGHT, number=number, customer=customer)
    steps = [(status, ()) for status in statuses]
    steps += [(statuses[0], (ReportedRefund(f"RF-{n}", amount),)) for n, amount in enumerate(amounts)] * 2
    steps += [("chat", ())] if cancels else []
    random.shuffle(steps)

    for status, refunds in steps:
        clock.advance(seconds=1)
        if status == "chat":
            async with sql_db.transaction() as work:
                owner = await work.customers.by_external_id(customer.external_id)
                with contextlib.suppress(OrderActionRefused):
                    await cancel_order(work, clock, shop, owner.id, number)
        else:
            state = await report(status, number=number, customer=customer, refunds=refunds)
    state = await report(S.PENDING, number=number, customer=customer)

    order, balance = state.order, await points(sql_db, clock, customer.external_id)
    assert order.status in {S.PAID, S.CANCELLED, *statuses}
    refunded = sum(one.amount_minor for one in state.refunds)
    assert sum(one.amount_minor for one in state.refunds if one.status is RefundStatus.PAID) <= order.total_minor
    if order.status in EARNING_STATUSES or (order.status is S.RETURNED and refunded):
        assert balance in (Balance(kept_points(29, 2_900, refunded)), Balance(0))
        assert balance.available or order.status is S.RETURNED or refunded > 2_800
    else:
        assert balance == Balance(0)
