"""A shop's purchases and a whole report, made up."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from bot.core import measure_list as known
from bot.core.measures import Measure, Window, ratio
from bot.reports.months import MonthFigures, MonthSales, cohorts, is_whole, months_to_show, sales_by_month
from bot.reports.outlook import look_ahead
from bot.reports.report import Report, ReportTerms
from bot.services.measure_ports import CustomerCounts, PointsFlow, Purchase, Sales, Surveys
from bot.services.measures import MeasureTerms, customer_measures, points_measures, sales_measures, survey_measures

MANILA = ZoneInfo("Asia/Manila")
WINDOW = Window(date(2026, 1, 1), date(2026, 6, 20), MANILA)
NOTHING = PointsFlow(0, 0, 0, 0, 0)
NO_ANSWERS = Surveys({"csat": {}, "nps": {}, "ces": {}}, 0, 0)
ANSWERS = Surveys({"csat": {5: 8, 2: 2}, "nps": {10: 3, 3: 4}, "ces": {7: 2}}, 40, 19)


def made_up_purchases(customers: int = 300, seed: int = 5) -> list[Purchase]:
    """A year of purchases by customers of different habits, in order of time."""
    draw = random.Random(seed)
    begin = datetime(2025, 6, 20, 9, 0, tzinfo=timezone.utc)
    found = []
    for number in range(customers):
        at = begin + timedelta(days=draw.uniform(0, 200))
        rate, habit = draw.gammavariate(0.9, 1 / 30), draw.gammavariate(6, 400)
        while at < begin + timedelta(days=365):
            found.append(Purchase(f"id-{number}", at, int(habit * draw.gammavariate(6, 1 / 6))))
            if draw.random() < 0.15:
                break
            at += timedelta(days=draw.expovariate(rate))
    return sorted(found, key=lambda purchase: purchase.placed_at)


def a_report(purchases: list[Purchase], *, surveys: Surveys = NO_ANSWERS, points: PointsFlow = NOTHING,
             currency: str = "USD", window: Window = WINDOW) -> Report:  # fmt: skip
    """What `gather` makes of a database, from the purchases, and the same answers and points for every month."""
    over, terms = str(window), MeasureTerms(margin=0.4)
    net_minor, people = sum(one.net_minor for one in purchases), len({one.customer_id for one in purchases})
    taken = [
        *sales_measures(Sales(len(purchases), net_minor, 0), over),
        *customer_measures(CustomerCounts(people, 0, people, 0, 0, people, net_minor), window, terms),
        *survey_measures(surveys, over),
        *(ratio(one, over, 0, 0) for one in known.ASSISTANT),
        *(Measure(one, over, None, 0, None) for one in known.PEOPLE),
        *points_measures(points, window),
    ]
    sales = sales_by_month(purchases, [], window.zone)
    months = []
    for month in months_to_show(purchases, window):
        csat, nps, ces, _ = survey_measures(surveys, str(month))
        sold = sales.get(month.first_day, MonthSales())
        months.append(MonthFigures(month, is_whole(month), **vars(sold), csat=csat, nps=nps, ces=ces, points=points))
    numbers = {one.customer_id: f"C-{one.customer_id}" for one in purchases if one.customer_id}
    outlook = look_ahead(purchases, [], numbers, window, months=12, margin=0.4, monthly_discount=0.01)
    return Report(
        *("Tala Coffee", currency, window, ReportTerms(terms), {one.definition.key: one for one in taken}, months),
        *(cohorts(purchases, window), outlook, outlook.remarks),
    )
