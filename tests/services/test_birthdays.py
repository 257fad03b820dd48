"""Birthday treats: once a year, on the day, and to nobody who should have none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bot.core.consents import LOYALTY
from bot.core.customers import EMAIL
from bot.core.loyalty import BirthdayTreat, Effect, Offer, Program
from bot.errors import CustomerNotFound, NoSuchDay
from bot.services import birthdays
from bot.services.birthdays import set_birthday
from bot.services.consents import record_consent
from bot.services.ids import new_id
from tests.builders import a_shop, stored_customer
from tests.fakes import FakeClock
from tests.services.mails import sent_mails
from tests.services.merging import merged

TREAT = BirthdayTreat(Offer("birthday-cake", "A cake", Effect(item="CAKE"), valid_days=30))


def treating(**changes):
    """The shop, in Manila: eight hours ahead."""
    return a_shop(loyalty=Program("Suki Club", birthday=replace(TREAT, **changes)))


class Links:
    """Links as they stand in mails, without their signatures."""

    def voucher(self, code, now):
        return f"https://chat.example/vouchers/{code}"

    def unsubscribe(self, address, purpose, now):
        return f"https://chat.example/unsubscribe/{purpose}"


async def give_birthday_treats(db, clock, shop):
    return await birthdays.give_birthday_treats(db, clock, shop, Links())


@pytest.fixture
def shop():
    return treating()


def at(text):
    return FakeClock(datetime.fromisoformat(text).replace(tzinfo=timezone.utc))


async def born(db, month, day, **changes):
    return (await stored_customer(db, birthday_month=month, birthday_day=day, **changes)).id


async def treats(db, customer):
    async with db.reading() as work:
        return await work.vouchers.of_customer(customer)


async def test_the_treat_comes_on_the_day_and_once(sql_db, shop):
    maria = await born(sql_db, 3, 14)
    await born(sql_db, 3, 15)
    clock = at("2026-03-14T09:00")

    assert await give_birthday_treats(sql_db, clock, shop) == 1
    assert await give_birthday_treats(sql_db, clock, shop) == 0

    (voucher,) = await treats(sql_db, maria)
    assert (voucher.kind.value, voucher.title, voucher.key) == ("birthday", "A cake", f"birthday:{maria}:2026")
    # Until the end of the last day in Manila.
    assert voucher.expires_at == datetime(2026, 4, 13, 16, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "now, given",
    [("2026-03-13T15:59:59", 0), ("2026-03-13T16:00", 1), ("2026-03-14T15:59", 1), ("2026-03-15T00:00", 1)],
)
async def test_the_day_begins_when_it_does_in_the_shops_time_zone(sql_db, shop, now, given):
    await born(sql_db, 3, 14)

    assert await give_birthday_treats(sql_db, at(now), shop) == given


async def test_a_treat_comes_again_every_year(sql_db, shop):
    maria = await born(sql_db, 3, 14)

    for year in (2026, 2027, 2028):
        assert await give_birthday_treats(sql_db, at(f"{year}-03-14T01:00"), shop) == 1
        assert await give_birthday_treats(sql_db, at(f"{year}-03-15T01:00"), shop) == 0
    assert len(await treats(sql_db, maria)) == 3


@pytest.mark.parametrize("late, given", [(1, 1), (7, 1), (8, 0)])
async def test_a_treat_that_was_missed_is_given_within_a_week(sql_db, shop, late, given):
    maria = await born(sql_db, 12, 30)
    clock = at("2026-12-30T03:00")
    clock.advance(days=late)

    assert await give_birthday_treats(sql_db, clock, shop) == given
    # Late in one year and in time in the next: it counts for the year of the day.
    assert [voucher.key for voucher in await treats(sql_db, maria)] == [f"birthday:{maria}:2026"] * given
    assert await give_birthday_treats(sql_db, at("2027-12-30T03:00"), shop) == 1


@pytest.mark.parametrize(
    "leap_day, now, given",
    [
        ((2, 28), "2026-02-28T03:00", 1),
        ((3, 1), "2026-02-28T03:00", 0),
        ((3, 1), "2026-03-01T03:00", 1),
        ((2, 28), "2028-02-28T03:00", 0),
        ((2, 28), "2028-02-29T03:00", 1),
        ((3, 1), "2028-02-29T03:00", 1),
    ],
)
async def test_29_february_has_its_treat_on_the_day_that_the_shop_chose(sql_db, leap_day, now, given):
    await born(sql_db, 2, 29)

    assert await give_birthday_treats(sql_db, at(now), treating(leap_day=leap_day)) == given


@pytest.mark.parametrize("days_ahead, given", [(29, 0), (30, 1), (0, 0), (-3, 0)])
async def test_a_birthday_entered_shortly_before_waits_a_year(sql_db, shop, days_ahead, given):
    clock = at("2026-03-14T03:00")
    maria = await born(sql_db, None, None)
    async with sql_db.transaction() as work:
        entered = FakeClock(clock.now() - timedelta(days=days_ahead))
        await set_birthday(work, entered, maria, 3, 14)

    assert await give_birthday_treats(sql_db, clock, shop) == given
    assert await give_birthday_treats(sql_db, at("2027-03-14T03:00"), shop) == 1


async def test_a_birthday_that_the_shop_always_knew_needs_no_notice(sql_db, shop):
    await born(sql_db, 3, 14, birthday_set_at=None, created_at=datetime(2026, 3, 13, tzinfo=timezone.utc))

    assert await give_birthday_treats(sql_db, at("2026-03-14T03:00"), shop) == 1


async def test_whoever_moves_their_birthday_gets_no_second_treat_soon(sql_db, shop):
    maria = await born(sql_db, 12, 1)
    clock = at("2026-12-01T03:00")
    assert await give_birthday_treats(sql_db, clock, shop) == 1
    async with sql_db.transaction() as work:
        await set_birthday(work, clock, maria, 2, 1)

    assert await give_birthday_treats(sql_db, at("2027-02-01T03:00"), shop) == 0
    assert await give_birthday_treats(sql_db, at("2028-02-01T03:00"), shop) == 1


async def test_a_birthday_that_moves_to_december_brings_no_second_treat_in_the_year(sql_db, shop):
    maria = await born(sql_db, 1, 5)
    await give_birthday_treats(sql_db, at("2026-01-05T03:00"), shop)
    async with sql_db.transaction() as work:
        await set_birthday(work, at("2026-01-06T03:00"), maria, 12, 20)

    assert await give_birthday_treats(sql_db, at("2026-12-20T03:00"), shop) == 0
    assert await give_birthday_treats(sql_db, at("2027-12-20T03:00"), shop) == 1


async def test_the_treat_of_another_offer_in_the_same_year_holds_nobody_up(sql_db, shop):
    maria = await born(sql_db, 1, 5)
    await give_birthday_treats(sql_db, at("2026-01-05T03:00"), shop)
    async with sql_db.transaction() as work:
        await set_birthday(work, at("2026-01-06T03:00"), maria, 12, 20)
    john = await born(sql_db, 12, 20)
    another = treating(offer=replace(TREAT.offer, id="birthday-coffee"))

    assert await give_birthday_treats(sql_db, at("2026-12-20T03:00"), another) == 1
    assert [one.name for one in await treats(sql_db, john)] == ["birthday-coffee"]


async def test_a_cancelled_treat_is_not_given_again(sql_db, shop):
    maria = await born(sql_db, 3, 14)
    clock = at("2026-03-14T03:00")
    await give_birthday_treats(sql_db, clock, shop)
    async with sql_db.transaction() as work:
        await work.vouchers.cancel((await work.vouchers.of_customer(maria))[0].code, clock.now())

    assert await give_birthday_treats(sql_db, clock, shop) == 0


async def test_the_job_run_five_times_at_once_gives_one_treat_each(sql_db, shop):
    customers = [await born(sql_db, 3, 14) for _ in range(6)]
    clock = at("2026-03-14T03:00")

    given = await asyncio.gather(*(give_birthday_treats(sql_db, clock, shop) for _ in range(5)))

    assert sum(given) == 6
    assert [len(await treats(sql_db, customer)) for customer in customers] == [1] * 6
    assert len(await sent_mails(sql_db, clock)) == 6


async def test_all_of_many_get_theirs_a_page_at_a_time(sql_db, shop, monkeypatch):
    monkeypatch.setattr(birthdays, "PAGE", 3)
    for _ in range(7):
        await born(sql_db, 3, 14)

    assert await give_birthday_treats(sql_db, at("2026-03-14T03:00"), shop) == 7


async def test_those_who_were_merged_or_erased_get_none(sql_db, shop):
    maria = await born(sql_db, 3, 14)
    double = await born(sql_db, 3, 14)
    erased = await born(sql_db, 3, 14, erased_at=datetime(2026, 1, 5, tzinfo=timezone.utc))
    await merged(sql_db, double, maria)

    assert await give_birthday_treats(sql_db, at("2026-03-14T03:00"), shop) == 1
    assert [len(await treats(sql_db, one)) for one in (maria, double, erased)] == [1, 0, 0]


async def test_a_shop_without_a_treat_gives_none(sql_db):
    await born(sql_db, 3, 14)

    assert await give_birthday_treats(sql_db, at("2026-03-14T03:00"), a_shop()) == 0


async def test_a_mail_says_what_there_is_and_until_when(sql_db, shop):
    maria = await born(sql_db, 3, 14, email="maria@example.com")
    clock = at("2026-03-14T03:00")
    await give_birthday_treats(sql_db, clock, shop)

    (mail,) = await sent_mails(sql_db, clock)

    (voucher,) = await treats(sql_db, maria)
    assert mail.to == "maria@example.com"
    assert mail.subject == "[Corner Shop] A treat for your birthday"
    for words in ("Happy birthday, Maria!", "A cake", voucher.code, "until 13 April 2026"):
        assert words in mail.body
    assert f"https://chat.example/vouchers/{voucher.code}" in mail.body
    assert mail.unsubscribe_url == "https://chat.example/unsubscribe/loyalty"


async def test_whoever_wants_no_mail_gets_the_treat_without_one(sql_db, shop):
    maria = await born(sql_db, 3, 14, email="maria@example.com")
    nobody = await born(sql_db, 3, 14, email=None)
    clock = at("2026-03-14T03:00")
    async with sql_db.transaction() as work:
        await record_consent(
            work,
            clock,
            channel=EMAIL,
            address="maria@example.com",
            purpose=LOYALTY,
            granted=False,
            wording="No mails, please.",
            source="chat",
        )

    assert await give_birthday_treats(sql_db, clock, shop) == 2
    assert [len(await treats(sql_db, one)) for one in (maria, nobody)] == [1, 1]
    assert await sent_mails(sql_db, clock) == []


async def test_entering_the_same_birthday_again_does_not_make_it_late(sql_db, clock):
    maria = await born(sql_db, None, None)
    for days in (0, 5):
        clock.advance(days=days)
        async with sql_db.transaction() as work:
            await set_birthday(work, clock, maria, 2, 29)
    async with sql_db.reading() as work:
        customer = await work.customers.get(maria)

    assert (customer.birthday_month, customer.birthday_day) == (2, 29)
    assert customer.birthday_set_at == clock.now() - timedelta(days=5)


@pytest.mark.parametrize("month, day", [(2, 30), (13, 1), (4, 31), (0, 0)])
async def test_a_day_that_there_is_not_is_no_birthday(sql_db, clock, month, day):
    maria = await born(sql_db, 3, 14)

    with pytest.raises(NoSuchDay):
        async with sql_db.transaction() as work:
            await set_birthday(work, clock, maria, month, day)

    async with sql_db.reading() as work:
        assert (await work.customers.get(maria)).birthday_month == 3


async def test_nobody_has_no_birthday(sql_db, clock):
    with pytest.raises(CustomerNotFound):
        async with sql_db.transaction() as work:
            await set_birthday(work, clock, new_id(), 3, 14)
