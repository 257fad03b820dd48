"""Numbers in a message, in figures ("1,200.50", "2k") or in words ("twenty five")."""

import re
from decimal import Decimal

from bot.nlu.message_text import Words

_FIGURE = re.compile(
    r"(?<![0-9])(?<![0-9][.,])(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,9})(?:\.[0-9]{1,2})?(?![0-9])(?![.,][0-9])"
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
}
_SCALES = {"hundred": 100, "thousand": 1000}
_LONGEST_IN_WORDS = 5


class Numbers:
    """The numbers of one message, found by where they begin or end."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._by_start: dict[int, tuple[Decimal, int]] = {}
        self._by_end: dict[int, tuple[Decimal, int]] = {}
        for match in _FIGURE.finditer(words.text):
            value = Decimal(match.group().replace(",", ""))
            self._by_start[match.start()] = value, match.end()
            self._by_end[match.end()] = value, match.start()

    def figure_from(self, at: int) -> tuple[Decimal, int] | None:
        """The figure that begins with the word `at`, and the character after it; "k" counts as thousand."""
        found = self._by_start.get(self._words.starts[at])
        if found is None:
            return None
        value, end = found
        if self._words.text[end : end + 1].lower() == "k" and not self._words.text[end + 1 : end + 2].isalnum():
            return value * 1000, end + 1
        return found

    def ending_with(self, at: int) -> tuple[Decimal, int] | None:
        """The number whose last word is `at`, in figures or in words, and its first character."""
        words = self._words
        if words.word(at) == "k" and at and words.ends[at - 1] == words.starts[at]:
            found = self._by_end.get(words.ends[at - 1])
            return (found[0] * 1000, found[1]) if found else None
        return self._by_end.get(words.ends[at]) or self._in_words(at)

    def _in_words(self, last: int) -> tuple[Decimal, int] | None:
        words = self._words
        first = last + 1
        while first > 0 and last - first < _LONGEST_IN_WORDS and _is_number_word(words.word(first - 1)):
            first -= 1
        spoken = [words.word(at) for at in range(first, last + 1)]
        if not spoken:
            return None
        total, part = 0, 0
        for word in spoken:
            if word not in _SCALES:
                part += _SMALL[word]
            elif word == "hundred":
                part = max(part, 1) * 100
            else:
                total, part = total + max(part, 1) * 1000, 0
        return Decimal(total + part), words.starts[first]


def _is_number_word(word: str) -> bool:
    return word in _SMALL or word in _SCALES
