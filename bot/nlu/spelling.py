"""Puts misspelt words right, with the words of our own examples and those that the encoder knows whole."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

WORDS_FILE = "words.json"
SHORTEST, SHORTEST_GENERAL, LONGEST = 4, 6, 24
# Runs of letters that touch no digit, address or hyphen: order numbers and e-mail addresses are left alone.
_WORD = re.compile(r"(?<![\w@.+-])[^\W\d_]+(?![\w@+-]|\.\w)")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Speller:
    """Replaces each unknown word by a known one that is a single error away, if there is one.

    An error is a letter too many, too few, another one, or two swapped (Damerau 1964, doi:10.1145/363958.363994);
    candidates are generated from the misspelt word (after Norvig, norvig.com/spell-correct.html). The words of our
    examples come first, the commoner before the rarer, then the encoder's in its own order, which is by frequency.
    Short words are taken for one of ours only, and very short ones are left alone. Immutable, so safe to share.
    """

    def __init__(self, ours: Mapping[str, int], general: Sequence[str]) -> None:
        self._ours = dict(ours)
        self._general = {word: place for place, word in enumerate(general)}

    @classmethod
    def learn(cls, texts: Iterable[str], word_pieces: Mapping[str, int]) -> "Speller":
        """Take the words of the texts, and the whole words among an encoder's word pieces with their numbers."""
        ours = Counter(word.lower() for text in texts for word in _WORD.findall(text))
        whole = [word for word in sorted(word_pieces, key=word_pieces.__getitem__) if word.isascii() and word.isalpha()]
        return cls(ours, [word for word in whole if len(word) > 1])

    def correct(self, text: str) -> str:
        """Return the text with its misspelt words put right, and everything else as it is."""
        return _WORD.sub(lambda match: self._word(match.group()), text)

    def _word(self, written: str) -> str:
        word = written.lower()
        known = word in self._ours or word in self._general
        if known or not SHORTEST <= len(word) <= LONGEST or not word.isascii():
            return written
        nearest = set(_one_error_away(word))
        if ours := nearest & self._ours.keys():
            return max(ours, key=lambda one: (self._ours[one], one))
        if len(word) >= SHORTEST_GENERAL and (general := nearest & self._general.keys()):
            return min(general, key=self._general.__getitem__)
        return written

    def save(self, folder: Path) -> None:
        """Write the words into the folder."""
        words = {"ours": self._ours, "general": list(self._general)}
        (folder / WORDS_FILE).write_text(json.dumps(words), encoding="ascii")

    @classmethod
    def load(cls, folder: Path) -> "Speller":
        """Read what `save` wrote; without it, a speller that changes nothing."""
        path = folder / WORDS_FILE
        if not path.is_file():
            return cls({}, [])
        words = json.loads(path.read_text(encoding="ascii"))
        return cls(words["ours"], words["general"])


def _one_error_away(word: str) -> Iterator[str]:
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in _LETTERS:
            if after:
                yield before + letter + after[1:]
            yield before + letter + after
