"""What happens by itself when its time has come: the jobs, and the round that runs them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from bot.core.shop import Shop
from bot.services.agents import forget_sessions
from bot.services.attachments import forget_files
from bot.services.birthdays import give_birthday_treats
from bot.services.channel_inbox import forget_updates
from bot.services.expiry_warnings import warn_of_expiring_points
from bot.services.feedback_mail import ask_after_delivery
from bot.services.gift_cards import expire_gift_cards
from bot.services.goodwill import give_surprises
from bot.services.ledger import expire_all_points
from bot.services.ports import Clock, Database, PageLinks
from bot.services.referrals import reward_referrals
from bot.services.vouchers import free_reservations

# Does whatever is due, and returns how much that was. Run twice, or by two processes at once, it does it once.
Job = Callable[[Database, Clock, Shop], Awaitable[int]]

log = logging.getLogger(__name__)


async def expire_points(db: Database, clock: Clock, shop: Shop) -> int:
    """Enter what has run out; see expire_all_points."""
    return await expire_all_points(db, clock)


def once_a_day(job: Job) -> Job:
    """The job, for those that look through a lot and find little: once a day of the shop's, and after a start."""
    done_on: date | None = None

    async def run(db: Database, clock: Clock, shop: Shop) -> int:
        nonlocal done_on
        today = clock.now().astimezone(shop.hours.zone).date()
        if done_on == today:
            return 0
        done = await job(db, clock, shop)
        # Only now: a job that failed is tried again in a minute.
        done_on = today
        return done

    return run


def all_jobs(links: PageLinks) -> tuple[tuple[str, Job], ...]:
    """Every job, under the name by which a log speaks of it. `links` are for those that write mails."""

    async def ask_about_orders(db: Database, clock: Clock, shop: Shop) -> int:
        return await ask_after_delivery(db, clock, shop, links)

    async def treat_birthdays(db: Database, clock: Clock, shop: Shop) -> int:
        return await give_birthday_treats(db, clock, shop, links)

    async def surprise(db: Database, clock: Clock, shop: Shop) -> int:
        return await give_surprises(db, clock, shop, links)

    async def warn_of_expiry(db: Database, clock: Clock, shop: Shop) -> int:
        return await warn_of_expiring_points(db, clock, shop, links)

    async def forget_old_sessions(db: Database, clock: Clock, shop: Shop) -> int:
        return await forget_sessions(db, clock)

    async def forget_old_updates(db: Database, clock: Clock, shop: Shop) -> int:
        return await forget_updates(db, clock)

    return (
        ("points that ran out", expire_points),
        ("points that run out soon", once_a_day(warn_of_expiry)),
        ("vouchers held for too long", free_reservations),
        ("gift cards that ran out", expire_gift_cards),
        ("surprises", surprise),
        ("birthday treats", treat_birthdays),
        ("friends brought along", reward_referrals),
        ("questions about orders", ask_about_orders),
        ("updates from messaging channels", once_a_day(forget_old_updates)),
        ("files that were kept long enough", once_a_day(forget_files)),
        ("sessions at the desk that ended", once_a_day(forget_old_sessions)),
    )


async def run_timers(db: Database, clock: Clock, shop: Shop, jobs: Sequence[tuple[str, Job]]) -> dict[str, int]:
    """Run every job once; how much each one did. One that fails is logged, and left out; the others run all the same.

    To be run again and again. A job that failed is tried again then, so nothing that is due is lost; so is what of a
    job failed for one customer alone (see one_by_one), which for what is done once a day is the next day.
    """
    done = {}
    for name, job in jobs:
        try:
            done[name] = await job(db, clock, shop)
        except Exception:
            log.exception("the timer for %s failed; it is tried again", name)
            continue
        if done[name]:
            log.info("the timer for %s: %d", name, done[name])
    return done
