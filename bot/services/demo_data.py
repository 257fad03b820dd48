"""Tala Coffee's customers and orders: three fixed people, and a crowd that is the same every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from faker import Faker

from bot.core.customers import Customer, CustomerId
from bot.core.orders import Order, OrderLine, OrderStatus
from bot.core.refunds import Refund, RefundId, RefundReason, RefundStatus
from bot.core.returns import Return, ReturnStatus
from bot.core.shop import Shop
from bot.services.demo import DEMO_PEOPLE, JOHN, MARIA, DemoPerson
from bot.services.demo_feedback import demo_feedback
from bot.services.demo_loyalty import DemoLoyalty, Story
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, UnitOfWork

SEED = 20_260_101
CROWD = 200
CURRENCY = "USD"
CARRIERS = ("JRS Express", "LBC Express", "J&T Express")

PRODUCTS = (
    ("BEAN-BENGUET-250", "Benguet Arabica, 250 g", 1_450),
    ("BEAN-BARAKO-250", "Batangas Barako, 250 g", 1_200),
    ("BEAN-SAGADA-250", "Sagada medium roast, 250 g", 1_390),
    ("BEAN-DECAF-250", "Mountain decaf, 250 g", 1_490),
    ("MUG-PAROL-350", "Parol mug, 350 ml", 1_800),
    ("COLD-BREW-500", "Cold brew, 500 ml", 650),
    ("GEAR-POUR-OVER", "Pour-over set", 3_400),
    ("GEAR-GRINDER", "Hand grinder", 6_500),
    ("GEAR-FILTERS-100", "Paper filters, 100 pieces", 690),
)


async def load_demo(db: Database, clock: Clock, shop: Shop | None = None) -> int:
    """Load the demo shop into an empty database, and return how many customers it has.

    For a shop that is given also what they said, and with its loyalty programme what they earned and spent. Does
    nothing, and returns 0, where there are customers already: it never touches a real shop's data.
    """
    now = clock.now()
    async with db.transaction() as work:
        if await work.customers.count():
            return 0
        story = Story()
        program = shop.loyalty if shop else None
        loyalty = DemoLoyalty(story, work, shop, program, now) if shop and program else None
        await _load_fixed(work, story, loyalty, now)
        people, orders = await _load_crowd(work, loyalty, now)
        if shop:
            for said in await demo_feedback(work, people, orders, now):
                if loyalty:
                    loyalty.answer(said)
        await story.tell()
        if loyalty:
            await loyalty.warned()
        return await work.customers.count()


async def _load_fixed(work: UnitOfWork, story: Story, loyalty: DemoLoyalty | None, now: datetime) -> None:
    people = {person.external_id: await _add_person(work, person, now) for person in DEMO_PEOPLE}

    def days(number: int) -> datetime:
        return now + timedelta(days=number)

    maria, john = people[MARIA.external_id], people[JOHN.external_id]
    of_maria = (
        _order("TC-10001", maria, OrderStatus.DELIVERED, days(-40), (0, 4), shipped=days(-38), delivered=days(-35)),
        _order("TC-10002", maria, OrderStatus.SHIPPED, days(-4), (2, 8), due=days(2), shipped=days(-1)),
        _order("TC-10003", maria, OrderStatus.PREPARING, days(-1), (6,), due=days(5)),
    )
    kept = _order("TC-10010", john, OrderStatus.DELIVERED, days(-8), (1, 5), shipped=days(-5), delivered=days(-3))
    sent_back = _order("TC-10011", john, OrderStatus.REFUNDED, days(-30), (7,), shipped=days(-28), delivered=days(-26))
    for order in (*of_maria, kept, sent_back):
        await work.orders.add(order)
    if loyalty:
        loyalty.maria(maria, of_maria)
        loyalty.john(john, [kept])
        loyalty.pay(sent_back)

    async def give_back(clock: Clock) -> None:
        await _refund(work, "R-410011", sent_back, john, clock.now(), paid_at=days(-20))
        if loyalty:
            await loyalty.settle(clock, sent_back)

    story.add(days(-24), give_back)


async def _refund(
    work: UnitOfWork, number: str, order: Order, customer: Customer, asked_at: datetime, *, paid_at: datetime
) -> None:
    """What came back and was paid back, a few days later."""
    reason = "The handle was loose."
    sent_back = Return(number, order.number, customer.id, ReturnStatus.REFUNDED, reason, asked_at, order.lines)
    await work.returns.add(sent_back)
    await work.refunds.add(
        Refund(
            id=RefundId(new_id()),
            order_number=order.number,
            amount_minor=order.total_minor,
            currency=order.currency,
            reason=RefundReason.RETURNED,
            status=RefundStatus.PAID,
            requested_at=asked_at,
            return_number=number,
            paid_at=paid_at,
        )
    )


async def _add_person(work: UnitOfWork, person: DemoPerson, now: datetime) -> Customer:
    month, day = person.birthday or (None, None)
    customer = Customer(
        id=CustomerId(new_id()),
        external_id=person.external_id,
        name=person.name,
        email=person.email,
        postcode=person.postcode,
        address=person.address,
        birthday_month=month,
        birthday_day=day,
        created_at=now - timedelta(days=400),
    )
    await work.customers.add(customer)
    return customer


async def _load_crowd(
    work: UnitOfWork, loyalty: DemoLoyalty | None, now: datetime
) -> tuple[list[Customer], list[Order]]:
    people, all_orders = [], []
    fake = Faker("en_PH")
    fake.seed_instance(SEED)
    # Of its own, so that the names stay who they are.
    places = Faker("en_PH")
    places.seed_instance(SEED)
    chance = random.Random(SEED)  # noqa: S311 - the same crowd every time, not a secret
    number = 20_001
    for index in range(CROWD):
        name = fake.name()
        phone, postcode = f"+63 9{chance.randrange(10**9):09d}", f"{chance.randrange(1000, 9999)}"
        customer = Customer(
            id=CustomerId(new_id()),
            external_id=f"C-{2001 + index}",
            name=name,
            email=f"{name.lower().replace(' ', '.').replace('..', '.')}.{index}@example.com",
            phone=phone,
            postcode=postcode,
            address=f"{places.street_address()}, {places.city()} {postcode}, Philippines",
            created_at=now - timedelta(days=chance.randrange(30, 900)),
        )
        await work.customers.add(customer)
        orders = []
        for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
            placed = now - timedelta(days=chance.randrange(1, 365), minutes=chance.randrange(1440))
            items = tuple(chance.sample(range(len(PRODUCTS)), chance.randrange(1, 4)))
            orders.append(_crowd_order(f"TC-{number}", customer, placed, items, now))
            await work.orders.add(orders[-1])
            number += 1
        people.append(customer)
        all_orders += orders
        if loyalty:
            loyalty.somebody(customer, orders)
    return people, all_orders


def _crowd_order(number: str, customer: Customer, placed: datetime, items: Sequence[int], now: datetime) -> Order:
    shipped, due = placed + timedelta(days=2), placed + timedelta(days=6)
    if now < shipped:
        return _order(number, customer, OrderStatus.PREPARING, placed, items, due=due)
    if now < due:
        return _order(number, customer, OrderStatus.SHIPPED, placed, items, due=due, shipped=shipped)
    return _order(number, customer, OrderStatus.DELIVERED, placed, items, shipped=shipped, delivered=due)


def _order(
    number: str,
    customer: Customer,
    status: OrderStatus,
    placed: datetime,
    items: Sequence[int],
    *,
    due: datetime | None = None,
    shipped: datetime | None = None,
    delivered: datetime | None = None,
) -> Order:
    lines = tuple(OrderLine(sku, title, 1, price) for sku, title, price in (PRODUCTS[item] for item in items))
    digits = int(number.rpartition("-")[2])
    return Order(
        number=number,
        customer_id=customer.id,
        email=customer.email,
        postcode=customer.postcode,
        shipping_address=customer.address,
        status=status,
        placed_at=placed,
        total_minor=sum(line.quantity * line.unit_price_minor for line in lines),
        currency=CURRENCY,
        lines=lines,
        due_on=due.date() if due else None,
        shipped_at=shipped,
        delivered_at=delivered,
        paid_at=placed,
        carrier=CARRIERS[digits % len(CARRIERS)] if shipped else None,
        tracking_number=f"TRK{digits * 7919 % 10**9:09d}" if shipped else None,
    )
