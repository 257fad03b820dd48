"""What the cells of imported files hold: amounts, quantities, moments and addresses, as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from functools import lru_cache
from typing import TypeVar

from babel.numbers import get_currency_precision, list_currencies
from dateutil.parser import isoparse

from bot.core.customers import normalise_email

MAX_EMAIL_CHARACTERS = 254
MAX_NUMBER_CHARACTERS = 32
MAX_QUANTITY = 10_000_000
MAX_MINOR = 10**15
EARLIEST = datetime(1900, 1, 1, tzinfo=timezone.utc)
# Clocks differ; but what lies further ahead than this is a mistake.
MOST_AHEAD = timedelta(days=1)
# Values come again and again; so many of each kind are remembered.
REMEMBERED = 20_000

_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+")
_NUMBER = re.compile(r"[0-9A-Z#][0-9A-Z ._/#-]*")
_SPACES = "[ \u00a0\u202f'\u2019]"
_WITH_POINT = re.compile(rf"(?:[0-9]+|[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+)?(?:\.[0-9]*)?")
_WITH_COMMA = re.compile(rf"(?:[0-9]+|[0-9]{{1,3}}(?:\.[0-9]{{3}})+|[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+)?(?:,[0-9]*)?")
_SYMBOLS = re.compile(r"^(?:[A-Z]{3}|[$€£¥₱₹])\s*|\s*(?:[A-Z]{3}|[$€£¥₱₹])$")
_MAX_AMOUNT_CHARACTERS = 40
_MONTH_AND_DAY = re.compile(r"(?:--)?([0-9]{1,2})-([0-9]{1,2})")

Value = TypeVar("Value")


class Reason(str, Enum):
    """Why a row is not imported; `explained` says it in words."""

    BAD_QUOTES = "bad_quotes"
    BAD_CHARACTERS = "bad_characters"
    TOO_LONG_A_FIELD = "too_long_a_field"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_FEW_COLUMNS = "too_few_columns"
    EMPTY_ROW = "empty_row"
    MISSING = "missing"
    TOO_LONG = "too_long"
    BAD_NUMBER = "bad_number"
    BAD_EMAIL = "bad_email"
    BAD_PHONE = "bad_phone"
    BAD_ADDRESS = "bad_address"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    BAD_AMOUNT = "bad_amount"
    TOO_LARGE = "too_large"
    BAD_QUANTITY = "bad_quantity"
    ZERO_QUANTITY = "zero_quantity"
    STOCK_ADJUSTMENT = "stock_adjustment"
    NEGATIVE_QUANTITY = "negative_quantity"
    NEGATIVE_PRICE = "negative_price"
    NEGATIVE_TOTAL = "negative_total"
    MIXED_SIGNS = "mixed_signs"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_CURRENCY = "unknown_currency"
    OTHER_CURRENCY = "other_currency"
    OTHER_CUSTOMER = "other_customer"
    OTHER_TOTAL = "other_total"
    REPEATED_ORDER = "repeated_order"
    TOO_MANY_ROWS = "too_many_rows"
    ERASED = "erased"

    @property
    def explained(self) -> str:
        """What is wrong, in words."""
        return _EXPLAINED[self]


_EXPLAINED = {
    Reason.BAD_QUOTES: "a quotation mark ends in the middle of a field",
    Reason.BAD_CHARACTERS: "holds characters that no text has (NUL bytes or halves of characters)",
    Reason.TOO_LONG_A_FIELD: "a field is longer than any text that belongs here",
    Reason.TOO_MANY_COLUMNS: "has more fields than the header has columns",
    Reason.TOO_FEW_COLUMNS: "has fewer fields than the header has columns",
    Reason.EMPTY_ROW: "every field is empty",
    Reason.MISSING: "a value is missing that is needed",
    Reason.TOO_LONG: "a value is longer than what is kept",
    Reason.BAD_NUMBER: "not an order number: at most 32 letters, digits and signs",
    Reason.BAD_EMAIL: "not an e-mail address",
    Reason.BAD_PHONE: "not a telephone number",
    Reason.BAD_ADDRESS: "not a postal address: no letter in it",
    Reason.BAD_DATE: "not a date of the expected form, or not a day that exists",
    Reason.FUTURE_DATE: "lies in the future",
    Reason.BAD_AMOUNT: "not an amount of money",
    Reason.TOO_LARGE: "larger than anything that can be right",
    Reason.BAD_QUANTITY: "not a whole number",
    Reason.ZERO_QUANTITY: "a quantity of 0 orders nothing",
    Reason.STOCK_ADJUSTMENT: "a negative quantity without customer and price: an adjustment of the stock, not a sale",
    Reason.NEGATIVE_QUANTITY: "a negative quantity in an order: the mapping says how credit notes are recognised",
    Reason.NEGATIVE_PRICE: "a negative price: an adjustment of the books, not a sale",
    Reason.NEGATIVE_TOTAL: "a negative total in an order: the mapping says how credit notes are recognised",
    Reason.MIXED_SIGNS: "gives back, while the rest of its credit note charges, or the other way round",
    Reason.UNKNOWN_STATUS: "not a status that is known: the mapping can say what it means",
    Reason.UNKNOWN_CURRENCY: "not a currency",
    Reason.OTHER_CURRENCY: "another currency than in the rest of its order",
    Reason.OTHER_CUSTOMER: "another customer than in the rest of its order",
    Reason.OTHER_TOTAL: "another total, discount or delivery fee than in the rest of its order",
    Reason.REPEATED_ORDER: "an order of that number stands in the file before",
    Reason.TOO_MANY_ROWS: "more rows than one order can have",
    Reason.ERASED: "this customer's data were erased, and do not come back with an import",
}


class Rejected(Exception):
    """A row that is not imported, and why. `detail` names the field, or what stands there."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


class Remembering(dict[str, Value]):
    """What a reading of cells has found, by the cell's text. Forgets everything when there is too much of it."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(self) >= REMEMBERED:
            self.clear()
        self[text] = value
        return value


def read_decimal(text: str, *, decimal_comma: bool) -> Decimal | None:
    """An amount as people write it: 1,234.50, -2, (3.00), £5, 12.50 EUR. None when it is none."""
    text = text.strip().replace("\u2212", "-")
    if len(text) > _MAX_AMOUNT_CHARACTERS:
        return None
    negative = text.startswith("(") and text.endswith(")")
    if negative:
        text = text[1:-1].strip()
    for _ in range(2):
        # A sign stands before the currency or behind it: -£5, £-5.
        if text.startswith("-") and not negative:
            negative, text = True, text[1:].lstrip()
        text = _SYMBOLS.sub("", text, count=1)
    if not any(character.isdigit() for character in text):
        return None
    if not (_WITH_COMMA if decimal_comma else _WITH_POINT).fullmatch(text):
        return None
    thousands, point = (".", ",") if decimal_comma else (",", ".")
    plain = re.sub(_SPACES, "", text.replace(thousands, "")).replace(point, ".")
    value = Decimal(plain)
    return -value if negative else value


def read_quantity(text: str, *, decimal_comma: bool) -> int:
    """A whole number of pieces, possibly negative. Raises Rejected."""
    value = read_decimal(text, decimal_comma=decimal_comma)
    if value is None or value != value.to_integral_value():
        raise Rejected(Reason.BAD_QUANTITY, "quantity")
    if abs(value) > MAX_QUANTITY:
        raise Rejected(Reason.TOO_LARGE, "quantity")
    return int(value)


def to_minor(amount: Decimal, digits: int) -> tuple[int, bool]:
    """An amount in the smallest unit of a currency with that many decimals, and whether it had to be rounded.

    What has more decimals than the currency is rounded to the nearest unit, a half away from zero. Raises Rejected for
    what is too large to be right.
    """
    if abs(amount) > MAX_MINOR:  # far below the digits that decimals are counted with
        raise Rejected(Reason.TOO_LARGE)
    scaled = amount.scaleb(digits)
    rounded = scaled.quantize(Decimal(1), ROUND_HALF_UP)
    if abs(rounded) > MAX_MINOR:
        raise Rejected(Reason.TOO_LARGE)
    return int(rounded), rounded != scaled


@lru_cache(maxsize=256)
def currency_digits(currency: str) -> int:
    """How many decimals a currency has. Raises Rejected when there is no such currency."""
    if currency not in list_currencies():
        raise Rejected(Reason.UNKNOWN_CURRENCY)
    return int(get_currency_precision(currency))


def read_moment(text: str, formats: tuple[str, ...], zone: tzinfo) -> datetime:
    """A moment in UTC, written in one of the formats, or in ISO 8601 where there are none. Raises Rejected.

    Without a time zone of its own it is in the given one: an hour that comes twice there is the first, and an hour that
    is left out is read as if it were not.
    """
    moment = _read_naive(text.strip(), formats)
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        moment = moment.astimezone(timezone.utc)
    except (OverflowError, ValueError):
        raise Rejected(Reason.BAD_DATE) from None
    if moment < EARLIEST:
        raise Rejected(Reason.BAD_DATE)
    return moment


def _read_naive(text: str, formats: tuple[str, ...]) -> datetime:
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            continue
    # A year alone, or a year and a month, is ISO 8601, too, but no day.
    if formats or not text.isascii() or len(text) < 8 or text[4:].count("-") == 1 == text.count("-"):
        raise Rejected(Reason.BAD_DATE)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        try:
            return isoparse(text)
        except (ValueError, OverflowError):
            raise Rejected(Reason.BAD_DATE) from None


def read_birthday(text: str, formats: tuple[str, ...]) -> tuple[int, int]:
    """Month and day of a date, whose year is not kept; 05-31 and --05-31 do as well. Raises Rejected."""
    if found := _MONTH_AND_DAY.fullmatch(text.strip()):
        text, formats = f"2000-{int(found[1]):02d}-{int(found[2]):02d}", ()
    born = _read_naive(text.strip(), formats)
    return born.month, born.day


def read_email(text: str) -> str:
    """An e-mail address as it is compared. Raises Rejected."""
    email = normalise_email(text)
    if len(email) > MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(email):
        raise Rejected(Reason.BAD_EMAIL)
    return email


def read_order_number(text: str) -> str:
    """An order's or credit note's number: as it is given, in upper case. Raises Rejected."""
    number = text.strip().upper()
    if len(number) > MAX_NUMBER_CHARACTERS or not _NUMBER.fullmatch(number):
        raise Rejected(Reason.BAD_NUMBER)
    return number


def read_text(text: str, most: int) -> str:
    """Text in one line, trimmed. Raises Rejected when it is too long."""
    kept = " ".join(text.split())
    if len(kept) > most:
        raise Rejected(Reason.TOO_LONG)
    return kept
