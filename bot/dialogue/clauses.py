"""Two wishes in one message: where a message may be cut, and whether its parts are wishes of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.core.wishes import ASK_KNOWLEDGE, NO_WISH, TASKS, same_wish

Parse = dict[str, Any]

# A part must be understood this surely to count as a wish of its own, and lie this near to a known way to say it.
SURE = 0.7
NEAR = 0.7
WORDS_AT_LEAST = 2
PARTS_AT_MOST = 4
_CUT = re.compile(
    r"(?:[.!?;]+\s+|\n+|\s+[-–—]\s+"
    r"|,?\s+(?:and\s+also|and\s+then|and|also|plus|then|btw|by\s+the\s+way|besides|oh\s+and|&)\s+"
    r"|,\s+(?:but\s+)?(?=(?:can|could|do|does|is|are|when|where|what|how|i|please|pls|tell|also)\b))",
    re.IGNORECASE,
)


def cut(text: str) -> list[str]:
    """The parts of a message that could be wishes of their own; only the message itself when there is just one."""
    parts: list[str] = []
    rest = text
    while len(parts) < PARTS_AT_MOST - 1 and (match := _CUT.search(rest)) is not None:
        parts.append(rest[: match.start()])
        rest = rest[match.end() :]
    parts.append(rest)
    kept = [part.strip(" ,.") for part in parts if len(part.split()) >= WORDS_AT_LEAST]
    return kept if len(kept) > 1 else [text]


def find_wishes(whole: Parse, text: str, parse: Callable[[str], Parse]) -> list[Parse]:
    """The parses of the different wishes in a message, in their order; empty when it is a single one.

    Whatever the whole message is understood as must be among them: otherwise the cut went through something that
    belongs together.
    """
    parts = cut(text)
    if len(parts) < 2:
        return []
    found: list[Parse] = []
    for part in map(parse, parts):
        if not _is_wish(part):
            continue
        if not any(_are_one(part, other) for other in found):
            found.append(part)
    belongs = any(same_wish(_intent(whole), _intent(part)) for part in found) or _intent(whole) in NO_WISH
    return found if len(found) > 1 and belongs else []


def in_order(wishes: Sequence[Parse]) -> list[Parse]:
    """The wishes as they are best answered: what is answered at once comes first, then one that takes several steps.

    Further ones of that kind are named in its `also`, and are offered when it is done.
    """
    at_once = [wish for wish in wishes if _intent(wish) not in TASKS]
    tasks = [wish for wish in wishes if _intent(wish) in TASKS]
    if not tasks:
        return at_once
    also = [{"wish": _intent(wish), "order_number": _order_number(wish)} for wish in tasks[1:]]
    return [*at_once, {**tasks[0], "also": also}]


def _intent(parse: Parse) -> str:
    return str(parse["intent"]["name"])


def _are_one(part: Parse, other: Parse) -> bool:
    """Whether two parts are about one thing: cancelling one order and returning another are two."""
    numbers = {_order_number(part), _order_number(other)} - {None}
    answers = {(wish.get("knowledge") or {}).get("id") for wish in (part, other)}
    two_answers = _intent(part) == _intent(other) == ASK_KNOWLEDGE and len(answers) > 1
    return same_wish(_intent(part), _intent(other)) and len(numbers) < 2 and not two_answers


def _is_wish(parse: Parse) -> bool:
    signals = parse.get("intent_signals") or {}
    return (
        _intent(parse) not in NO_WISH
        and float(parse["intent"].get("confidence") or 0) >= SURE
        and float(signals.get("similarity", 1.0)) >= NEAR
    )


def _order_number(parse: Parse) -> str | None:
    return next((str(one["value"]) for one in parse.get("entities", []) if one["entity"] == "order_number"), None)
