"""What feedback is about, counted; and telling those who asked for something that it was done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from bot.core.consents import FEEDBACK
from bot.core.customers import EMAIL, Customer, CustomerId
from bot.core.feedback import Feedback
from bot.core.shop import Shop
from bot.core.themes import Improvement, ImprovementId, ThemeCount
from bot.services.consents import may_contact, queue_optional_mail
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, PageLinks, UnitOfWork
from bot.services.transcripts import indented

TOLD_AT_ONCE = 100
EXAMPLES = 3
EXAMPLES_LOOKED_AT = 200
QUOTED_CHARACTERS = 300


@dataclass(frozen=True)
class ThemeLine:
    """A theme in a table: how often it was spoken of, and the words that most often did."""

    count: ThemeCount
    examples: tuple[str, ...]


async def themes_between(db: Database, since: datetime, until: datetime) -> list[ThemeLine]:
    """The themes of what was said from then on and before then, the most frequent first."""
    async with db.reading() as work:
        lines = []
        for count in await work.feedback.theme_counts(since, until):
            texts = await work.feedback.theme_words(count.theme, since, until, EXAMPLES_LOOKED_AT)
            words = Counter(word.lower() for text in texts for word in text.split(", "))
            lines.append(ThemeLine(count, tuple(word for word, _ in words.most_common(EXAMPLES))))
        return lines


async def tell_improvement(
    db: Database,
    clock: Clock,
    shop: Shop,
    links: PageLinks,
    theme: str,
    text: str,
    *,
    author: str,
    since: datetime,
    dry_run: bool = False,
) -> int:
    """Write to those who complained, commented or gave a low score about the theme since then; how many are told now.

    Only to those who may be written to about feedback. Safe to repeat: in the same words nobody is told twice, and
    what was interrupted goes on. A dry run changes nothing, and says how many would be told.
    """
    text = " ".join(text.split())
    improvement = None if dry_run else await _improvement(db, clock, theme, text, author)
    told, past = 0, None
    while True:
        async with db.reading() as work:
            page = await work.feedback.to_tell(theme, since, past, TOLD_AT_ONCE)
            known = improvement or await work.feedback.improvement(theme, text)
            waiting = [(one, said) for one, said in page if await _is_to_be_told(work, known, one)]
        if improvement is None:
            told += len(waiting)
        else:
            for customer_id, said in waiting:
                async with db.transaction() as work:
                    told += await _tell(work, clock, shop, links, improvement, customer_id, said)
        if len(page) < TOLD_AT_ONCE:
            return told
        past = page[-1][0]


async def _improvement(db: Database, clock: Clock, theme: str, text: str, author: str) -> Improvement:
    """The improvement in these words; noted if it is not yet."""
    async with db.transaction() as work:
        await work.feedback.lock_improvements()
        known = await work.feedback.improvement(theme, text)
        if known is None:
            known = Improvement(ImprovementId(new_id()), theme, text, author, clock.now())
            await work.feedback.add_improvement(known)
        return known


async def _is_to_be_told(work: UnitOfWork, improvement: Improvement | None, customer_id: CustomerId) -> bool:
    customer = await work.customers.get(customer_id)
    if customer is None or customer.email is None or customer.erased_at is not None:
        return False
    if improvement is not None and await work.outbox.has(_key(improvement, customer_id)):
        return False
    return await may_contact(work, channel=EMAIL, address=customer.email, purpose=FEEDBACK)


async def _tell(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    links: PageLinks,
    improvement: Improvement,
    customer_id: CustomerId,
    said: Feedback,
) -> bool:
    customer = await work.customers.lock(customer_id)
    # Asked once more: something may have come in between, another one who tells it, too.
    if customer is None or customer.email is None or not await _is_to_be_told(work, improvement, customer_id):
        return False
    await queue_optional_mail(
        work,
        clock,
        links,
        key=_key(improvement, customer_id),
        to=customer.email,
        purpose=FEEDBACK,
        subject=f"[{shop.name}] You asked, we did",
        body=_mail(shop, customer, improvement, said),
        reply_to=shop.contact_email,
    )
    await work.feedback.count_told(improvement.id)
    return True


def _key(improvement: Improvement, customer_id: CustomerId) -> str:
    return f"improvement:{improvement.id}:{customer_id}"


def _mail(shop: Shop, customer: Customer, improvement: Improvement, said: Feedback) -> str:
    lines = [f"Hello {customer.first_name}," if customer.first_name else "Hello,", ""]
    if said.answered_at is not None and said.text:
        day = said.answered_at.astimezone(shop.hours.zone).date()
        words = said.text if len(said.text) <= QUOTED_CHARACTERS else f"{said.text[:QUOTED_CHARACTERS].rstrip()} …"
        lines += [f"on {day.day} {day:%B %Y} you told us:", "", f"    {indented(words)}", "", "We listened:"]
    else:
        lines += ["you told us what you would like to be better. We listened:"]
    return "\n".join([*lines, "", f"    {improvement.text}", "", "Thank you for telling us.", "", shop.name])
