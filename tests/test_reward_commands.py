"""The commands for coupons and gift cards, as they are typed."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.config import SETTINGS
from tests.builders import stored_customer
from tests.storage.databases import open_database

ROOT = Path(__file__).parents[1]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs a command: exit status, standard output and standard error."""
    shutil.copy(ROOT / "business.yml", tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)

    def run_here(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = exit_.code
        return status, *capsys.readouterr()

    yield run_here
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def add_customer(url: str, external_id: str) -> None:
    async def add() -> None:
        db = open_database(url)
        await stored_customer(db, external_id=external_id)
        await db.close()

    asyncio.run(add())


def add(run: Run, *more: str) -> tuple[int, str, str]:
    return run("coupon", "add", "welcome-10", "--title", "Welcome", "--percent", "10", *more)


def test_a_campaign_is_started_listed_and_ended(run):
    assert run("coupon", "list") == (0, "There are no coupons yet.\n", "")

    status, out, _ = add(run, "--limit", "500", "--per-customer", "1", "--until", "2099-12-31", "--minimum", "20")

    line = "WELCOME10  Welcome  10% off  used 0 of 500  ready to use  until 2099-12-31\n"
    assert (status, out) == (0, line)
    assert run("coupon", "list")[1] == line
    assert run("coupon", "end", "WELCOME10")[1] == "The campaign is over: its code is refused from now on.\n"
    assert run("coupon", "end", "welcome10")[1] == "This campaign was over already.\n"
    assert "cancelled" in run("coupon", "list")[1]


def test_a_campaign_typed_twice_is_one_and_with_other_terms_is_refused(run):
    assert add(run) == add(run)
    assert add(run, "--limit", "5")[0] == 1
    assert len(run("coupon", "list")[1].splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "worth"), [(("--amount", "5"), "$5.00 off"), (("--item", "Any coffee"), "Any coffee, for free")]
)
def test_a_coupon_is_worth_an_amount_or_an_item(run, arguments, worth):
    assert worth in run("coupon", "add", "TREAT", "--title", "A treat", *arguments)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--percent", "101"), "whole number from 1 to 100"),
        (("--percent", "1.5"), "whole number from 1 to 100"),
        (("--amount", "0"), "not an amount"),
        (("--amount", "nan"), "not an amount"),
        (("--amount", "2.505"), "more decimals"),
        (("--percent", "10", "--amount", "5"), "not allowed with"),
        ((), "is required"),
        (("--percent", "10", "--limit", "0"), "not a number"),
        (("--percent", "10", "--until", "31.12.2099"), "not a date"),
        (("--percent", "10", "--until", "2020-01-01"), "over before it begins"),
        (("--percent", "10", "--from", "2099-02-01", "--until", "2099-01-31"), "over before it begins"),
    ],
)
def test_terms_that_cannot_be_are_refused_in_a_sentence(run, arguments, said):
    status, out, errors = run("coupon", "add", "WELCOME10", "--title", "Welcome", *arguments)

    assert status != 0 and out == ""
    assert said in errors and "Traceback" not in errors


def test_a_code_that_is_none_is_refused(run):
    assert run("coupon", "add", "x", "--title", "X", "--percent", "10")[0] == 1
    assert run("coupon", "end", "NOSUCH")[0] == 1


def test_a_gift_card_tells_its_code_once_and_is_blocked_by_its_id(run, sqlite_url):
    add_customer(sqlite_url, "C-1001")

    status, out, _ = run("gift-card", "add", "25.00", "--customer", "C-1001", "--until", "2099-12-31")

    code, card_id = out.splitlines()[0], out.split()[-1]
    assert status == 0
    assert re.fullmatch("GIFT(-[0-9A-Z]{4}){4}", code)
    listed = run("gift-card", "list", "--customer", "C-1001")[1]
    assert listed == f"{card_id}  …{code[-4:]}  $25.00  until 2099-12-31\n"
    assert run("gift-card", "block", card_id)[1] == "The card is blocked.\n"
    assert "blocked" in run("gift-card", "list")[1]
    assert run("gift-card", "free", card_id)[1] == "The card can be used again.\n"
    assert run("gift-card", "list")[1] == listed


def test_two_gift_cards_of_one_amount_are_two(run):
    codes = {run("gift-card", "add", "25")[1].splitlines()[0] for _ in range(2)}

    assert len(codes) == 2
    assert run("gift-card", "list")[1].count("for ever") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "-5"),
        ("add", "5.001"),
        ("add", "5", "--customer", "nobody"),
        ("add", "5", "--until", "2020-01-01"),
        ("list", "--customer", "nobody"),
        ("block", "nosuch"),
    ],
)
def test_what_cannot_be_done_with_gift_cards_is_said(run, arguments):
    status, out, errors = run("gift-card", *arguments)

    assert status != 0 and out == "" and errors
    assert "Traceback" not in errors
    assert run("gift-card", "list")[1] == "There are no gift cards.\n"


def test_a_database_that_is_not_ready_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")

    status, _, errors = run("coupon", "list")

    assert status == 2 and "python -m bot migrate" in errors


def test_nobody_else_is_listed_with_a_customers_cards(run, sqlite_url):
    add_customer(sqlite_url, "C-1001")
    run("gift-card", "add", "25")

    assert run("gift-card", "list", "--customer", "C-1001")[1] == "There are no gift cards.\n"
