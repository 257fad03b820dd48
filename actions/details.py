"""What the latest message says in particular: numbers, addresses, products, and what was picked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rasa_sdk import Tracker

from actions.history import last_said
from bot.core.verification import find_code


def intent_of(tracker: Tracker) -> str:
    """The wish that the message was understood as."""
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def confidence_of(tracker: Tracker) -> float:
    """How sure that is, from 0 to 1."""
    return float((tracker.latest_message.get("intent") or {}).get("confidence") or 0)


def text_of(tracker: Tracker) -> str:
    """What the customer wrote; empty when they picked a choice, whose text is ours."""
    text = str(tracker.latest_message.get("text") or "")
    return "" if was_picked(tracker) else text.strip()


def was_picked(tracker: Tracker) -> bool:
    """Whether the message is a choice that was picked, and not written."""
    return bool(tracker.latest_message.get("picked"))


def answers_nothing_open(tracker: Tracker) -> bool:
    """Whether a choice was picked that belongs to a question of a form which is over."""
    is_answer = intent_of(tracker) == "provide_details" and was_picked(tracker) and value(tracker, "facet") is None
    return is_answer and tracker.active_loop_name is None and next(entities(tracker, "order_number"), None) is None


def entities(tracker: Tracker, name: str) -> Iterator[dict[str, Any]]:
    """The details of one kind, in order of appearance."""
    return (entity for entity in tracker.latest_message.get("entities") or [] if entity["entity"] == name)


def value(tracker: Tracker, name: str) -> Any:
    """The first detail of one kind; None without one."""
    found = next(entities(tracker, name), None)
    return None if found is None else found["value"]


def requested(tracker: Tracker) -> str | None:
    """The detail that was asked for. What a form asked that is no longer going on is not open any more."""
    asked = tracker.get_slot("requested_slot") if tracker.active_loop_name else None
    return str(asked) if asked else None


def typed_order_numbers(tracker: Tracker) -> list[str]:
    """The order numbers of which the message speaks; only the last where it corrects itself ("not TC-10001 …")."""
    last = typed_order_number(tracker)
    if last is None or _CORRECTS.search(text_of(tracker)) or requested(tracker) is not None:
        return [] if last is None else [last]
    return list(dict.fromkeys(str(one["value"]) for one in entities(tracker, "order_number")))


_CORRECTS = re.compile(r"\b(?:no|not|sorry|meant|mean|instead|wrong|rather)\b", re.IGNORECASE)


def typed_order_number(tracker: Tracker) -> str | None:
    """The order number in the message; not the digits given as a postcode when that was asked for."""
    # "Not TC-10001, TC-10002": the last one is the one that is meant.
    asked = requested(tracker)
    found = list(entities(tracker, "order_number"))
    if asked == "code" and typed_code(tracker) is not None:
        return None
    if not found:
        return bare_number(tracker) if asked == "order_number" else None
    if asked == "order_proof" and not _is_other_number(tracker):
        postcodes = [(one["start"], one["end"]) for one in entities(tracker, "postcode")]
        found = [one for one in found if (one["start"], one["end"]) not in postcodes]
    return str(found[-1]["value"]) if found else None


def bare_number(tracker: Tracker) -> str | None:
    """The one number of a message that holds little else: an order's, if there is such an order."""
    match = _BARE_NUMBER.fullmatch(text_of(tracker))
    return match[1] if match else None


def _is_other_number(tracker: Tracker) -> bool:
    """Whether the digits that came for a proof correct the order's number, and not a postcode that was wrong."""
    was_refused = any(said.startswith("I find no order") for said in last_said(tracker))
    return not was_refused and _MEANT.search(text_of(tracker)) is not None


_MEANT = re.compile(r"\b(?:meant|mean|make it|instead)\b", re.IGNORECASE)


# What is a number only because one was asked for: orders from elsewhere may have any, such as 536365 or C536379.
_BARE_NUMBER = re.compile(
    r"\W*(?:(?:no|sorry|ok|okay|it|its|is|it'?s|the|number|order|i|meant|mean|make)\b\W*){0,6}"
    r"([a-z]{0,4}-?[0-9]{4,12})\W*",
    re.IGNORECASE,
)


def typed_proof(tracker: Tracker) -> str | None:
    """The e-mail address or postcode in the message; bare digits count only when they were asked for."""
    email = value(tracker, "email")
    if email is not None:
        return str(email)
    numbers = [(one["start"], one["end"]) for one in entities(tracker, "order_number")]
    for postcode in entities(tracker, "postcode"):
        same_digits = (postcode["start"], postcode["end"]) in numbers
        if not same_digits or (requested(tracker) == "order_proof" and not _is_other_number(tracker)):
            return str(postcode["value"])
    return None


def typed_code(tracker: Tracker) -> str | None:
    """The six digits of a one-time code, however they are grouped."""
    return find_code(text_of(tracker))
