"""The details a customer types - order numbers, e-mail addresses, postcodes - found by pattern and normalised."""

import re
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import spacy
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc

ORDER_NUMBER, EMAIL, POSTCODE = "order_number", "email", "postcode"

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\s]")
_UNSAFE = re.compile("[\ud800-\udfff]")
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
_PHONE = re.compile(r"(?<![\w-])\+?[0-9]{1,4}(?:[ -][0-9]{2,4}){2,4}(?![\w-])")

_ORDER_WORDS = [
    "order", "orders", "number", "numbers", "no", "nr", "num", "id", "ref", "reference", "parcel", "package",
    "ordernumber", "orderno",
]  # fmt: skip
_POSTCODE_WORDS = ["postcode", "postcodes", "postal", "zip", "zipcode", "pincode"]
_LINKING_WORDS = [*_ORDER_WORDS, "is", "was", "its", "s", "code", "my"]
_CURRENCIES = ["$", "₱", "€", "£", "php", "p", "usd", "peso", "pesos", "dollars", "bucks"]
_UNITS = [
    *_CURRENCIES, "points", "point", "pts", "g", "grams", "gram", "kg", "ml", "l", "oz", "lbs", "beans", "bags", "cups",
    "mugs", "pcs", "pieces", "people", "k", "am", "pm", "times", "percent", "%", "hours", "minutes", "days",
]  # fmt: skip
_FILLERS = frozenset(
    "it its is s my mine the and or here hi hello this that e mail email address with for i m live at in "
    "ok yes sure thanks please postcode postal post zip code zipcode order number no po pls ty".split()
)
_LONGEST_BARE_MESSAGE = 80
_SHORTEST_PHONE = 9


@dataclass(frozen=True)
class Detail:
    """One detail: what kind, its normalised value, and where it stands in the message (characters, end exclusive)."""

    kind: str
    value: str
    start: int
    end: int


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
class _Draft:
    """The details found so far in one message; no two may overlap, save for two readings of the same digits."""

    text: str
    found: list[Detail] = field(default_factory=list)
    taken: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.taken = bytearray(len(self.text))

    def add(self, kind: str, value: str, start: int, end: int) -> None:
        self.found.append(Detail(kind, value, start, end))
        self.take(start, end)

    def take(self, start: int, end: int) -> None:
        self.taken[start:end] = b"\1" * (end - start)

    def is_free(self, start: int, end: int) -> bool:
        return not any(self.taken[start:end])

    def is_only(self, start: int, end: int) -> bool:
        """Whether the message says nothing but these characters, details found before, and words that fill."""
        if len(self.text) > _LONGEST_BARE_MESSAGE:
            return False
        kept = ((at, letter) for at, letter in enumerate(self.text) if not (start <= at < end or self.taken[at]))
        rest = "".join(letter if letter.isalnum() else " " for _, letter in kept)
        return all(word.lower() in _FILLERS for word in rest.split())


class DetailFinder:
    """Finds details in a message with a blank spaCy pipeline. Safe to share between threads.

    `phrases` are spaCy entity-ruler patterns (dicts with `label`, `pattern` and optionally `id`, the value to give): a
    shop's own vocabulary. `model` names an installed spaCy model whose entities with a label in `model_labels` are
    returned too, labels in lower case.
    """

    def __init__(
        self,
        order_format: OrderFormat | None = None,
        phrases: Sequence[Mapping[str, Any]] = (),
        model: str | None = None,
        model_labels: Sequence[str] = (),
    ) -> None:
        self._format = order_format or OrderFormat()
        self._order = _order_pattern(self._format)
        self._nlp = spacy.blank("en")
        self._one_at_a_time = threading.Lock()  # a pipeline has room for one memory zone
        self._context = _context_matcher(self._nlp)
        if phrases:
            self._nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"}).add_patterns(  # type: ignore[attr-defined]
                [self._in_our_tokens(phrase) for phrase in phrases]
            )
        self._has_phrases = bool(phrases)
        self._model = spacy.load(model) if model else None
        self._model_labels = frozenset(model_labels)

    def find(self, text: str) -> list[Detail]:
        """Return the details in the text in order of appearance, each value once.

        Five digits with nothing to tell them apart ("10002") are returned twice, as an order number and as a postcode:
        the dialogue knows which one it asked for. Never fails, whatever the text, and takes time linear in its length.
        """
        draft = _Draft(_plain(text))
        self._find_emails(draft)
        self._find_order_numbers(draft)
        # The strings of a message are forgotten afterwards; spaCy would keep them for the life of the process.
        with self._one_at_a_time, self._nlp.memory_zone():
            words = list(_TOKEN.finditer(draft.text))
            doc = Doc(self._nlp.vocab, words=[word.group() for word in words])
            hints = self._read_context(doc, words)
            self._find_postcodes(draft, hints)
            self._find_numbers(draft, hints)
            self._find_phrases(draft, doc, words)
        self._find_model_entities(draft)
        unique: dict[tuple[str, str], Detail] = {}
        for detail in sorted(draft.found, key=lambda detail: detail.start):
            unique.setdefault((detail.kind, detail.value), detail)
        return list(unique.values())

    def _find_emails(self, draft: _Draft) -> None:
        for match in _EMAIL.finditer(draft.text):
            address = match.group().lstrip(".")
            if "@" in address[1:]:
                draft.add(EMAIL, address.lower(), match.end() - len(address), match.end())

    def _find_order_numbers(self, draft: _Draft) -> None:
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

    def _read_context(self, doc: Doc, words: list[re.Match[str]]) -> "_Hints":
        hints = _Hints(says_postcode=any(word.group().lower() in _POSTCODE_WORDS for word in words))
        for key, start, end in self._context(doc):
            name = self._nlp.vocab.strings[key]
            if name == "says_postcode":
                hints.says_postcode = True
                continue
            digits = words[start] if name == "amount_before_unit" else words[end - 1]
            getattr(hints, name.partition("_")[0]).add(digits.start())
        return hints

    def _find_postcodes(self, draft: _Draft, hints: "_Hints") -> None:
        for match in _PHONE.finditer(draft.text):
            if sum(map(str.isdigit, match.group())) >= _SHORTEST_PHONE and draft.is_free(*match.span()):
                draft.take(*match.span())
        for pattern in (_BRITISH, _CANADIAN, _HYPHENATED, _DUTCH):
            for match in pattern.finditer(draft.text):
                said = hints.says_postcode and pattern is not _DUTCH
                if pattern is _DUTCH and match[2].lower() in _FILLERS:
                    continue
                if draft.is_free(*match.span()) and (said or draft.is_only(*match.span())):
                    draft.add(POSTCODE, " ".join(match.groups() or [match.group()]).upper(), *match.span())

    def _find_numbers(self, draft: _Draft, hints: "_Hints") -> None:
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
            if len(digits) <= 5 or start in hints.postcode or draft.is_only(start, end):
                draft.add(POSTCODE, digits, start, end)

    def _find_phrases(self, draft: _Draft, doc: Doc, words: list[re.Match[str]]) -> None:
        if not self._has_phrases:
            return
        for entity in self._nlp.get_pipe("entity_ruler")(doc).ents:
            draft.add(
                entity.label_, entity.ent_id_ or entity.text, words[entity.start].start(), words[entity.end - 1].end()
            )

    def _find_model_entities(self, draft: _Draft) -> None:
        if self._model is None:
            return
        with self._one_at_a_time, self._model.memory_zone():
            for entity in self._model(draft.text).ents:
                if entity.label_ in self._model_labels and draft.is_free(entity.start_char, entity.end_char):
                    draft.add(entity.label_.lower(), entity.text, entity.start_char, entity.end_char)

    def _in_our_tokens(self, phrase: Mapping[str, Any]) -> dict[str, Any]:
        """A phrase given as text is cut as messages are: spaCy's own tokenizer would cut "v60" differently."""
        pattern = phrase["pattern"]
        if isinstance(pattern, str):
            pattern = [{"LOWER": word.lower()} for word in _TOKEN.findall(pattern)]
        return {**phrase, "pattern": pattern}


@dataclass
class _Hints:
    """What the words around a number say about it; numbers are named by where they start in the message."""

    says_postcode: bool
    order: set[int] = field(default_factory=set)
    postcode: set[int] = field(default_factory=set)
    amount: set[int] = field(default_factory=set)


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


def _context_matcher(nlp: Language) -> Matcher:
    number: dict[str, Any] = {"TEXT": {"REGEX": r"^[0-9]{4,7}$"}}
    marks: dict[str, Any] = {"TEXT": {"IN": [*"#:.,-'\u2019()"]}, "OP": "{0,2}"}
    link: dict[str, Any] = {"LOWER": {"IN": _LINKING_WORDS}, "OP": "{0,2}"}
    matcher = Matcher(nlp.vocab)
    matcher.add("order", [[{"LOWER": {"IN": _ORDER_WORDS}}, marks, link, marks, number]])
    matcher.add("order_hash", [[{"TEXT": "#"}, number]])
    postcode: list[dict[str, Any]] = [{"LOWER": {"IN": _POSTCODE_WORDS}}, marks, link, marks, link, number]
    post_code: list[dict[str, Any]] = [{"LOWER": "post"}, {"TEXT": "-", "OP": "?"}, {"LOWER": "code"}]
    matcher.add("postcode", [postcode, [*post_code, marks, link, number]])
    matcher.add("says_postcode", [post_code])
    matcher.add("amount", [[{"LOWER": {"IN": _CURRENCIES}}, {"TEXT": ".", "OP": "?"}, number]])
    matcher.add("amount_before_unit", [[number, {"LOWER": {"IN": _UNITS}}]])
    return matcher


def _plain(text: str) -> str:
    """The text with ASCII digits and no half surrogate pairs, character for character as long as before."""
    if text.isascii():
        return text
    return "".join(_plain_character(character) for character in _UNSAFE.sub("\ufffd", text))


def _plain_character(character: str) -> str:
    if character.isascii() or not character.isdecimal():
        return character
    return str(unicodedata.decimal(character))
