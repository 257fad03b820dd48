"""The business file: what a shop's owner decides, read from business.yml and checked."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PrivateAttr, ValidationError, validator
from pydantic.error_wrappers import ErrorWrapper

from bot.business_settings import (
    Contact,
    Delivery,
    Files,
    Handoff,
    HolidayRule,
    Invoices,
    Lifecycle,
    Limits,
    Links,
    OpeningWeek,
    Orders,
    Privacy,
    as_intervals,
    as_week,
)
from bot.core.loyalty import Program
from bot.core.loyalty_words import program_facts
from bot.core.money import money_in_words, to_minor_units
from bot.core.opening_hours import Holiday, OpeningHours, check_day
from bot.core.phones import is_country
from bot.core.shop import Policies, Shop
from bot.core.verification import LookupLimits
from bot.core.widget import WidgetLook
from bot.desk_settings import Desk
from bot.errors import ConfigError
from bot.feedback_settings import Feedback
from bot.loyalty_settings import Loyalty
from bot.widget_files import WidgetFiles, read_widget_files
from bot.widget_settings import Widget
from bot.yaml_files import Part, describe_faults, is_group, read_yaml


class Business(Part):
    """A shop, as its owner describes it in business.yml."""

    name: str
    assistant_name: str = "Suki"
    currency: str
    time_zone: str
    country: str | None = None
    contact: Contact
    opening_hours: OpeningWeek
    holidays: dict[date, HolidayRule] = Field(default_factory=dict)
    orders: Orders = Orders()
    delivery: Delivery = Delivery()
    invoices: Invoices = Invoices()
    links: Links = Links()
    widget: Widget = Widget()
    handoff: Handoff = Handoff()
    limits: Limits = Limits()
    loyalty: Loyalty | None = None
    feedback: Feedback = Feedback()
    desk: Desk = Desk()
    lifecycle: Lifecycle = Lifecycle()
    privacy: Privacy = Privacy()
    files: Files = Files()

    _hours: OpeningHours = PrivateAttr()
    # The environment decides it, for the desk alone.
    _desk_always_open: bool = PrivateAttr(False)
    _widget_files: WidgetFiles = PrivateAttr(WidgetFiles())

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._hours = OpeningHours(
            zone=ZoneInfo(self.time_zone),
            weekly=as_week(self.opening_hours.dict()),
            holidays={day: Holiday(rule.name, as_intervals(rule.hours)) for day, rule in self.holidays.items()},
        )

    @property
    def hours(self) -> OpeningHours:
        """The opening hours and holidays, in the shop's time zone."""
        return self._hours

    def open_desk_always(self) -> None:
        """People answer at any hour, whatever the opening hours say."""
        self._desk_always_open = True

    def facts(self) -> dict[str, str]:
        """The shop's facts in words, by the names under which answers may use them; one that it has not is left out."""
        policies = self.policies
        facts = {
            "shop": self.name,
            "assistant": self.assistant_name,
            "currency": self.currency,
            "hours": "; ".join(f"{days} {times}" for days, times in self.hours.describe_week()),
            "contact_email": self.contact.email,
            "contact_phone": self.contact.phone,
            "address": self.contact.address,
            "reply_time": self.handoff.reply_time,
            "returns_days": str(policies.returns_days),
            "refund_days": str(policies.refund_days),
            "cancellation_fee": self._fee(policies.cancellation_fee_minor),
            "delivery_fee": self._fee(policies.delivery_fee_minor),
            "free_delivery_from": None
            if policies.free_delivery_from_minor is None
            else money_in_words(policies.free_delivery_from_minor, self.currency),
            "delivery_days": policies.delivery_days,
            "invoice_link_hours": str(policies.invoice_link_hours),
            **{f"links.{name}": url for name, url in self._links.items() if name != "order_page"},
            **({} if self.program is None else program_facts(self.program, self.currency)),
        }
        return {name: text for name, text in facts.items() if text is not None}

    @property
    def policies(self) -> Policies:
        """What the shop has decided about orders."""
        orders, delivery, currency = self.orders, self.delivery, self.currency
        return Policies(
            cancellation_fee_minor=to_minor_units(orders.cancellation_fee, currency),
            returns_days=orders.returns_days,
            refund_days=orders.refund_days,
            delivery_fee_minor=to_minor_units(delivery.fee, currency),
            free_delivery_from_minor=None
            if delivery.free_from is None
            else to_minor_units(delivery.free_from, currency),
            delivery_days=str(delivery.days),
            invoice_link_hours=self.invoices.link_hours,
        )

    @property
    def program(self) -> Program | None:
        """The loyalty programme, if the shop has one."""
        return self.loyalty.to_program(self.currency) if self.loyalty else None

    @property
    def _links(self) -> dict[str, str]:
        return {name: url for name, url in self.links.dict().items() if url is not None}

    def _fee(self, amount_minor: int) -> str:
        """A fee after "costs"."""
        return money_in_words(amount_minor, self.currency) if amount_minor else "nothing"

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
            policies=self.policies,
            links=self._links,
            loyalty=self.program,
            feedback=self.feedback.to_policy(),
            desk=self.desk.to_policy(always_open=self._desk_always_open),
            country=self.country,
            lapsed_days=self.lifecycle.lapsed_days,
            files_keep_days=self.files.keep_days,
            erasure_needs_approval=self.privacy.erasure_needs_approval,
            widget=self._look,
        )

    @property
    def _look(self) -> WidgetLook:
        widget, files = self.widget, self._widget_files
        return WidgetLook(
            colour=widget.colour,
            position=widget.position,
            theme=widget.theme,
            language=widget.language,
            languages=files.languages,
            avatar=files.avatar,
            welcome=widget.welcome,
            starters=tuple(widget.starters),
            sound=widget.sound,
            questions=tuple(question.to_question() for question in widget.questions),
        )

    @validator("currency")
    def _currency_is_a_code(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Z]{3}", value):
            raise ValueError(f"{value!r} is not a currency code of three capital letters, such as USD (ISO 4217)")
        return value

    @validator("orders", "delivery", "loyalty")
    def _amounts_can_be_paid(cls, value: Part | None, values: dict[str, Any]) -> Part | None:
        if value is not None and "currency" in values:
            faults = list(_unpayable(value, values["currency"]))
            if faults:
                raise ValidationError(faults, type(value))
        return value

    @validator("country")
    def _country_is_a_code(cls, value: str | None) -> str | None:
        if value is not None and not is_country(value):
            raise ValueError(f"{value!r} is not a country of two capital letters, such as PH or DE (ISO 3166)")
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
        check_day(rule.name, as_intervals(rule.hours))
        return rule


def load_business(path: Path) -> Business:
    """Read and check a business file, and what the website chat needs beside it.

    Raises ConfigError with every fault, each beginning with the file's name and the setting (or, for a file that is
    not YAML, the line).
    """
    content = read_yaml(path, "BUSINESS_FILE names it")
    if not is_group(content):
        raise ConfigError([f"{path}: is not a list of settings, each as `name: value`"])
    try:
        business = Business(**content)
    except ValidationError as error:
        raise ConfigError([f"{path}: {fault}" for fault in describe_faults(error, Business)]) from None
    business._widget_files = read_widget_files(path.parent, business.widget.avatar, business.widget.language)
    if business._widget_files.faults:
        raise ConfigError(business._widget_files.faults)
    return business


def _unpayable(setting: object, currency: str, *where: str | int) -> Iterator[ErrorWrapper]:
    """The amounts below a setting that no coins make up."""
    match setting:
        case Part():
            for name, value in setting:
                yield from _unpayable(value, currency, *where, name)
        case list():
            for number, value in enumerate(setting):
                yield from _unpayable(value, currency, *where, number)
        case Decimal():
            try:
                to_minor_units(setting, currency)
            except ValueError as error:
                yield ErrorWrapper(error, loc=where)


def _as_date(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
