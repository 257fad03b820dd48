"""Facts about the shop, and what it sells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.wording import Button, day, payload
from bot.core.catalogue import Catalogue, Product
from bot.core.money import money_in_words as money
from bot.core.money import to_minor_units
from bot.core.shop import Shop

SHOWN_AT_MOST = 4
NO_COFFEE = "no coffee"
TASTES = ("fruity", "chocolatey", "strong", "decaf", "gift")


class OpeningHours(Action):
    """Says whether the shop is open now, and when it is."""

    def name(self) -> str:
        return "action_opening_hours"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            hours, now = turn.shop.hours, turn.clock.now()
            if hours.is_open(now):
                closes = hours.closes_at(now)
                until = f" until {closes.astimezone(hours.zone):%H:%M}" if closes else ""
                status = f"We are open right now{until}."
            elif (opens := hours.next_opening(now)) is not None:
                local = opens.astimezone(hours.zone)
                today = local.date() == now.astimezone(hours.zone).date()
                when = "today" if today else f"on {day(opens, turn.shop)}"
                status = f"We are closed right now. We open again {when} at {local:%H:%M}."
            else:
                status = "We are closed right now."
            week = "\n".join(f"{days}: {times}" for days, times in hours.describe_week())
            dispatcher.utter_message(text=f"{status} Our opening hours:\n{week}\nI'm here around the clock.")
        return []


class ProductAvailability(Action):
    """Says whether something is to be had, and what it costs."""

    def name(self) -> str:
        return "action_product_availability"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            catalogue, shop = turn.content.catalogue, turn.shop
        named = [catalogue.product(str(entity["value"])) for entity in details.entities(tracker, "product")]
        products = [product for product in named if product is not None]
        last = catalogue.product(str(tracker.get_slot("last_product")))
        if not products and last is not None and _THAT.search(details.text_of(tracker)):
            products = [last]
        if products:
            answers = [_availability(product, shop) for product in products[:SHOWN_AT_MOST]]
            dispatcher.utter_message(text="\n".join(answers))
            return [SlotSet("last_product", products[0].sku)]
        text = details.text_of(tracker)
        found = find_products(catalogue, text)
        if _CHEAP.search(text):
            found.sort(key=lambda product: product.price_minor)
        if found:
            lines = "\n".join(_line(product, shop) for product in found[:SHOWN_AT_MOST])
            dispatcher.utter_message(text=f"This is what we have:\n{lines}{_more(found, shop)}")
        else:
            *kinds, last_kind = dict.fromkeys(product.category for product in catalogue.products) or ("",)
            have = f"We have {', '.join(kinds)} and {last_kind}. " if kinds else ""
            dispatcher.utter_message(text=f"{have}Which product do you mean?{_shop_link(shop)}")
        return []


class RecommendProduct(Action):
    """Suggests products by what the customer likes."""

    def name(self) -> str:
        return "action_recommend_product"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            catalogue, shop = turn.content.catalogue, turn.shop
            text = str(details.value(tracker, "taste") or details.text_of(tracker))
            bought = set()
            if turn.customer is not None:
                orders = await turn.work.orders.of_customer(turn.customer.id)
                bought = {line.sku for order in orders for line in order.lines}
        found = [product for product in find_products(catalogue, text) if product.available]
        most = _most_minor(tracker, shop)
        if most is not None:
            found = [product for product in found or catalogue.products if product.price_minor <= most]
        if _CHEAP.search(text):
            found.sort(key=lambda product: product.price_minor)
        if found:
            # What somebody does not know yet is the better suggestion.
            found = sorted(found, key=lambda product: product.sku in bought)
            lines = "\n".join(_line(product, shop) for product in found[:3])
            dispatcher.utter_message(text=f"I'd try one of these:\n{lines}{_shop_link(shop)}")
        else:
            tags = {tag for product in catalogue.products for tag in product.tags}
            choices: list[Button] = [
                {"title": taste.capitalize(), "payload": payload("recommend_product", taste=taste)}
                for taste in TASTES
                if taste in tags
            ]
            dispatcher.utter_message(text="With pleasure! What do you like, or who is it for?", buttons=choices or None)
        return []


# "Is it in stock": the product that was spoken of last.
_THAT = re.compile(r"\b(?:it|that|this|them|those|these)\b", re.IGNORECASE)
_CHEAP = re.compile(r"\b(?:cheap|cheaper|cheapest|budget|affordable|mura|pinakamura)\b", re.IGNORECASE)


def _most_minor(tracker: Tracker, shop: Shop) -> int | None:
    """The most that it may cost, if the message says so in the shop's currency."""
    amount, _, currency = str(details.value(tracker, "amount") or "").partition(" ")
    if not amount or currency not in ("", shop.currency):
        return None
    try:
        return to_minor_units(Decimal(amount), shop.currency)
    except ValueError:  # cents, where the currency has none
        return None


# Words that nearly every question about products has in it, and that tell none from another.
_SAYING_NOTHING = frozenset("coffee kape have sell stock with your this that some thing something good best".split())


def find_products(catalogue: Catalogue, text: str) -> list[Product]:
    """The products whose kind, name or taste the text mentions; those with most in common, in the catalogue's order."""
    said = "".join(letter if letter.isalnum() else " " for letter in text.lower())
    everything = {_stem(word) for word in said.split()}
    words = everything - _SAYING_NOTHING
    scored = []
    for product in catalogue.products:
        if NO_COFFEE in product.tags and "coffee" in everything:
            continue
        tags = {_stem(part) for tag in product.tags for part in tag.lower().split()}
        kind = {_stem(word) for word in product.category.lower().split()}
        names = {_stem(word) for word in product.name.lower().replace(",", " ").split() if len(word) > 3}
        score = 3 * len(words & tags) + 2 * len(words & kind) + len(words & (names - _SAYING_NOTHING))
        if score:
            scored.append((score, product))
    best = max((score for score, _ in scored), default=0)
    return [product for score, product in scored if score == best]


def _stem(word: str) -> str:
    # "Chocolate", "chocolatey"; "mugs", "mug".
    word = word.removesuffix("s")
    return word.removesuffix("y").removesuffix("e") if len(word) > 6 else word


def _availability(product: Product, shop: Shop) -> str:
    price = money(product.price_minor, shop.currency)
    about = f" {product.description}" if product.description else ""
    if product.available:
        return f"Yes, we have {product.name} for {price}.{about}{_at(product)}"
    return f"{product.name} ({price}) is sold out right now, I'm sorry.{about}"


def _at(product: Product) -> str:
    return f" {product.url}" if product.url else ""


def _line(product: Product, shop: Shop) -> str:
    sold_out = "" if product.available else " (sold out right now)"
    about = f": {product.description}" if product.description else ""
    return f"• {product.name}, {money(product.price_minor, shop.currency)}{sold_out}{about}"


def _more(found: Sequence[Product], shop: Shop) -> str:
    return f"\nand {len(found) - SHOWN_AT_MOST} more.{_shop_link(shop)}" if len(found) > SHOWN_AT_MOST else ""


def _shop_link(shop: Shop) -> str:
    return f"\nYou find everything at {shop.links['shop']}" if shop.links.get("shop") else ""
