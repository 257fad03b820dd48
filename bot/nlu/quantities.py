"""Amounts of money, points and ratings: numbers that are known by the word beside them."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from spacy.matcher import Matcher
from spacy.vocab import Vocab

from bot.nlu.message_text import Draft, Words
from bot.nlu.numbers import Numbers

AMOUNT, POINTS, RATING = "amount", "points", "rating"

# "Pounds" are not here: in a coffee shop they are a weight.
_CURRENCIES = {
    **dict.fromkeys(("$", "usd", "dollar", "dollars", "buck", "bucks"), "USD"),
    **dict.fromkeys(("₱", "php", "peso", "pesos"), "PHP"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "EUR"),
    **dict.fromkeys(("£", "gbp", "quid"), "GBP"),
    **dict.fromkeys(("¥", "jpy", "yen"), "JPY"),
    **{code: code.upper() for code in ("sgd", "aud", "cad", "hkd")},
}
_MONEY_WORDS = ["amount", "worth", "paid", "pay", "cost", "costs", "spent", "charged", "total", "refund"]
_MONEY_LINKS = ["of", "is", "was", "me", "for", "about", ":", "only"]
_SMALLEST_BARE_AMOUNT = 10
_MOST_BARE_DIGITS = 4
# After a bare amount; any other word may be what was counted ("paid 20 times").
_AFTER_AMOUNT = frozenset(
    "for and in but to please on with by at extra already from or via so not back instead too when if then".split()
)
_STARS = re.compile("(?:[⭐★🌟☆]\ufe0f? ?)+")
_FULL_STARS = frozenset("⭐★🌟")
_RATING_WORDS = ["rate", "rated", "rating", "score"]
_RATING_LINKS = ["it", "is", "of", "a", "an", "this", "you", "them", "as", "at", ":", "=", "my"]

_Token = dict[str, Any]


class QuantityFinder:
    """Finds amounts ("12.50 USD"; "12.50" when no currency is said), points (a number) and ratings (1 to 5)."""

    def __init__(self, vocab: Vocab) -> None:
        self._matcher = _matcher(vocab)

    def find(self, draft: Draft, words: Words) -> None:
        """Add what is found to the draft."""
        for match in _STARS.finditer(draft.text):
            if full := sum(letter in _FULL_STARS for letter in match.group()):
                draft.add(RATING, min(full, 5), match.start(), match.start() + len(match.group().rstrip()))
        numbers = Numbers(words)
        matches = [(words.doc.vocab.strings[key], start, end) for key, start, end in self._matcher(words.doc)]
        # Of two readings the longer one holds: "4/5 stars" before "5 stars".
        for name, start, end in sorted(matches, key=lambda match: (_ORDER.index(match[0]), match[1])):
            match name:
                case "rating_of":
                    _add_share(draft, words, numbers, start, end)
                case "stars":
                    _add_rating(draft, words, numbers.ending_with(end - 2 - (words.word(end - 2) == "-")), end)
                case "rated":
                    _add_given_rating(draft, words, numbers, start, end)
                case "points":
                    _add_points(draft, words, numbers, end)
                case "currency_before":
                    _add_amount_after(draft, words, numbers, start, end)
                case "currency_after":
                    _add_amount_before(draft, words, numbers, end)
                case "redeemed":
                    _add_redeemed(draft, words, numbers, end)
                case _:
                    _add_bare_amount(draft, words, numbers, start, end)


_ORDER = (
    *("rating_of", "stars", "points", "currency_before", "currency_after"),
    *("rated", "redeemed", "bare_amount"),
)


def _matcher(vocab: Vocab) -> Matcher:
    number: _Token = {"LIKE_NUM": True}
    digits: _Token = {"IS_DIGIT": True}
    currency: _Token = {"LOWER": {"IN": list(_CURRENCIES)}}
    thousand: _Token = {"LOWER": "k"}
    dash: _Token = {"TEXT": "-", "OP": "?"}
    stars: _Token = {"LOWER": {"IN": ["star", "stars"]}}
    points: _Token = {"LOWER": {"IN": ["point", "points", "pt", "pts"]}}
    top: _Token = {"LOWER": {"IN": ["5", "10", "five", "ten"]}}
    matcher = Matcher(vocab)
    matcher.add("rating_of", [[digits, {"TEXT": "/"}, top], [number, {"LOWER": "out"}, {"LOWER": "of"}, top]])
    matcher.add("stars", [[number, dash, stars]])
    matcher.add("rated", [[{"LOWER": {"IN": _RATING_WORDS}}, {"LOWER": {"IN": _RATING_LINKS}, "OP": "{0,3}"}, number]])
    matcher.add("points", [[number, points], [digits, thousand, points]])
    matcher.add("currency_before", [[currency, {"TEXT": ".", "OP": "?"}, digits], [{"LOWER": "p"}, digits]])
    matcher.add("currency_after", [[number, currency], [digits, thousand, currency]])
    matcher.add("redeemed", [[{"LOWER": "redeem"}, {"LOWER": "my", "OP": "?"}, digits]])
    money: _Token = {"LOWER": {"IN": _MONEY_WORDS}}
    matcher.add("bare_amount", [[money, {"LOWER": {"IN": _MONEY_LINKS}, "OP": "{0,2}"}, digits]])
    return matcher


def _add(draft: Draft, kind: str, value: str | int, start: int, end: int) -> None:
    if draft.is_free(start, end):
        draft.add(kind, value, start, end)


def _add_share(draft: Draft, words: Words, numbers: Numbers, start: int, end: int) -> None:
    """ "3 out of 5" is a 3; "9 out of 10" is halved and rounded half up, a 5; none is lower than 1."""
    given = numbers.ending_with(start)
    top = numbers.ending_with(end - 1)
    if given is None or top is None or given[0] > top[0] or words.word(end) == "/" or words.word(start - 1) == "/":
        return
    value = given[0] * 5 / top[0]
    stop = words.ends[end] if words.word(end) in ("star", "stars") else words.ends[end - 1]
    _add(draft, RATING, _in_stars(value), given[1], stop)


def _add_rating(draft: Draft, words: Words, given: tuple[Decimal, int] | None, end: int) -> None:
    if given is not None and given[0] <= 5:
        _add(draft, RATING, _in_stars(given[0]), given[1], words.ends[end - 1])


def _add_given_rating(draft: Draft, words: Words, numbers: Numbers, start: int, end: int) -> None:
    given = numbers.figure_from(end - 1) or numbers.ending_with(end - 1)
    follows = words.word(end)
    if given is not None and 1 <= given[0] <= 5 and not follows.isalpha():
        _add(draft, RATING, _in_stars(given[0]), *words.span(end - 1, end))


def _in_stars(value: Decimal) -> int:
    return max(1, int(value.to_integral_value(ROUND_HALF_UP)))


def _add_points(draft: Draft, words: Words, numbers: Numbers, end: int) -> None:
    found = numbers.ending_with(end - 2)
    if found is not None and found[0] == int(found[0]):
        _add(draft, POINTS, int(found[0]), found[1], words.ends[end - 1])


def _add_redeemed(draft: Draft, words: Words, numbers: Numbers, end: int) -> None:
    found = numbers.figure_from(end - 1)
    if found is not None and found[0] == int(found[0]) and found[0] < 10_000 and not words.word(end).isalpha():
        _add(draft, POINTS, int(found[0]), words.starts[end - 1], found[1])


def _add_amount_after(draft: Draft, words: Words, numbers: Numbers, start: int, end: int) -> None:
    found = numbers.figure_from(end - 1)
    sign = words.word(start)
    # "P500" is five hundred pesos; "p 500" may be a page.
    if found is None or (sign == "p" and (words.ends[start] != words.starts[end - 1] or found[0] < 10)):
        return
    _add(draft, AMOUNT, _money(found[0], _CURRENCIES.get(sign, "PHP")), words.starts[start], found[1])


def _add_amount_before(draft: Draft, words: Words, numbers: Numbers, end: int) -> None:
    found = numbers.ending_with(end - 2)
    if found is not None:
        _add(draft, AMOUNT, _money(found[0], _CURRENCIES[words.word(end - 1)]), found[1], words.ends[end - 1])


def _add_bare_amount(draft: Draft, words: Words, numbers: Numbers, start: int, end: int) -> None:
    found = numbers.figure_from(end - 1)
    if found is None:
        return
    value, stop = found
    written = draft.text[words.starts[end - 1] : stop]
    has_cents = "." in written
    after = next((words.word(at) for at in range(end, min(end + 4, len(words))) if words.starts[at] >= stop), "")
    if not has_cents and not (value >= _SMALLEST_BARE_AMOUNT and len(f"{value}") <= _MOST_BARE_DIGITS):
        return
    if not (after.isalpha() and after not in _AFTER_AMOUNT) and after not in ("%", "/", "-", ":", "#"):
        _add(draft, AMOUNT, _money(value), words.starts[end - 1], stop)


def _money(value: Decimal, currency: str = "") -> str:
    return f"{value:.2f} {currency}".rstrip()
