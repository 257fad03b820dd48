"""What the demo shop's customers have said over the last months: scores, reviews, complaints."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.customers import Customer
from bot.core.feedback import Feedback, FeedbackId, FeedbackKind, order_key, quarter_key
from bot.core.orders import Order, OrderStatus
from bot.core.themes import find_themes
from bot.services.demo import DEMO_PEOPLE
from bot.services.ids import new_id
from bot.services.ports import UnitOfWork

SEED = 20_260_102
MONTHS = timedelta(days=180)
ASKED_AFTER = timedelta(days=4)

# Score and words; None: asked, and never answered.
ABOUT_ORDERS: tuple[tuple[int, str | None] | None, ...] = (
    (5, "Two days to Makati and still smelling of the roaster. Lovely."),
    (5, None),
    (4, "Good coffee, though the bag could be easier to close."),
    (5, "The Benguet is the best I have had. Fresh, and packed with care."),
    None,
    (2, "The parcel came four days late and nobody told me."),
    (4, None),
    (5, "Your courier called before he came. That is service."),
    (3, "Beans are great but the shipping fee is steep for one bag."),
    None,
    (1, "The mug arrived broken. There was no bubble wrap at all in the box."),
    (5, None),
    (4, "Fast delivery. I wish you had smaller bags to try."),
    (2, "Half of the cold brew had leaked into the packaging."),
    (5, "The barista wrote a little note. Made my morning!"),
    None,
    (4, None),
    (5, "Barako like my lolo used to make it. Strong and not bitter."),
    (3, "The decaf tastes a bit flat to me."),
    (5, None),
    (2, "Late again. The tracking said delivered a day before it was."),
    (4, "Good price for this quality."),
    None,
    (5, "Second order, second time on time. Thank you!"),
    (1, "Wrong size of filters, and I am still waiting for an answer to my mail."),
    (4, None),
    (5, "The pour-over set feels sturdy and looks great."),
    (3, "Sagada was out of stock, so I took another one. It was all right."),
)
WOULD_RECOMMEND: tuple[tuple[int, str | None] | None, ...] = (
    (10, "I have told half of the office already."),
    (9, None),
    (10, "Best beans in Manila, and the points are a nice touch."),
    (8, None),
    (7, "Great coffee, but delivery to Cebu is slow."),
    (9, "Friendly staff at the counter."),
    (10, None),
    (6, "A bit expensive compared to others."),
    (4, "The website would not let me log in, twice."),
    None,
    (9, "They know my order by now."),
    (8, "I would come more often if there were more seats."),
    (10, None),
    (3, "My refund took three weeks."),
    None,
)
REVIEWS: tuple[tuple[int, str], ...] = (
    (5, "The aroma when you open the bag is something else. Fresh every time."),
    (5, "Our Sunday ritual: Sagada, pour-over, and the parol mugs."),
    (4, "Really good barako. The package could use less plastic."),
    (5, "My hand grinder had a loose handle and they replaced it without a question. Great service."),
    (3, "Nice, but pricey for 250 grams."),
    (5, "Delicious cold brew, not too sweet."),
    (2, "Stale beans this time, the roasting date was two months ago."),
    (4, "Quick answers in the chat, even late at night."),
    (5, "The stamps on the cup card add up faster than you think."),
    (4, "Good selection for a small shop."),
)
COMPLAINTS: tuple[str, ...] = (
    "My parcel is a week late and the tracking has not moved.",
    "The box was crushed and two of the bags had burst.",
    "I was charged twice for the same order.",
    "The grinder stopped working after ten days.",
    "The courier left my package in the rain.",
)
COMMENTS: tuple[str, ...] = (
    "Could you bring back the Benguet in whole beans? It is always sold out.",
    "It would help if the app remembered my address.",
    "Please use boxes that can be recycled, there is so much plastic in the packaging.",
    "More decaf choices, please!",
)


async def demo_feedback(
    work: UnitOfWork, people: Sequence[Customer], orders: Sequence[Order], now: datetime
) -> list[Feedback]:
    """Add what the crowd has said, and return it. The same every time for the same people and orders.

    Each of them says one thing; whoever has said something already, and the ones to try the demo as, say nothing.
    """
    added = []
    silent = [person for person in people if not await work.feedback.of_customer(person.id)]
    for feedback in _all(silent, orders, now):
        if await work.feedback.add(feedback):
            added.append(feedback)
            if feedback.text:
                await work.feedback.set_themes(feedback.id, find_themes(feedback.text))
    return added


def _all(people: Sequence[Customer], orders: Sequence[Order], now: datetime) -> Iterator[Feedback]:
    chance = random.Random(SEED)  # noqa: S311 - the same answers every time, not a secret
    fixed = {person.external_id for person in DEMO_PEOPLE}
    silent = {person.id: person for person in people if person.external_id not in fixed}
    delivered = {
        order.customer_id: order
        for order in orders
        if order.status is OrderStatus.DELIVERED
        and order.delivered_at is not None
        and now - MONTHS < order.delivered_at < now - 2 * ASKED_AFTER
    }
    buyers = [(silent[one], order) for one, order in delivered.items() if one is not None and one in silent]
    for (person, order), said in zip(buyers, ABOUT_ORDERS, strict=False):
        asked_at = (order.delivered_at or now) + ASKED_AFTER
        about = _asked(FeedbackKind.CSAT, order_key(order.number), person, asked_at, said, chance)
        yield replace(about, order_number=order.number)
        del silent[person.id]
    others = iter(chance.sample(list(silent.values()), len(silent)))
    for person, said in zip(others, WOULD_RECOMMEND, strict=False):
        asked_at = now - timedelta(minutes=chance.randrange(3 * 1440, int(MONTHS.total_seconds()) // 60))
        yield _asked(FeedbackKind.NPS, quarter_key(person.id, asked_at.date()), person, asked_at, said, chance)
    unasked: list[tuple[FeedbackKind, int | None, str]] = [
        *((FeedbackKind.REVIEW, stars, text) for stars, text in REVIEWS),
        *((FeedbackKind.COMPLAINT, None, text) for text in COMPLAINTS),
        *((FeedbackKind.COMMENT, None, text) for text in COMMENTS),
    ]
    for person, (number, (kind, score, text)) in zip(others, enumerate(unasked), strict=False):
        at = now - timedelta(minutes=chance.randrange(1440, int(MONTHS.total_seconds()) // 60))
        yield Feedback(FeedbackId(new_id()), kind, f"demo:{number}", person.id, answered_at=at, score=score, text=text)


def _asked(
    kind: FeedbackKind,
    key: str,
    person: Customer,
    asked_at: datetime,
    said: tuple[int, str | None] | None,
    chance: random.Random,
) -> Feedback:
    """A question, and what was answered within two days, if anything was."""
    question = Feedback(FeedbackId(new_id()), kind, key, person.id, asked_at=asked_at)
    answered_at = asked_at + timedelta(minutes=chance.randrange(5, 2 * 1440))
    return question if said is None else replace(question, answered_at=answered_at, score=said[0], text=said[1])
