"""What can stand behind a setting of the loyalty group: points, days, amounts, names, product numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import ConstrainedInt

from bot.yaml_files import as_amount


class Points(ConstrainedInt):
    """Points that something earns or costs."""

    strict = True
    ge = 1
    le = 1_000_000


class PointsOrNone(Points):
    """Points, or 0 for none."""

    ge = 0


class Days(ConstrainedInt):
    """A time in whole days, up to ten years."""

    strict = True
    ge = 0
    le = 3650


class SomeDays(Days):
    """A time of one day at least."""

    ge = 1


class Months(ConstrainedInt):
    """A time in whole months, up to ten years."""

    strict = True
    ge = 1
    le = 120


class Stamps(ConstrainedInt):
    """The stamps of a full card."""

    strict = True
    ge = 1
    le = 100


class Percent(ConstrainedInt):
    """A share of a hundred."""

    strict = True
    ge = 1
    le = 100


class HowOften(ConstrainedInt):
    """How often something may happen."""

    strict = True
    ge = 1
    le = 1000


class Amount(Decimal):
    """Money in the shop's currency."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[object], Any]]:
        yield lambda value: cls(as_amount(value))


class Factor(Fraction):
    """How many times as many."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[object], Any]]:
        yield cls._read

    @classmethod
    def _read(cls, value: object) -> Factor:
        try:
            factor = cls(as_amount(value))
        except ValueError:
            factor = cls(0)
        if not 1 < factor <= 100:
            raise ValueError(f"{value!r} is not a number above 1, up to 100, such as 2 or 1.5")
        return factor


class Name(str):
    """What a part of the programme is called in records; customers read its title."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[object], Any]]:
        yield cls._read

    @classmethod
    def _read(cls, value: object) -> Name:
        if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", value):
            raise ValueError(f"{value!r} is not a name of small letters, digits and dashes, such as free-cup")
        return cls(value)


class Sku(str):
    """A product's number, or with a * at its end all that begin like this."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[object], Any]]:
        yield cls._read

    @classmethod
    def _read(cls, value: object) -> Sku:
        if not isinstance(value, str) or not re.fullmatch(r"[^*]+\*?", value.strip()):
            raise ValueError(f"{value!r} is not a product's number such as MUG-1, or a beginning such as MUG-*")
        return cls(value.strip())


def as_list(value: object) -> object:
    """One text may be written without brackets."""
    return [value] if isinstance(value, str) else value


def check_unique(parts: Sequence[Any]) -> None:
    """Raise ValueError if two have the same id."""
    twice = [name for name, count in Counter(part.id for part in parts).items() if count > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)}: more than one with this id")
