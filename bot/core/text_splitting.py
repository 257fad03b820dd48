"""Long texts in parts that a channel takes, cut where a reader would pause."""

from __future__ import annotations

import re
import unicodedata

# From the best place to the worst. A place counts only in the second half of what fits, so that parts are not tiny.
_PAUSES = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"[.!?…][\"')\]]*\s", r"[,;:]\s", r"\s"))
_JOINER = "\N{ZERO WIDTH JOINER}"


def utf16_length(text: str) -> int:
    """The length in UTF-16 units, as most messaging platforms count: an emoji is two or more."""
    return len(text) + sum(character > "\uffff" for character in text)


def split_text(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit` UTF-16 units; nothing but white space at the cuts is lost.

    Cut between paragraphs if possible, else lines, sentences, words, and only then in the middle of a word; what looks
    like one character is not cut unless it alone is longer than the limit. No text makes no part.
    """
    if limit < 2:
        raise ValueError("a part must have room for any character: two units")
    parts = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        fits = _fitting(rest, limit)
        cut = _pause(rest, fits) or _between_characters(rest, fits)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _fitting(text: str, limit: int) -> int:
    """How many characters of the text fit into so many units."""
    units = 0
    for place, character in enumerate(text):
        units += 1 + (character > "\uffff")
        if units > limit:
            return place
    return len(text)


def _pause(text: str, fits: int) -> int | None:
    """The last good place to cut within the first `fits` characters; the white space at a cut need not fit."""
    for pattern in _PAUSES:
        places = [match.end() for match in pattern.finditer(text[: fits + 1], fits // 2) if match.start() > 0]
        if places:
            return min(places[-1], fits)
    return None


def _between_characters(text: str, fits: int) -> int:
    place = fits
    while place > 0 and _continues(text, place):
        place -= 1
    return place or fits


def _continues(text: str, place: int) -> bool:
    """Whether what stands there belongs to the character before it."""
    return (
        text[place] == _JOINER or text[place - 1] == _JOINER or unicodedata.category(text[place]) in ("Mn", "Me", "Cf")
    )
