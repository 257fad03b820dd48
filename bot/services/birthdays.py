"""Birthdays: when customers have theirs, and the treat that comes by itself, once a year."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from bot.core.birthdays import (
    DAYS_BETWEEN_TREATS,
    birthday_on,
    birthdays_on,
    days_to_treat,
    is_birthday,
    to_be_known_by,
)
from bot.core.consents import LOYALTY
from bot.core.customers import Customer, CustomerId
from bot.core.loyalty import BirthdayTreat
from bot.core.shop import Shop
from bot.core.voucher_words import last_moment
from bot.core.vouchers import Voucher, VoucherKind
from bot.errors import CustomerNotFound, NoSuchDay
from bot.services.consents import queue_optional_mail
from bot.services.one_by_one import one_by_one
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, PageLinks, UnitOfWork
from bot.services.vouchers import issue_voucher

PAGE = 200
_BETWEEN_TREATS = timedelta(days=DAYS_BETWEEN_TREATS)


async def set_birthday(work: UnitOfWork, clock: Clock, customer_id: CustomerId, month: int, day: int) -> None:
    """Note the customer's birthday, and when it was entered: one that is entered late counts from next year.

    Safe to repeat: the day that is known already stays entered when it was. Raises NoSuchDay (30 February) or
    CustomerNotFound, changing nothing.
    """
    if not is_birthday(month, day):
        raise NoSuchDay
    customer = await customer_of(work, customer_id)
    if customer.erased_at is not None:
        raise CustomerNotFound
    await work.birthdays.set(customer.id, month, day, clock.now())


async def give_birthday_treats(db: Database, clock: Clock, shop: Shop, links: PageLinks) -> int:
    """Give everybody whose birthday is today (in the shop's time zone) their treat; how many were given.

    So are those that were missed in the last week, because nothing was running. A customer at a time, so that
    what was given stays given; run again, or twice at once, it gives nothing twice. Whoever may be written to about the
    programme gets a mail; who said nothing about that, does.
    """
    treat = shop.loyalty.birthday if shop.loyalty else None
    if treat is None:
        return 0
    given = 0
    for day in days_to_treat(clock.now().astimezone(shop.hours.zone).date()):
        for birthday in birthdays_on(day, treat.leap_day):
            given += await _treat_all(db, clock, shop, links, treat, day, birthday)
    return given


async def _treat_all(
    db: Database, clock: Clock, shop: Shop, links: PageLinks, treat: BirthdayTreat, day: date, birthday: tuple[int, int]
) -> int:
    treat_one = partial(_treat, clock, shop, links, treat, day)
    given, after = 0, None
    while True:
        async with db.reading() as work:
            customers = await work.birthdays.treatable(
                birthday,
                set_before=to_be_known_by(day, treat, shop.hours.zone),
                treated_before=clock.now() - _BETWEEN_TREATS,
                after=after,
                limit=PAGE,
            )
        given += await one_by_one(db, customers, treat_one, what="birthday treats")
        if len(customers) < PAGE:
            return given
        after = customers[-1]


async def _treat(
    clock: Clock,
    shop: Shop,
    links: PageLinks,
    treat: BirthdayTreat,
    day: date,
    work: UnitOfWork,
    customer_id: CustomerId,
) -> bool:
    """Give the treat unless something came in between: another one that runs, a merge, a birthday that was changed."""
    now = clock.now()
    await work.ledger.lock(customer_id, now)
    customer = await work.customers.get(customer_id)
    if customer is None or not _is_due(customer, treat, day, shop):
        return False
    key = f"birthday:{customer_id}:{day.year}"
    last = await work.birthdays.treated_at(customer_id)
    if (last is not None and last > now - _BETWEEN_TREATS) or await work.vouchers.by_key(key) is not None:
        # One a year, whoever moves their birthday from January to December.
        return False
    voucher = await issue_voucher(
        work,
        clock,
        kind=VoucherKind.BIRTHDAY,
        offer=treat.offer,
        customer_id=customer_id,
        key=key,
        zone=shop.hours.zone,
    )
    await _tell(work, clock, shop, links, customer, voucher)
    return True


def _is_due(customer: Customer, treat: BirthdayTreat, day: date, shop: Shop) -> bool:
    month, day_of_month, set_at = customer.birthday_month, customer.birthday_day, customer.birthday_set_at
    if customer.merged_into_id is not None or customer.erased_at is not None or month is None or day_of_month is None:
        return False
    if set_at is not None and set_at >= to_be_known_by(day, treat, shop.hours.zone):
        return False
    return birthday_on(day.year, month, day_of_month, treat.leap_day) == day


async def _tell(
    work: UnitOfWork, clock: Clock, shop: Shop, links: PageLinks, customer: Customer, voucher: Voucher
) -> None:
    """Write to them, unless they said that they do not want that. In the chat, the treat shows in any case."""
    if customer.email is None:
        return
    greeting = f"Happy birthday, {customer.first_name}!" if customer.first_name else "Happy birthday!"
    lines = [
        greeting,
        "",
        f"There is something waiting for you from us: {voucher.title}.",
        f"Code: {voucher.code}",
        f"To show it at the counter: {links.voucher(voucher.code, clock.now())}",
    ]
    if voucher.expires_at is not None:
        # It ends at midnight, which people count to the day before.
        last_day = last_moment(voucher.expires_at, shop.hours.zone).date()
        lines.append(f"It is good until {last_day.day} {last_day:%B %Y}.")
    await queue_optional_mail(
        work,
        clock,
        links,
        key=voucher.key,
        to=customer.email,
        purpose=LOYALTY,
        subject=f"[{shop.name}] A treat for your birthday",
        body="\n".join([*lines, "", shop.name]),
        reply_to=shop.contact_email,
    )
