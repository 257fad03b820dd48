"""What a person should know who takes a conversation over: taken from it, and nothing made up."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker

from actions.wording import WISH_TITLES
from bot.core.sentiment import Mood, sentiment_of
from bot.core.wishes import TOPICS

MESSAGES_LOOKED_AT = 8
WISHES_NAMED = 5
# Details of messages that help a person; codes and the like are nobody's business.
_DETAILS = ("order_number", "product", "email", "phone")


def latest_wish(tracker: Tracker) -> str | None:
    """What the customer wanted last, before a person."""
    wishes = _wishes(tracker)
    return wishes[-1] if wishes else None


def summary_of(tracker: Tracker) -> dict[str, str]:
    """What was wanted, which details were named, what the assistant has tried, and how the customer feels."""
    said = _said(tracker)
    wishes = list(dict.fromkeys(WISH_TITLES[wish] for wish in reversed(_wishes(tracker))))[:WISHES_NAMED]
    found = {
        "wish": wishes[0] if wishes else None,
        "order": tracker.get_slot("order_number") or tracker.get_slot("last_order"),
        "details": ", ".join(dict.fromkeys(_details(said))),
        "tried": ", ".join(wishes[1:]),
        "mood": _mood(said),
    }
    return {name: str(value) for name, value in found.items() if value}


def _said(tracker: Tracker) -> list[dict[str, Any]]:
    return [event for event in tracker.events if event["event"] == "user"][-MESSAGES_LOOKED_AT:]


def _wishes(tracker: Tracker) -> list[str]:
    names = [str(((one.get("parse_data") or {}).get("intent") or {}).get("name")) for one in _said(tracker)]
    return [name for name in names if name in TOPICS]


def _details(said: list[dict[str, Any]]) -> list[str]:
    entities = [entity for one in said for entity in (one.get("parse_data") or {}).get("entities") or []]
    return [str(entity["value"]) for entity in entities if entity["entity"] in _DETAILS]


def _mood(said: list[dict[str, Any]]) -> str | None:
    """The worst of the last moods, with the words that say so."""
    written = [str(one.get("text") or "") for one in said if not (one.get("parse_data") or {}).get("picked")]
    moods = [sentiment_of(text) for text in written]
    for mood in (Mood.ANGRY, Mood.UNHAPPY):
        found = next((one for one in reversed(moods) if one.mood is mood), None)
        if found is not None:
            return f"{mood.value} ({', '.join(found.because)})" if found.because else mood.value
    return None
