"""What feedback is about: themes, each with the words that speak for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NewType

ImprovementId = NewType("ImprovementId", str)

MAX_THEME_CHARACTERS = 40
MAX_BECAUSE_CHARACTERS = 200
# Shorter words, and beginnings, are too near to other words for a slip in them to be forgiven.
_LONG_WORD, _LONG_BEGINNING = 8, 7
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*\*?")

# Separated by commas. A word stands for its plural, too; with a star it stands for everything that begins with it.
_BUILT_IN: Mapping[str, str] = {
    "delivery": "deliver*, shipping, shipped, shipment*, courier*, parcel, late, arrive*, arrival, tracking, driver, "
    "doorstep, still waiting, took forever, took ages, never came, on time, transit",
    "packaging": "packaging, package*, packed, packing, box, boxes, wrapped, wrapping, bubble wrap, carton, leak, "
    "leaky, leaked, leaking, spilled, spilt, crushed, dented, squashed, plastic, sealed",
    "taste": "taste*, tasting, tasty, flavour*, flavor*, bitter, sour, stale, bland, burnt, aroma*, smell*, fresh*, "
    "delicious, yummy, acidic, sweet, too strong, too weak, watery, aftertaste",
    "price": "price*, pricing, pricey, overpriced, expensive, cheap*, cost, costly, fee, affordable, value for money, "
    "worth the money, worth it, too much money, discount*",
    "service": "staff, barista*, rude*, friendly, friendliness, unfriendly, polite*, impolite, helpful, unhelpful, "
    "customer service, customer support, support, service*, employee*, cashier*, waiter*, manager, agent, team, "
    "nobody answers, no answer, no reply, never replied, ignore*",
    "website": "website*, web site, webshop, online shop, site, app, chat, chatbot*, bot, login, log in, sign in, "
    "signing in, password, checkout, web page, crashes, crashed, assistant",
    "quality": "quality, broken, broke, chipped, crack*, defect*, faulty, fell apart, falls apart, flimsy, sturdy, "
    "durable, scratch*, loose, wobbly, rusty, rusted, stopped working, not working, doesn't work, does not work, "
    "didn't work, well made, poorly made, wrong size, damage*",
    "availability": "out of stock, sold out, in stock, back in stock, stock, restock*, available, unavailable, "
    "availability, ran out, run out, discontinued, no longer sell, don't have it",
    "loyalty": "points, loyalty, reward*, stamp, punch card*, voucher*, coupon*, membership, gift card*, "
    "birthday treat, birthday gift, regular customer, referral*",
    "payment": "pay, paid, paying, payment*, charged, overcharge*, credit card*, invoice*, receipt, paypal",
    "returns": "return*, refund*, money back, exchange*, send it back, sent it back, send back, sent back",
    "choice": "selection, variety, assortment, choice*, range, more options, wish you had, wish you sold",
}
BUILT_IN: Mapping[str, tuple[str, ...]] = {theme: tuple(words.split(", ")) for theme, words in _BUILT_IN.items()}
# Words in good order that look like a misspelt one of the above.
_NOT_MISSPELT = frozenset(
    "favour favours favoured favouring favourite favourites favourable shopping slipping skipping tracing stacking "
    "extensive expansive discontent singing employed employer employers employment".split()
)


@dataclass(frozen=True)
class FoundTheme:
    """A theme that a text speaks of, and the words of the text that say so."""

    theme: str
    because: str


def find_themes(text: str, own: Mapping[str, Sequence[str]] | None = None) -> tuple[FoundTheme, ...]:
    """The themes of a text, in the order of the lists. `own` are the shop's: more words for a theme, or more themes.

    Upper and lower case are the same, and one slip in a long word is forgiven.
    """
    written = _TOKEN.findall(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    tokens = [word.lower() for word in written]
    themes = all_themes(own)
    # A word of one list is no misspelt word of another (crashed, crushed).
    well_spelt = {token for token in tokens if any(_is_spelt(token, entry) for entry in chain(*themes.values()))}
    found = []
    for theme, entries in themes.items():
        places = {place for entry in entries for place in _places(entry, tokens, well_spelt)}
        if places:
            found.append(FoundTheme(theme, _because(written, places)))
    return tuple(found)


def all_themes(own: Mapping[str, Sequence[str]] | None = None) -> dict[str, tuple[str, ...]]:
    """Every theme with its words, the shop's own ones added."""
    themes = dict(BUILT_IN)
    for theme, words in (own or {}).items():
        themes[theme] = (*themes.get(theme, ()), *(word.lower() for word in words))
    return themes


def is_theme_word(text: str) -> bool:
    """Whether this can be a word, or some words, for a theme: letters and digits, a star at the end at most."""
    words = text.split()
    return bool(words) and all(_WORD.fullmatch(word) for word in words) and "*" not in " ".join(words)[:-1]


def _places(entry: str, tokens: Sequence[str], well_spelt: Set[str]) -> Iterator[tuple[int, int]]:
    """Where in the text the words of an entry stand, one after the other: the first place, and the one after."""
    words = _words_of(entry)
    for first in range(len(tokens) - len(words) + 1):
        after = first + len(words)
        if all(
            _is_spelt(token, word) or (token not in well_spelt and _is_misspelt(token, word))
            for token, word in zip(tokens[first:after], words, strict=True)
        ):
            yield first, after


def _words_of(entry: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?\*?", entry)


def _is_spelt(token: str, word: str) -> bool:
    return token.startswith(word[:-1]) if word.endswith("*") else token in (word, f"{word}s", f"{word}'s")


def _is_misspelt(token: str, word: str) -> bool:
    """Whether it is the word with one slip. Nobody slips on the first letter."""
    plain = word.rstrip("*")
    is_beginning = plain != word
    if len(plain) < (_LONG_BEGINNING if is_beginning else _LONG_WORD) or token[0] != plain[0] or token in _NOT_MISSPELT:
        return False
    lengths = range(len(plain) - 1, len(plain) + 2) if is_beginning else [len(token)]
    return any(_is_one_slip(token[:length], plain) for length in lengths)


def _is_one_slip(token: str, word: str) -> bool:
    """Whether one letter is missing, too many or another one, or two that stand side by side changed places."""
    if abs(len(token) - len(word)) > 1:
        return False
    same = next((place for place, (a, b) in enumerate(zip(token, word, strict=False)) if a != b), None)
    if same is None:
        return True
    rest, wanted = token[same:], word[same:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )


def _because(written: Sequence[str], places: Set[tuple[int, int]]) -> str:
    """The words at these places, as they were written, each once; what is part of more words is left out."""
    whole = [
        (first, after)
        for first, after in sorted(places)
        if not any(a <= first and after <= b and (a, b) != (first, after) for a, b in places)
    ]
    words = list(dict.fromkeys(" ".join(written[first:after]) for first, after in whole))
    because = words[0][:MAX_BECAUSE_CHARACTERS]
    for word in words[1:]:
        if len(because) + 2 + len(word) > MAX_BECAUSE_CHARACTERS:
            break
        because = f"{because}, {word}"
    return because


# What is done with them


@dataclass(frozen=True)
class ThemeCount:
    """How often a theme was spoken of: in how many answers, how many of them with a score, a low one, or complaints."""

    theme: str
    answers: int
    scored: int
    low: int
    complaints: int

    @property
    def low_share(self) -> float | None:
        """The share of low scores among the scores; None where nobody gave one."""
        return self.low / self.scored if self.scored else None


@dataclass(frozen=True)
class Improvement:
    """What the shop did about a theme, in the words that those who asked for it are told. `told` is how many were."""

    id: ImprovementId
    theme: str
    text: str
    author: str
    created_at: datetime
    told: int = 0
