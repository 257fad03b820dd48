"""Where is my order, and which orders have I placed."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.context import turn_of
from actions.forms import Form, said_before
from actions.wording import TALK_TO_A_PERSON, order_line, order_status
from bot.core.customers import CustomerId
from bot.core.orders import Order, normalise_order_number, proves_order
from bot.services.orders import LookupRefusal, look_up_order, own_order
from bot.services.turn_context import TurnContext

CHOICES_AT_MOST = 5
REFUSED = "refused"
CLEARED = (SlotSet("order_number", None), SlotSet("order_proof", None), SlotSet("order_search", None))


def _entity(tracker: Tracker, name: str) -> dict[str, Any] | None:
    entities = tracker.latest_message.get("entities") or []
    return next((entity for entity in entities if entity["entity"] == name), None)


def _are_the_same_digits(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one stretch of the message was read both ways: `10002` may be an order number or a postcode."""
    return (one["start"], one["end"]) == (other["start"], other["end"])


def _typed_order_number(tracker: Tracker) -> str | None:
    """The order number in the latest message; not the digits given as a postcode when that was asked for."""
    found = _entity(tracker, "order_number")
    if found is None:
        return None
    if tracker.get_slot("requested_slot") == "order_proof":
        postcode = _entity(tracker, "postcode")
        if postcode is not None and _are_the_same_digits(postcode, found):
            return None
    return str(found["value"])


def _typed_proof(tracker: Tracker) -> str | None:
    """The e-mail address or postcode in the latest message; bare digits count only when they were asked for."""
    email = _entity(tracker, "email")
    if email is not None:
        return str(email["value"])
    postcode = _entity(tracker, "postcode")
    if postcode is None:
        return None
    number = _entity(tracker, "order_number")
    same_digits = number is not None and _are_the_same_digits(postcode, number)
    return None if same_digits and tracker.get_slot("requested_slot") != "order_proof" else str(postcode["value"])


class ValidateTrackOrderForm(Form):
    """Takes the order number and the proof from what the customer wrote, in any order and at any time."""

    def name(self) -> str:
        return "validate_track_order_form"

    async def slots_needed(self, tracker: Tracker) -> list[str]:
        if tracker.get_slot("order_search") == REFUSED:
            return []
        async with turn_of(tracker) as turn:
            if turn.customer is not None:
                number = tracker.get_slot("order_number") or _typed_order_number(tracker)
                if number is None or await _owned(turn, turn.customer.id, number) is not None:
                    return []
        # A stranger, or an order that is not among the customer's own: a gift, perhaps.
        return ["order_number", "order_proof"]

    async def extract_order_number(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        found = _typed_order_number(tracker)
        return {"order_number": found} if found is not None else {}

    async def extract_order_proof(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        found = _typed_proof(tracker)
        return {"order_proof": found} if found is not None else {}

    async def validate_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        async with turn_of(tracker) as turn:
            number = normalise_order_number(str(value), turn.shop.order_prefix)
        if number is None:
            dispatcher.utter_message(text="That does not look like an order number.")
        return {"order_number": number}

    async def validate_order_proof(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> dict[str, Any]:
        # Nothing to say of it alone: check_filled compares it with the order.
        return {"order_proof": value}

    async def check_filled(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
        number, proof = tracker.get_slot("order_number"), tracker.get_slot("order_proof")
        if number is None or proof is None:
            return []
        async with turn_of(tracker) as turn:
            found = await look_up_order(
                turn.work,
                turn.clock,
                conversation_id=turn.conversation.id,
                number=number,
                proof=proof,
                limits=turn.shop.lookup_limits,
            )
        if found is LookupRefusal.TOO_MANY_ATTEMPTS:
            return [SlotSet("order_search", REFUSED)]
        if found is LookupRefusal.NO_MATCH:
            dispatcher.utter_message(
                text=f"I find no order {number} with that e-mail address or postcode. "
                "Please check both; you can send me the order number again, too."
            )
            return [SlotSet("order_proof", None)]
        return []


class AskOrderNumber(Action):
    """Asks for the order number; briefly, when it was explained before."""

    def name(self) -> str:
        return "action_ask_order_number"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            prefix = f"{turn.shop.order_prefix}-" if turn.shop.order_prefix else ""
        question = (
            f"Which order is it? Please send me the order number: it looks like {prefix}12345 "
            "and is in your confirmation e-mail."
        )
        dispatcher.utter_message(text="So, which order number is it?" if said_before(tracker, question) else question)
        return []


class AskOrderProof(Action):
    """Asks for the proof that an order is the customer's; briefly, when it was explained before."""

    def name(self) -> str:
        return "action_ask_order_proof"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        number = tracker.get_slot("order_number")
        question = (
            "To keep orders private, I also need the e-mail address or the postcode "
            f"that order {number} was placed with."
        )
        brief = f"So, which e-mail address or postcode was order {number} placed with?"
        dispatcher.utter_message(text=brief if said_before(tracker, question) else question)
        return []


class TrackOrder(Action):
    """Shows where an order is, to whoever may know."""

    def name(self) -> str:
        return "action_track_order"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        number, proof = tracker.get_slot("order_number"), tracker.get_slot("order_proof")
        async with turn_of(tracker) as turn:
            if tracker.get_slot("order_search") == REFUSED:
                _refuse(dispatcher)
            elif turn.customer is not None and proof is None:
                await _show_own(dispatcher, turn, turn.customer.id, number or _typed_order_number(tracker))
            else:
                # Compared once more, because what a slot says is no proof; the attempt itself is counted already.
                order = await turn.work.orders.by_number(number or "")
                if order is None or not proves_order(order, proof or ""):
                    _refuse(dispatcher)
                else:
                    _show(dispatcher, turn, order, verified=False)
        return list(CLEARED)


async def _show_own(
    dispatcher: CollectingDispatcher, turn: TurnContext, customer_id: CustomerId, number: str | None
) -> None:
    order = await _owned(turn, customer_id, number) if number is not None else None
    if order is not None:
        _show(dispatcher, turn, order, verified=True)
    else:
        await _show_open_orders(dispatcher, turn, customer_id)


def _refuse(dispatcher: CollectingDispatcher) -> None:
    dispatcher.utter_message(
        text="That was one try too many, so I cannot look this order up for now. "
        "Sign in to your account to see your orders, or let a person help you.",
        buttons=list(TALK_TO_A_PERSON),
    )


async def _owned(turn: TurnContext, customer_id: CustomerId, typed: str) -> Order | None:
    number = normalise_order_number(typed, turn.shop.order_prefix)
    return await own_order(turn.work, customer_id, number) if number is not None else None


def _show(dispatcher: CollectingDispatcher, turn: TurnContext, order: Order, *, verified: bool) -> None:
    today = turn.clock.now().astimezone(turn.shop.hours.zone).date()
    dispatcher.utter_message(text=order_status(order, turn.shop, today, verified=verified))


async def _show_open_orders(dispatcher: CollectingDispatcher, turn: TurnContext, customer_id: CustomerId) -> None:
    orders = await turn.work.orders.of_customer(customer_id)
    waiting = [order for order in orders if order.is_open]
    if len(waiting) == 1 or (not waiting and orders):
        _show(dispatcher, turn, (waiting or orders)[0], verified=True)
    elif waiting:
        lines = "\n".join(order_line(order, turn.shop) for order in waiting[:CHOICES_AT_MOST])
        dispatcher.utter_message(
            text=f"You have {len(waiting)} orders on the way to you:\n{lines}\nWhich one do you mean?",
            buttons=[
                {"title": order.number, "payload": f'/track_order{{"order_number": "{order.number}"}}'}
                for order in waiting[:CHOICES_AT_MOST]
            ],
        )
    else:
        dispatcher.utter_message(
            text="I don't see any order under your account yet. If you ordered as a guest, send me the order number."
        )


class DropOrderSearch(Action):
    """Forgets a search for an order that the customer does not go on with."""

    def name(self) -> str:
        return "action_drop_order_search"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        return [*CLEARED, SlotSet("requested_slot", None), ActiveLoop(None)]


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
                    buttons=[{"title": "Find one order", "payload": "/track_order"}],
                )
                return []
            orders = await turn.work.orders.of_customer(turn.customer.id)
            if not orders:
                dispatcher.utter_message(text="You have not ordered anything yet. I'd be happy to change that!")
                return []
            lines = "\n".join(order_line(order, turn.shop) for order in orders[: 2 * CHOICES_AT_MOST])
            rest = len(orders) - 2 * CHOICES_AT_MOST
            more = f"\nand {rest} older ones." if rest > 0 else ""
            dispatcher.utter_message(text=f"These are your orders, newest first:\n{lines}{more}")
            return []
