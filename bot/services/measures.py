"""Taking the shop's measures over a window of days: every one with what it is of, and "n/a" where it is of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core import measure_list as known
from bot.core.durations import Span, clock_seconds, open_seconds, percentile
from bot.core.measures import Definition, Measure, Window, mean_score, net_promoters, ratio, satisfied, total
from bot.core.opening_hours import OpeningHours
from bot.core.shop import Shop
from bot.core.visits import count_visits
from bot.services.measure_ports import CustomerCounts, PointsFlow, Sales, Surveys
from bot.services.ports import Database, UnitOfWork


@dataclass(frozen=True)
class MeasureTerms:
    """What the shop decides about its measures.

    A customer is one who bought within `activity_days`; `margin` is the share of its sales that the shop keeps (1 where
    nobody said: what customers bring is then their sales). Raises ValueError for terms without sense.
    """

    activity_days: int = 90
    margin: float = 1.0

    def __post_init__(self) -> None:
        if self.activity_days < 1 or not 0 <= self.margin <= 1:
            raise ValueError("activity_days must be at least 1, and the margin between 0 and 1")


async def take_measures(
    db: Database, shop: Shop, window: Window, now: datetime, terms: MeasureTerms | None = None
) -> dict[str, Measure]:
    """Every measure of the window by its key, in the order of bot/core/measure_list.py. Changes nothing."""
    terms = terms or MeasureTerms()
    async with db.reading() as work:
        taken = [
            *sales_measures(await work.measures.sales(window, shop.currency), str(window)),
            *customer_measures(
                await work.measures.customers(window, shop.currency, terms.activity_days), window, terms
            ),
            *survey_measures(await work.measures.surveys(window), str(window)),
            *await _visit_measures(work, window, now),
            judged_measure(*await work.measures.judged_answers(window), str(window)),
            *await _handoff_measures(work, window, shop.hours),
            *points_measures(await work.measures.points(window, now), window),
        ]
    return {measure.definition.key: measure for measure in taken}


def sales_measures(sales: Sales, over: str) -> list[Measure]:
    """Revenue, orders, and what an order brings."""
    return [
        total(known.REVENUE, over, sales.net_minor),
        total(known.ORDERS, over, sales.orders),
        ratio(known.AVERAGE_ORDER, over, sales.net_minor, sales.orders),
    ]


def customer_measures(counts: CustomerCounts, window: Window, terms: MeasureTerms) -> list[Measure]:
    """Who bought, who came back, who stayed away, and what a customer has brought."""
    over = str(window)
    days = terms.activity_days
    both_ends = f"{days} days before {window.first_day}, and {days} days up to {window.last_day}"
    return [
        total(known.BUYERS, over, counts.bought),
        total(known.NEW_BUYERS, over, counts.bought_first),
        ratio(known.RETENTION, both_ends, counts.kept, counts.at_start),
        ratio(known.CHURN, both_ends, counts.at_start - counts.kept, counts.at_start),
        ratio(known.REPEAT_RATE, over, counts.bought_again, counts.bought),
        ratio(known.LIFETIME_VALUE, f"up to {window.last_day}", counts.net_minor_ever * terms.margin, counts.ever),
    ]


def survey_measures(surveys: Surveys, over: str) -> list[Measure]:
    """What customers answered, and how many did."""
    return [
        satisfied(known.CSAT, over, surveys.scores["csat"]),
        net_promoters(known.NPS, over, surveys.scores["nps"]),
        mean_score(known.CES, over, surveys.scores["ces"]),
        ratio(known.RESPONSE_RATE, over, surveys.asked_and_answered, surveys.asked),
    ]


def points_measures(flow: PointsFlow, window: Window) -> list[Measure]:
    """Points that came, went and stay."""
    over = str(window)
    return [
        total(known.POINTS_ISSUED, over, flow.issued),
        total(known.POINTS_SPENT, over, flow.spent),
        total(known.POINTS_EXPIRED, over, flow.expired),
        total(known.POINTS_TAKEN_BACK, over, flow.taken_back),
        total(known.POINTS_OUTSTANDING, f"at the end of {window.last_day}", flow.outstanding),
        ratio(known.REDEMPTION_RATE, over, flow.spent, flow.issued),
    ]


def judged_measure(helpful: int, judged: int, over: str) -> Measure:
    """How many of the answers that customers judged had helped them."""
    return ratio(known.FOUND_HELPFUL, over, helpful, judged)


async def _visit_measures(work: UnitOfWork, window: Window, now: datetime) -> list[Measure]:
    counts = count_visits(await work.measures.visits(window), now)
    over = str(window)
    return [
        ratio(known.CONTAINMENT, over, counts.visits - counts.handed_off, counts.visits),
        ratio(known.RESOLVED_CONTAINMENT, over, counts.resolved, counts.judged),
        ratio(known.HANDOFF_RATE, over, counts.handed_off, counts.visits),
    ]


async def _handoff_measures(work: UnitOfWork, window: Window, hours: OpeningHours) -> list[Measure]:
    times = await work.measures.handoffs(window)
    over = str(window)
    return [
        ratio(known.ANSWERED_HANDOFFS, over, len(times.until_reply), times.requested),
        *_durations(known.FIRST_RESPONSE, over, times.until_reply, hours),
        *_durations(known.RESOLUTION, over, times.until_closed, hours),
    ]


def _durations(
    definitions: Sequence[Definition], over: str, spans: Sequence[Span], hours: OpeningHours
) -> list[Measure]:
    """Median and 90th percentile, by the clock and in opening hours."""
    by_clock, in_hours = clock_seconds(spans), open_seconds(hours, spans)
    values = [percentile(seconds, percent) for seconds in (by_clock, in_hours) for percent in (50, 90)]
    return [
        Measure(definition, over, None, len(spans), value)
        for definition, value in zip(definitions, values, strict=True)
    ]
