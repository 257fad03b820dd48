"""Each customer's standing and prospects: scores, group, how likely they are active, what they may bring."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bot.core.measures import Definition, Measure, Unit, Window, ratio
from bot.core.segments import BuyingRecord, Segment, Standing, rank_customers
from bot.reports.bg_nbd import BgNbd, fit_bg_nbd
from bot.reports.gamma_gamma import GammaGamma, fit_gamma_gamma
from bot.reports.lifetime_value import WEEKS_A_MONTH, predict_lifetime_value
from bot.reports.maximum_likelihood import CannotFit
from bot.reports.purchase_histories import PurchaseHistories, summarise_purchases
from bot.services.measure_ports import Credit, Purchase

Floats = NDArray[np.float64]

# Below this correlation between how often and how much, Gamma-Gamma's assumption that there is none does little harm.
UNRELATED = 0.3

_MODELS = "orders and refunds, models of buying and spending"
ACTIVE = Definition(
    "active_customers", "Customers still active",
    "how many of all customers will probably buy again some day, as far as their rhythm so far tells",
    Unit.SHARE, "customers, each counted as likely as they are active", "customers who ever bought", _MODELS,
)  # fmt: skip
COMING_PURCHASES = Definition(
    "coming_purchases", "Purchases to come", "purchases that today's customers will probably make in the coming months",
    Unit.COUNT, "purchases", None, _MODELS,
)  # fmt: skip
SPEND = Definition(
    "spend", "Spend each time", "what a purchase brings on average over all customers, as repeat buyers show it",
    Unit.MONEY, "", "repeat buyers", _MODELS,
)  # fmt: skip
COMING_VALUE = Definition(
    "coming_value", "Lifetime value to come",
    "what a customer will probably bring in the coming months: purchases × spend × margin, worth less the later",
    Unit.MONEY, "value of all customers", "customers who ever bought", _MODELS,
)  # fmt: skip


@dataclass(frozen=True)
class Prospect:
    """A customer with standing and prospects; those are None where the data are too few for a model."""

    number: str
    standing: Standing
    active: float | None = None
    purchases: float | None = None
    value_minor: float | None = None


@dataclass(frozen=True)
class SegmentSummary:
    """A group of customers: how many, what they brought, how long ago they bought, what they may bring."""

    segment: Segment
    customers: int
    net_minor: int
    median_days_ago: float | None
    mean_value_minor: float | None


@dataclass(frozen=True)
class Outlook:
    """All customers who ever bought, the measures of what is to come, and remarks on the models behind them."""

    prospects: Sequence[Prospect]
    measures: Sequence[Measure]
    remarks: Sequence[str]
    months: int

    def by_segment(self, today: date) -> list[SegmentSummary]:
        """Every group, with nobody in it, too."""
        return [
            _summary(segment, [one for one in self.prospects if one.standing.segment is segment], today)
            for segment in Segment
        ]


def look_ahead(
    purchases: Sequence[Purchase],
    credits: Sequence[Credit],
    numbers: Mapping[str, str],
    window: Window,
    *,
    months: int,
    margin: float,
    monthly_discount: float,
) -> Outlook:
    """The outlook at the end of the window. `numbers` are the shop's own customer numbers, by id.

    What was given back for no order in particular makes each purchase of that customer worth less, in proportion.
    """
    days = [purchase.placed_at.astimezone(window.zone).date() for purchase in purchases]
    known = [(one.customer_id, day, one.net_minor) for one, day in zip(purchases, days, strict=True) if one.customer_id]
    gross, brought = _sums(known, credits)
    histories = summarise_purchases(
        [name for name, _, _ in known],
        [day for _, day, _ in known],
        [net * max(brought[name], 0) / gross[name] if gross[name] else 0 for name, _, net in known],
        window.last_day,
    )
    standings = rank_customers(_records(known, brought, histories))
    buying, spending, remarks = _fit(histories)
    active, coming, value = _predict(buying, spending, histories, months, margin, monthly_discount)
    each = [_each(expected, len(standings)) for expected in (active, coming, value)]
    prospects = [
        Prospect(numbers.get(standing.record.customer_id, standing.record.customer_id), standing, *expected)
        for standing, *expected in zip(standings, *each, strict=True)
    ]
    return Outlook(prospects, _measures(window, histories, spending, active, coming, value, months), remarks, months)


def _sums(known: Sequence[tuple[str, date, int]], credits: Sequence[Credit]) -> tuple[dict[str, int], dict[str, int]]:
    """What the orders of each customer brought, and what of it was not given back."""
    gross: dict[str, int] = {}
    for name, _, amount in known:
        gross[name] = gross.get(name, 0) + amount
    brought = dict(gross)
    for credit in credits:
        if credit.customer_id in brought:
            brought[credit.customer_id] -= credit.amount_minor
    return gross, brought


def _records(
    known: Sequence[tuple[str, date, int]], brought: Mapping[str, int], histories: PurchaseHistories
) -> list[BuyingRecord]:
    """In the order of the histories; orders of one day are one purchase."""
    last: dict[str, date] = {}
    for name, day, _ in known:
        last[name] = max(day, last.get(name, day))
    return [
        BuyingRecord(str(name), last[str(name)], int(repeats) + 1, brought[str(name)])
        for name, repeats in zip(histories.customers, histories.repeats, strict=True)
    ]


def _fit(histories: PurchaseHistories) -> tuple[BgNbd | None, GammaGamma | None, list[str]]:
    """Both models, None where the data do not carry one, and what there is to say about them."""
    buying, spending, remarks = None, None, []
    customers, again = len(histories), int(np.count_nonzero(histories.repeat_buyers))
    try:
        buying = fit_bg_nbd(histories)
    except CannotFit as error:
        remarks.append(error.message)
    else:
        remarks.append(
            f"Buying: BG/NBD, fitted to {customers:,} customers: r {buying.r:.3f}, alpha {buying.alpha:.3f} weeks, "
            f"a {buying.a:.3f}, b {buying.b:.3f}."
        )
        if buying.no_departures:
            remarks.append("Nobody seems to stop buying for good, as far as the data go: all count as active.")
    try:
        fitted = fit_gamma_gamma(histories)
        fitted.mean_spend()
    except CannotFit as error:
        remarks.append(error.message)
    else:
        spending = fitted
        remarks.append(
            f"Spending: Gamma-Gamma, fitted to {again:,} repeat buyers: p {fitted.p:.3f}, q {fitted.q:.3f}, "
            f"v {fitted.v:.0f} (amounts in minor units)."
        )
        if (relation := _relation(histories)) > UNRELATED:
            remarks.append(
                f"Those who buy more often also spend more each time (correlation {relation:.2f}); the model takes the "
                "two as unrelated, so it understates the value of the best customers."
            )
    return buying, spending, remarks


def _relation(histories: PurchaseHistories) -> float:
    """The correlation between how often repeat buyers buy and how much they spend; 0 where it has none."""
    again = histories.repeat_buyers
    often, much = histories.repeats[again], histories.mean_repeat[again]
    if len(often) < 2 or not np.ptp(often) or not np.ptp(much):
        return 0.0
    return float(np.corrcoef(often, much)[0, 1])


def _predict(
    buying: BgNbd | None,
    spending: GammaGamma | None,
    histories: PurchaseHistories,
    months: int,
    margin: float,
    monthly_discount: float,
) -> tuple[Floats | None, Floats | None, Floats | None]:
    """Each customer's probability of being active, purchases to come and their value; None without the model for it."""
    if buying is None:
        return None, None, None
    past = histories.repeats, histories.last_weeks, histories.end_weeks
    active, coming = buying.probability_active(*past), buying.expected_more(*past, months * WEEKS_A_MONTH)
    if spending is None:
        return active, coming, None
    terms = {"margin": margin, "monthly_discount": monthly_discount}
    return active, coming, predict_lifetime_value(buying, spending, histories, months=months, **terms)


def _measures(
    window: Window,
    histories: PurchaseHistories,
    spending: GammaGamma | None,
    active: Floats | None,
    coming: Floats | None,
    value: Floats | None,
    months: int,
) -> list[Measure]:
    customers, again = len(histories), int(np.count_nonzero(histories.repeat_buyers))
    today, over = f"at the end of {window.last_day}", f"the {months} months after {window.last_day}"
    spend = None if spending is None else spending.mean_spend()
    return [
        _ratio(ACTIVE, today, active, customers),
        Measure(COMING_PURCHASES, over, *(_sum(coming), None, _sum(coming))),
        Measure(SPEND, f"up to {window.last_day}", None, again, spend),
        _ratio(COMING_VALUE, over, value, customers),
    ]


def _ratio(definition: Definition, over: str, each: Floats | None, customers: int) -> Measure:
    if each is None:
        return Measure(definition, over, None, customers, None)
    return ratio(definition, over, float(np.sum(each)), customers)


def _sum(each: Floats | None) -> float | None:
    return None if each is None else float(np.sum(each))


def _each(values: Floats | None, customers: int) -> list[float | None]:
    return [None] * customers if values is None else values.tolist()


def _summary(segment: Segment, members: Sequence[Prospect], today: date) -> SegmentSummary:
    values = [member.value_minor for member in members if member.value_minor is not None]
    days_ago = [(today - member.standing.record.last_on).days for member in members]
    return SegmentSummary(
        segment=segment,
        customers=len(members),
        net_minor=sum(member.standing.record.net_minor for member in members),
        median_days_ago=statistics.median(days_ago) if days_ago else None,
        mean_value_minor=statistics.fmean(values) if values else None,
    )
