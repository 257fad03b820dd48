"""The groups of settings in business.yml, each checked by itself."""

import re
import string
from decimal import Decimal
from typing import Any

from pydantic import Field, StrictBool, StrictInt, conint, root_validator, validator
from pydantic.fields import ModelField

from bot.core.opening_hours import WEEKDAYS, Interval, check_week
from bot.core.shop import Policies
from bot.web_addresses import split_url
from bot.yaml_files import Part, as_amount

_DEFAULTS = Policies()


class Contact(Part):
    """How a customer reaches the shop itself."""

    email: str
    phone: str | None = None
    address: str | None = None

    @validator("email")
    def _email_has_two_sides(cls, value: str) -> str:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value):
            raise ValueError(f"{value!r} is not an e-mail address")
        return value


class OpeningWeek(Part):
    """Per weekday, the time spans that begin on it."""

    monday: list[str]
    tuesday: list[str]
    wednesday: list[str]
    thursday: list[str]
    friday: list[str]
    saturday: list[str]
    sunday: list[str]

    @validator("*", pre=True)
    def _one_span_is_a_list(cls, value: object) -> object:
        return _as_spans(value)

    @validator("*", each_item=True)
    def _spans_are_times(cls, value: str) -> str:
        Interval.parse(value)
        return value

    @root_validator(skip_on_failure=True)
    def _spans_do_not_overlap(cls, values: dict[str, Any]) -> dict[str, Any]:
        check_week(as_week(values))
        return values


class HolidayRule(Part):
    """A date with its own hours; none means closed."""

    name: str
    hours: list[str] = Field(default_factory=list)

    @validator("hours", pre=True)
    def _one_span_is_a_list(cls, value: object) -> object:
        return _as_spans(value)

    @validator("hours", each_item=True)
    def _spans_are_times(cls, value: str) -> str:
        Interval.parse(value)
        return value


class Orders(Part):
    """How the shop numbers its orders, and what it has decided about taking them back."""

    number_prefix: str = ""
    cancellation_fee: Decimal = Decimal(0)
    returns_days: conint(strict=True, ge=0, le=3650) = _DEFAULTS.returns_days  # type: ignore[valid-type]
    refund_days: conint(strict=True, ge=0, le=365) = _DEFAULTS.refund_days  # type: ignore[valid-type]

    class Config:
        min_anystr_length = 0

    @validator("number_prefix")
    def _prefix_is_short(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Z]{0,4}", value):
            raise ValueError(f"{value!r} is not up to four capital letters")
        return value

    @validator("cancellation_fee", pre=True)
    def _fee_is_an_amount(cls, value: object) -> Decimal:
        return as_amount(value)


class Delivery(Part):
    """What delivery costs and how long it takes."""

    fee: Decimal = Decimal(0)
    free_from: Decimal | None = None
    days: StrictInt | str = _DEFAULTS.delivery_days

    @validator("fee", "free_from", pre=True)
    def _fees_are_amounts(cls, value: object) -> Decimal:
        return as_amount(value)


class Invoices(Part):
    """How long the link to an invoice works."""

    link_hours: conint(strict=True, ge=1, le=24 * 365) = _DEFAULTS.invoice_link_hours  # type: ignore[valid-type]


class Links(Part):
    """Pages of the shop that the assistant may point to."""

    shop: str | None = None
    account: str | None = None
    order_page: str | None = None
    returns_policy: str | None = None
    privacy_policy: str | None = None

    @validator("*")
    def _links_are_urls(cls, value: str | None, field: ModelField) -> str | None:
        if value is None:
            return None
        split = split_url(value)
        if split is None or split.scheme not in ("https", "http") or not split.hostname:
            raise ValueError(f"{value!r} is not a web address such as https://www.example.com/page")
        try:
            names = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
        except ValueError:
            names = {"?"}
        if names - ({"number"} if field.name == "order_page" else set()):
            raise ValueError(f"{value!r} has braces: only order_page may, and only {{number}}")
        return value


class Handoff(Part):
    """What the assistant promises when it brings in a person."""

    reply_time: str = "within one working day"


class Attempts(Part):
    """At most so many failed attempts in so many minutes."""

    attempts: int = Field(ge=1, le=1000)
    minutes: int = Field(ge=1, le=7 * 24 * 60)


class Limits(Part):
    """Bounds on looking up an order without signing in: too many wrong guesses, and lookups stop for a while."""

    lookups_per_conversation: Attempts = Attempts(attempts=5, minutes=15)
    lookups_per_order: Attempts = Attempts(attempts=10, minutes=60)


class Lifecycle(Part):
    """When customers count as gone."""

    lapsed_days: conint(strict=True, ge=1, le=3650) = 180  # type: ignore[valid-type]


class Files(Part):
    """For how long files that people sent are kept."""

    keep_days: conint(strict=True, ge=1, le=3650) = 365  # type: ignore[valid-type]


class Privacy(Part):
    """What happens when somebody asks to be forgotten."""

    erasure_needs_approval: StrictBool = True


def as_intervals(spans: list[str]) -> tuple[Interval, ...]:
    """The time spans of a day."""
    return tuple(map(Interval.parse, spans))


def as_week(spans: dict[str, Any]) -> tuple[tuple[Interval, ...], ...]:
    """The time spans of a week, Monday first, from those under each weekday's name."""
    return tuple(as_intervals(spans[day.lower()]) for day in WEEKDAYS)


def _as_spans(value: object) -> object:
    """`closed` and a single span may be written without brackets."""
    if isinstance(value, str):
        return [] if value.strip().lower() == "closed" else [value]
    return value
