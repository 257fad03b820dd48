"""Invoices and refunds."""

from __future__ import annotations

import re
from dataclasses import replace

from actions import details
from actions.order_changes import CancelOrder
from actions.orders import order_question
from actions.returns import ReturnItem
from actions.task import Access, Question, Talk, Task
from actions.wording import TALK_TO_A_PERSON, day, payload
from bot.core.money import money_in_words as money
from bot.core.orders import Order, OrderStatus
from bot.core.refunds import Refund, RefundStatus
from bot.core.returns import ReturnStatus
from bot.core.shop import Shop
from bot.services.orders import refunds_of
from bot.services.returns import returns_of
from bot.services.turn_context import TurnContext


class Invoice(Task):
    """Gives a link to the invoice of an order, for as long as the link lasts."""

    wish = "get_invoice"
    title = "the invoice"
    which = "have the invoice of"

    async def question(self, slot: str, talk: Talk) -> Question:
        asked = await order_question(self, slot, talk)
        lines = asked.text.partition("\n")[1:]
        return replace(asked, text="".join(("Which order's invoice would you like?", *lines))) if lines[0] else asked

    async def finish(self, talk: Talk) -> None:
        turn, number = talk.turn, talk.slots["order_number"]
        link = turn.links.invoice(number, turn.clock.now())
        hours = turn.shop.policies.invoice_link_hours
        talk.say(f"Here is the invoice of order {number}, to read or print: {link}\nThe link works for {hours} hours.")


class CheckInvoice(Invoice):
    """The same under its other name."""

    wish = "check_invoice"


_HOW_MUCH = re.compile(r"\b(?:how much|what do i get|will i get)\b", re.IGNORECASE)


class TrackRefund(Task):
    """Says where a refund is."""

    wish = "track_refund"
    title = "your refund"
    access = Access.PROVEN_ORDER
    which = "know the refund of"

    def is_meant(self, talk: Talk) -> bool:
        # Whoever is sending something back asks what that will bring, and not where another refund is.
        is_sending_back = talk.slots["wish"] == "return_item" and details.typed_order_number(talk.tracker) is None
        return not (is_sending_back and _HOW_MUCH.search(details.text_of(talk.tracker)))

    def suits(self, order: Order, talk: Talk) -> bool:
        return order.status in (OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED)

    async def candidates(self, talk: Talk) -> list[Order]:
        orders = await talk.orders()
        concerned = []
        for order in orders:
            work = talk.turn.work
            if self.suits(order, talk) or await refunds_of(work, order.number) or await returns_of(work, order.number):
                concerned.append(order)
        return concerned

    async def no_candidates(self, talk: Talk) -> None:
        talk.say(
            "I see no refund and no return for any of your orders. "
            "If you sent something back without registering it, a person can find it.",
            ({"title": "Send something back", "payload": payload("return_item")}, *TALK_TO_A_PERSON),
        )

    async def question(self, slot: str, talk: Talk) -> Question:
        return await order_question(self, slot, talk)

    async def finish(self, talk: Talk) -> None:
        talk.say(await refund_in_words(talk.turn, talk.slots["order_number"]))


async def refund_in_words(turn: TurnContext, number: str) -> str:
    """Where the refunds of an order are; whoever only proves the order hears no amounts, dates and return numbers."""
    order = await turn.work.orders.by_number(number)
    is_own = turn.customer is not None and order is not None and order.customer_id == turn.customer.id
    refunds = await refunds_of(turn.work, number)
    refunded = {refund.return_number for refund in refunds}
    said = [_refund(refund, turn.shop) if is_own else _REFUND_BRIEFLY[refund.status] for refund in refunds]
    for back in await returns_of(turn.work, number):
        if back.number not in refunded and back.status is not ReturnStatus.REFUSED:
            name = f"Your return {back.number}" if is_own else "A return"
            days = turn.shop.policies.refund_days
            said.append(
                f"{name} has reached us; the money follows within {days} days."
                if back.status is ReturnStatus.RECEIVED
                else f"{name} is registered. The money follows within {days} days after the parcel has reached us."
            )
    if not said:
        is_refunded = order is not None and order.status is OrderStatus.REFUNDED
        said.append("It has been refunded." if is_refunded else "There is no refund and no return for it.")
    return f"Order {number}: {' '.join(said)}"


_REFUND_BRIEFLY = {
    RefundStatus.PENDING: "The money is on its way back.",
    RefundStatus.PAID: "The money has been sent back the way it was paid. Some banks take a few days to show it.",
}


def _refund(refund: Refund, shop: Shop) -> str:
    amount = money(refund.amount_minor, refund.currency)
    if refund.status is RefundStatus.PAID:
        when = f" on {day(refund.paid_at, shop)}" if refund.paid_at else ""
        return f"We sent {amount} back{when}, the way you paid. Some banks take a few days to show it."
    return (
        f"{amount} is on its way back to you since {day(refund.requested_at, shop)}; "
        f"that usually takes up to {shop.policies.refund_days} days."
    )


class GetRefund(Task):
    """Money back: by cancelling what has not left yet, or by sending back what has arrived."""

    wish = "get_refund"
    title = "your refund"
    which = "have your money back for"

    def suits(self, order: Order, talk: Talk) -> bool:
        return CancelOrder().suits(order, talk) or ReturnItem().suits(order, talk)

    async def no_candidates(self, talk: Talk) -> None:
        days = talk.turn.shop.policies.returns_days
        talk.say(
            f"None of your orders can be refunded by itself: that goes before they leave us, and for {days} days after "
            "they have arrived. If something is wrong with one, tell me.",
            ({"title": "Something is wrong", "payload": payload("report_problem")}, *TALK_TO_A_PERSON),
        )

    async def question(self, slot: str, talk: Talk) -> Question:
        return await order_question(self, slot, talk)

    async def finish(self, talk: Talk) -> None:
        order = await talk.order()
        if order is None:
            return
        number = order.number
        if CancelOrder().suits(order, talk):
            talk.say(
                f"Order {number} has not left us yet. If you cancel it, you get your money back.",
                ({"title": "Cancel it", "payload": payload("cancel_order", order_number=number)}, *TALK_TO_A_PERSON),
            )
        elif ReturnItem().suits(order, talk):
            talk.say(
                f"Order {number} has arrived. If you send it back, you get your money back; "
                "if it is broken or wrong, tell me, and we put it right.",
                (
                    {"title": "Send it back", "payload": payload("return_item", order_number=number)},
                    {"title": "Something is wrong with it", "payload": payload("report_problem", order_number=number)},
                ),
            )
        elif order.status in (OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED):
            await TrackRefund().finish(talk)
        else:
            await ReturnItem().obstacle(talk, order)
