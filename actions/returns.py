"""Sending things back, and what went wrong with an order."""

from __future__ import annotations

from typing import Any

from actions import details
from actions.order_changes import items_of, shown
from actions.orders import local_now, order_question
from actions.shop import find_products
from actions.task import (
    CHOICES_AT_MOST,
    Access,
    Question,
    Talk,
    Task,
    is_something_else,
    other_words,
    pick,
    picked_or_written,
    who,
)
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, day, payload
from bot.core.catalogue import Catalogue
from bot.core.orders import CannotReturn, Order, OrderLine, OrderStatus, ReturnTerms, return_terms
from bot.core.requests import RequestKind
from bot.core.returns import returnable_lines
from bot.errors import OrderActionRefused
from bot.services.returns import request_return, returns_of

EVERYTHING = "everything"
_EVERYTHING_WORDS = ("everything", "all of it", "all of them", "the whole order", "both", "all")
_PROBLEMS = ("Something is missing", "It arrived broken", "It is the wrong item")
_REASONS = ("It arrived broken", "It is the wrong item", "I don't like it", "I ordered too much")


class ReturnItem(Task):
    """Registers a return, under a number to write on the parcel."""

    wish = "return_item"
    title = "the return"
    which = "send back"

    def suits(self, order: Order, talk: Talk) -> bool:
        return isinstance(_terms(order, talk), ReturnTerms)

    async def no_candidates(self, talk: Talk) -> None:
        days = talk.turn.shop.policies.returns_days
        talk.say(
            f"None of your orders can be sent back right now: that goes for {days} days after they have arrived. "
            "If something is wrong with one of them, tell me, or talk to a person.",
            ({"title": "Something is wrong", "payload": payload("report_problem")}, *TALK_TO_A_PERSON),
        )

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        if order is None:
            return False
        shop, number = talk.turn.shop, order.number
        terms = _terms(order, talk)
        wrong = {"title": "Something is wrong with it", "payload": payload("report_problem", order_number=number)}
        if isinstance(terms, ReturnTerms):
            lines = await self._lines(talk, order)
            if lines:
                return False
            known = await returns_of(talk.turn.work, number)
            if not known:
                talk.say(
                    f"I don't see what order {number} held, so a person has to register the return.", TALK_TO_A_PERSON
                )
                return True
            talk.say(f"All of order {number} is on its way back already, with the return number {known[-1].number}.")
            return True
        match terms.reason:
            case "not_delivered_yet" if order.status is OrderStatus.SHIPPED:
                talk.say(
                    f"Order {number} is still on its way to you. Once it has arrived, you have "
                    f"{shop.policies.returns_days} days to send it back: just write to me then.",
                    ({"title": "Where is it?", "payload": payload("track_order", order_number=number)},),
                )
            case "not_delivered_yet":
                talk.say(
                    f"Order {number} has not left us yet, so there is nothing to send back: you can simply cancel it.",
                    ({"title": "Cancel it", "payload": payload("cancel_order", order_number=number)},),
                )
            case "too_late":
                talk.say(
                    f"I'm sorry: an order can be sent back within {shop.policies.returns_days} days, "
                    f"and for {number} they are over. If something is wrong with it, a person will look at it.",
                    (wrong, *TALK_TO_A_PERSON),
                )
            case reason:
                word = {"already_returned": "sent back"}.get(reason, reason)
                talk.say(f"Order {number} has already been {word}, so there is nothing to send back.")
        return True

    async def _lines(self, talk: Talk, order: Order) -> tuple[OrderLine, ...]:
        return returnable_lines(order, await returns_of(talk.turn.work, order.number))

    async def details(self, talk: Talk) -> list[str]:
        order = await talk.order()
        lines = await self._lines(talk, order) if order else ()
        if len(lines) == 1:
            talk.slots["item"] = lines[0].sku
        return ["item", "details", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        found: dict[str, Any] = {}
        order = await talk.order()
        if order is not None and (item := await self._item(talk, order)) is not None:
            found["item"] = item
        if (written := picked_or_written(talk, "details") or other_words(talk)) is not None:
            found["details"] = written
        return found

    async def _item(self, talk: Talk, order: Order) -> str | None:
        lines = await self._lines(talk, order)
        picked = picked_or_written(talk, "item")
        skus = {line.sku for line in lines}
        # Before anything else: "all of it" and "both" sound like an answer to another question.
        if talk.requested == "item" and _names_everything(details.text_of(talk.tracker)):
            return EVERYTHING
        if picked in skus or picked == EVERYTHING:
            return picked
        named = [str(entity["value"]) for entity in details.entities(talk.tracker, "product")]
        mentioned = [sku for sku in named if sku in skus]
        if mentioned:
            return ",".join(dict.fromkeys(mentioned))
        if picked is None:
            return None
        words = {word for word in picked.lower().replace(",", " ").split() if len(word) > 2}
        matching = [line.sku for line in lines if words & set(line.title.lower().replace(",", " ").split())]
        if not matching:
            catalogue = talk.turn.content.catalogue
            ours = Catalogue([product for sku in skus if (product := catalogue.product(sku)) is not None])
            matching = [product.sku for product in find_products(ours, picked)]
        if matching:
            return ",".join(matching)
        if not is_something_else(talk):
            talk.say("That is not in this order. You can also say “stop”, or ask for a person.", TALK_TO_A_PERSON)
        return None

    async def question(self, slot: str, talk: Talk) -> Question:
        number = talk.slots["order_number"]
        order = await talk.order()
        match slot:
            case "item" if order is not None:
                lines = await self._lines(talk, order)
                choices = [pick(line.title, item=line.sku) for line in lines[:CHOICES_AT_MOST]]
                return Question(
                    f"What from order {number} would you like to send back?",
                    "So, what would you like to send back?",
                    [*choices, pick("Everything", item=EVERYTHING)],
                )
            case "details":
                return Question(
                    "May I ask why? It helps us to do better.",
                    "So, why would you like to send it back?",
                    [pick(reason, details=reason) for reason in _REASONS],
                )
            case "confirmed" if order is not None:
                terms = _terms(order, talk)
                until = f" by {day(terms.last_day, talk.turn.shop)}" if isinstance(terms, ReturnTerms) else ""
                return Question(
                    f"I will register a return for {self._titles(order, talk)} from order {number}, "
                    f"because: “{shown(talk.slots['details'])}” Please hand in the parcel{until}. Shall I register it?",
                    "So, shall I register the return?",
                    YES_OR_NO,
                )
        return await order_question(self, slot, talk)

    def _titles(self, order: Order, talk: Talk) -> str:
        item = talk.slots["item"]
        if item == EVERYTHING:
            return items_of(order)
        return ", ".join(line.title for line in order.lines if line.sku in item.split(","))

    async def finish(self, talk: Talk) -> None:
        turn, item = talk.turn, talk.slots["item"]
        skus = None if item == EVERYTHING else item.split(",")
        try:
            made = await request_return(
                turn.work,
                turn.clock,
                turn.shop,
                who(talk).id,
                talk.slots["order_number"],
                skus,
                talk.slots["details"],
            )
        except OrderActionRefused as refused:
            talk.say(f"I'm sorry, that did not work: {refused}", TALK_TO_A_PERSON)
            return
        talk.say(
            f"Done: your return has the number {made.number}. Please write it on the parcel; "
            "the rest is in the e-mail that I have just sent you. Your money comes back "
            f"within {turn.shop.policies.refund_days} days after the parcel has reached us."
        )

    async def refuse(self, talk: Talk) -> bool:
        talk.say("All right, I have not registered a return.")
        return True


class ReportProblem(Task):
    """Takes down what is wrong with an order, and brings it to a person."""

    wish = "report_problem"
    title = "the problem report"
    access = Access.PROVEN_ORDER
    which = "report a problem with"

    def suits(self, order: Order, talk: Talk) -> bool:
        return order.status in (OrderStatus.DELIVERED, OrderStatus.SHIPPED)

    async def candidates(self, talk: Talk) -> list[Order]:
        orders = await talk.orders()
        return [order for order in orders if self.suits(order, talk)] or orders

    async def details(self, talk: Talk) -> list[str]:
        return ["details", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        written = picked_or_written(talk, "details") or other_words(talk)
        if written:
            return {"details": written}
        # "My mug arrived broken" says it all; "something is wrong with my order" does not.
        said = details.text_of(talk.tracker)
        first = talk.slots["details"] is None and details.intent_of(talk.tracker) == self.wish
        return {"details": said} if first and _says_what_is_wrong(said) else {}

    async def question(self, slot: str, talk: Talk) -> Question:
        number = talk.slots["order_number"]
        if slot == "details":
            return Question(
                f"I'm sorry about that! What is wrong with order {number}? A sentence or two will do.",
                f"So, what is wrong with order {number}?",
                [pick(text, details=text) for text in _PROBLEMS],
            )
        if slot == "confirmed":
            return Question(
                f"I'm sorry about that. I will report this to our team for order {number}: "
                f"“{shown(talk.slots['details'])}” Shall I send it?",
                "So, shall I send the report?",
                YES_OR_NO,
            )
        return await order_question(self, slot, talk)

    async def finish(self, talk: Talk) -> None:
        turn = talk.turn
        request = await talk.pass_on(
            RequestKind.REPORT_PROBLEM,
            order_number=talk.slots["order_number"],
            contact=_email_proof(talk),
        )
        talk.say(
            f"Thank you. Your report has the number {request.number}. A person will look into it and write to "
            f"{'you' if turn.customer or _email_proof(talk) else 'the e-mail address of the order'}, "
            f"{turn.shop.reply_time}. We put it right: with a new one, or with your money back."
        )


def _terms(order: Order, talk: Talk) -> ReturnTerms | CannotReturn:
    return return_terms(order, talk.turn.shop.policies, local_now(talk.turn))


def _names_everything(text: str) -> bool:
    said = text.lower().strip(" .!")
    return any(said == words or (len(words) > 4 and words in said) for words in _EVERYTHING_WORDS)


def _email_proof(talk: Talk) -> str | None:
    proof = talk.slots["order_proof"]
    return proof if proof and "@" in proof else None


_WRONG = (
    *("broken", "broke", "damaged", "crack", "missing", "wrong", "leak", "stale", "torn", "empty", "never arrived"),
    *("instead of", "chipped", "smashed", "spilled", "spilt", "open", "expired", "mould", "mold", "not in the"),
)


def _says_what_is_wrong(text: str) -> bool:
    low = text.lower()
    return len(low.split()) >= 4 and "something" not in low and any(word in low for word in _WRONG)
