"""`python -m bot import`, as it is typed: what it says, how it ends, and what a killed one leaves."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from bot.__main__ import main
from bot.config import SETTINGS
from bot.storage.imports import SqlImports

ROOT = Path(__file__).parents[2]
SECONDS = 90.0
ORDERS = 10_000
STOPPED = "Stopped. What was imported stays; the same command goes on from there.\n"
HEADER = "Order number,Date,Customer ID,SKU,Quantity,Unit price"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a folder of its own: exit status, standard output and standard error."""
    shutil.copy(ROOT / "business.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setattr("bot.__main__.set_up_logging", lambda form: None)

    def run_here(*arguments: str) -> tuple[int, str, str]:
        return main(("import", *arguments)), *capsys.readouterr()

    return run_here


def test_it_says_what_it_took_for_what_and_what_became_of_every_row(run, tmp_path):
    (tmp_path / "file.csv").write_text("ID,E-Mail,Hobby\nC-1,maria@example.com,tea\nC-2,nobody,\nC-1,,\n")

    status, said, complained = run("customers", "file.csv")

    assert (status, complained) == (0, "")
    assert "email             E-Mail  (guessed)" in said
    assert "Columns that are not used: Hobby" in said
    for line in (
        "           3 rows in the file",
        "           1 imported: new",
        "           1 merged into",
        "           1 rejected",
        "               1 bad_email: not an e-mail address",
        "           3 accounted for, every row once",
        "           1 customers added",
        "The rejected rows are in file.rejects.csv",
    ):
        assert line in said


def test_a_second_time_it_says_that_it_was_done(run, tmp_path):
    (tmp_path / "file.csv").write_text("ID\nC-1\n")
    run("customers", "file.csv")

    status, said, _ = run("customers", "file.csv")

    assert status == 0
    assert "with this mapping; nothing was done now. --again reads it once more." in said


def test_a_trial_run_says_that_it_was_one(run, tmp_path):
    (tmp_path / "file.csv").write_text("ID\nC-1\n")

    status, said, _ = run("customers", "file.csv", "--dry-run")

    assert status == 0
    assert "Would write:\n           1 customers added" in said
    assert "This was a trial run: nothing was written" in said
    assert "           1 imported: new" in run("customers", "file.csv")[1]


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, [], "file.csv does not exist"),
        ("", [], "file.csv is empty"),
        ("name\nMaria\n", [], "id or email is missing"),
        ("ID,name\nC-1,Jos\xe9\n", [], "line 2 is not utf-8 text; try --encoding cp1252"),
        ('ID,name\nC-1,"Maria\n', [], "line 2: a quotation mark begins a field that never ends"),
        ("ID\nC-1\n", ["--mapping", "none.yml"], "none.yml: cannot be read"),
        ("ID\nC-1\n", ["--map", "email=E-Mail"], "the file has no column 'E-Mail'"),
        ("ID\nC-1\n", ["--encoding", "utf-9"], "'utf-9' is not an encoding"),
        ("ID\nC-1\n", ["--delimiter", "ab"], "'ab' is not one character"),
        ("ID\nC-1\n", ["--time-zone", "Mars"], "'Mars' is not one, such as Europe/London"),
        ("ID\nC-1\n", ["--rejects", "file.csv"], "is the file that is imported"),
        ("ID\nC-1\n", ["--rejects", "nowhere/file.csv"], "cannot be written to nowhere/file.csv"),
    ],
)
def test_what_cannot_be_imported_is_told_in_words_and_nothing_is_written(run, tmp_path, content, arguments, said):
    if content is not None:
        (tmp_path / "file.csv").write_text(content, encoding="latin-1")

    status, _, complained = run("customers", "file.csv", *arguments)

    assert status == 1
    assert said in complained
    assert "Traceback" not in complained
    with closing(sqlite3.connect(tmp_path / "kasuki.db")) as database:
        assert database.execute("SELECT count(*) FROM import_runs").fetchone() == (0,)


def test_a_database_that_is_behind_is_told(run, tmp_path, monkeypatch):
    (tmp_path / "file.csv").write_text("ID\nC-1\n")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")

    status, _, complained = run("customers", "file.csv")

    assert status == 2
    assert "run `python -m bot migrate`" in complained


def test_a_database_that_fails_on_the_way_is_told_and_the_same_command_goes_on(run, tmp_path, monkeypatch):
    (tmp_path / "file.csv").write_text("ID\nC-1\n")

    async def failing(*arguments: object, **options: object) -> None:
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(SqlImports, "write", failing)
        status, _, complained = run("customers", "file.csv")

    assert status == 1
    assert complained == (
        "The import broke off (OperationalError). What it has imported stays; the same command goes on.\n"
    )
    assert run("customers", "file.csv")[0] == 0


# Processes


def start(folder: Path, url: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "import", "orders", "file.csv"],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows_done(url: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        (found,) = database.execute("SELECT coalesce(max(rows_done), 0) FROM import_runs").fetchone()
    return int(found)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_is_killed_in_the_middle_goes_on_and_misses_and_doubles_nothing(tmp_path, sqlite_url, how):
    shutil.copy(ROOT / "business.yml", tmp_path)
    # Two lines an order, half of them at the other end of the file; every hundredth quantity is none.
    lines = [
        f"{10_000 + number},2025-12-01,C-{number % 500},SKU-{part},{'x' if number % 100 == 0 else part},1.50"
        for part in (1, 2)
        for number in range(ORDERS)
    ]
    (tmp_path / "file.csv").write_text("\n".join([HEADER, *lines]))
    process = start(tmp_path, sqlite_url)
    deadline = time.monotonic() + SECONDS
    while rows_done(sqlite_url) == 0:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    _, complained = process.communicate(timeout=SECONDS)
    done = rows_done(sqlite_url)

    assert process.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 130), complained
    assert complained == ("" if how is signal.SIGKILL else STOPPED)
    assert 0 < done < 2 * ORDERS
    process = start(tmp_path, sqlite_url)
    said, complained = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, complained
    assert f"{done:,} of {2 * ORDERS:,} rows were imported before; going on from there." in said
    assert f"{2 * ORDERS:,} accounted for, every row once" in said
    with closing(sqlite3.connect(tmp_path / "kasuki.db")) as database:
        whole = ORDERS - ORDERS // 100
        assert database.execute("SELECT count(*), sum(total_minor) FROM orders").fetchone() == (whole, whole * 450)
        assert database.execute("SELECT count(*) FROM order_lines").fetchone() == (2 * whole,)
        assert database.execute("SELECT count(*) FROM customers").fetchone() == (495,)
    rejected = (tmp_path / "file.rejects.csv").read_text().splitlines()
    assert len(rejected) == len(set(rejected)) == 1 + 2 * ORDERS // 100
