"""Answers once more as cards: how far an order is, what a reward costs, how many points there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from actions.vouchers import points
from actions.wording import Button, day, items_in_words
from bot.core.conversations import Card, Choice
from bot.core.loyalty import Reward, TierRules
from bot.core.money import money_in_words as money
from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop
from bot.core.tiers import TierStanding

# A longer list is read more easily as text alone.
CARDS_AT_MOST = 10

ORDER, REWARD, POINTS = "order", "reward", "points"

_STEPS = ("Ordered", "Being prepared", "On its way", "Delivered")
_REACHED = {
    OrderStatus.PENDING: 0,
    OrderStatus.PAID: 0,
    OrderStatus.PREPARING: 1,
    OrderStatus.SHIPPED: 2,
    OrderStatus.DELIVERED: 3,
}
_STATUS = {
    OrderStatus.PENDING: "Waiting for its payment",
    OrderStatus.PAID: "Paid",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.RETURNED: "Came back to us as a return",
    OrderStatus.REFUNDED: "Refunded",
}


def picked_on_card(choice: Button) -> Choice:
    """A choice as a card has it."""
    return Choice(choice["title"], choice["payload"])


def order_card(order: Order, shop: Shop, today: date, *, verified: bool) -> Card:
    """Where an order is. Beyond its status it is for the verified customer alone, as in the text beside it."""
    facts = _progress(order, shop, today)
    if verified:
        facts += _contents(order, shop)
        if order.tracking_number and order.status is OrderStatus.SHIPPED:
            facts.append(("Tracking number", order.tracking_number))
    step = _REACHED.get(order.status)
    return Card(ORDER, order.number, tuple(facts), _STEPS if step is not None else (), step)


def listed_order_card(order: Order, shop: Shop, details: Button) -> Card:
    """One of the verified customer's own orders, with a way to see more of it."""
    status = ("Status", _STATUS.get(order.status) or _STEPS[_REACHED[order.status]])
    facts = (
        status,
        ("Placed", day(order.placed_at, shop)),
        ("Total", money(order.total_minor, order.currency)),
    )
    return Card(ORDER, order.number, facts, choice=picked_on_card(details))


def reward_card(reward: Reward, available: int, choice: Button) -> Card:
    """A reward with its price, to be picked where there are points enough."""
    price = ("For", points(reward.points))
    if reward.points <= available:
        return Card(REWARD, reward.offer.title, (price,), choice=picked_on_card(choice))
    return Card(REWARD, reward.offer.title, (price, ("Still missing", points(reward.points - available))))


def points_card(available: int, standing: TierStanding, rules: TierRules, facts: Sequence[tuple[str, str]]) -> Card:
    """What there is, and how far up the levels it is."""
    titles = tuple(tier.title for tier in rules.tiers)
    step = rules.tiers.index(standing.tier) if standing.tier in rules.tiers else None
    if standing.next_tier is not None and standing.missing > 0:
        facts = [*facts, (f"More to {standing.next_tier.title}", points(standing.missing))]
    return Card(POINTS, points(available), tuple(facts), titles if len(titles) > 1 else (), step)


def _progress(order: Order, shop: Shop, today: date) -> list[tuple[str, str]]:
    facts = [("Status", _STATUS[order.status])] if order.status in _STATUS else []
    match order.status:
        case OrderStatus.SHIPPED:
            facts += _on(shop, "Left us on", order.shipped_at)
            facts += [("Carrier", order.carrier)] if order.shipped_at and order.carrier else []
        case OrderStatus.DELIVERED:
            facts += _on(shop, "Arrived on", order.delivered_at)
    if order.status in (OrderStatus.PREPARING, OrderStatus.SHIPPED) and order.due_on is not None:
        facts += _on(shop, "Was due on" if order.due_on < today else "Should arrive by", order.due_on)
    return facts


def _contents(order: Order, shop: Shop) -> list[tuple[str, str]]:
    items = items_in_words(order)
    return [
        *([("Items", items)] if items else []),
        ("Placed on", day(order.placed_at, shop)),
        ("Total", money(order.total_minor, order.currency)),
    ]


def _on(shop: Shop, label: str, moment: datetime | date | None) -> list[tuple[str, str]]:
    return [(label, day(moment, shop))] if moment is not None else []
