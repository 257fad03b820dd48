"""How somebody feels, as far as their words say it: what the words weigh together, and what turns them around."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bot.core.mood_words import HARSH, PATTERNS, PHRASES, THREATS, US, WORDS

_NEGATIONS = frozenset(
    "not no never nor neither without hardly barely cannot can't don't doesn't didn't isn't wasn't aren't weren't "
    "won't wouldn't couldn't shouldn't haven't hasn't hadn't ain't dont doesnt didnt isnt wasnt cant wont nothing "
    "nobody".split()
)
# What turns a word around stands at most so many words before it.
_REACH = 3
# However many of them there are: a long list of what went wrong is not anger.
_MILD_AT_LEAST = -2
# Politeness is no sign of a good mood.
_COURTESY = frozenset({"thanks", "thank"})
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[.,;:!?\n]", re.IGNORECASE)
_MANY_MARKS = re.compile(r"![!?]|\?!")
_ENDS = frozenset(".,;:!?\n") | {"but", "however", "although", "though"}
# Where another thought begins: what is bad there need not be what was spoken of here.
_TURNS = _ENDS | {"that", "because", "which", "when", "if"}
ANGRY_AT, UNHAPPY_AT, HAPPY_AT = -3, -1, 1
SHOUTED_LETTERS = 10
# Whoever says nothing but this means us.
_ALONE = 2


class Mood(str, Enum):
    """How a message sounds."""

    ANGRY = "angry"
    UNHAPPY = "unhappy"
    NEUTRAL = "neutral"
    HAPPY = "happy"


@dataclass(frozen=True)
class Sentiment:
    """How a message sounds, and the words that say so."""

    mood: Mood
    because: tuple[str, ...] = ()


def sentiment_of(text: str) -> Sentiment:
    """How a message sounds in English.

    Words have weights, which "not" and its like turn around ("not good" is a little bad, "not bad" a little good);
    shouting makes a bad mood worse. What went wrong with an order makes nobody angry by itself, however much it was.
    Irony is not heard.
    """
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    found = [one for one in _weighed(text) if one[1] != 0]
    mild = max(sum(weight for _, weight in found if weight == -1), _MILD_AT_LEAST)
    strong = sum(weight for _, weight in found if weight != -1)
    anger = strong - sum(weight for words, weight in found if words in _COURTESY)
    shouted = _is_shouted(text)
    if anger + mild < 0:
        anger += (mild if shouted else 0) - shouted - bool(_MANY_MARKS.search(text))
    total = strong + mild
    if anger <= ANGRY_AT:
        mood = Mood.ANGRY
    elif total <= UNHAPPY_AT:
        mood = Mood.UNHAPPY
    else:
        mood = Mood.HAPPY if total >= HAPPY_AT else Mood.NEUTRAL
    return Sentiment(mood, tuple(dict.fromkeys(words for words, _ in found)))


def is_angry(text: str) -> bool:
    """Whether whoever writes this is angry, or abusive."""
    return sentiment_of(text).mood is Mood.ANGRY


def is_threat(text: str) -> bool:
    """Whether whoever writes this threatens: with a court, the police, the press, or with violence."""
    return THREATS.search(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None


def _weighed(text: str) -> Iterator[tuple[str, int]]:
    """The words and phrases that weigh something, each with its weight here."""
    for pattern, weight in PATTERNS:
        if (match := pattern.search(text)) is not None:
            yield match[0].strip().lower(), weight
    tokens = _TOKEN.findall(text.lower())
    place = 0
    while place < len(tokens):
        length, weight = _at(tokens, place)
        if length and weight:
            words = " ".join(tokens[place : place + length])
            negation = _negation(tokens, place)
            if negation is not None:
                yield f"{negation} {words}", _turned_around(weight)
            else:
                yield words, weight - (words in _HARSH and _is_about_us(tokens, place))
        place += length or 1


def _at(tokens: list[str], place: int) -> tuple[int, int]:
    """How many words at this place belong together, and their weight; none, when they weigh nothing."""
    for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
        weight = PHRASES.get(" ".join(tokens[place : place + length]))
        if weight is not None:
            return length, weight
    word = tokens[place]
    if word in _EXACT:
        return 1, _EXACT[word]
    return next(((1, weight) for beginning, weight in _BEGINNINGS if word.startswith(beginning)), (0, 0))


def _negation(tokens: list[str], place: int) -> str | None:
    """The word shortly before, in the same clause, that turns this one around."""
    for before in reversed(tokens[max(place - _REACH, 0) : place]):
        if before in _ENDS:
            return None
        if before in _NEGATIONS:
            return before
    return None


def _is_about_us(tokens: list[str], place: int) -> bool:
    """Whether what is said around this place is said of the shop and its people, or is all that is said."""
    begin, end = place, place
    while begin > 0 and tokens[begin - 1] not in _TURNS:
        begin -= 1
    while end < len(tokens) and tokens[end] not in _TURNS:
        end += 1
    is_all = len([token for token in tokens if token not in _ENDS]) <= _ALONE
    return is_all or US.search(" ".join(tokens[begin:end])) is not None


def _turned_around(weight: int) -> int:
    # "Not great" is a little bad and "not bad" a little good, but "not terrible" is no praise.
    return -1 if weight > 0 else int(weight == -1)


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return len(letters) >= SHOUTED_LETTERS and sum(map(str.isupper, letters)) > 0.7 * len(letters)


_HARSH = frozenset(HARSH.split())
_ALL = [(word, weight) for weight, words in ((-2, HARSH), *WORDS.items()) for word in words.split()]
_EXACT = {word: weight for word, weight in _ALL if not word.endswith("*")}
_BEGINNINGS = [(word[:-1], weight) for word, weight in _ALL if word.endswith("*")]
_LONGEST = max(len(phrase.split()) for phrase in PHRASES)
