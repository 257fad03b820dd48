"""Mails about points that are about to run out, while there is still time to have something for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import partial

from bot.core.consents import LOYALTY
from bot.core.customers import Customer, CustomerId
from bot.core.ledger import Lot, balance_at, expiring
from bot.core.loyalty import Program
from bot.core.loyalty_words import points as points_in_words
from bot.core.shop import Shop
from bot.services.consents import queue_optional_mail
from bot.services.one_by_one import one_by_one
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, PageLinks, UnitOfWork

WARNED_AHEAD = timedelta(days=30)
PAGE = 200


async def warn_of_expiring_points(db: Database, clock: Clock, shop: Shop, links: PageLinks) -> int:
    """Write to everybody whose points run out within 30 days; how many mails that were.

    Once for each month (of the shop's calendar) in which some run out, about all that do in that month. Not to those
    who do not want mails about the programme, nor about points that nothing is to be had for. Safe to repeat.
    """
    if shop.loyalty is None:
        return 0
    warn = partial(_warn, clock, shop, shop.loyalty, links)
    sent, after = 0, None
    while True:
        now = clock.now()
        async with db.reading() as work:
            customers = await work.ledger.running_out(now, now + WARNED_AHEAD, after=after, limit=PAGE)
        sent += await one_by_one(db, customers, warn, what="points that run out soon")
        if len(customers) < PAGE:
            return sent
        after = customers[-1]


def months_running_out(lots: Sequence[Lot], now: datetime, zone: tzinfo) -> dict[date, list[tuple[date, int]]]:
    """The months (each by its first day) in which to be warned of now, and what runs out in them on which days."""
    soon = (now + WARNED_AHEAD).astimezone(zone).date()
    ends = [(at.astimezone(zone).date(), points) for at, points in expiring(lots, now)]
    months = sorted({day.replace(day=1) for day, _ in ends if day <= soon})
    return {month: [(day, points) for day, points in ends if day.replace(day=1) == month] for month in months}


def warning_key(customer_id: CustomerId, month: date) -> str:
    """The mail about what runs out in that month."""
    return f"expiry:{customer_id}:{month:%Y-%m}"


async def _warn(
    clock: Clock, shop: Shop, program: Program, links: PageLinks, work: UnitOfWork, customer_id: CustomerId
) -> int:
    customer = await customer_of(work, customer_id)
    if customer.erased_at is not None or customer.email is None:
        return 0
    now = clock.now()
    lots, debts = await work.ledger.open_of(customer_id)
    available = balance_at(lots, debts, now).available
    if available < min((reward.points for reward in program.rewards), default=available + 1):
        return 0
    sent = 0
    for month, ends in months_running_out(lots, now, shop.hours.zone).items():
        sent += await queue_optional_mail(
            work,
            clock,
            links,
            key=warning_key(customer.id, month),
            to=customer.email,
            purpose=LOYALTY,
            subject=f"[{shop.name}] Some of your points run out soon",
            body=_words(customer, shop, program, available, ends),
            reply_to=shop.contact_email,
        )
    return sent


def _words(customer: Customer, shop: Shop, program: Program, available: int, ends: Sequence[tuple[date, int]]) -> str:
    within_reach = [reward for reward in program.rewards if reward.points <= available]
    return "\n".join(
        [
            f"Hello {customer.first_name}," if customer.first_name else "Hello,",
            "",
            "some of your points run out soon:",
            *(f"- {points_in_words(points)} on {day.day} {day:%B %Y}" for day, points in ends),
            "",
            f"You have {points_in_words(available)} in all. What you could have for them:",
            *(f"- {reward.offer.title}: {points_in_words(reward.points)}" for reward in within_reach),
            "",
            "Just ask for it in our chat, or at the counter; those that run out first are used first.",
            "",
            shop.name,
        ]
    )
