"""Points that run out soon: whoever has them hears of it once a month, while something is to be had for them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from bot.core.consents import LOYALTY
from bot.core.ledger import EntryKind
from bot.core.loyalty import EarningRules, Effect, Offer, Program, Reward
from bot.services.consents import record_consent
from bot.services.expiry_warnings import warn_of_expiring_points
from bot.services.ledger import award_points, redeem_points
from bot.services.timers import once_a_day
from tests.builders import NOW, a_shop, stored_customer
from tests.services.mails import sent_mails

DAY = timedelta(days=1)
MUG = Reward(Offer("mug", "Parol mug", Effect(item="mug")), 50)
CUP = Reward(Offer("cup", "Free cup", Effect(item="cup")), 10)


class Links:
    """The only link that these mails have."""

    def unsubscribe(self, address, purpose, now):
        return f"https://chat.example/unsubscribe/{purpose}"


@pytest.fixture
def shop():
    return a_shop(loyalty=Program("Suki card", EarningRules(Fraction(1, 100)), rewards=(MUG, CUP)))


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db, email="maria@example.com")


async def award(db, clock, customer, points, expires_at, *, key="k"):
    async with db.transaction() as work:
        await award_points(work, clock, customer.id, EntryKind.ORDER, points, key=key, expires_at=expires_at)


async def warn(db, clock, shop):
    return await warn_of_expiring_points(db, clock, shop, Links())


async def test_whoever_has_points_that_run_out_soon_gets_one_mail(sql_db, clock, shop, maria):
    await award(sql_db, clock, maria, 20, NOW + 30 * DAY)
    await award(sql_db, clock, maria, 5, NOW + 300 * DAY, key="later")

    assert [await warn(sql_db, clock, shop) for _ in range(2)] == [1, 0]
    (mail,) = await sent_mails(sql_db, clock)
    assert (mail.to, mail.subject) == ("maria@example.com", "[Corner Shop] Some of your points run out soon")
    assert mail.unsubscribe_url == "https://chat.example/unsubscribe/loyalty"
    assert "- 20 points on 4 February 2026\n" in mail.body
    assert "You have 25 points in all." in mail.body
    assert "- Free cup: 10 points\n" in mail.body and "Parol mug" not in mail.body


async def test_a_mail_is_about_the_whole_month(sql_db, clock, shop, maria):
    # In Manila, where 17:00 in UTC is the next day.
    ends = [datetime(2026, 2, day, 17, tzinfo=timezone.utc) for day in (1, 3, 27, 28)]
    for number, expires_at in enumerate(ends):
        await award(sql_db, clock, maria, 10 + number, expires_at, key=f"order:{number}")
    assert await warn(sql_db, clock, shop) == 1
    clock.advance(days=5)
    assert await warn(sql_db, clock, shop) == 0

    clock.advance(days=20)
    assert await warn(sql_db, clock, shop) == 1
    first, second = sorted((mail.body for mail in await sent_mails(sql_db, clock)), key=lambda body: "March" in body)
    assert [line for line in first.splitlines() if " points on " in line] == [
        *("- 10 points on 2 February 2026", "- 11 points on 4 February 2026", "- 12 points on 28 February 2026"),
    ]
    assert [line for line in second.splitlines() if " points on " in line] == ["- 13 points on 1 March 2026"]


async def test_what_runs_out_later_or_has_run_out_is_no_news(sql_db, clock, shop, maria):
    await award(sql_db, clock, maria, 20, NOW + 30 * DAY + timedelta(microseconds=1))
    await award(sql_db, clock, maria, 20, NOW + DAY, key="soon")
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, maria.id, 20, key="cup")

    assert await warn(sql_db, clock, shop) == 0
    clock.advance(days=31)
    assert await warn(sql_db, clock, shop) == 0


async def test_points_that_nothing_is_to_be_had_for_are_let_go(sql_db, clock, shop, maria):
    await award(sql_db, clock, maria, 9, NOW + DAY)
    without_rewards = a_shop(loyalty=Program("Suki card"))

    assert await warn(sql_db, clock, shop) == 0
    await award(sql_db, clock, maria, 1, NOW + 300 * DAY, key="later")
    assert await warn(sql_db, clock, without_rewards) == await warn(sql_db, clock, a_shop()) == 0
    assert await warn(sql_db, clock, shop) == 1


async def test_who_does_not_want_such_mails_gets_none(sql_db, clock, shop, maria):
    for number, changes in enumerate(({"email": None}, {"erased_at": NOW})):
        somebody = await stored_customer(sql_db, **changes)
        await award(sql_db, clock, somebody, 20, NOW + DAY, key=f"order:{number}")
    await award(sql_db, clock, maria, 20, NOW + DAY)
    async with sql_db.transaction() as work:
        await record_consent(
            *(work, clock),
            **{"channel": "email", "address": "maria@example.com", "purpose": LOYALTY, "granted": False},
            **{"wording": "No more", "source": "link"},
        )

    assert await warn(sql_db, clock, shop) == 0


async def test_everybody_is_looked_at_page_by_page(sql_db, clock, shop, monkeypatch):
    monkeypatch.setattr("bot.services.expiry_warnings.PAGE", 2)
    for number in range(5):
        await award(sql_db, clock, await stored_customer(sql_db), 20, NOW + DAY, key=f"order:{number}")

    assert await warn(sql_db, clock, shop) == 5


async def test_a_job_that_is_done_once_a_day_is_done_again_after_it_failed_and_the_next_day(fake_db, clock, shop):
    ran = []

    async def job(db, clock, shop):
        ran.append(clock.now())
        if len(ran) == 1:
            raise OSError
        return 7

    daily = once_a_day(job)
    with pytest.raises(OSError):
        await daily(fake_db, clock, shop)
    assert [await daily(fake_db, clock, shop) for _ in range(3)] == [7, 0, 0]
    # Midnight in Manila.
    clock.advance(hours=7)
    assert await daily(fake_db, clock, shop) == 7
