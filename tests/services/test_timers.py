"""What happens by itself: every job, whatever becomes of the others."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from bot.core.ledger import Balance, EntryKind
from bot.core.loyalty import BirthdayTreat, Effect, Offer, Program, Reward, SurpriseRules
from bot.core.vouchers import RESERVED_FOR, VoucherKind
from bot.errors import TransactionLost
from bot.services import birthdays, expiry_warnings, gift_cards, ledger, vouchers
from bot.services.gift_cards import issue_gift_card
from bot.services.ledger import award_points, balance_of
from bot.services.one_by_one import one_by_one
from bot.services.retries import TRIES, again_if_lost
from bot.services.timers import all_jobs, run_timers
from bot.services.vouchers import issue_voucher, reserve_voucher
from bot.storage.gift_cards import SqlGiftCards
from bot.storage.goodwill import SqlGoodwill
from bot.storage.ledger import SqlLedger
from bot.storage.vouchers import SqlVouchers
from tests.builders import NOW, a_shop, stored_customer


async def test_points_that_ran_out_are_entered_by_themselves(sql_db, clock, shop):
    customer = await stored_customer(sql_db)
    async with sql_db.transaction() as work:
        expires_at = clock.advance(days=1)
        clock.advance(days=-1)
        await award_points(work, clock, customer.id, EntryKind.GOODWILL, 50, key="k", expires_at=expires_at)
    clock.advance(days=1)
    jobs = [job for job in all_jobs(None) if job[0] == "points that ran out"]

    assert await run_timers(sql_db, clock, shop, jobs) == {"points that ran out": 50}
    assert await run_timers(sql_db, clock, shop, jobs) == {"points that ran out": 0}
    async with sql_db.reading() as work:
        assert (await work.ledger.page(customer.id, before=None, limit=1))[0].kind is EntryKind.EXPIRE
        assert await balance_of(work, clock, customer.id) == Balance(0)


async def test_a_job_that_fails_is_logged_and_stops_no_other(fake_db, clock, shop, caplog):
    ran = []

    async def fails(db, clock, shop):
        raise OSError("the database is away")

    async def works(db, clock, shop):
        ran.append((db, clock, shop))
        return 3

    with caplog.at_level(logging.INFO, logger="bot.services.timers"):
        done = await run_timers(fake_db, clock, shop, [("rain", fails), ("sunshine", works)])

    assert done == {"sunshine": 3}
    assert ran == [(fake_db, clock, shop)]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "the timer for rain failed; it is tried again"),
        ("INFO", "the timer for sunshine: 3"),
    ]


def test_no_two_jobs_have_one_name():
    names = [name for name, _ in all_jobs(None)]

    assert sorted(names) == sorted(set(names))


# One that fails

CUP = Offer("cup", "Free cup", Effect(item="cup"))
DAY = timedelta(days=1)
# As databases say it: with what was to be written.
PERSONAL = "Key (email)=(maria@example.com) already exists"
EVERYTHING = a_shop(
    loyalty=Program(
        "Suki Club",
        rewards=(Reward(CUP, 10),),
        surprise=SurpriseRules(points=50, monthly_budget=10_000, days_between=60),
        birthday=BirthdayTreat(CUP),
    )
)


class Links:
    """The links in the mails of these jobs."""

    def unsubscribe(self, address, purpose, now):
        return "https://chat.example/unsubscribe"

    def voucher(self, code, now):
        return "https://chat.example/voucher"


async def points_for_ten_days(work, clock, customer):
    expires_at = clock.now() + 10 * DAY
    await award_points(work, clock, customer, EntryKind.GOODWILL, 50, key=customer, expires_at=expires_at)
    return customer


async def held_voucher(work, clock, customer):
    kind = VoucherKind.GOODWILL
    code = (await issue_voucher(work, clock, kind=kind, offer=CUP, customer_id=customer, key=customer)).code
    await reserve_voucher(work, clock, code, key=customer, customer_id=customer, total_minor=900)
    return code


async def gift_card(work, clock, customer):
    expires_at = clock.now() + 10 * DAY
    return (
        await issue_gift_card(work, clock, amount_minor=5, currency="PHP", key=customer, expires_at=expires_at)
    ).card.id


async def purchase(work, clock, customer):
    await award_points(work, clock, customer, EntryKind.ORDER, 50, key=customer)
    return customer


async def birthday(work, clock, customer):
    later = clock.now() + 10 * DAY
    await work.birthdays.set(customer, later.month, later.day, NOW - 100 * DAY)
    return customer


@pytest.mark.parametrize(
    "name, prepare, wait, page, broken, each",
    [
        ("points that ran out", points_for_ten_days, 10 * DAY, (ledger, "SWEPT_AT_ONCE"), (SqlLedger, "lock"), 50),
        ("points that run out soon", points_for_ten_days, DAY, (expiry_warnings, "PAGE"), (SqlLedger, "open_of"), 1),
        (
            "vouchers held for too long",
            held_voucher,
            RESERVED_FOR,
            (vouchers, "FREED_AT_ONCE"),
            (SqlVouchers, "lock"),
            1,
        ),
        ("gift cards that ran out", gift_card, 10 * DAY, (gift_cards, "EXPIRED_AT_ONCE"), (SqlGiftCards, "balance"), 1),
        ("surprises", purchase, 10 * DAY, None, (SqlGoodwill, "had_surprise"), 1),
        ("birthday treats", birthday, 10 * DAY, (birthdays, "PAGE"), (SqlLedger, "lock"), 1),
    ],
)
async def test_one_whose_turn_fails_holds_nobody_else_up_and_is_tried_again(
    sql_db, clock, caplog, monkeypatch, name, prepare, wait, page, broken, each
):
    due = []
    for _ in range(4):
        customer = await stored_customer(sql_db)
        async with sql_db.transaction() as work:
            due.append(await prepare(work, clock, customer.id))
    clock.advance(wait)
    if page:
        monkeypatch.setattr(*page, 2)
    jobs = [job for job in all_jobs(Links()) if job[0] == name]
    owner, method = broken
    works = getattr(owner, method)

    async def fails_for_the_first(self, subject, *args, **options):
        if min(due) in (subject if isinstance(subject, list) else [subject]):
            raise OSError(PERSONAL)
        return await works(self, subject, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, fails_for_the_first)
        assert await run_timers(sql_db, clock, EVERYTHING, jobs) == {name: 3 * each}
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert error.getMessage().startswith(f"{name}: one failed (OSError); it is tried again\n")
    assert PERSONAL not in caplog.text and min(due) not in caplog.text

    clock.advance(DAY)
    assert await run_timers(sql_db, clock, EVERYTHING, jobs) == {name: each}


async def test_what_failed_half_way_is_undone_alone(sql_db, clock):
    customers = [(await stored_customer(sql_db)).id for _ in range(3)]

    async def give(work, customer):
        await award_points(work, clock, customer, EntryKind.GOODWILL, 5, key=customer)
        if customer == customers[1]:
            raise OSError
        return 1

    assert await one_by_one(sql_db, customers, give, what="gifts") == 2
    async with sql_db.reading() as work:
        assert [(await balance_of(work, clock, customer)).available for customer in customers] == [5, 0, 5]


# Lost transactions


@pytest.mark.parametrize("lost", range(TRIES + 1))
async def test_what_was_lost_to_another_one_is_tried_again_a_few_times(lost):
    tries, pauses = [], []

    async def attempt():
        tries.append(1)
        if len(tries) <= lost:
            raise TransactionLost
        return "done"

    async def pause(seconds):
        pauses.append(seconds)

    if lost == TRIES:
        with pytest.raises(TransactionLost):
            await again_if_lost(attempt, pause=pause)
    else:
        assert await again_if_lost(attempt, pause=pause) == "done"
    assert len(tries) == min(lost + 1, TRIES)
    assert len(pauses) == len(tries) - 1 and all(0 < seconds < 0.2 for seconds in pauses)


async def test_any_other_error_is_not_tried_again():
    tries = []

    async def attempt():
        tries.append(1)
        raise OSError

    with pytest.raises(OSError):
        await again_if_lost(attempt)
    assert tries == [1]
