"""Where an order goes, and where the next ones go."""

from __future__ import annotations

import re
from typing import Any

from actions import details
from actions.order_changes import explain_too_late
from actions.orders import order_question
from actions.task import Access, Question, Talk, Task, is_something_else, picked_or_written, who
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, payload
from bot.core.customers import MAX_ADDRESS_CHARACTERS, normalise_address
from bot.core.orders import Order, can_change_address
from bot.errors import OrderActionRefused
from bot.services.orders import change_shipping_address, set_default_address


class _Address(Task):
    """Takes an address, and reads it back."""

    async def details(self, talk: Talk) -> list[str]:
        return ["address", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        return take_address(talk)

    def is_yes(self, text: str) -> bool:
        return _YES_AT_FIRST.search(text) is not None

    async def refuse(self, talk: Talk) -> bool:
        talk.slots["address"] = None  # so it is asked for again
        return False


class ChangeShippingAddress(_Address):
    """Sends an order that has not left yet somewhere else."""

    wish = "change_shipping_address"
    title = "the new address"
    which = "send somewhere else"

    def suits(self, order: Order, talk: Talk) -> bool:
        return can_change_address(order)

    async def no_candidates(self, talk: Talk) -> None:
        talk.say(
            "No order of yours is waiting to be sent, so there is no parcel to redirect. "
            "I can change the address that we keep for your next orders.",
            ({"title": "Set my delivery address", "payload": payload("set_up_shipping_address")}, *TALK_TO_A_PERSON),
        )

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        if order is None or can_change_address(order):
            return False
        explain_too_late(talk, order, "be sent to another address")
        return True

    async def question(self, slot: str, talk: Talk) -> Question:
        number = talk.slots["order_number"]
        if slot == "address":
            return Question(
                f"Where should order {number} go? Please write the whole new address, with postcode and town.",
                f"So, what is the new address for order {number}?",
            )
        if slot == "confirmed":
            text = f"I will send order {number} to: {talk.slots['address']}. Is that right?"
            return Question(text, f"So, shall order {number} go to {talk.slots['address']}?", YES_OR_NO)
        return await order_question(self, slot, talk)

    async def finish(self, talk: Talk) -> None:
        turn, number, address = talk.turn, talk.slots["order_number"], talk.slots["address"]
        try:
            await change_shipping_address(turn.work, turn.clock, turn.shop, who(talk).id, number, address)
        except OrderActionRefused:
            order = await talk.order()
            if order is not None:
                explain_too_late(talk, order, "be sent to another address")
            return
        talk.say(f"Done: order {number} goes to {address}.")


class SetUpShippingAddress(_Address):
    """Keeps an address for the customer's next orders."""

    wish = "set_up_shipping_address"
    title = "your delivery address"
    needs_order = False
    access = Access.VERIFIED

    async def question(self, slot: str, talk: Talk) -> Question:
        if slot == "address":
            kept = talk.customer.address if talk.customer else None
            now = f"At the moment we keep: {kept}. " if kept else ""
            return Question(
                f"{now}Where should your next orders go? Please write the whole address, with postcode and town.",
                "So, which address should I keep for your next orders?",
            )
        text = f"I will keep this address for your next orders: {talk.slots['address']}. Is that right?"
        return Question(text, f"So, shall I keep {talk.slots['address']}?", YES_OR_NO)

    async def finish(self, talk: Talk) -> None:
        turn = talk.turn
        turn.customer = await set_default_address(turn.work, turn.clock, who(talk).id, talk.slots["address"])
        talk.say("Done: your next orders go there. Orders that are already placed keep their address.")


def take_address(talk: Talk) -> dict[str, Any]:
    """The address in the message, when it was asked for, or corrected."""
    if talk.requested == "address":
        written = picked_or_written(talk, "address")
    elif talk.requested == "confirmed":
        # "No, 54 Rizal Avenue": another address instead of a yes or a no.
        said = " ".join(details.text_of(talk.tracker).split())
        written = _NO_AT_FIRST.sub("", said)
        is_yes = details.intent_of(talk.tracker) == "affirm" or _YES_AT_FIRST.search(said) is not None
        is_yes = is_yes or details.typed_order_number(talk.tracker) is not None
        if is_yes or said.endswith("?") or not _looks_whole(written):
            return {}
    elif talk.slots["address"] is None:
        # The question before anything is done shows what was read.
        found = address_in(details.text_of(talk.tracker))
        return {"address": found} if found else {}
    else:
        return {}
    address = normalise_address(written) if written else None
    if address is None or not _looks_whole(address):
        if written and not is_something_else(talk):
            talk.say(
                "That does not look like a whole address yet. You can also say “stop”, or ask for a person.",
                TALK_TO_A_PERSON,
            )
        return {}
    return {"address": address, "confirmed": None}


def address_in(text: str) -> str | None:
    """The address in a wish: "send it to 45 Rizal Avenue, Quezon City 1100 instead, please"; None without one."""
    said = " ".join(text.split())[:MAX_ADDRESS_CHARACTERS]
    match = _TO.search(said)
    address = _POLITELY.sub("", match[1]) if match else ""
    return normalise_address(address) if _looks_whole(address) else None


_TO = re.compile(r"\b(?:to|at):? (?!TC\b)(?=\S)(.*[0-9].*)", re.IGNORECASE)
_POLITELY = re.compile(r"(?:[\s,.!]{0,3}\b(?:instead|pls|please|thanks|thank you)\b[\s,.!]{0,3})+\Z", re.IGNORECASE)
_YES_AT_FIRST = re.compile(r"^\W*(?:yes|yep|yeah|yup|ok|okay|sure|oo|opo)\b", re.IGNORECASE)
_NO_AT_FIRST = re.compile(r"^(?:no|nope|not that|wrong)\b[\s,.!:;-]*(?:it'?s|it is|to|make it)?\s*", re.IGNORECASE)


def _looks_whole(address: str) -> bool:
    """Whether it could be an address: a number and a few words. More cannot be known of the world's addresses."""
    return any(map(str.isdigit, address)) and len(address.split()) >= 3
