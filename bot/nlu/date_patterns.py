"""How customers write dates: the word patterns by which they are found."""

from __future__ import annotations

from typing import Any

from spacy.matcher import Matcher
from spacy.vocab import Vocab

from bot.nlu import days

CONNECTORS = frozenset(("to", "until", "till", "through", "thru", "-", "\u2013", "\u2014"))
SUFFIXES = frozenset(("st", "nd", "rd", "th"))
BEFORE_A_DATE = frozenset("on by until till before after since from between for starting".split())

_Token = dict[str, Any]


def date_matcher(vocab: Vocab) -> Matcher:
    """The matcher of words that may be a date; what it calls a match says how bot.nlu.dates reads it."""

    def any_of(*choices: str) -> _Token:
        return {"LOWER": {"IN": list(choices)}}

    def maybe(token: _Token) -> _Token:
        return {**token, "OP": "?"}

    number: _Token = {"LIKE_NUM": True}
    digits: _Token = {"IS_DIGIT": True}
    weekday, any_weekday = any_of(*days.WEEKDAYS), any_of(*days.WEEKDAY_NUMBERS)
    fuzzy_weekday: _Token = {"LOWER": {"FUZZY1": {"IN": list(days.WEEKDAYS)}}}
    tomorrow: list[_Token] = [any_of("tmrw", "tmr", "tmw"), {"LOWER": {"FUZZY2": "tomorrow"}}]
    yesterday: _Token = {"LOWER": {"FUZZY2": "yesterday"}}
    month = any_of(*days.MONTH_NUMBERS)
    suffix, comma, dot = any_of(*SUFFIXES), {"TEXT": ","}, {"TEXT": "."}
    link = any_of(*CONNECTORS, "and")
    unit, the, of = any_of(*days.UNITS), {"LOWER": "the"}, {"LOWER": "of"}
    which = any_of("this", "next", "last")
    day = [digits, maybe(suffix)]
    year = [maybe(comma), digits]
    separator: _Token = {"TEXT": {"IN": ["-", "/", "."]}}
    lead = any_of(
        "on", "this", "next", "last", "coming", "past", "by", "until", "till", "before", "after", "since", "from"
    )
    patterns: dict[str, list[list[_Token]]] = {
        "near_day": [
            [any_of("today", "tonight")],
            *([one] for one in (*tomorrow, yesterday)),
            *([{"LOWER": "day"}, {"LOWER": "after"}, one] for one in tomorrow),
            [{"LOWER": "day"}, {"LOWER": "before"}, yesterday],
        ],
        "weekday": [[weekday], [lead, any_weekday], [lead, fuzzy_weekday]],
        "weekdays": [[any_weekday, any_of(*CONNECTORS), any_weekday]],
        "away": [
            [{"LOWER": "in"}, number, unit],
            [{"LOWER": "in"}, any_of("a", "an"), unit],
            [number, unit, {"LOWER": "ago"}],
            [any_of("a", "an"), unit, {"LOWER": "ago"}],
            [number, unit, {"LOWER": "from"}, any_of("now", "today")],
            [any_of("a", "an"), unit, {"LOWER": "from"}, any_of("now", "today")],
        ],
        "stretch": [[any_of("last", "past", "next", "coming"), number, unit], [{"LOWER": "past"}, unit]],
        "period": [
            [which, any_of("week", "weekend", "month", "year")],
            [the, {"LOWER": "weekend"}],
        ],
        "month_and_day": [
            [*day, maybe(of), month],
            [*day, maybe(of), month, maybe(dot), *year],
            [month, maybe(dot), maybe(the), *day],
            [month, maybe(dot), maybe(the), *day, *year],
            [*day, link, maybe(the), *day, maybe(of), month],
            [*day, link, maybe(the), *day, maybe(of), month, *year],
            [month, *day, link, maybe(the), *day],
            [month, *day, link, maybe(the), *day, *year],
        ],
        "day_of_month": [
            [any_of("the", *BEFORE_A_DATE), digits, suffix],
            [any_of(*BEFORE_A_DATE), the, digits, suffix],
            [digits, suffix, of, which, {"LOWER": "month"}],
        ],
        "figures": [[digits, separator, digits, separator, digits], [digits, {"TEXT": "/"}, digits]],
    }
    matcher = Matcher(vocab)
    for name, alternatives in patterns.items():
        matcher.add(name, alternatives)
    return matcher
