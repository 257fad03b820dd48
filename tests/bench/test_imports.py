"""The benchmark of imports: its own reading of the file, and that it says so when something differs."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from bench.imports import COLUMNS, Totals, differences, main, outcomes_of, read_file

ROWS = """\
536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,71053,LANTERN,2,2010-12-01 08:26:00,0.001,17850,United Kingdom
536366,71053,LANTERN,1,2010-12-01 08:28:00,3.39,,United Kingdom
C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527,United Kingdom
536365,22752,NESTING BOXES,1,2010-12-01 08:26:00,7.65,17850,United Kingdom
536589,21777,,-10,2010-12-01 16:50:00,0.0,,United Kingdom
A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "online_retail.csv.gz"
    path.write_bytes(gzip.compress((",".join(COLUMNS) + "\n" + ROWS).encode()))
    return path


def test_the_file_is_read_by_its_own_rules(file):
    totals, account = read_file(file)

    assert account.rows == 7
    assert account.outcomes == {"imported": 5, "stock_adjustment": 1, "negative_price": 1}
    assert totals == Totals(
        customers=2,
        orders=2,
        order_lines=4,
        order_pieces=10,
        order_minor=1530 + 765 + 339,
        guests_orders=1,
        guests_minor=339,
        credit_notes=1,
        credit_note_lines=1,
        credit_minor=2750,
        by_number={"536365": 2295, "536366": 339, "C536379": 2750},
        by_customer={"17850": 2295},
    )


def test_what_differs_is_named(file):
    totals, _ = read_file(file)

    assert differences(totals, totals) == []
    assert differences(totals, replace(totals, customers=3, by_number={**totals.by_number, "536366": 1})) == [
        "customers: 2 in the file, 3 in the database",
        "by_number: 1 differ, 536366 …",
    ]


def test_what_an_import_says_of_its_rows_is_understood():
    said = "   541,909 rows in the file\n   540,571 imported: new\n   1,336 stock_adjustment: a negative quantity\n"

    told = outcomes_of(said)

    assert (told["imported"], told["stock_adjustment"], told["negative_price"]) == (540_571, 1_336, 0)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "it is not part of this repository"), ("a,b\n1,2\n", "is not Online Retail")]
)
def test_another_file_or_none_is_told(tmp_path, capsys, content, said):
    path = tmp_path / "file.csv"
    if content is not None:
        path.write_text(content)

    assert main([str(path)]) == 1
    assert said in capsys.readouterr().err


def test_a_file_is_imported_and_found_in_the_database_as_it_is(file, capsys):
    assert main([str(file), "--database", "sqlite", "--runs", "1"]) == 0

    said = capsys.readouterr().out
    assert "sqlite: everything in the database is what the file says, order by order" in said
    assert "| sqlite, the same again |" in said
