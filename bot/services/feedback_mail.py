"""Asking by e-mail how a delivered order was."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from bot.core.consents import FEEDBACK
from bot.core.customers import Customer
from bot.core.feedback import UNHAPPY_FOR, Question, Survey, asked_about_deliveries
from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop
from bot.services.consents import queue_optional_mail
from bot.services.feedback import ask_about_order, why_not
from bot.services.one_by_one import one_by_one
from bot.services.ports import Clock, Database, PageLinks, UnitOfWork

ORDERS_AT_ONCE = 100


async def ask_after_delivery(db: Database, clock: Clock, shop: Shop, links: PageLinks) -> int:
    """Ask about the orders that arrived the shop's number of days ago, each once, and return how many were asked about.

    Whoever cannot be asked today is looked at again for a week. Safe to repeat, and at the same time.
    """
    if Survey.ORDER not in shop.feedback.surveys:
        return 0
    delivered = asked_about_deliveries(shop.feedback, clock.now())
    ask = partial(_ask, clock, shop, links, delivered)
    asked, past = 0, None
    while True:
        async with db.reading() as work:
            # Two of the rules are looked up here already, so that the others are not tried again and again.
            orders = await work.feedback.deliveries_to_ask(
                delivered,
                asked_before=clock.now() - timedelta(days=shop.feedback.days_between_questions),
                unhappy_before=clock.now() - UNHAPPY_FOR,
                past=past,
                limit=ORDERS_AT_ONCE,
            )
            due = [order for order in orders if await _may_be_asked(work, clock, shop, order)]
        asked += await one_by_one(db, due, ask, what="questions about orders")
        if len(orders) < ORDERS_AT_ONCE:
            return asked
        past = orders[-1]


async def _may_be_asked(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> bool:
    customer = await work.customers.get(order.customer_id) if order.customer_id else None
    return customer is not None and await why_not(work, clock, shop, Survey.ORDER, customer) is None


async def _ask(
    clock: Clock, shop: Shop, links: PageLinks, delivered: tuple[datetime, datetime], work: UnitOfWork, due: Order
) -> bool:
    """Ask about an order, unless something has come in between: a return, a complaint, another question."""
    order = await work.orders.by_number(due.number)
    customer = await work.customers.get(order.customer_id) if order and order.customer_id else None
    if order is None or customer is None or customer.email is None or order.status is not OrderStatus.DELIVERED:
        return False
    if order.delivered_at is None or not delivered[0] < order.delivered_at <= delivered[1]:
        return False
    question = await ask_about_order(work, clock, shop, order, customer)
    if question is None:
        return False
    return await queue_optional_mail(
        work,
        clock,
        links,
        key=f"feedback:{question.feedback_id}",
        to=customer.email,
        purpose=FEEDBACK,
        subject=f"[{shop.name}] How was your order {order.number}?",
        body=_mail(shop, customer, order, question, links, clock.now()),
        reply_to=shop.contact_email,
    )


def _mail(shop: Shop, customer: Customer, order: Order, question: Question, links: PageLinks, now: datetime) -> str:
    scale = question.scale
    when = ""
    if order.delivered_at is not None:
        day = order.delivered_at.astimezone(shop.hours.zone).date()
        when = f" on {day.day} {day:%B}"
    return "\n".join(
        [
            f"Hello {customer.first_name}," if customer.first_name else "Hello,",
            "",
            f"your order {order.number} reached you{when}. {question.text}",
            "",
            *(f"{scale.label(score)}: {links.feedback(question.feedback_id, now, score)}" for score in scale.scores),
            "",
            "A page opens on which you can add a few words. Nothing is sent before you press the button there.",
            "",
            "Is something wrong with the order? Answer this mail, and somebody will see to it.",
            "",
            shop.name,
        ]
    )
