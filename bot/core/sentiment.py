"""How somebody feels, as far as their words say it: word lists that anybody can read, and what turns them around."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

# What each word weighs. A star stands for any ending.
_WORDS = {
    # Abuse, and what nobody says in a good mood: each is enough by itself.
    -4: "idiot* moron* stupid* dumb bullshit shit shitty fuck* asshole* bastard* crap crappy wtf imbecile* scumbag*",
    -3: "terrible awful horrible worst useless ridiculous unacceptable disgusting disgusted disgrace* furious angry "
    "outrageous outrage* scam scams scammed scammer* fraud* thief thieves liar* lied lying hate pathetic appalling "
    "disgraceful atrocious incompetent livid infuriat* garbage",
    -2: "disappointed disappointing disappointment annoyed annoying upset frustrat* unhappy rude poor mad damn "
    "nonsense rubbish ignored ignoring dissatisfied unprofessional",
    -1: "bad slow late broken wrong missing damaged sad worse complain* fail* problem* issue* lost delay* "
    "unfriendly unhelpful confusing",
    1: "good nice thanks thank helpful friendly quick fast easy happy glad pleased liked polite best",
    2: "great love loved lovely excellent perfect amazing wonderful awesome brilliant fantastic delicious delighted "
    "superb",
}
# Before single words, because together they say something else.
_PHRASES = {
    "rip off": -3,
    "ripped off": -3,
    "never again": -3,
    "fed up": -3,
    "sick of": -3,
    "sick and tired": -3,
    "waste of": -2,
    "waste my time": -3,
    "wasted my time": -3,
    "had enough": -3,
    "shut up": -4,
    "go to hell": -4,
    "screw you": -4,
    "what the hell": -3,
    "my lawyer": -3,
    "for ages": -1,
    "still waiting": -1,
    "still not": -1,
    "hate to": 0,
    "quick question": 0,
    "no problem": 1,
    "no problems": 1,
    "no issues": 1,
    "no complaints": 1,
    "cannot complain": 1,
    "can't complain": 1,
    "never disappointed": 2,
    "never disappoints": 2,
    "no thanks": 0,
    "no thank you": 0,
    "too good to be true": -1,
    "best before": 0,
    "thanks for nothing": -3,
    "lost for words": 0,
}
_NEGATIONS = frozenset(
    "not no never nor neither without hardly barely cannot can't don't doesn't didn't isn't wasn't aren't weren't "
    "won't wouldn't couldn't shouldn't haven't hasn't hadn't ain't dont doesnt didnt isnt wasnt cant wont nothing "
    "nobody".split()
)
# What turns a word around stands at most so many words before it.
_REACH = 3
# However many of them there are: a long list of what went wrong is not anger.
_MILD_AT_LEAST = -2
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[.,;:!?\n]", re.IGNORECASE)
_MANY_MARKS = re.compile(r"![!?]|\?!")
_ENDS = frozenset(".,;:!?\n") | {"but", "however", "although", "though"}
ANGRY_AT, UNHAPPY_AT, HAPPY_AT = -3, -1, 1
SHOUTED_LETTERS = 10


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
    shouting makes a bad mood worse. Irony is not heard.
    """
    found = [one for one in _weighed(text) if one[1] != 0]
    total = sum(weight for _, weight in found if weight != -1)
    total += max(sum(weight for _, weight in found if weight == -1), _MILD_AT_LEAST)
    if total < 0:
        total -= _is_shouted(text) + bool(_MANY_MARKS.search(text))
    if total <= ANGRY_AT:
        mood = Mood.ANGRY
    elif total <= UNHAPPY_AT:
        mood = Mood.UNHAPPY
    else:
        mood = Mood.HAPPY if total >= HAPPY_AT else Mood.NEUTRAL
    return Sentiment(mood, tuple(dict.fromkeys(words for words, _ in found)))


def is_angry(text: str) -> bool:
    """Whether whoever writes this is angry, or abusive."""
    return sentiment_of(text).mood is Mood.ANGRY


_THREAT = re.compile(
    r"\b(?:(?:(?:my|our)|(?:get|hire|call|contact|see|to) an?) (?:lawyer|attorney|solicitor)s?|"
    r"legal action|small claims|see you in court|"
    r"take (?:you|this|it) to court|(?:i'?ll|i will|going to|gonna|i'?m) (?:sue|suing|report you|press charges)|"
    r"(?:call|calling|go to|going to|tell) the (?:police|press|newspapers?)|chargeback|charge ?back|"
    r"consumer (?:protection|rights|authority)|(?:i'?ll|i will|gonna|going to) (?:kill|hurt|burn|smash|destroy))\b",
    re.IGNORECASE,
)


def is_threat(text: str) -> bool:
    """Whether whoever writes this threatens: with a court, the police, the press, or with violence."""
    return _THREAT.search(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None


def _weighed(text: str) -> Iterator[tuple[str, int]]:
    """The words and phrases that weigh something, each with its weight here."""
    tokens = _TOKEN.findall(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower())
    place = 0
    while place < len(tokens):
        length, weight = _at(tokens, place)
        if length and weight:
            words = " ".join(tokens[place : place + length])
            negation = _negation(tokens, place)
            if negation is None:
                yield words, weight
            else:
                yield f"{negation} {words}", _turned_around(weight)
        place += length or 1


def _at(tokens: list[str], place: int) -> tuple[int, int]:
    """How many words at this place belong together, and their weight; none, when they weigh nothing."""
    for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
        weight = _PHRASES.get(" ".join(tokens[place : place + length]))
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


def _turned_around(weight: int) -> int:
    # "Not great" is a little bad and "not bad" a little good, but "not terrible" is no praise.
    return -1 if weight > 0 else int(weight == -1)


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return len(letters) >= SHOUTED_LETTERS and sum(map(str.isupper, letters)) > 0.7 * len(letters)


_ALL = [(word, weight) for weight, words in _WORDS.items() for word in words.split()]
_EXACT = {word: weight for word, weight in _ALL if not word.endswith("*")}
_BEGINNINGS = [(word[:-1], weight) for word, weight in _ALL if word.endswith("*")]
_LONGEST = max(len(phrase.split()) for phrase in _PHRASES)
