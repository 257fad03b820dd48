"""What the demo shop's customers earned and spent: entered day by day, by the same rules as in a real shop."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.customers import Customer
from bot.core.earning import points_for
from bot.core.feedback import Feedback
from bot.core.ledger import EntryKind
from bot.core.loyalty import Program, Reward
from bot.core.orders import Order, OrderStatus
from bot.core.punch_cards import StampKind
from bot.core.shop import Shop
from bot.services.earning import award_feedback_points, award_order_points, settle_points
from bot.services.expiry_warnings import WARNED_AHEAD, months_running_out, warning_key
from bot.services.ids import new_id
from bot.services.ledger import award_points, balance_of
from bot.services.outbox import MAIL
from bot.services.ports import Clock, OutboxEntry, UnitOfWork
from bot.services.punch_cards import add_stamps
from bot.services.rewards import redeem_reward
from bot.services.vouchers import use_voucher

SEED = 20_260_102
# What the fixed people have in the end, on whatever date the demo is loaded.
MARIA_POINTS, JOHN_POINTS = 420, 80
# Of Maria's, what runs out soon.
MARIA_EXPIRING, EXPIRING_IN = 80, timedelta(days=45)
PAPER_CARD, COUNTER = "paper-card", "counter"
DAY = timedelta(days=1)

# Something that happened; it gets a clock that shows when.
Event = Callable[[Clock], Awaitable[object]]


@dataclass(frozen=True)
class Moment:
    """A clock that stands still at a moment of the past."""

    at: datetime

    def now(self) -> datetime:
        """Always the same."""
        return self.at


class Story:
    """What happened, told in the order in which it did."""

    def __init__(self) -> None:
        self._events: list[tuple[datetime, Event]] = []

    def add(self, at: datetime, event: Event) -> None:
        """Something happened at that moment."""
        self._events.append((at, event))

    async def tell(self) -> None:
        """Let it all happen."""
        for at, event in sorted(self._events, key=lambda one: one[0]):
            await event(Moment(at))


class DemoLoyalty:
    """Adds to the story what the shop's programme made of it."""

    def __init__(self, story: Story, work: UnitOfWork, shop: Shop, program: Program, now: datetime) -> None:
        self._story = story
        self._work = work
        self._shop = shop
        self._program = program
        self._now = now
        # Of its own, so that the crowd and its orders are the same with a programme and without.
        self._chance = random.Random(SEED)  # noqa: S311 - the same every time, not a secret

    def maria(self, customer: Customer, orders: Sequence[Order]) -> None:
        """Her paper card was brought along, she has had a mug for most of it, and is two cups short of a free one."""
        began = self._now - 150 * DAY
        mug = _dearest(self._program.rewards, at_most=300)
        # Of the two lots the one that ends first is spent first.
        self._bring_along(customer, "1", MARIA_EXPIRING + (mug.points if mug else 0), began, EXPIRING_IN)
        self._bring_along(customer, "2", MARIA_POINTS - MARIA_EXPIRING - self._worth(orders), began, 200 * DAY)
        if mug:
            self._redeem(customer, self._now - 100 * DAY, lambda _: mug, is_used=True)
        self._stamp(customer, began, 4, StampKind.OPENING, PAPER_CARD)
        self._stamp(customer, self._now - 45 * DAY, 2)
        self._stamp(customer, self._now - 12 * DAY, 1)
        for order in orders:
            self.pay(order)

    def john(self, customer: Customer, kept: Sequence[Order]) -> None:
        """He has what his paper card and the orders brought that he kept."""
        self._bring_along(customer, "1", JOHN_POINTS - self._worth(kept), self._now - 150 * DAY, 300 * DAY)
        for order in kept:
            self.pay(order)

    def somebody(self, customer: Customer, orders: Sequence[Order]) -> None:
        """One of the crowd paid for orders, drank at the counter, and had something for the points.

        None of them has a tag or a level that earns more, or had anything back: their orders need no more than this.
        """
        chance = self._chance
        for order in orders:
            self._earn(customer, order)
        if chance.random() < 0.25:
            self._stamp(customer, self._now - chance.randrange(1, 2_000) * DAY / 24, chance.randrange(1, 12))
        if orders and chance.random() < 0.2:
            last = max(order.placed_at for order in orders)
            at = last + (self._now - last) * chance.random()
            self._redeem(
                *(customer, at, lambda available: _dearest(self._program.rewards, at_most=available)),
                is_used=chance.random() < 0.7,
            )

    def answer(self, feedback: Feedback) -> None:
        """Somebody said something; there are points for some of it."""
        if feedback.answered_at is None or feedback.customer_id is None:
            return
        customer_id, kind, feedback_id = feedback.customer_id, feedback.kind.value, feedback.id
        self._story.add(
            feedback.answered_at,
            lambda clock: award_feedback_points(self._work, clock, self._shop, customer_id, kind, feedback_id),
        )

    def _earn(self, customer: Customer, order: Order) -> None:
        self._story.add(
            order.paid_at or order.placed_at,
            lambda clock: award_order_points(self._work, clock, self._shop, order, customer.id),
        )

    def pay(self, order: Order) -> None:
        """The order was paid, whatever became of it later. Nothing in it is for a card, or brought by a friend."""
        paid = replace(order, status=OrderStatus.PAID)
        self._story.add(
            order.paid_at or order.placed_at, lambda clock: settle_points(self._work, clock, self._shop, paid)
        )

    async def settle(self, clock: Clock, order: Order) -> None:
        """The order became what it is now."""
        await settle_points(self._work, clock, self._shop, order)

    async def warned(self) -> None:
        """Whose points run out soon was told when it was time, so that nobody is written to when the demo starts."""
        until = self._now + WARNED_AHEAD
        for customer_id in await self._work.ledger.running_out(self._now, until, after=None, limit=1_000):
            lots, _ = await self._work.ledger.open_of(customer_id)
            for month in months_running_out(lots, self._now, self._shop.hours.zone):
                key, sent_at = warning_key(customer_id, month), self._now - DAY
                await self._work.outbox.add(OutboxEntry(new_id(), key, MAIL, {}, sent_at, None, 1, sent_at))

    def _worth(self, orders: Iterable[Order]) -> int:
        """What the orders will earn."""
        rules, zone = self._program.earning, self._shop.hours.zone
        if rules is None:
            return 0
        return sum(
            points_for(
                order.lines,
                order.paid_for_goods_minor,
                rules,
                day=(order.paid_at or order.placed_at).astimezone(zone).date(),
            )
            for order in orders
        )

    def _bring_along(self, customer: Customer, number: str, points: int, at: datetime, lasts: timedelta) -> None:
        """Points of a paper card, which run out so long from now."""
        if points <= 0:
            return
        self._story.add(
            at,
            lambda clock: award_points(
                *(self._work, clock, customer.id, EntryKind.OPENING, points),
                key=f"demo:{PAPER_CARD}:{customer.external_id}:{number}",
                expires_at=self._now + lasts,
                source=PAPER_CARD,
            ),
        )

    def _stamp(
        self,
        customer: Customer,
        at: datetime,
        units: int,
        kind: StampKind = StampKind.STAMP,
        source: str = COUNTER,
    ) -> None:
        if not self._program.punch_cards:
            return
        card, key = self._program.punch_cards[0], f"demo:{new_id()}"
        self._story.add(
            at,
            lambda clock: add_stamps(
                *(self._work, clock, self._shop, customer.id, card.id, units), key=key, source=source, kind=kind
            ),
        )

    def _redeem(
        self, customer: Customer, at: datetime, choose: Callable[[int], Reward | None], *, is_used: bool
    ) -> None:
        """They had what they chose of what was within reach."""
        key = f"demo:{new_id()}"

        async def redeem(clock: Clock) -> None:
            available = (await balance_of(self._work, clock, customer.id)).available
            reward = choose(available)
            if reward is None or reward.points > available:
                return
            voucher = await redeem_reward(self._work, clock, self._shop, customer.id, reward.offer.id, key=key)
            if is_used:
                total_minor = max(reward.offer.minimum_minor, reward.offer.effect.amount_minor or 1_000)
                who = customer.id
                await use_voucher(self._work, clock, voucher.code, key=key, customer_id=who, total_minor=total_minor)

        self._story.add(at, redeem)


def _dearest(rewards: Iterable[Reward], *, at_most: int) -> Reward | None:
    return max((one for one in rewards if one.points <= at_most), key=lambda one: one.points, default=None)
