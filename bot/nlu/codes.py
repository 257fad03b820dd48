"""Order numbers, e-mail addresses, phone numbers and postcodes: codes that are told apart by form and context."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.matcher import Matcher
from spacy.vocab import Vocab

from bot.nlu.message_text import FILLERS, Draft, Words

ORDER_NUMBER, EMAIL, PHONE, POSTCODE = "order_number", "email", "phone", "postcode"

# Every repetition is bounded, and a match can start only where a word starts: linear time on any input.
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![\w@])", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:(?<![\w@])(?<![0-9][.,:/-])|(?<=order))[0-9]{4,7}(?![\w@])(?![.,:/-][0-9])", re.IGNORECASE)
_OTHER_PREFIX = re.compile(r"(?<![\w-])([a-z]{1,4})-([0-9]{4,8})(?![\w@])(?!-[0-9])", re.IGNORECASE)
_BRITISH = re.compile(r"(?<!\w)([a-z]{1,2}[0-9][a-z0-9]?) ?([0-9][a-z]{2})(?!\w)", re.IGNORECASE)
_CANADIAN = re.compile(r"(?<!\w)([a-z][0-9][a-z]) ?([0-9][a-z][0-9])(?!\w)", re.IGNORECASE)
# Japan, the United States' ZIP+4, Portugal, Poland.
_HYPHENATED = re.compile(
    r"(?<![\w-])(?:[0-9]{3}-[0-9]{4}|[0-9]{5}-[0-9]{4}|[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3})(?![\w-])"
)
_DUTCH = re.compile(r"(?<!\w)([0-9]{4}) ?([A-Z]{2})(?!\w)")
_PHONE = re.compile(
    # Not a date: 2026-12-24, 24.12.2026.
    r"(?<![\w/-])(?<![0-9][.,:])"
    r"(?![0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}(?![0-9])|[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{4}(?![0-9]))"
    r"(?P<plus>\+)?(?P<digits>\(?[0-9]{1,15}\)?(?:(?:[ .-]{1,2}\(?|(?<=\))|\()[0-9]{1,15}\)?){0,6})"
    r"(?![\w/@-])(?!\.[0-9])"
)
_COUNTRY_CODE_AND_ZERO = re.compile(r"\(0\)")

_ORDER_WORDS = [
    "order", "orders", "number", "numbers", "no", "nr", "num", "id", "ref", "reference", "parcel", "package",
    "ordernumber", "orderno",
]  # fmt: skip
# After one of these a number of any length is an order's: the shop may have brought orders along from elsewhere.
_ORDER_ITSELF = ["order", "orders", "ordernumber", "orderno", "parcel", "package"]
# "Where is order 1042" speaks of one that there is; "I want to order 1000 cups" does not.
_BEFORE_AN_ORDER = [
    "is",
    "s",
    "my",
    "the",
    "cancel",
    "track",
    "about",
    "for",
    "of",
    "return",
    "change",
    "invoice",
    "wheres",
]
_NUMBER_WORDS = ["number", "no", "nr", "num", "id"]
_POSTCODE_WORDS = ["postcode", "postcodes", "postal", "zip", "zipcode", "pincode"]
_LINKING_WORDS = [*_ORDER_WORDS, "is", "was", "its", "s", "code", "my"]
_PHONE_WORDS = re.compile(
    r"(?<!\w)(?:call|ring|text|sms|phone|telephone|tel|mobile|cell|cellphone|contact|whatsapp|viber|telegram|gcash"
    r"|landline|callback)(?!\w)(?!.*(?:order|parcel|package|ref|post|zip|invoice|track))",
    re.IGNORECASE | re.DOTALL,
)
_PHONE_WORDS_REACH = 40
_CURRENCIES = ["$", "₱", "€", "£", "php", "p", "usd", "peso", "pesos", "dollars", "bucks"]
_UNITS = [
    *_CURRENCIES, "points", "point", "pts", "g", "grams", "gram", "kg", "ml", "l", "oz", "lbs", "beans", "bags", "cups",
    "mugs", "pcs", "pieces", "people", "k", "am", "pm", "times", "percent", "%", "hours", "minutes", "days",
]  # fmt: skip


@dataclass(frozen=True)
class OrderFormat:
    """How the shop writes order numbers: PREFIX-DIGITS, such as TC-10002.

    `usual_digits` is the length at which digits alone may be an order number. `regex`, when given, replaces all the
    rest: a match, without spaces and in capitals, is the order number.
    """

    prefixes: Sequence[str] = ("TC",)
    shortest: int = 4
    longest: int = 8
    usual_digits: int = 5
    regex: str | None = None


@dataclass
class _Hints:
    """What the words around a number say about it; numbers are named by where they start in the message."""

    says_postcode: bool
    order: set[int] = field(default_factory=set)
    named: set[int] = field(default_factory=set)
    postcode: set[int] = field(default_factory=set)
    amount: set[int] = field(default_factory=set)


class CodeFinder:
    """Finds codes in two steps: those that are known by their form alone, and then numbers, by what surrounds them."""

    def __init__(self, vocab: Vocab, order_format: OrderFormat) -> None:
        self._format = order_format
        self._order = _order_pattern(order_format)
        self._context = _context_matcher(vocab)

    def find_by_form(self, draft: Draft) -> None:
        """Find e-mail addresses, order numbers written in full, and phone numbers."""
        self._find_emails(draft)
        self._find_order_numbers(draft)
        _find_phones(draft)

    def find_by_context(self, draft: Draft, words: Words) -> None:
        """Find postcodes, and numbers that may be an order number or a postcode, among what is not yet read."""
        if not any(character.isdigit() for character in draft.text):
            return
        hints = self._read_context(words)
        _find_postcodes(draft, hints)
        self._find_numbers(draft, hints)

    def _find_emails(self, draft: Draft) -> None:
        for match in _EMAIL.finditer(draft.text):
            address = match.group().lstrip(".")
            if "@" in address[1:]:
                draft.add(EMAIL, address.lower(), match.end() - len(address), match.end())

    def _find_order_numbers(self, draft: Draft) -> None:
        for match in self._order.finditer(draft.text):
            if draft.is_free(*match.span()) and (value := self._order_number(match)):
                draft.add(ORDER_NUMBER, value, *match.span())
        if self._format.regex:
            return
        # Another prefix, written out in full, is still meant as an order number: the shop has no such order.
        for match in _OTHER_PREFIX.finditer(draft.text):
            if match[1].lower() not in _LINKING_WORDS + _POSTCODE_WORDS + _CURRENCIES and draft.is_free(*match.span()):
                draft.add(ORDER_NUMBER, match.group().upper(), *match.span())

    def _order_number(self, match: re.Match[str]) -> str | None:
        if self._format.regex:
            return re.sub(r"\s", "", match.group()).upper() or None
        digits = re.sub("[^0-9]", "", match["digits"])
        if not self._format.shortest <= len(digits) <= self._format.longest:
            return None
        return f"{match['prefix'].upper()}-{digits}"

    def _read_context(self, words: Words) -> _Hints:
        hints = _Hints(says_postcode=any(word in _POSTCODE_WORDS for word in words.lower))
        for key, start, end in self._context(words.doc):
            name = words.doc.vocab.strings[key]
            if name == "says_postcode":
                hints.says_postcode = True
                continue
            digits = start if name == "amount_before_unit" else end - 1
            getattr(hints, name.partition("_")[0]).add(words.starts[digits])
        return hints

    def _find_numbers(self, draft: Draft, hints: _Hints) -> None:
        for match in _NUMBER.finditer(draft.text):
            start, end = match.span()
            if start in hints.amount or not draft.is_free(start, end):
                continue
            digits = match.group()
            usual = len(digits) == self._format.usual_digits and not self._format.regex and start not in hints.postcode
            if usual:
                draft.add(ORDER_NUMBER, f"{self._format.prefixes[0].upper()}-{digits}", start, end)
            if usual and start in hints.order:
                continue
            if start in hints.named and not usual and not self._format.regex and start not in hints.postcode:
                draft.add(ORDER_NUMBER, f"{self._format.prefixes[0].upper()}-{digits}", start, end)
                continue
            if len(digits) <= 5 or start in hints.postcode or draft.is_only(start, end):
                draft.add(POSTCODE, digits, start, end)


def _find_phones(draft: Draft) -> None:
    for match in _PHONE.finditer(draft.text):
        start, end = match.span()
        if not draft.is_free(start, end):
            continue
        groups = re.findall("[0-9]+", _COUNTRY_CODE_AND_ZERO.sub(" ", match["digits"]))
        digits = "".join(groups)
        if _is_phone(draft, match, digits):
            draft.add(PHONE, ("+" if match["plus"] else "") + digits, start, end)
        elif len(groups) >= 3 and len(digits) >= 9 and max(map(len, groups)) <= 4:
            # The number of a bank card, say: its groups are no postcodes.
            draft.take(start, end)


def _is_phone(draft: Draft, match: re.Match[str], digits: str) -> bool:
    """Whether these digits are a phone number; with neither a form nor a word that says so, they are not."""
    if match["plus"]:
        return 8 <= len(digits) <= 15
    if not 7 <= len(digits) <= 13 or (" " in match["digits"] and "." in match["digits"]):
        return False
    if _PHONE_WORDS.search(draft.text, max(0, match.start() - _PHONE_WORDS_REACH), match.start()):
        return True
    if len(digits) < 9:
        return False
    groups = len(re.findall("[0-9]+", match["digits"]))
    return digits[0] == "0" or 3 <= groups <= 5 or (groups == 1 and draft.is_only(*match.span()))


def _find_postcodes(draft: Draft, hints: _Hints) -> None:
    for pattern in (_BRITISH, _CANADIAN, _HYPHENATED, _DUTCH):
        for match in pattern.finditer(draft.text):
            said = hints.says_postcode and pattern is not _DUTCH
            if pattern is _DUTCH and match[2].lower() in FILLERS:
                continue
            if draft.is_free(*match.span()) and (said or draft.is_only(*match.span())):
                draft.add(POSTCODE, " ".join(match.groups() or [match.group()]).upper(), *match.span())


def _order_pattern(order_format: OrderFormat) -> re.Pattern[str]:
    if order_format.regex:
        return re.compile(order_format.regex, re.IGNORECASE)
    prefixes = "|".join(re.escape(prefix) for prefix in order_format.prefixes)
    shortest, longest = order_format.shortest, order_format.longest
    return re.compile(
        rf"(?<!\w)#?(?P<prefix>{prefixes})[\s#.:_\-\u2010-\u2015\u2212]{{0,3}}"
        rf"(?P<digits>[0-9]{{{shortest},{longest}}}|[0-9]{{1,3}}(?:[ -][0-9]{{1,3}}){{1,7}})(?!\w)",
        re.IGNORECASE,
    )


def _context_matcher(vocab: Vocab) -> Matcher:
    number: dict[str, Any] = {"TEXT": {"REGEX": r"^[0-9]{4,7}$"}}
    marks: dict[str, Any] = {"TEXT": {"IN": [*"#:.,-'\u2019()"]}, "OP": "{0,2}"}
    link: dict[str, Any] = {"LOWER": {"IN": _LINKING_WORDS}, "OP": "{0,2}"}
    matcher = Matcher(vocab)
    matcher.add("order", [[{"LOWER": {"IN": _ORDER_WORDS}}, marks, link, marks, number]])
    matcher.add("order_hash", [[{"TEXT": "#"}, number]])
    order_itself: dict[str, Any] = {"LOWER": {"IN": _ORDER_ITSELF}}
    number_word: dict[str, Any] = {"LOWER": {"IN": _NUMBER_WORDS}}
    long_number: dict[str, Any] = {"TEXT": {"REGEX": r"^[0-9]{6,7}$"}}
    matcher.add("named_with_number_word", [[order_itself, number_word, marks, link, marks, number]])
    before: dict[str, Any] = {"LOWER": {"IN": _BEFORE_AN_ORDER}}
    matcher.add("named_after_word", [[before, order_itself, number]])
    matcher.add("named_hash", [[order_itself, {"TEXT": "#"}, number]])
    matcher.add("named_long", [[order_itself, marks, link, marks, long_number]])
    postcode: list[dict[str, Any]] = [{"LOWER": {"IN": _POSTCODE_WORDS}}, marks, link, marks, link, number]
    post_code: list[dict[str, Any]] = [{"LOWER": "post"}, {"TEXT": "-", "OP": "?"}, {"LOWER": "code"}]
    matcher.add("postcode", [postcode, [*post_code, marks, link, number]])
    matcher.add("says_postcode", [post_code])
    matcher.add("amount", [[{"LOWER": {"IN": _CURRENCIES}}, {"TEXT": ".", "OP": "?"}, number]])
    matcher.add("amount_before_unit", [[number, {"LOWER": {"IN": _UNITS}}]])
    return matcher
