"""The kinds of values in the shop API's bodies: strict, bounded, and described in its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from datetime import date, datetime, timezone
from typing import Any

from pydantic import ConstrainedInt, ConstrainedStr
from pydantic.validators import constr_length_validator, strict_str_validator

from bot.core.conversations import clean_text, is_external_id
from bot.core.customers import MAX_ADDRESS_CHARACTERS, normalise_address, normalise_email

# Ten billion in the currency's main unit: nobody sells for more, and every sum of it still fits the database.
MAX_AMOUNT_MINOR = 10**12
FIRST_YEAR, LAST_YEAR = 1970, 2999
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:?\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Validators = Generator[Callable[..., Any], None, None]


class Amount(ConstrainedInt):
    """Money in minor units of the shop's currency: $12.50 is 1250."""

    strict = True
    ge = 0
    le = MAX_AMOUNT_MINOR


class PositiveAmount(Amount):
    """Money in minor units, more than none."""

    ge = 1


class Count(ConstrainedInt):
    """How many of something, one at least."""

    strict = True
    ge = 1
    le = 1_000_000


class Words(ConstrainedStr):
    """A text for people: trimmed; characters that no database keeps become U+FFFD."""

    min_length = 1
    max_length = 200

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield strict_str_validator
        yield clean_text
        yield constr_length_validator


class ShortWords(Words):
    """A carrier, a tracking number."""

    max_length = 80


class Postcode(Words):
    """A postcode as it is written."""

    max_length = 20


class Phone(Words):
    """A telephone number as it is written."""

    max_length = 40


class Identifier(ConstrainedStr):
    """Another system's id, kept as it is: no control characters, not only spaces."""

    min_length = 1
    max_length = 200

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield strict_str_validator
        yield constr_length_validator
        yield cls._is_plain

    @classmethod
    def _is_plain(cls, value: str) -> str:
        if not is_external_id(value):
            raise ValueError("must not have control characters, nor be only spaces")
        return value


class ShortIdentifier(Identifier):
    """A SKU, a refund's id."""

    max_length = 80


class Email(ConstrainedStr):
    """An e-mail address; kept in lower case."""

    min_length = 3
    max_length = 254

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield strict_str_validator
        yield cls._is_address
        yield constr_length_validator

    @classmethod
    def __modify_schema__(cls, field_schema: dict[str, Any]) -> None:
        field_schema.update(type="string", format="email", minLength=cls.min_length, maxLength=cls.max_length)

    @classmethod
    def _is_address(cls, value: str) -> str:
        normal = normalise_email(clean_text(value))
        if not _EMAIL.fullmatch(normal):
            raise ValueError("must be an e-mail address")
        return normal


class Address(ConstrainedStr):
    """A postal address; kept as one line."""

    min_length = 1
    max_length = MAX_ADDRESS_CHARACTERS

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield strict_str_validator
        yield cls._is_address

    @classmethod
    def _is_address(cls, value: str) -> str:
        kept = normalise_address(clean_text(value))
        if kept is None:
            raise ValueError(f"must be a postal address of at most {MAX_ADDRESS_CHARACTERS} characters")
        return kept


class Currency(ConstrainedStr):
    """The three letters of a currency."""

    strict = True
    regex = re.compile("^[A-Z]{3}$")


class Language(ConstrainedStr):
    """A language's code: en, fil, pt-BR."""

    strict = True
    max_length = 20
    regex = re.compile("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")


class Moment(datetime):
    """A date and time with its offset from UTC, as RFC 3339 writes it; kept in UTC."""

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield cls._read

    @classmethod
    def __modify_schema__(cls, field_schema: dict[str, Any]) -> None:
        field_schema.update(type="string", format="date-time")

    @classmethod
    def _read(cls, value: object) -> datetime:
        try:
            if isinstance(value, str) and _MOMENT.fullmatch(value):
                moment = datetime.fromisoformat(_plain(value)).astimezone(timezone.utc)
                if FIRST_YEAR <= moment.year <= LAST_YEAR:
                    return moment
        except (ValueError, OverflowError):
            pass
        raise ValueError("must be a date and time with its offset, such as 2026-01-31T16:20:00+08:00")


class Day(date):
    """A date, as ISO 8601 writes it."""

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield cls._read

    @classmethod
    def __modify_schema__(cls, field_schema: dict[str, Any]) -> None:
        field_schema.update(type="string", format="date")

    @classmethod
    def _read(cls, value: object) -> date:
        try:
            if isinstance(value, str) and _DAY.fullmatch(value):
                day = date.fromisoformat(value)
                if FIRST_YEAR <= day.year <= LAST_YEAR:
                    return day
        except ValueError:
            pass
        raise ValueError("must be a date, such as 2026-01-31")


def _plain(moment: str) -> str:
    """As Python 3.10 reads it: Z is +00:00, +0800 is +08:00, and a fraction has six digits."""
    moment = re.sub("[Zz]$", "+00:00", moment)
    moment = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", moment)
    return re.sub(r"\.(\d+)", lambda found: f".{found[1]:0<6}", moment)
