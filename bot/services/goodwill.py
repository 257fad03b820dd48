"""Points given out of kindness: by somebody of the shop's team, for a reason, and by surprise, within a budget."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta, timezone
from functools import partial

from bot.core.consents import LOYALTY
from bot.core.customers import Customer, CustomerId
from bot.core.earning import expiry_after
from bot.core.ledger import EntryKind, LedgerEntry
from bot.core.loyalty import Program, SurpriseRules
from bot.core.loyalty_words import points as points_in_words
from bot.core.shop import Shop
from bot.errors import LedgerRefused
from bot.services.audit import record_audit
from bot.services.consents import queue_optional_mail
from bot.services.ledger import award_points
from bot.services.merges import follow_up_merge
from bot.services.one_by_one import one_by_one
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, LedgerNote, PageLinks, UnitOfWork

GOODWILL_WINDOW = timedelta(hours=24)
MAX_REASON_CHARACTERS = 500
# Who bought within this time counts as a regular.
REGULAR_FOR = timedelta(days=365)
_INSTANT = timedelta(microseconds=1)


async def give_goodwill(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    customer_id: CustomerId,
    points: int,
    *,
    author: str,
    role: str,
    reason: str,
    key: str,
) -> LedgerEntry:
    """Give a customer points by one's own decision, within what the role may give in 24 hours.

    Safe to repeat: the same key is the same gift. Raises LedgerRefused, giving nothing: no_reason, or over_limit (with
    what is left); KeyReused when the key was used for another gift. The reason is kept apart from the ledger, and can
    be erased.
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON_CHARACTERS:
        raise LedgerRefused("no_reason", f"Say why, in up to {MAX_REASON_CHARACTERS} characters.")
    now = clock.now()
    # Gifts of one author come one after the other, so that together they do not pass the limit either.
    await work.goodwill.lock_author(author)
    known = await work.ledger.by_key(_goodwill_key(key))
    customer_id = (await customer_of(work, customer_id)).id
    if known is not None and (await customer_of(work, known.customer_id)).id == customer_id:
        customer_id = known.customer_id
    is_new = known is None
    if is_new:
        left = _limit(shop, role) - await work.ledger.granted_by(author, EntryKind.GOODWILL, now - GOODWILL_WINDOW)
        if points > left:
            raise LedgerRefused(
                "over_limit",
                f"You can give {max(left, 0)} more points within these 24 hours. Ask somebody who may give more.",
            )
    entry = await award_points(
        work,
        clock,
        customer_id,
        EntryKind.GOODWILL,
        points,
        key=_goodwill_key(key),
        expires_at=_expiry(shop.loyalty, now),
        source="goodwill",
    )
    if is_new:
        await work.ledger.add_note(LedgerNote(entry.id, author, role, reason))
        detail = {"points": points, "entry_id": entry.id}
        await record_audit(
            work, clock, actor=f"agent:{author}", action="goodwill", customer_id=customer_id, detail=detail
        )
    return entry


async def give_surprises(db: Database, clock: Clock, shop: Shop, links: PageLinks) -> int:
    """Give surprise points as far as the month's budget allows by today; how many customers got some.

    The budget is spread evenly over the days of the month where the shop is. The next one is always who has earned most
    points by orders in a year (less what was taken back), has had no surprise for so many days as the shop set, and
    none this month; whoever has several records that were merged is one. Whoever may be written to about the programme
    gets a mail. Safe to run at any time, and by several at once.
    """
    rules = shop.loyalty.surprise if shop.loyalty else None
    if rules is None or rules.points <= 0:
        return 0
    now = clock.now()
    none_since = min(_month_start(now, shop), now - timedelta(days=rules.days_between))
    async with db.reading() as work:
        number = await _affordable(work, clock, shop, rules)
        if number == 0:
            return 0
        # Looked for while nobody waits; whether it is still so is asked below, in the transaction that gives.
        regulars = await work.goodwill.next_for_surprise(
            bought_since=now - REGULAR_FOR, none_since=none_since, limit=number
        )
    surprise = partial(_surprise, clock, shop, rules, links, none_since)
    return await one_by_one(db, regulars, surprise, what="surprises")


async def _surprise(
    clock: Clock,
    shop: Shop,
    rules: SurpriseRules,
    links: PageLinks,
    none_since: datetime,
    work: UnitOfWork,
    customer_id: CustomerId,
) -> bool:
    """Give the surprise unless something came in between: another one that runs, a merge, an erasure."""
    await work.goodwill.lock_surprises()
    customer = await customer_of(work, customer_id)
    people = await work.merges.same_person(customer.id)
    if customer.erased_at is not None or not await _affordable(work, clock, shop, rules):
        return False
    if await work.goodwill.had_surprise(people, none_since):
        return False
    now = clock.now()
    entry = await award_points(
        work,
        clock,
        customer.id,
        EntryKind.SURPRISE,
        rules.points,
        key=f"surprise:{customer.id}:{now.astimezone(shop.hours.zone):%Y-%m}",
        expires_at=_expiry(shop.loyalty, now),
        source="surprise",
    )
    # Whoever was merged at this very moment has the points where they are now.
    await follow_up_merge(work, clock, customer.id)
    await _tell(work, clock, shop, links, customer, entry)
    return True


async def _tell(
    work: UnitOfWork, clock: Clock, shop: Shop, links: PageLinks, customer: Customer, entry: LedgerEntry
) -> None:
    """Write to them, unless they said that they do not want that. In the chat, the points show in any case."""
    if customer.email is None:
        return
    lines = [
        f"Hello {customer.first_name}," if customer.first_name else "Hello,",
        "",
        f"you come back to us, and we like that: {points_in_words(entry.points)} more are yours, as a gift.",
    ]
    if entry.expires_at is not None:
        day = entry.expires_at.astimezone(shop.hours.zone).date()
        lines.append(f"They run out on {day.day} {day:%B %Y}.")
    lines += ["", "Ask for your points in our chat to see what you can have for them.", "", shop.name]
    await queue_optional_mail(
        work,
        clock,
        links,
        key=entry.key,
        to=customer.email,
        purpose=LOYALTY,
        subject=f"[{shop.name}] Some points for you, out of the blue",
        body="\n".join(lines),
        reply_to=shop.contact_email,
    )


async def _affordable(work: UnitOfWork, clock: Clock, shop: Shop, rules: SurpriseRules) -> int:
    """How many more surprises fit into the budget up to today."""
    now = clock.now()
    today = now.astimezone(shop.hours.zone).date()
    until_today = rules.monthly_budget * today.day // monthrange(today.year, today.month)[1]
    given = await work.ledger.given_since(EntryKind.SURPRISE, _month_start(now, shop) - _INSTANT)
    return max(until_today - given, 0) // rules.points


def _month_start(now: datetime, shop: Shop) -> datetime:
    first = now.astimezone(shop.hours.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.astimezone(timezone.utc)


def _limit(shop: Shop, role: str) -> int:
    return shop.loyalty.goodwill_limits.get(role, 0) if shop.loyalty else 0


def _goodwill_key(key: str) -> str:
    return f"goodwill:{key}"


def _expiry(program: Program | None, now: datetime) -> datetime | None:
    return expiry_after(program.earning if program else None, now)
