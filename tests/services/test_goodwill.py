"""Points out of kindness: with a reason, within limits, and fairly."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from bot.core.consents import LOYALTY
from bot.core.ledger import Balance, EntryKind
from bot.core.loyalty import EarningRules, Program, SurpriseRules
from bot.errors import KeyReused, LedgerRefused
from bot.services import goodwill
from bot.services.consents import record_consent
from bot.services.goodwill import give_goodwill
from bot.services.ids import new_id
from bot.services.ledger import award_points, balance_of, take_back_points
from bot.services.merges import merge_customers
from tests.builders import a_shop, stored_customer
from tests.fakes import FakeClock
from tests.services.mails import sent_mails
from tests.services.merging import merged
from tests.storage.databases import in_processes, open_database, run

LIMITS = {"agent": 100, "admin": 1_000}
SHOP = a_shop(loyalty=Program("Suki Club", goodwill_limits=LIMITS))
SURPRISE = SurpriseRules(points=50, monthly_budget=310, days_between=60)
# The last day of a month of 31 days where the shop is, so that the whole budget can be given.
LAST_DAY = datetime(2026, 3, 31, 4, tzinfo=timezone.utc)


class Links:
    """The only link that mails about surprises have."""

    def unsubscribe(self, address, purpose, now):
        return f"https://chat.example/unsubscribe/{purpose}"


async def give_surprises(db, clock, shop):
    return await goodwill.give_surprises(db, clock, shop, Links())


@pytest.fixture
async def maria(sql_db):
    return (await stored_customer(sql_db)).id


async def give(db, clock, customer_id, points, *, key="g", author="ana", role="agent", reason="late parcel", shop=SHOP):
    async with db.transaction() as work:
        return await give_goodwill(
            *(work, clock, shop, customer_id, points), author=author, role=role, reason=reason, key=key
        )


async def points_of(db, clock, customer_id):
    async with db.reading() as work:
        return (await balance_of(work, clock, customer_id)).available


async def refusal(attempt):
    with pytest.raises(LedgerRefused) as refused:
        await attempt
    return refused.value.reason


def surprising(**changes):
    return a_shop(loyalty=Program("Suki Club", surprise=SurpriseRules(**{**vars(SURPRISE), **changes})))


async def regulars(db, clock, *earned):
    """Customers who earned so much by an order each."""
    found = []
    for points in earned:
        customer = await stored_customer(db)
        async with db.transaction() as work:
            await award_points(work, clock, customer.id, EntryKind.ORDER, points, key=f"order:{customer.id}")
        found.append(customer.id)
    return found


async def surprised(db):
    async with db.reading() as work:
        query = "SELECT customer_id FROM ledger_entries WHERE kind = 'surprise' ORDER BY id"
        return list((await work.ledger._connection.exec_driver_sql(query)).scalars())


async def test_a_gift_comes_with_its_reason_and_an_entry_in_the_audit_log(sql_db, clock, maria):
    entry = await give(sql_db, clock, maria, 60)

    assert (entry.kind, entry.points) == (EntryKind.GOODWILL, 60)
    async with sql_db.reading() as work:
        run_sql = work.ledger._connection.exec_driver_sql
        notes = (await run_sql("SELECT entry_id, author, role, text FROM ledger_notes")).all()
        audited = (await run_sql("SELECT actor, action, customer_id FROM audit_log")).all()
    assert [tuple(note) for note in notes] == [(entry.id, "ana", "agent", "late parcel")]
    assert [tuple(row) for row in audited] == [("agent:ana", "goodwill", maria)]


async def test_the_same_gift_again_is_the_same_gift(sql_db, clock, maria):
    first = await give(sql_db, clock, maria, 100)

    assert await give(sql_db, clock, maria, 100) == first  # though the limit is reached
    with pytest.raises(KeyReused):
        await give(sql_db, clock, maria, 99)
    assert await points_of(sql_db, clock, maria) == 100


async def test_a_gift_is_for_whom_the_customer_turned_out_to_be(sql_db, clock, maria):
    double = (await stored_customer(sql_db)).id
    await merged(sql_db, double, maria)

    for _ in range(2):
        await give(sql_db, clock, double, 30)

    assert await points_of(sql_db, clock, maria) == 30


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501])
async def test_a_gift_needs_a_reason(sql_db, clock, maria, reason):
    assert await refusal(give(sql_db, clock, maria, 10, reason=reason)) == "no_reason"


async def test_an_author_gives_no_more_than_the_role_allows_within_a_day(sql_db, clock, maria):
    await give(sql_db, clock, maria, 60, key="1")
    clock.advance(hours=23)

    assert await refusal(give(sql_db, clock, maria, 41, key="2")) == "over_limit"
    await give(sql_db, clock, maria, 40, key="2")
    await give(sql_db, clock, maria, 100, key="3", author="ben")
    await give(sql_db, clock, maria, 500, key="4", author="eva", role="admin")
    clock.advance(hours=1)
    await give(sql_db, clock, maria, 60, key="5")


@pytest.mark.parametrize("shop", [SHOP, a_shop()])
async def test_a_role_without_a_limit_gives_nothing(sql_db, clock, maria, shop):
    assert await refusal(give(sql_db, clock, maria, 1, role="guest", shop=shop)) == "over_limit"


@pytest.mark.parametrize("points", [0, -5])
async def test_a_gift_is_of_points(sql_db, clock, maria, points):
    assert await refusal(give(sql_db, clock, maria, points)) == "points_out_of_range"


async def test_gifts_at_once_do_not_pass_the_limit_together(sql_db, clock):
    customers = [(await stored_customer(sql_db)).id for _ in range(10)]

    tried = await asyncio.gather(
        *(give(sql_db, clock, customer, 30, key=customer) for customer in customers), return_exceptions=True
    )

    assert [type(one) for one in tried if isinstance(one, Exception)] == [LedgerRefused] * 7


async def _give_in_process(url, customer_id):
    db, clock = open_database(url), FakeClock()
    try:
        tried = await asyncio.gather(
            *(give(db, clock, customer_id, 30, key=new_id()) for _ in range(3)), return_exceptions=True
        )
        assert all(isinstance(one, LedgerRefused) for one in tried if isinstance(one, Exception)), tried
        return sum(not isinstance(one, Exception) for one in tried)
    finally:
        await db.close()


def test_gifts_from_many_processes_do_not_pass_the_limit_together(sql_url):
    async def prepare():
        db = open_database(sql_url)
        try:
            return (await stored_customer(db)).id
        finally:
            await db.close()

    assert sum(in_processes(4, _give_in_process, sql_url, run(prepare()))) == 3


async def test_surprises_go_to_whoever_bought_most_until_the_budget_is_spent(sql_db):
    clock = FakeClock(LAST_DAY)
    customers = await regulars(sql_db, clock, 10, 80, 30, 70, 60, 50, 40)

    assert await give_surprises(sql_db, clock, surprising(monthly_budget=120)) == 2
    assert await give_surprises(sql_db, clock, surprising(monthly_budget=120)) == 0

    assert await surprised(sql_db) == [customers[1], customers[3]]
    assert await points_of(sql_db, clock, customers[1]) == 130


async def test_the_budget_is_spread_over_the_month_where_the_shop_is(sql_db):
    # Half past midnight of the first in Manila, while it is still the day before in UTC.
    clock = FakeClock(datetime(2026, 2, 28, 16, 30, tzinfo=timezone.utc))
    await regulars(sql_db, clock, *range(10, 30))
    by_day = []

    for _ in range(31):
        by_day.append(await give_surprises(sql_db, clock, surprising()))
        clock.advance(days=1)

    # 10 points of the budget come free each day, and a surprise takes 50.
    assert by_day == [1 if day % 5 == 0 else 0 for day in range(1, 32)]
    assert sum(by_day) * SURPRISE.points <= SURPRISE.monthly_budget


async def test_nobody_gets_a_second_surprise_too_soon(sql_db):
    maria, john = await regulars(sql_db, FakeClock(LAST_DAY), 80, 60)
    month_ends = [datetime(2026, month, day, 4, tzinfo=timezone.utc) for month, day in ((3, 31), (4, 30), (5, 31))]

    for month_end in month_ends:
        assert await give_surprises(sql_db, FakeClock(month_end), surprising(monthly_budget=50)) == 1

    assert await surprised(sql_db) == [maria, john, maria]


async def test_nobody_gets_two_surprises_in_one_month(sql_db):
    clock = FakeClock(LAST_DAY - timedelta(days=20))
    (maria,) = await regulars(sql_db, clock, 80)

    for _ in range(20):
        await give_surprises(sql_db, clock, surprising(days_between=1))
        clock.advance(days=1)

    assert await surprised(sql_db) == [maria]


async def test_whoever_sent_everything_back_or_bought_long_ago_is_no_regular(sql_db):
    clock = FakeClock(LAST_DAY - timedelta(days=366))
    await regulars(sql_db, clock, 500)
    clock = FakeClock(LAST_DAY)
    (sent_back,) = await regulars(sql_db, clock, 80)
    async with sql_db.transaction() as work:
        earning = await work.ledger.by_key(f"order:{sent_back}")
        await take_back_points(work, clock, earning.id, 80, key="refund")

    assert await give_surprises(sql_db, clock, surprising()) == 0


async def test_a_shop_without_surprises_gives_none(sql_db, clock):
    await regulars(sql_db, clock, 10)

    for shop in (a_shop(), SHOP):
        assert await give_surprises(sql_db, clock, shop) == 0


async def test_schedulers_at_once_stay_within_the_budget(sql_db):
    clock = FakeClock(LAST_DAY)
    customers = await regulars(sql_db, clock, *range(10, 30))

    given = await asyncio.gather(*(give_surprises(sql_db, clock, surprising()) for _ in range(4)))

    assert sum(given) == 6
    assert await surprised(sql_db) == [*reversed(customers)][:6]
    async with sql_db.reading() as work:
        assert await balance_of(work, clock, customers[-1]) == Balance(29 + 50)


async def join(db, clock, kept_id, merged_id):
    async with db.transaction() as work:
        await merge_customers(work, clock, kept_id, merged_id, reason="same", author="ana")


async def test_what_one_person_earned_under_several_records_counts_together(sql_db):
    clock = FakeClock(LAST_DAY)
    maria, _, double, oldest = await regulars(sql_db, clock, 40, 100, 50, 30)
    await join(sql_db, clock, double, oldest)
    await join(sql_db, clock, maria, double)

    assert await give_surprises(sql_db, clock, surprising(monthly_budget=50)) == 1
    assert await surprised(sql_db) == [maria]
    assert await points_of(sql_db, clock, maria) == 120 + 50


async def test_whoever_had_a_surprise_under_another_record_gets_no_second_one(sql_db):
    clock = FakeClock(LAST_DAY)
    (double,) = await regulars(sql_db, clock, 50)
    assert await give_surprises(sql_db, clock, surprising()) == 1
    (maria,) = await regulars(sql_db, clock, 500)
    await join(sql_db, clock, maria, double)

    assert await give_surprises(sql_db, clock, surprising()) == 0


async def test_whoever_is_merged_before_it_is_their_turn_gets_one_surprise(sql_db, monkeypatch):
    clock = FakeClock(LAST_DAY)
    maria, double = await regulars(sql_db, clock, 60, 50)
    one_by_one = goodwill.one_by_one

    async def later(db, items, *args, **options):
        await join(db, clock, maria, double)
        return await one_by_one(db, items, *args, **options)

    monkeypatch.setattr(goodwill, "one_by_one", later)

    assert await give_surprises(sql_db, clock, surprising()) == 1
    assert await surprised(sql_db) == [maria]


async def test_whoever_gets_a_surprise_gets_one_mail_about_it(sql_db):
    clock = FakeClock(LAST_DAY)
    (maria,) = await regulars(sql_db, clock, 80)
    shop = a_shop(loyalty=Program("Suki Club", EarningRules(Fraction(1, 100), months=12), surprise=SURPRISE))

    assert [await give_surprises(sql_db, clock, shop) for _ in range(2)] == [1, 0]
    (mail,) = await sent_mails(sql_db, clock)
    async with sql_db.reading() as work:
        assert mail.to == (await work.customers.get(maria)).email
    assert mail.subject == "[Corner Shop] Some points for you, out of the blue"
    assert mail.unsubscribe_url == "https://chat.example/unsubscribe/loyalty"
    assert "50 points more are yours, as a gift.\nThey run out on 31 March 2027.\n" in mail.body


async def test_who_does_not_want_such_mails_gets_the_points_all_the_same(sql_db):
    clock = FakeClock(LAST_DAY)
    silent, unwilling = await regulars(sql_db, clock, 80, 70)
    async with sql_db.transaction() as work:
        address = (await work.customers.get(unwilling)).email
        await work.customers.save(replace(await work.customers.get(silent), email=None), clock.now())
        await record_consent(
            *(work, clock),
            **{"channel": "email", "address": address, "purpose": LOYALTY, "granted": False},
            **{"wording": "No more", "source": "link"},
        )

    assert await give_surprises(sql_db, clock, surprising()) == 2
    assert await surprised(sql_db) == [silent, unwilling]
    assert await sent_mails(sql_db, clock) == []
