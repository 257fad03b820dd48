"""The benchmark of the desk: its ideal line is one, and on a short day nobody is left waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench.desk import build_parser, figures_of, show, waits_of
from bench.desk_day import MORNING, Customer, Day, ideal_waits, make_customers, simulate
from bench.desk_live import Live
from tests.builders import a_shop
from tests.storage.databases import open_database

MINUTE = timedelta(minutes=1)


def comes(number: int, minute: int, help_takes: int) -> Customer:
    return Customer(number, MORNING + minute * MINUTE, help_takes * MINUTE)


def test_in_the_ideal_line_whoever_is_free_takes_the_first():
    customers = [comes(0, 0, 10), comes(1, 0, 4), comes(2, 1, 5), comes(3, 2, 1), comes(4, 60, 1)]

    waits = ideal_waits(customers, 2)

    # The third is helped when the second is done, the fourth when the third is.
    assert [waits[number] / MINUTE for number in range(5)] == [0, 0, 3, 7, 0]


def test_the_same_seed_is_the_same_day():
    assert make_customers(20, 7) == make_customers(20, 7)
    assert make_customers(20, 7) != make_customers(20, 8)


def test_who_was_overtaken_and_who_was_never_helped_is_counted():
    day = Day([comes(0, 0, 1), comes(1, 1, 1), comes(2, 5, 1), comes(3, 9, 1)])
    day.waited = {number: MINUTE for number in (0, 1, 2)}
    day.order = [0, 2, 1]

    assert (day.overtaken, day.starved) == (1, 1)


async def test_a_short_day_is_lived_through(sqlite_url):
    db = open_database(sqlite_url)
    try:
        day = await simulate(db, a_shop(), customers=12, agents=2, seed=3)
    finally:
        await db.close()

    figures = waits_of(day)
    assert figures["starved"] == 0
    assert set(day.waited) == set(day.ideal) == set(range(12))
    assert all(day.waited[number] >= day.ideal[number] for number in (day.order[0], day.order[-1]))


def test_the_figures_are_shown():
    options = build_parser().parse_args(["--conversations", "2"])
    live = figures_of(Live(arrivals=[10.0, 20.0], answers=[5.0, 6.0], customer_messages=2), options)
    machine = dict.fromkeys(("cores", "cpu", "memory_gb", "system", "python", "date", "load_at_start"), "some")

    text = show({"machine": machine, "live": live})

    assert live["arrival_p50"] == pytest.approx(15.0)
    assert "2 live conversations, 2 messages of agents and 2 of customers, 0 lost." in text
