"""Typing errors as people make them, from a seeded generator: to train with, and to measure with."""

import random
from collections.abc import Callable, Sequence

# What lies beside each letter on a QWERTY keyboard.
NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm", "k": "jil",
    "l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip
SHORTEST_TEXT = 4


def add_typos(text: str, random_source: random.Random, most: int = 2) -> str:
    """Return the text with one to `most` typing errors: letters swapped, dropped, doubled or hit beside.

    Only letters are touched, so numbers stay as they are. A text of fewer than four letters is
    returned unchanged. The same source in the same state gives the same errors.
    """
    for _ in range(random_source.randint(1, most)):
        places = [place for place, letter in enumerate(text) if letter.lower() in NEIGHBOURS]
        if len(places) < SHORTEST_TEXT:
            return text
        text = random_source.choice(_ERRORS)(text, random_source.choice(places), random_source)
    return text


def _swap(text: str, place: int, _: random.Random) -> str:
    if place + 1 == len(text) or text[place + 1].isspace():
        place -= 1
    return text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :]


def _drop(text: str, place: int, _: random.Random) -> str:
    return text[:place] + text[place + 1 :]


def _double(text: str, place: int, _: random.Random) -> str:
    return text[: place + 1] + text[place:]


def _hit_beside(text: str, place: int, random_source: random.Random) -> str:
    return text[:place] + random_source.choice(NEIGHBOURS[text[place].lower()]) + text[place + 1 :]


_ERRORS: Sequence[Callable[[str, int, random.Random], str]] = (_swap, _drop, _double, _hit_beside)
