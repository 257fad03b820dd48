"""Cancelling an order, and changing it."""

from __future__ import annotations

import re
from typing import Any

from actions.orders import order_question
from actions.task import Question, Talk, Task, other_words, picked_or_written, who
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, payload
from bot.core.money import money_in_words as money
from bot.core.orders import CancellationTerms, Order, OrderStatus, can_change, cancellation_terms
from bot.core.requests import RequestKind
from bot.errors import OrderActionRefused
from bot.services.orders import cancel_order


class CancelOrder(Task):
    """Cancels an order that has not left yet."""

    wish = "cancel_order"
    title = "the cancellation"
    which = "cancel"

    def suits(self, order: Order, talk: Talk) -> bool:
        return isinstance(cancellation_terms(order, talk.turn.shop.policies), CancellationTerms)

    async def no_candidates(self, talk: Talk) -> None:
        talk.say(
            "None of your orders can be cancelled any more: they have left us, or are done with. "
            "What has arrived can be sent back.",
            ({"title": "Send something back", "payload": payload("return_item")}, *TALK_TO_A_PERSON),
        )

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        if order is None or self.suits(order, talk):
            return False
        explain_too_late(talk, order, "be cancelled")
        return True

    async def details(self, talk: Talk) -> list[str]:
        return ["confirmed"]

    async def question(self, slot: str, talk: Talk) -> Question:
        if slot != "confirmed":
            return await order_question(self, slot, talk)
        order = await talk.order()
        terms = cancellation_terms(order, talk.turn.shop.policies) if order else None
        number = talk.slots["order_number"]
        if order is None or not isinstance(terms, CancellationTerms):
            return Question(f"Shall I cancel order {number}?", f"Shall I cancel order {number}?", YES_OR_NO)
        fee = f"That costs {money(terms.fee_minor, order.currency)}. " if terms.fee_minor else "That costs nothing. "
        back = (
            f"You get {money(terms.refund_minor, order.currency)} back the way you paid. "
            if terms.refund_minor
            else "It is not paid yet, so there is nothing to refund. "
        )
        text = f"I can cancel order {number} ({items_of(order)}). {fee}{back}Shall I cancel it?"
        return Question(text, f"So, shall I cancel order {number}?", YES_OR_NO)

    async def finish(self, talk: Talk) -> None:
        turn, number = talk.turn, talk.slots["order_number"]
        try:
            done = await cancel_order(turn.work, turn.clock, turn.shop, who(talk).id, number)
        except OrderActionRefused:
            order = await talk.order()
            if order is not None:
                explain_too_late(talk, order, "be cancelled")
            return
        back = ""
        if done.refund_minor:
            amount = money(done.refund_minor, done.order.currency)
            back = f" You get {amount} back the way you paid, usually within {turn.shop.policies.refund_days} days."
        talk.say(f"Done: order {number} is cancelled.{back} You get an e-mail that confirms it.")

    def is_yes(self, text: str) -> bool:
        # "Cancel it" stops everything else, and is a yes to "Shall I cancel it?"; a mere "cancel" could be either.
        return _CANCEL_IT.fullmatch(text.strip()) is not None

    async def refuse(self, talk: Talk) -> bool:
        talk.say(f"All right, order {talk.slots['order_number']} stays as it is.")
        return True


_CANCEL_IT = re.compile(
    r"(?:(?:yes|yeah|yep|ok|okay|sure|please|pls|go ahead)\W+){0,2}cancel (?:it|this|that|the order|my order|order)"
    r"(?: (?:now|please|pls|na|po))*[.!]*",
    re.IGNORECASE,
)


class ChangeOrder(Task):
    """Passes a change of an order that has not left yet to the people who pack it."""

    wish = "change_order"
    title = "the change of your order"
    which = "change"

    def suits(self, order: Order, talk: Talk) -> bool:
        return can_change(order)

    async def no_candidates(self, talk: Talk) -> None:
        talk.say(
            "None of your orders can be changed any more: they have left us, or are done with.",
            ({"title": "Order something", "payload": payload("place_order")}, *TALK_TO_A_PERSON),
        )

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        if order is None or can_change(order):
            return False
        explain_too_late(talk, order, "be changed")
        return True

    async def details(self, talk: Talk) -> list[str]:
        return ["details", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        written = picked_or_written(talk, "details") or other_words(talk)
        return {"details": written} if written else {}

    async def question(self, slot: str, talk: Talk) -> Question:
        number = talk.slots["order_number"]
        if slot == "details":
            order = await talk.order()
            items = f" It holds {items_of(order)}." if order else ""
            return Question(
                f"Order {number} is still with us, so it can be changed.{items} What should be different?",
                f"So, what should be different about order {number}?",
            )
        if slot == "confirmed":
            return Question(
                f"I will ask our team to change order {number}: “{shown(talk.slots['details'])}” "
                "They check what is possible and write to you before anything costs more. Shall I pass that on?",
                "So, shall I pass the change on?",
                YES_OR_NO,
            )
        return await order_question(self, slot, talk)

    async def finish(self, talk: Talk) -> None:
        turn, number = talk.turn, talk.slots["order_number"]
        request = await talk.pass_on(
            RequestKind.CHANGE_ORDER,
            order_number=number,
        )
        talk.say(
            f"I have passed it on to our team, under the number {request.number}. "
            f"They will write to you, {turn.shop.reply_time}."
        )


def items_of(order: Order) -> str:
    """What an order holds, in words."""
    items = [f"{line.quantity} × {line.title}" for line in order.lines]
    return ", ".join(items) if items else money(order.total_minor, order.currency)


def shown(text: str, at_most: int = 200) -> str:
    """The customer's own words, for reading back."""
    text = " ".join(text.split())
    return text if len(text) <= at_most else f"{text[:at_most].rstrip()}…"


def explain_too_late(talk: Talk, order: Order, what: str) -> None:
    """Say why an order cannot be changed any more, and what can be done instead."""
    number = order.number
    send_back = {"title": "Send it back", "payload": payload("return_item", order_number=number)}
    days = talk.turn.shop.policies.returns_days
    match order.status:
        case OrderStatus.SHIPPED:
            talk.say(
                f"Order {number} has already left us, so it cannot {what}. "
                f"You can send it back within {days} days once it has arrived.",
                ({"title": "Where is it?", "payload": payload("track_order", order_number=number)}, *TALK_TO_A_PERSON),
            )
        case OrderStatus.DELIVERED:
            talk.say(f"Order {number} has been delivered, so it cannot {what}. But you can send it back.", (send_back,))
        case OrderStatus.CANCELLED:
            talk.say(f"Order {number} is already cancelled.")
        case OrderStatus.RETURNED | OrderStatus.REFUNDED:
            talk.say(f"Order {number} has been {order.status.value} already, so it cannot {what}.")
        case _:
            talk.say(f"Order {number} cannot {what} any more.", TALK_TO_A_PERSON)
