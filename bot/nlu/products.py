"""The products that a message names, also misspelt, from the shop's catalogue."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.matcher import PhraseMatcher
from spacy.matcher.levenshtein import levenshtein
from spacy.tokens import Doc
from spacy.vocab import Vocab

from bot.core.catalogue import Catalogue, Product
from bot.nlu.message_text import Draft, Words, cut

PRODUCT = "product"

# Words of many products' names that say nothing by themselves. A product's whole name may still be made of them.
_COMMON_WORDS = frozenset(
    """
    arabica bag bar basic beans best big black blend blue bottle box brew brewer brewing brown bundle can card classic
    chocolate coffee cold cup dark daily deluxe drink drip dry edition extra fine fresh full gift glass gold good grade
    gram grams green grey ground half hand home hot house ice iced kit large light limited litre liter local long
    machine medium metal milk mini mixed mountain natural new offer old order original pack paper piece pieces plain
    pot premium press process pure red regular roast roasted robusta sale sample season seasonal serve server set
    shop short signature silver single size small soft special spare spring standard starter steel stone strong
    subscription summer sweet tall tea travel trial ultra warm washed water wet white whole wide winter wood wooden year
    yellow
    """.split()
)
_SIZE = re.compile(
    r"(?<!\w)(?:[0-9]{1,4} ?[x×] ?)?[0-9]{1,6}(?:[.,][0-9]{1,3})? ?"
    r"(?:grams?|gr?|kg|ml|cl|l|oz|lbs?|cm|mm|pcs?|pieces?|packs?|cups?)(?!\w)",
    re.IGNORECASE,
)
_LINKS = frozenset(("with", "for", "of", "in", "and"))
# An "espresso machine" is no espresso.
_OTHER_THINGS = frozenset("machine maker grinder cup bean mug capsule pod spoon tamper glass powder syrup".split())
_SHORTEST_FUZZY = 5
_LONG = 8
_LONGEST_PHRASE = 8
_LONGEST_WORD = 40


@dataclass
class _Meaning:
    """What a phrase may stand for: products of which it is a whole name, and those of whose name it is a part."""

    whole: set[str] = field(default_factory=set)
    part: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Read:
    """A word of a message as the catalogue spells it. A guess needs another word, rightly spelt, beside it."""

    word: str
    is_exact: bool = False
    is_guess: bool = False


class ProductFinder:
    """Finds products by name, alias, the last word of a name, or several words of it. Made for one catalogue.

    A misspelt word is first put right with the catalogue's own words: one error, or two in long words; short words only
    within a longer name. What fits several products is no product: the dialogue asks.
    """

    def __init__(self, catalogue: Catalogue, vocab: Vocab) -> None:
        self._vocab = vocab
        self._meanings: dict[tuple[str, ...], _Meaning] = defaultdict(_Meaning)
        self._sizes: dict[str, str] = {}
        for product in catalogue.products:
            self._learn(product)
        self._spelling = _Spelling(self._meanings)
        self._matcher = PhraseMatcher(vocab)
        self._matcher.add(PRODUCT, [Doc(vocab, words=list(phrase)) for phrase in self._meanings])

    def find(self, draft: Draft, words: Words) -> None:
        """Add what is found to the draft."""
        if not self._meanings:
            return
        # Signs count for nothing: "pour-over", "pour over".
        places = [at for at, word in enumerate(words.lower) if word.isalnum()]
        read = [self._read(words.lower[at]) for at in places]
        said = [one.word for one in read]
        taken = bytearray(len(read))
        for start, end in sorted(
            ((a, b) for _, a, b in self._matcher(Doc(self._vocab, words=said))), key=_longest_first
        ):
            is_guess = any(one.is_guess for one in read[start:end]) and not any(one.is_exact for one in read[start:end])
            if is_guess or any(taken[start:end]):
                continue
            # An unclear name, too, is read: "parol mug" is no other mug.
            taken[start:end] = b"\1" * (end - start)
            if end - start == 1 and end < len(said) and said[end] in _OTHER_THINGS:
                continue
            span = words.span(places[start], places[end - 1] + 1)
            if draft.is_free(*span) and (sku := self._meant(tuple(said[start:end]), draft.text)):
                draft.add(PRODUCT, sku, *span)

    def _learn(self, product: Product) -> None:
        name, core = _stems(product.name), _stems(_SIZE.sub(" ", product.name))
        aliases = [_stems(alias) for alias in product.aliases]
        for whole in (name, core, *aliases):
            if 0 < len(whole) <= _LONGEST_PHRASE:
                for spelt in (whole, *_with_joined_words(whole)):
                    self._meanings[spelt].whole.add(product.sku)
        for part in _parts(core):
            self._meanings[part].part.add(product.sku)
        self._sizes[product.sku] = next(_sizes(product.name), "")

    def _read(self, written: str) -> _Read:
        stem = _stem(written)
        if stem in self._spelling.words or not stem.isalpha():
            return _Read(stem, is_exact=stem in self._spelling.words)
        right = self._spelling.right(stem)
        return _Read(right or stem, is_guess=right is not None and not _is_sure(stem, right))

    def _meant(self, phrase: tuple[str, ...], text: str) -> str | None:
        meaning = self._meanings.get(phrase)
        if meaning is None:
            return None
        every = meaning.whole | meaning.part
        said = set(_sizes(text)) if len(every) > 1 else ()
        of_size = {sku for sku in every if self._sizes[sku] in said}
        # "Sagada, 500 g" is the bag of that size; and a product's whole name is not a part of another's.
        for skus in (of_size, of_size & meaning.whole, meaning.whole, every):
            if len(skus) == 1:
                return next(iter(skus))
        return None


class _Spelling:
    """The words of a catalogue, and which of them a misspelt word is."""

    def __init__(self, meanings: Mapping[tuple[str, ...], _Meaning]) -> None:
        self.words: dict[str, set[str]] = defaultdict(set)
        for phrase, meaning in meanings.items():
            for word in phrase:
                self.words[word] |= meaning.whole | meaning.part
        # A first letter is seldom wrong, and comparing with all words would be slow in a large catalogue.
        self._by_initial: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.words):
            if len(word) >= _SHORTEST_FUZZY - 1 and word.isalpha():
                self._by_initial[word[0]].append(word)

    def right(self, word: str) -> str | None:
        """The nearest word of the catalogue, if it is near enough and no other product's word is as near."""
        if not 3 <= len(word) <= _LONGEST_WORD or word in STOP_WORDS or word in _COMMON_WORDS:
            return None
        near = [(errors, right) for right in self._by_initial.get(word[0], ()) if (errors := _errors(word, right))]
        if not near:
            return None
        fewest, right = min(near)
        rivals = [other for errors, other in near if errors == fewest]
        return right if all(self.words[other] == self.words[right] for other in rivals) else None


def _errors(word: str, right: str) -> int:
    """How many typing errors lie between the words; 0 when too many."""
    most = 2 if min(len(word), len(right)) >= _LONG and len(right) > _LONG else 1
    if abs(len(word) - len(right)) > most:
        return 0
    if (errors := levenshtein(word, right, most)) <= most:
        return int(errors)
    return int(len(word) == len(right) and _is_swapped(word, right))


def _is_sure(word: str, right: str) -> bool:
    """Whether a word put right may stand alone: "benget" may; "stale" and "tablet" are no scale and no tablea."""
    shorter = min(len(word), len(right))
    # Another word of the language often differs at its beginning or end.
    return shorter >= _LONG or (shorter >= _SHORTEST_FUZZY and word[:2] == right[:2] and word[-1] == right[-1])


def _sizes(text: str) -> Iterator[str]:
    """The sizes in a text: "250g", "4x100g"."""
    return (re.sub(r"\s", "", match.group()).lower() for match in _SIZE.finditer(text))


def _is_swapped(word: str, right: str) -> bool:
    """Whether two neighbouring letters have changed places."""
    at = next(at for at in range(len(word)) if word[at] != right[at])
    return word[at : at + 2] == right[at : at + 2][::-1] and word[at + 2 :] == right[at + 2 :]


def _stems(text: str) -> tuple[str, ...]:
    return tuple(_stem(word) for word in cut(text) if word.isalnum())


def _stem(word: str) -> str:
    """The word without the ending of a plural; what is made is no word always, but always the same."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _with_joined_words(name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The name with two neighbouring words written as one: "coldbrew", "pourover set"."""
    for at in range(len(name) - 1):
        if name[at].isalpha() and name[at + 1].isalpha():
            yield (*name[:at], name[at] + name[at + 1], *name[at + 2 :])


def _parts(name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Words of the name that may stand for it: the last one, or several, at least one of them not common."""
    # "Coffee scale with timer" is a scale.
    ends = next((at for at, word in enumerate(name) if at and word in _LINKS), len(name))
    if name and _is_telling(name[ends - 1]):
        yield name[ends - 1 : ends]
    for start in range(len(name)):
        for end in range(start + 2, min(len(name), start + _LONGEST_PHRASE) + 1):
            if any(_is_telling(word) for word in name[start:end]):
                yield name[start:end]


def _is_telling(word: str) -> bool:
    return len(word) >= 3 and word.isalpha() and word not in _COMMON_WORDS and word not in STOP_WORDS


def _longest_first(match: tuple[int, int]) -> tuple[int, int]:
    start, end = match
    return start - end, start
