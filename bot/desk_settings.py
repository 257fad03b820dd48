"""The desk group in business.yml: how customers come to a person, and what they are promised."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, conint, validator

from bot.core.desk import Assignment, DeskPolicy, Signal
from bot.core.wishes import WISHES
from bot.yaml_files import Part

_DEFAULTS = DeskPolicy()


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def _minutes(length: timedelta) -> int:
    return _seconds(length) // 60


class Desk(Part):
    """How people come in. The hours are the shop's opening hours."""

    assignment: str = _DEFAULTS.assignment.value
    offer_seconds: conint(strict=True, ge=5, le=600) = _seconds(_DEFAULTS.offer_time)  # type: ignore[valid-type]
    ask_after_minutes: conint(strict=True, ge=1, le=60) = _minutes(_DEFAULTS.ask_after)  # type: ignore[valid-type]
    give_up_after_minutes: conint(  # type: ignore[valid-type]
        strict=True, ge=1, le=24 * 60
    ) = _minutes(_DEFAULTS.give_up_after)
    agent_gone_after_seconds: conint(  # type: ignore[valid-type]
        strict=True, ge=30, le=3600
    ) = _seconds(_DEFAULTS.agent_grace)
    customer_gone_after_minutes: conint(  # type: ignore[valid-type]
        strict=True, ge=1, le=24 * 60
    ) = _minutes(_DEFAULTS.customer_grace)
    call_back_within_hours: conint(strict=True, ge=1, le=240) = (  # type: ignore[valid-type]
        _minutes(_DEFAULTS.call_back_within) // 60
    )
    same_agent_within_days: conint(strict=True, ge=0, le=90) = _DEFAULTS.same_agent_within.days  # type: ignore[valid-type]
    for_people: list[str] = Field(default_factory=list)
    call_for: list[str] = Field(default_factory=lambda: [signal.value for signal in Signal])
    urgent: list[str] = Field(default_factory=lambda: sorted(_DEFAULTS.urgent))

    @validator("assignment")
    def _assignment_exists(cls, value: str) -> str:
        return _one_of(value, [one.value for one in Assignment])

    @validator("for_people", each_item=True)
    def _wishes_exist(cls, value: str) -> str:
        return _one_of(value, sorted(WISHES))

    @validator("call_for", each_item=True)
    def _signals_exist(cls, value: str) -> str:
        return _one_of(value, [signal.value for signal in Signal])

    @validator("urgent", each_item=True)
    def _urgent_ones_exist(cls, value: str) -> str:
        return _one_of(value, [*(signal.value for signal in Signal), *sorted(WISHES)])

    @validator("give_up_after_minutes")
    def _asks_before_it_gives_up(cls, value: int, values: dict[str, int]) -> int:
        asks = values.get("ask_after_minutes", 0)
        if value < asks:
            raise ValueError(f"is {value}, and ask_after_minutes is {asks}: nobody would be asked before it is over")
        return value

    def to_policy(self, *, always_open: bool) -> DeskPolicy:
        """What the rules work with."""
        return DeskPolicy(
            always_open=always_open,
            assignment=Assignment(self.assignment),
            offer_time=timedelta(seconds=self.offer_seconds),
            ask_after=timedelta(minutes=self.ask_after_minutes),
            give_up_after=timedelta(minutes=self.give_up_after_minutes),
            agent_grace=timedelta(seconds=self.agent_gone_after_seconds),
            customer_grace=timedelta(minutes=self.customer_gone_after_minutes),
            call_back_within=timedelta(hours=self.call_back_within_hours),
            same_agent_within=timedelta(days=self.same_agent_within_days),
            for_people=frozenset(self.for_people),
            call_for=frozenset(map(Signal, self.call_for)),
            urgent=frozenset(self.urgent),
        )


def _one_of(value: str, names: list[str]) -> str:
    if value not in names:
        raise ValueError(f"{value!r} is not one of {', '.join(names)}")
    return value
