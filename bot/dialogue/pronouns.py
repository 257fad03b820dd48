"""What "it" is, where the words alone do not tell: the order that was spoken of, or the shop."""

from __future__ import annotations

import re
from typing import Any

from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.core.conversations import Message
from bot.core.wishes import TOPICS

# The model was taught that whoever asks so looks for the shop.
_SHOP, _ORDER = "store_location", "track_order"
_ABOUT_ORDERS = ("orders", "delivery")
_WHERE_IS_IT = re.compile(
    r"\W*(?:(?:ok(?:ay)?|so|and|but|well|then|now)\W+)*where(?:\W?s| is| are)? (?:it|they|that|this)"
    r"(?: (?:now|then|please|pls))?\W*",
    re.IGNORECASE,
)


def asks_where_it_is(message: Message, parsed: dict[str, Any]) -> bool:
    """Whether a message asks where something is that only what was said before can tell."""
    is_understood_so = parsed["intent"]["name"] == _SHOP and message.payload is None
    return is_understood_so and _WHERE_IS_IT.fullmatch(message.text) is not None


def about_the_order(parsed: dict[str, Any], tracker: DialogueStateTracker | None) -> dict[str, Any]:
    """Such a message as it is meant: about the order that was spoken of last, unless it was the shop since."""
    if tracker is None or tracker.get_slot("last_order") is None:
        return parsed
    wishes = [event.intent_name or "" for event in tracker.events if isinstance(event, UserUttered)]
    topics = [TOPICS[wish] for wish in wishes if wish in TOPICS]
    # After people had the conversation it begins anew, with the order that was spoken of with them.
    if topics and topics[-1] not in _ABOUT_ORDERS:
        return parsed
    intent = {"name": _ORDER, "confidence": parsed["intent"]["confidence"]}
    return {**parsed, "intent": intent, "intent_ranking": [intent]}
