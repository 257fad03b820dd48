"""Puts misspelt words right, with the words of our own examples and those that the encoder knows whole."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bot.nlu.typos import NEIGHBOURS

WORDS_FILE = "words.json"
LONGEST = 24
# From how many letters on a word is taken for one of ours, for any that the encoder knows, and for a slip of our own.
SHORTEST, SHORTEST_GENERAL, SHORTEST_SLIP = 4, 6, 5
# Of the encoder's words, in order of frequency, those from here on are rare; a short rare word is likelier a slip.
RARE_FROM, RARE_LONGEST = 5000, 5
# How often a word of ours must occur for a short one to be taken for it, and for a rare one of ours to be its slip.
COMMON, LIKELIER = 8, 5
# Runs of letters that touch no digit, address or hyphen: order numbers and e-mail addresses are left alone.
_WORD = re.compile(r"(?<![\w@.+'-])[^\W\d_]+(?:'[^\W\d_]+)?(?![\w@+-]|\.\w)")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Speller:
    """Replaces each unknown word by a known one that is a single error away, if there is one.

    An error is a letter too many, too few, another one, or two swapped (Damerau 1964, doi:10.1145/363958.363994);
    candidates are generated from the misspelt word (after Norvig, norvig.com/spell-correct.html). The words of our
    examples come first, the commoner before the rarer, then the encoder's in its own order, which is by frequency.
    Short words are taken for one of ours only; two or three letters for a common one only, and only when letters were
    swapped, doubled or hit beside. Immutable, so safe to share.
    """

    def __init__(self, ours: Mapping[str, int], general: Sequence[str]) -> None:
        self._ours = dict(ours)
        self._general = {word: place for place, word in enumerate(general)}

    @classmethod
    def learn(cls, texts: Iterable[str], word_pieces: Mapping[str, int]) -> "Speller":
        """Take the words of the texts, and the whole words among an encoder's word pieces with their numbers.

        A word that only our examples know, and that is one error away from a much commoner one, is itself a slip.
        """
        ours = Counter(word.lower() for text in texts for word in _WORD.findall(text))
        whole = [word for word in sorted(word_pieces, key=word_pieces.__getitem__) if word.isascii() and word.isalpha()]
        slips = {word for word, count in ours.items() if word not in word_pieces and _is_slip(word, count, ours)}
        known = {word: count for word, count in ours.items() if word not in slips}
        return cls(known, [word for word in whole if len(word) > 1])

    def correct(self, text: str) -> str:
        """Return the text with its misspelt words put right, and everything else as it is."""
        return _WORD.sub(lambda match: self._word(match.group()), text)

    def _word(self, written: str) -> str:
        word = written.lower()
        if word in self._ours or not 1 < len(word) <= LONGEST or not word.isascii():
            return written
        rank = self._general.get(word)
        if rank is not None and (rank < RARE_FROM or len(word) > RARE_LONGEST):
            return written
        if len(word) < SHORTEST or rank is not None:
            return self._short(written)
        if "'" in word and self._known(word.partition("'")[0]):  # a contraction or a genitive
            return written
        nearest = set(_one_error_away(word))
        if ours := nearest & self._ours.keys():
            return max(ours, key=lambda one: (self._ours[one], one))
        if len(word) >= SHORTEST_GENERAL and (general := nearest & self._general.keys()):
            return min(general, key=self._general.__getitem__)
        return written

    def _short(self, written: str) -> str:
        if not written.islower():  # an abbreviation or a name
            return written
        near = {one for one in _small_slips(written) if self._ours.get(one, 0) >= COMMON}
        return max(near, key=lambda one: (self._ours[one], one)) if near else written

    def _known(self, word: str) -> bool:
        return word in self._ours or word in self._general

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


def _small_slips(word: str) -> Iterator[str]:
    """What was meant if two letters were swapped, one was doubled or, among three, the key beside was hit."""
    for place in range(len(word) - 1):
        first, second = word[place], word[place + 1]
        yield word[:place] + second + ("" if first == second else first) + word[place + 2 :]
    if len(word) == 3:
        for place, letter in enumerate(word):
            yield from (word[:place] + meant + word[place + 1 :] for meant in NEIGHBOURS.get(letter, ""))


def _is_slip(word: str, count: int, ours: Mapping[str, int]) -> bool:
    """Whether a word of ours is a much commoner one misspelt, and not its plural nor a contraction."""
    if not SHORTEST_SLIP <= len(word) <= LONGEST or word.endswith("s") or "'" in word:
        return False
    return any(ours.get(near, 0) >= LIKELIER * count and near.isalpha() for near in _one_error_away(word))
