"""The benchmark of lifetime value: what it reads, what it compares, and that it says so when something differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.lifetime_value import (
    AMOUNTS,
    SUMMARY,
    TRANSACTIONS,
    CdnowError,
    Comparison,
    as_written,
    differing_rows,
    main,
    read_summary,
    read_transactions,
    summarise,
)

PURCHASES = """\
 00004 0001 19970101  2   29.33
 00004 0001 19970118  2   29.73
 00004 0001 19970118  1    0.10
 00004 0001 19970802  1   14.96
 00004 0001 19971212  2   26.48
 00021 0002 19970101  3   63.34
"""
ROWS = "ID,x,t_x,T,zbar\n1,2,30.43,38.86,22.40\n2,0,0.00,38.86,0.00\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / TRANSACTIONS).write_text(PURCHASES, encoding="utf-8")
    (tmp_path / AMOUNTS).write_text(ROWS, encoding="utf-8")
    (tmp_path / SUMMARY).write_text("ID,frequency,recency,T\n1,2,30.43,38.86\n2,0,0.0,38.86\n", encoding="utf-8")
    return tmp_path


def test_purchases_are_summarised_as_the_published_file_is_written(folder: Path) -> None:
    ours = as_written(summarise(folder / TRANSACTIONS))

    # (29.73 + 0.10 + 14.96) / 2 is 22.395, and half a cent is rounded up.
    assert ours == {"1": ("2", "30.43", "38.86", "22.40"), "2": ("0", "0.00", "38.86", "0.00")}
    assert differing_rows(ours, read_summary(folder / AMOUNTS)) == []
    assert differing_rows(ours, read_summary(folder / SUMMARY)) == []


@pytest.mark.parametrize(
    "theirs",
    [ROWS.replace("22.40", "22.39"), ROWS.replace("1,2,", "1,3,"), ROWS.replace("\n2,", "\n3,"), ROWS + "3,0,0,1,0\n"],
)
def test_a_row_that_differs_or_is_missing_is_named(folder: Path, theirs: str) -> None:
    (folder / AMOUNTS).write_text(theirs, encoding="utf-8")

    assert differing_rows(as_written(summarise(folder / TRANSACTIONS)), read_summary(folder / AMOUNTS)) != []


def test_a_fit_agrees_when_it_is_the_same_in_every_published_digit() -> None:
    assert Comparison("r", "0.243", 0.24349).agrees
    assert not Comparison("r", "0.243", 0.2436).agrees
    assert not Comparison("log-likelihood", "-9582.43", -9582.44).agrees


def test_what_cannot_be_read_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / TRANSACTIONS).write_text(PURCHASES + "rubbish\n", encoding="utf-8")

    with pytest.raises(CdnowError, match="line 7 is not a purchase"):
        list(read_transactions(folder / TRANSACTIONS))
    assert main(["--cdnow", str(folder / "nowhere")]) == 1
    assert "cannot be read" in capsys.readouterr().err
