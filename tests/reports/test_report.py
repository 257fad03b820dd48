"""The whole report: from the database, in the terminal, in files and as pictures."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from bot.core.orders import OrderStatus
from bot.reports.command import CannotWrite, ReportRequest, show_report
from bot.reports.csv_files import write_csv
from bot.reports.pictures import draw
from bot.reports.report import BadWindow, Report, ReportTerms, choose_window, gather
from bot.reports.terminal import of_what, show
from bot.services.measure_ports import PointsFlow, Purchase
from tests.builders import a_refund, a_shop, stored_customer, stored_order
from tests.fakes import MONDAY_MORNING
from tests.reports.made_up import ANSWERS, MANILA, WINDOW, a_report, made_up_purchases

POINTS = PointsFlow(issued=120, spent=40, expired=5, taken_back=0, outstanding=75)
PICTURES = ["revenue", "retention", "segments", "satisfaction", "points"]


@pytest.fixture(scope="module")
def full() -> Report:
    return a_report(made_up_purchases(), surveys=ANSWERS, points=POINTS)


@pytest.fixture(scope="module")
def empty() -> Report:
    return a_report([])


def shown(report: Report, width: int = 160) -> str:
    text = io.StringIO()
    show(report, Console(file=text, width=width))
    return text.getvalue()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# The days


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        # MONDAY_MORNING is a Monday afternoon in Manila.
        (None, None, (date(2025, 10, 7), date(2026, 1, 4))),
        (date(2026, 1, 1), None, (date(2026, 1, 1), date(2026, 1, 4))),
        (None, date(2025, 12, 31), (date(2025, 10, 3), date(2025, 12, 31))),
        (date(2026, 1, 5), date(2026, 1, 5), (date(2026, 1, 5), date(2026, 1, 5))),
    ],
)
def test_a_report_is_about_ninety_days_up_to_yesterday_unless_told_otherwise(first, last, expected):
    window = choose_window(first, last, a_shop(), MONDAY_MORNING)

    assert (window.first_day, window.last_day) == expected
    assert window.zone == MANILA


def test_yesterday_is_the_shops_yesterday():
    # Half past midnight on the 6th in Manila, and still the 5th in London.
    night = datetime(2026, 1, 5, 16, 30, tzinfo=timezone.utc)

    assert choose_window(None, None, a_shop(), night).last_day == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "before it begins"),
        (date(2026, 1, 5), None, "before it begins"),
        (None, date(2026, 1, 6), "still to come"),
    ],
)
def test_days_that_make_no_sense_are_refused(first, last, message):
    with pytest.raises(BadWindow, match=message):
        choose_window(first, last, a_shop(), MONDAY_MORNING)


# From the database


async def test_a_report_is_gathered_from_the_database(sql_db):
    maria, john = [await stored_customer(sql_db, external_id=number) for number in ("C-1001", "C-1002")]
    day = timedelta(days=1)
    for number, (customer, days_ago, changes) in enumerate(
        [
            (maria, 70, {}), (maria, 40, {}), (john, 10, {}), (None, 5, {}), (john, 3, {"currency": "PHP"}),
            (maria, 2, {"status": OrderStatus.CANCELLED}), (john, 0, {}),
        ]
    ):  # fmt: skip
        await stored_order(
            sql_db, number=f"TC-{number}000", customer_id=customer and customer.id, total_minor=2_000,
            placed_at=MONDAY_MORNING - days_ago * day, **changes,
        )  # fmt: skip
    async with sql_db.transaction() as work:
        await work.refunds.add(a_refund(order_number="TC-1000", amount_minor=500))
    window = choose_window(None, None, a_shop(), MONDAY_MORNING)

    report = await gather(sql_db, a_shop(), window, MONDAY_MORNING, ReportTerms())

    assert report.measures["revenue"].value == 7_500
    assert [(month.name, month.revenue_minor, month.orders, month.new_buyers) for month in report.months] == [
        ("2025-10", 2_000, 1, 1), ("2025-11", 1_500, 1, 0), ("2025-12", 4_000, 2, 1), ("2026-01", 0, 0, 0),
    ]  # fmt: skip
    assert [(cohort.month, cohort.buyers) for cohort in report.cohorts] == [
        (date(2025, 10, 1), (1, 1, 0)), (date(2025, 12, 1), (1,)),
    ]  # fmt: skip
    assert {(one.number, one.standing.record.net_minor) for one in report.outlook.prospects} == {
        ("C-1001", 3_500), ("C-1002", 2_000),
    }  # fmt: skip
    assert report.remarks[:2] == [
        "Left out, being in other currencies than USD: 1 order.",
        "Counted as sales and for nothing else, being of no known customer: 1 order.",
    ]
    assert list(report.groups())[-1] == "Looking ahead"


async def test_a_report_of_an_empty_shop_says_so_everywhere(sql_db):
    window = choose_window(None, None, a_shop(), MONDAY_MORNING)

    report = await gather(sql_db, a_shop(), window, MONDAY_MORNING, ReportTerms())

    text = shown(report)
    values = [measure for group in report.groups().values() for measure in group]
    assert all(measure.value in (None, 0) for measure in values)
    assert "n/a" in text and "Too few customers" in text


# In the terminal


def test_the_terminal_shows_every_measure_with_what_it_is_of_and_over_which_days(full):
    text = " ".join(shown(full, width=400).split())

    for title, measures in full.groups().items():
        assert title in text
        for measure in measures:
            for part in (measure.definition.title, measure.in_words("USD"), of_what(measure, "USD"), measure.over,
                         measure.definition.meaning):  # fmt: skip
                assert part in text, measure.definition.key


def test_what_a_measure_is_of_is_said_in_words(full):
    assert of_what(full.measures["csat"], "USD") == "8 answers of 4 or 5 ÷ 10 answers"
    assert of_what(full.measures["revenue"], "USD") == "orders less refunds and credit notes"
    assert of_what(full.measures["first_response_median"], "USD") == "0 hand-offs with a person's reply"
    assert of_what(full.measures["lifetime_value"], "USD").startswith("$")


@pytest.mark.parametrize("width", [60, 80, 130])
def test_a_narrow_terminal_is_enough(full, width):
    assert "Champions" in shown(full, width)


# In files


def test_every_table_becomes_a_file(full, tmp_path):
    written = write_csv(full, tmp_path / "new" / "folder")

    assert [path.name for path in written] == [
        *("measures.csv", "months.csv", "cohorts.csv", "segments.csv", "customers.csv"),
    ]
    measures = {row["measure"]: row for row in rows(written[0])}
    assert len(measures) == sum(len(group) for group in full.groups().values())
    assert (measures["csat"]["value"], measures["csat"]["numerator"], measures["csat"]["denominator"]) == (
        *("0.8", "8", "10"),
    )
    assert measures["retention"]["value"] == "n/a"
    assert measures["revenue"]["unit"] == "USD"
    assert float(measures["revenue"]["value"]) * 100 == pytest.approx(full.measures["revenue"].value)
    for row in measures.values():
        assert row["meaning"] and row["days"] and row["source"]
        assert row["from"] == "2026-01-01"
    customers = rows(written[4])
    assert len(customers) == len(full.outlook.prospects)
    assert customers[0]["customer"].startswith("C-id-")
    assert {row["segment"] for row in customers} <= {"champions", "loyal", "promising", "new", "at_risk", "lapsed"}
    assert rows(written[1])[-1]["is_whole"] == "no"


def test_money_is_written_in_the_currencys_own_units(tmp_path):
    purchases = [Purchase("A", WINDOW.starts_at, 1_250)]

    for currency, amount in (("USD", "12.50"), ("JPY", "1250"), ("KWD", "1.250")):
        write_csv(a_report(purchases, currency=currency), tmp_path)
        (customer,) = rows(tmp_path / "customers.csv")
        assert (customer["brought"], customer["currency"], customer["probably_active"]) == (amount, currency, "n/a")


@pytest.mark.parametrize("number", ["=1+1", "+63 2", "-1", "@SUM(A1)", "\t=1"])
def test_a_customer_number_is_never_taken_for_a_formula(number, tmp_path):
    report = a_report([Purchase("A", WINDOW.starts_at, 1_250)])
    outlook = replace(report.outlook, prospects=[replace(report.outlook.prospects[0], number=number)])

    write_csv(replace(report, outlook=outlook), tmp_path)

    assert rows(tmp_path / "customers.csv")[0]["customer"] == f"'{number}"


# As pictures


def test_everything_that_there_is_is_drawn(full, tmp_path):
    drawn, empty = draw(full, tmp_path / "pictures")

    assert ([path.stem for path in drawn], empty) == (PICTURES, [])
    for path in drawn:
        image = path.read_bytes()
        assert image.startswith(b"\x89PNG") and len(image) > 10_000


def test_what_there_is_not_is_not_drawn_and_an_earlier_picture_of_it_goes(full, empty, tmp_path):
    draw(full, tmp_path)

    assert draw(empty, tmp_path) == ([], PICTURES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "purchases",
    [
        [Purchase("A", WINDOW.starts_at, 1_000)],
        [Purchase("A", WINDOW.starts_at, -1_000), Purchase("B", WINDOW.starts_at, 5)],
        [Purchase(None, WINDOW.starts_at, 1_000)],
        [Purchase("A", WINDOW.starts_at - timedelta(days=3_000), 10**12), Purchase("A", WINDOW.starts_at, 1)],
    ],
    ids=["one order", "a loss", "of nobody", "long ago, and a fortune"],
)
def test_a_shop_with_hardly_anything_is_drawn_and_shown_too(purchases, tmp_path):
    report = a_report(purchases)

    drawn, _ = draw(report, tmp_path)

    assert "revenue" in [path.stem for path in drawn]
    assert "Tala Coffee" in shown(report)
    write_csv(report, tmp_path)


# The command


async def test_the_command_shows_the_report_and_names_the_files_it_wrote(sql_db, tmp_path, capsys):
    await stored_order(sql_db, placed_at=MONDAY_MORNING - timedelta(days=20))
    said = []

    await show_report(
        sql_db, a_shop(), MONDAY_MORNING,
        ReportRequest(csv_folder=tmp_path / "csv", picture_folder=tmp_path / "pictures", margin_percent=35),
        said.append,
    )  # fmt: skip

    assert "The margin is 35%" in capsys.readouterr().out
    assert said[0].startswith("Tables: ") and str(tmp_path / "csv" / "months.csv") in said[0]
    assert said[1] == f"Pictures: {tmp_path / 'pictures' / 'revenue.png'}"
    assert said[2] == "There is nothing to draw yet for: retention, segments, satisfaction, points."


async def test_a_folder_that_cannot_be_written_is_named(sql_db, tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CannotWrite, match="file cannot be written"):
        await show_report(sql_db, a_shop(), MONDAY_MORNING, ReportRequest(csv_folder=tmp_path / "file"), print)
