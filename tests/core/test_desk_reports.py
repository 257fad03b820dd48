"""The desk's figures, beside what a hand has worked out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.core.agents import AgentId
from bot.core.desk_reports import DeskFacts, Rating, Request, Step, desk_figures
from bot.core.measures import Window
from bot.core.opening_hours import Interval, OpeningHours
from bot.core.visits import Visit

ANA, BEN = AgentId("ana"), AgentId("ben")
# A Monday, in a shop that is open from 9 to 17 in a zone without clock changes.
DAY = datetime(2026, 3, 2, tzinfo=timezone.utc)
HOURS = OpeningHours(ZoneInfo("UTC"), weekly=((Interval.parse("09:00-17:00"),),) * 7)
WINDOW = Window(DAY.date(), DAY.date(), ZoneInfo("UTC"))
LATER = DAY + timedelta(days=9)


def at(hour, minute=0):
    return DAY + timedelta(hours=hour, minutes=minute)


def figures(**facts):
    nothing = {"visits": [], "steps": [], "requests": [], "ratings": [], "replies": {}, "names": {}}
    return desk_figures(DeskFacts(**{**nothing, **facts}), WINDOW, HOURS, LATER)


def visit(hour, **changes):
    return Visit(at(hour), at(hour, 10), **changes)


def test_of_four_visits_one_handed_over_three_were_contained_and_two_of_them_helped():
    visits = [visit(9, handed_off=True), visit(10, pleased=True), visit(11), visit(12, returned_at=at(14))]

    totals = figures(visits=visits)["totals"]

    assert totals["volume"] == 4
    assert (totals["containment"], totals["handoff_rate"]) == (0.75, 0.25)
    # Who came back within a day was not helped.
    assert totals["resolved_containment"] == 0.5
    assert figures(visits=visits)["hours"][0] == {"hour": 9, "volume": 1}


def test_times_are_told_by_the_clock_and_in_opening_hours():
    # Asked at 16:00 and answered at 18:00, of which one hour was open; and within ten minutes at noon.
    requests = [
        Request(at(16), "asked", ANA, at(17, 30), at(18), at(20)),
        Request(at(12), "anger", ANA, at(12, 5), at(12, 10), at(12, 30)),
    ]

    found = figures(requests=requests)

    assert found["totals"]["first_response"] == {"median": 65 * 60, "p90": pytest.approx(109 * 60), "count": 2}
    assert found["totals"]["first_response_open"] == {"median": 35 * 60, "p90": pytest.approx(55 * 60), "count": 2}
    assert found["totals"]["resolution"]["median"] == (240 + 30) / 2 * 60
    assert found["totals"]["resolution_open"]["median"] == (60 + 30) / 2 * 60
    assert found["reasons"] == [{"reason": "asked", "count": 1}, {"reason": "anger", "count": 1}]


def test_a_wait_ends_with_a_person_or_is_counted_as_left():
    steps = [
        Step("a", at(9), "bot", "queue"),
        Step("b", at(9), "bot", "queue"),
        Step("a", at(9, 4), "queue", "agent", ANA),
        Step("b", at(9, 9), "queue", "bot"),
        # The person was lost: a second wait.
        Step("a", at(10), "agent", "queue"),
        Step("a", at(10, 2), "queue", "agent", BEN),
    ]

    totals = figures(steps=steps)["totals"]

    assert totals["waiting"] == {"median": 180, "p90": pytest.approx(228), "count": 2}
    assert totals["left"] == 1


def test_what_somebody_took_after_the_last_day_is_none_of_these_days_work():
    steps = [
        Step("a", at(9), "queue", "agent", ANA),
        Step("a", at(10), "agent", "agent", ANA, BEN),
        Step("b", at(24, 1), "queue", "agent", ANA),
    ]

    agents = figures(steps=steps, names={ANA: "Ana", BEN: "Ben"}, replies={ANA: 7})["agents"]

    assert [(one["name"], one["conversations"], one["replies"]) for one in agents] == [("Ana", 1, 7), ("Ben", 1, 0)]


def test_satisfaction_is_told_by_bot_and_person_and_day():
    ratings = [Rating(at(9), 5, True, ANA), Rating(at(10), 2, True, ANA), Rating(at(11), 4, False)]

    found = figures(ratings=ratings, names={ANA: "Ana"})

    assert found["totals"]["csat_agent"] == {"mean": 3.5, "count": 2}
    assert found["totals"]["csat_bot"] == {"mean": 4, "count": 1}
    assert found["agents"][0]["csat"] == {"mean": 3.5, "count": 2}
    assert (found["days"][0]["csat_bot"], found["days"][0]["csat_agent"]) == (4, 3.5)


def test_of_nothing_there_is_nothing_to_say():
    totals = figures()["totals"]

    assert (totals["volume"], totals["containment"], totals["csat_bot"]["mean"]) == (0, None, None)
    assert totals["waiting"] == {"median": None, "p90": None, "count": 0}
