"""A message as the detail finders read it: its plain text, its words, and the details found so far."""

import re
import unicodedata
from dataclasses import dataclass, field

from spacy.tokens import Doc
from spacy.vocab import Vocab

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\s]")
_UNSAFE = re.compile("[\ud800-\udfff]")
FILLERS = frozenset(
    "it its is s my mine the and or here hi hello this that e mail email address with for i m live at in "
    "ok yes sure thanks please postcode postal post zip code zipcode order number no po pls ty".split()
)
_LONGEST_BARE_MESSAGE = 80


@dataclass(frozen=True)
class Detail:
    """One detail: what kind, its normalised value, and where it stands in the message (characters, end exclusive)."""

    kind: str
    value: str | int
    start: int
    end: int


@dataclass
class Draft:
    """The details found so far in one message; no two may overlap, save for two readings of the same digits."""

    text: str
    found: list[Detail] = field(default_factory=list)
    taken: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.taken = bytearray(len(self.text))

    def add(self, kind: str, value: str | int, start: int, end: int) -> None:
        """Note a detail, and that its characters are read."""
        self.found.append(Detail(kind, value, start, end))
        self.take(start, end)

    def take(self, start: int, end: int) -> None:
        """Note that these characters are read."""
        self.taken[start:end] = b"\1" * (end - start)

    def is_free(self, start: int, end: int) -> bool:
        """Whether no detail stands on any of these characters."""
        return 1 not in self.taken[start:end]

    def is_only(self, start: int, end: int) -> bool:
        """Whether the message says nothing but these characters, details found before, and words that fill."""
        if len(self.text) > _LONGEST_BARE_MESSAGE:
            return False
        kept = ((at, letter) for at, letter in enumerate(self.text) if not (start <= at < end or self.taken[at]))
        rest = "".join(letter if letter.isalnum() else " " for _, letter in kept)
        return all(word.lower() in FILLERS for word in rest.split())

    def details(self) -> list[Detail]:
        """The details in order of appearance, each value once."""
        unique: dict[tuple[str, str | int], Detail] = {}
        for detail in sorted(self.found, key=lambda detail: detail.start):
            unique.setdefault((detail.kind, detail.value), detail)
        return list(unique.values())


class Words:
    """The words of a message as a spaCy document, cut so that digits, letters and signs are words of their own."""

    def __init__(self, vocab: Vocab, text: str) -> None:
        matches = list(_TOKEN.finditer(text))
        self.text = text
        self.doc = Doc(vocab, words=[match.group() for match in matches])
        self.lower = [match.group().lower() for match in matches]
        self.starts = [match.start() for match in matches]
        self.ends = [match.end() for match in matches]

    def __len__(self) -> int:
        return len(self.starts)

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Where the words from `first` up to `end` stand in the text."""
        return self.starts[first], self.ends[end - 1]

    def word(self, at: int) -> str:
        """The word there in lower case; nothing before the first and after the last."""
        return self.lower[at] if 0 <= at < len(self.lower) else ""


def cut(text: str) -> list[str]:
    """The words of a text, in lower case, cut as a message is: spaCy's own tokenizer would cut "v60" differently."""
    return [word.lower() for word in _TOKEN.findall(text)]


def plain(text: str) -> str:
    """The text with ASCII digits and no half surrogate pairs, character for character as long as before."""
    if text.isascii():
        return text
    return "".join(_plain_character(character) for character in _UNSAFE.sub("\ufffd", text))


def _plain_character(character: str) -> str:
    if character.isascii() or not character.isdigit():
        return character
    # Digits such as a superscript two are digits to spaCy, but no numbers to Python.
    return str(unicodedata.decimal(character, "\ufffd"))
