"""`python -m bot report`, from the command line to the tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.config import SETTINGS

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs the command here, on an empty database: exit status, standard output and standard error."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BUSINESS_FILE", str(ROOT / "business.yml"))
    monkeypatch.setenv("DATABASE_URL", sqlite_url)

    def run_here(*arguments: str) -> tuple[int, str, str]:
        status = main(["report", *arguments])
        return status, *capsys.readouterr()

    yield run_here
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def test_the_report_of_an_empty_shop_is_a_report(run, tmp_path):
    folders = ("--csv", str(tmp_path / "tables"), "--pictures", str(tmp_path / "pictures"))

    status, out, err = run("--from", "2026-01-01", "--to", "2026-03-31", "--margin", "35", *folders)

    assert (status, err) == (0, "")
    assert "2026-01-01 to 2026-03-31 (90 days, Asia/Manila)" in out
    assert "The margin is 35%" in out and "n/a" in out
    assert "nothing to draw yet for: revenue" in out
    assert (tmp_path / "tables" / "measures.csv").exists()


def test_days_that_make_no_sense_are_one_sentence(run):
    status, out, err = run("--from", "2026-03-31", "--to", "2026-01-01")

    assert (status, out) == (1, "")
    assert err == "The report cannot end (2026-01-01) before it begins (2026-03-31). Choose other days.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "2026-02-30"), "'2026-02-30' is not a date such as 2026-01-31"),
        (("--to", "yesterday"), "'yesterday' is not a date"),
        (("--margin", "101"), "'101' is not a number from 0 to 100"),
        (("--margin", "much"), "'much' is not a number from 0 to 100"),
        (("--margin", "nan"), "'nan' is not a number from 0 to 100"),
        (("--activity-days", "0"), "'0' is not a number of days from 1 to 3650"),
    ],
)
def test_an_option_that_cannot_be_read_is_named(run, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        run(*arguments)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_database_without_tables_says_what_to_do(run, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")

    status, out, err = run()

    assert (status, out) == (2, "")
    assert "run `python -m bot migrate`" in err
