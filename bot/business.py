"""The business file: what a shop's owner decides, read from business.yml and checked."""

import difflib
import re
import string
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Extra, Field, PrivateAttr, ValidationError, root_validator, validator
from pydantic.fields import ModelField
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.core.opening_hours import WEEKDAYS, Holiday, Interval, OpeningHours, check_day, check_week
from bot.core.shop import Shop
from bot.core.verification import LookupLimits
from bot.errors import ConfigError


class _Constructor(SafeConstructor):
    """Leaves dates as text: YAML's own reading fails on 2027-02-30 without saying where."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


class _Part(BaseModel):
    """A part of the file: unknown keys are faults, and text must be text."""

    class Config:
        extra = Extra.forbid
        allow_mutation = False
        anystr_strip_whitespace = True
        min_anystr_length = 1

    @validator("*", pre=True)
    def _text_is_text(cls, value: object, field: ModelField) -> object:
        if field.outer_type_ is str and value is not None and not isinstance(value, str):
            # YAML makes numbers of phone numbers and of postcodes, and loses their zeros.
            raise ValueError("is not text: put it in quotes")
        return value


class Contact(_Part):
    """How a customer reaches the shop itself."""

    email: str
    phone: str | None = None
    address: str | None = None

    @validator("email")
    def _email_has_two_sides(cls, value: str) -> str:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value):
            raise ValueError(f"{value!r} is not an e-mail address")
        return value


class OpeningWeek(_Part):
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
        check_week(_week(values))
        return values


class HolidayRule(_Part):
    """A date with its own hours; none means closed."""

    name: str
    hours: list[str] = []

    @validator("hours", pre=True)
    def _one_span_is_a_list(cls, value: object) -> object:
        return _as_spans(value)

    @validator("hours", each_item=True)
    def _spans_are_times(cls, value: str) -> str:
        Interval.parse(value)
        return value


class Orders(_Part):
    """How the shop numbers its orders."""

    number_prefix: str = ""

    class Config:
        min_anystr_length = 0

    @validator("number_prefix")
    def _prefix_is_short(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Z]{0,4}", value):
            raise ValueError(f"{value!r} is not up to four capital letters")
        return value


class Links(_Part):
    """Pages of the shop that the assistant may point to."""

    shop: str | None = None
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


class Widget(_Part):
    """Where the chat widget may be embedded, beside PUBLIC_URL."""

    origins: list[str] = []

    @validator("origins", each_item=True)
    def _origins_are_origins(cls, value: str) -> str:
        origin = as_origin(value)
        if origin is None:
            raise ValueError(f"{value!r} is not an origin such as https://www.example.com, without a path or a *")
        return origin


class Handoff(_Part):
    """What the assistant promises when it brings in a person."""

    reply_time: str = "within one working day"


class Attempts(_Part):
    """At most so many failed attempts in so many minutes."""

    attempts: int = Field(ge=1, le=1000)
    minutes: int = Field(ge=1, le=7 * 24 * 60)


class Limits(_Part):
    """Bounds on looking up an order without signing in: too many wrong guesses, and lookups stop for a while."""

    lookups_per_conversation: Attempts = Attempts(attempts=5, minutes=15)
    lookups_per_order: Attempts = Attempts(attempts=10, minutes=60)


class Business(_Part):
    """A shop, as its owner describes it in business.yml."""

    name: str
    assistant_name: str = "Suki"
    currency: str
    time_zone: str
    contact: Contact
    opening_hours: OpeningWeek
    holidays: dict[date, HolidayRule] = {}
    orders: Orders = Orders()
    links: Links = Links()
    widget: Widget = Widget()
    handoff: Handoff = Handoff()
    limits: Limits = Limits()

    _hours: OpeningHours = PrivateAttr()

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._hours = OpeningHours(
            zone=ZoneInfo(self.time_zone),
            weekly=_week(self.opening_hours.dict()),
            holidays={day: Holiday(rule.name, _intervals(rule.hours)) for day, rule in self.holidays.items()},
        )

    @property
    def hours(self) -> OpeningHours:
        """The opening hours and holidays, in the shop's time zone."""
        return self._hours

    def facts(self) -> dict[str, str]:
        """The shop's facts in words, by the names under which answers may use them."""
        return {"shop": self.name}

    def to_shop(self) -> Shop:
        """The facts that the assistant's rules work with."""
        conversation, order = self.limits.lookups_per_conversation, self.limits.lookups_per_order
        return Shop(
            name=self.name,
            assistant_name=self.assistant_name,
            currency=self.currency,
            hours=self.hours,
            order_prefix=self.orders.number_prefix,
            contact_email=self.contact.email,
            contact_phone=self.contact.phone,
            address=self.contact.address,
            reply_time=self.handoff.reply_time,
            lookup_limits=LookupLimits(
                per_conversation=conversation.attempts,
                conversation_window=timedelta(minutes=conversation.minutes),
                per_order=order.attempts,
                order_window=timedelta(minutes=order.minutes),
            ),
        )

    @validator("currency")
    def _currency_is_a_code(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Z]{3}", value):
            raise ValueError(f"{value!r} is not a currency code of three capital letters, such as USD (ISO 4217)")
        return value

    @validator("time_zone")
    def _time_zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone such as Asia/Manila or Europe/Paris") from None
        return value

    @validator("holidays", pre=True)
    def _holidays_have_dates(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        wrong = [day for day in value if _as_date(day) is None]
        if wrong:
            raise ValueError(f"{', '.join(map(str, wrong))}: not a date such as 2027-12-25")
        return {_as_date(day): {"name": rule} if isinstance(rule, str) else rule for day, rule in value.items()}

    @validator("holidays", each_item=True)
    def _holiday_spans_do_not_overlap(cls, rule: HolidayRule) -> HolidayRule:
        check_day(rule.name, _intervals(rule.hours))
        return rule


def load_business(path: Path) -> Business:
    """Read and check a business file.

    Raises ConfigError with every fault, each beginning with the file's name and the setting (or, for a file that is
    not YAML, the line).
    """
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        content = yaml.load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); BUSINESS_FILE names it"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text"]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError([f"{path}: {where}{error.problem or 'is not valid YAML'}"]) from None
    except YAMLError as error:
        raise ConfigError([f"{path}: is not valid YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError([f"{path}: is not a list of settings, each as `name: value`"])
    try:
        return Business(**content)
    except ValidationError as error:
        raise ConfigError([f"{path}: {_describe(fault)}" for fault in error.errors()]) from None


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL, its port known to be a number; None for what is not a URL at all."""
    try:
        split = urlsplit(url)
        _ = split.port  # computed, and refused, only when asked for
    except ValueError:
        return None
    return None if re.search(r"\s", url) else split


def as_origin(url: str) -> str | None:
    """The origin as browsers send it (lower case, no default port); None when the URL is not just an origin."""
    split = split_url(url)
    if split is None or split.scheme not in ("http", "https") or not split.hostname or "*" in split.netloc:
        return None
    if split.path not in ("", "/") or split.query or split.fragment or "@" in split.netloc:
        return None
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    default_port = {"http": 80, "https": 443}[split.scheme]
    return f"{split.scheme}://{host}" + (f":{split.port}" if split.port not in (None, default_port) else "")


def _as_spans(value: object) -> object:
    """`closed` and a single span may be written without brackets."""
    if isinstance(value, str):
        return [] if value.strip().lower() == "closed" else [value]
    return value


def _as_date(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _intervals(spans: list[str]) -> tuple[Interval, ...]:
    return tuple(map(Interval.parse, spans))


def _week(spans: dict[str, Any]) -> tuple[tuple[Interval, ...], ...]:
    return tuple(_intervals(spans[day.lower()]) for day in WEEKDAYS)


def _describe(fault: Mapping[str, Any]) -> str:
    """One fault of pydantic's, in words for a shop's owner."""
    where = ".".join(str(key) for key in fault["loc"] if key != "__root__")
    match fault["type"]:
        case "value_error.missing":
            what = "is missing"
        case "type_error.none.not_allowed" | "value_error.any_str.min_length":
            what = "is empty"
        case "value_error.extra":
            what = "is not a setting" + _suggest(fault["loc"])
        case "type_error.dict":
            what = "is not a group of settings, each as `name: value`"
        case "type_error.list":
            what = "is not a list, such as [one, two]"
        case _:
            what = fault["msg"]
    return f"{where}: {what}"


def _suggest(loc: tuple[str | int, ...]) -> str:
    model: type[BaseModel] = Business
    for key in loc[:-1]:
        field = model.__fields__.get(str(key))
        if field is not None and isinstance(field.type_, type) and issubclass(field.type_, BaseModel):
            model = field.type_
    near = difflib.get_close_matches(str(loc[-1]), list(model.__fields__), n=1)
    known = ", ".join(model.__fields__)
    return f"; did you mean {near[0]}?" if near else f" (there are: {known})"
