"""Where is my order, and which orders have I placed."""

from __future__ import annotations

import re
from datetime import datetime

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.cards import listed_order_card, order_card
from actions.context import turn_of
from actions.task import Access, Question, Talk, Task
from actions.wording import Button, beside, order_contents, order_line, order_status, payload
from bot.core.orders import Order, OrderStatus
from bot.services.orders import own_order
from bot.services.turn_context import TurnContext

SHOWN_AT_MOST = 5
LISTED_AT_MOST = 10
READ_AT_MOST = 300


class TrackOrder(Task):
    """Shows where an order is, to whoever may know."""

    wish = "track_order"
    title = "looking for your order"
    access = Access.PROVEN_ORDER
    which = "know about"

    def suits(self, order: Order, talk: Talk) -> bool:
        return order.is_open

    async def candidates(self, talk: Talk) -> list[Order]:
        # Whoever waits for nothing asks about the latest order.
        orders = await talk.orders()
        return [order for order in orders if order.is_open] or orders[:1]

    async def question(self, slot: str, talk: Talk) -> Question:
        return await order_question(self, slot, talk)

    async def ask_which_order(self, talk: Talk) -> Question:
        waiting = await self.candidates(talk)
        asked = await super().ask_which_order(talk)
        lines = asked.text.partition("\n")[2]
        text = f"You have {len(waiting)} orders on the way to you:\n{lines}\nWhich one do you mean?"
        return Question(text, asked.brief, asked.choices)

    async def finish(self, talk: Talk) -> None:
        order = await talk.order()
        if order is not None:
            verified = talk.customer is not None and order.customer_id == talk.customer.id
            today = local_now(talk.turn).date()
            status = order_status(order, talk.turn.shop, today, verified=verified)
            # The card says no more than these lines.
            text = f"{status}\n{order_contents(order, talk.turn.shop)}" if verified else status
            cards = [order_card(order, talk.turn.shop, today, verified=verified)]
            report = {"title": "Report it", "payload": payload("report_problem", order_number=order.number)}
            if order.status is not OrderStatus.DELIVERED:
                talk.say(text, cards=cards)
            elif _NOT_HERE.search(details.text_of(talk.tracker)[:READ_AT_MOST]):
                talk.say(
                    f"{status} If it has not reached you, a person will look into it. Shall I report it?", [report]
                )
            else:
                talk.say(text, [{**report, "title": "Something is wrong with it"}], cards=cards)


_NOT_HERE = re.compile(
    r"\b(?:never|not|n[o']?t|nothing|still no|hasn'?t|haven'?t|didn'?t|wasn'?t|no)\b.*"
    r"\b(?:arriv\w*|came|come|here|received?|gotten|got|get|delivered|package|parcel)\b",
    re.IGNORECASE,
)


async def order_question(task: Task, slot: str, talk: Talk) -> Question:
    """How the order and the proof for it are asked for."""
    if slot == "order_proof":
        number = talk.slots["order_number"]
        return Question(
            "So that nobody else sees it, I also need the e-mail address or the postcode "
            f"that order {number} was placed with.",
            f"So, which e-mail address or postcode was order {number} placed with?",
        )
    if talk.customer is not None:
        return await task.ask_which_order(talk)
    prefix = f"{talk.turn.shop.order_prefix}-" if talk.turn.shop.order_prefix else ""
    return Question(
        f"Which order is it? Please send me the order number: it looks like {prefix}12345 "
        "and is in your confirmation e-mail.",
        "So, which order number is it?",
    )


def local_now(turn: TurnContext) -> datetime:
    """The time where the shop is."""
    return turn.clock.now().astimezone(turn.shop.hours.zone)


async def order_spoken_of(turn: TurnContext, tracker: Tracker) -> Order | None:
    """The verified customer's own order that was spoken of last; None without one."""
    number = tracker.get_slot("last_order")
    return await own_order(turn.work, turn.customer.id, number) if turn.customer and number else None


class OrderHistory(Action):
    """Lists a verified customer's orders; a stranger is told how to see theirs."""

    def name(self) -> str:
        return "action_order_history"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            if turn.customer is None:
                dispatcher.utter_message(
                    text="I can list your orders once you have signed in to your account. "
                    "Without that I can look up one order at a time, with its number.",
                    buttons=[{"title": "Find one order", "payload": payload("track_order")}],
                )
                return []
            orders = await turn.work.orders.of_customer(turn.customer.id, LISTED_AT_MOST + 1)
            if not orders:
                dispatcher.utter_message(text="You have not ordered anything yet. I'd be happy to change that!")
                return []
            newest, older = orders[:SHOWN_AT_MOST], orders[SHOWN_AT_MOST:LISTED_AT_MOST]
            cards = [listed_order_card(order, turn.shop, _details_of(order)) for order in newest]
            which = "latest orders" if older else "orders"
            dispatcher.utter_message(
                text=f"These are your {which}, newest first:\n{_lines(newest, turn)}", **beside(cards)
            )
            if older:
                # In a message of its own, because cards are shown in place of all that follows a first line.
                more = "\nThere are older ones, too." if len(orders) > LISTED_AT_MOST else ""
                dispatcher.utter_message(text=f"And before that:\n{_lines(older, turn)}{more}")
            return []


def _lines(orders: list[Order], turn: TurnContext) -> str:
    return "\n".join(order_line(order, turn.shop) for order in orders)


def _details_of(order: Order) -> Button:
    return {"title": f"{order.number}: details", "payload": payload("track_order", order_number=order.number)}
