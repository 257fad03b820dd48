"""The command line: `python -m bot COMMAND`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from bot.config import Config, load_config
from bot.errors import BotError, ConfigError
from bot.logs import set_up_logging

MAX_AMOUNT, MAX_COUNT = Decimal(10**9), 10**9
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


def build_parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Kasuki, a customer-service assistant.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="gateway, deliveries and dialogue workers, all on this machine")
    gateway = commands.add_parser("gateway", help="the gateway alone")
    for command in (serve, gateway):
        command.add_argument("--host", help="address to listen on (default: HOST)")
        command.add_argument("--port", help="port to listen on (default: PORT)")
    serve.add_argument("--workers", help="number of dialogue workers (default: WORKERS)")
    worker = commands.add_parser("worker", help="one dialogue worker alone")
    worker.add_argument("--id", help="its name (default: made up)")
    worker.add_argument("--supervised", action="store_true", help="stop when standard input ends")
    commands.add_parser("scheduler", help="deliveries, and what is due by itself, alone")
    commands.add_parser("migrate", help="bring the database to the schema of this version")
    commands.add_parser("demo", help="load the demo shop into an empty database")
    commands.add_parser("check", help="check settings, business file, database and model")
    ledger = commands.add_parser("ledger", help="the points of all customers")
    ledger.add_argument("action", choices=("check",), help="check: see that every account adds up")
    _add_import(commands.add_parser("import", help="customers or orders from a CSV file"))
    _add_feedback(commands.add_parser("feedback", help="what customers speak of, and telling them what was done"))
    _add_report(commands.add_parser("report", help="the shop's figures: tables here, in files, and as pictures"))
    telegram = commands.add_parser("telegram", help="how Telegram brings messages: by webhook, or asked for")
    telegram.add_argument("action", choices=["set-webhook", "delete-webhook", "info"])
    _add_coupon(commands.add_parser("coupon", help="campaigns: a code for everybody who knows it"))
    _add_gift_card(commands.add_parser("gift-card", help="money on a code"))
    _add_agent(commands.add_parser("agent", help="the people who work at the desk"))
    _add_customer(commands.add_parser("customer", help="somebody's data: hand out, erase; customers who are one"))
    return parser


def _add_agent(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="let somebody work at the desk, and show their one-time password")
    add.add_argument("email", metavar="EMAIL", help="they sign in with it")
    add.add_argument("--name", help="what customers read (default: what stands before the @)")
    add.add_argument("--role", choices=("agent", "admin"), default="agent", help="an admin also manages the others")
    actions.add_parser("list", help="everybody who works there")
    actions.add_parser("reset", help="a new one-time password").add_argument("email", metavar="EMAIL")


def _add_customer(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    who = "the shop's own number for them, or their e-mail address"
    erase = actions.add_parser("erase", help="erase everything about somebody but figures")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    export = actions.add_parser("export", help="everything that is kept about somebody, as JSON")
    merges = actions.add_parser("merges", help="with whom somebody was merged")
    for action in (export, erase, merges):
        action.add_argument("name", metavar="ID", help=who)
    merge = actions.add_parser("merge", help="make two customers one")
    merge.add_argument("keep", metavar="KEEP", help=f"who stays: {who}")
    merge.add_argument("other", metavar="OTHER", help="who goes into them")
    actions.add_parser("proposals", help="look for customers who may be one, and list them")
    for name, about in (
        ("accept", "carry out a proposal"),
        ("dismiss", "say that two are two"),
        ("undo-merge", "part two who were merged"),
    ):
        actions.add_parser(name, help=about).add_argument("merge_id", metavar="MERGE", help="its id, see proposals")


def _add_coupon(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every campaign, and how often its code was used")
    actions.add_parser("end", help="refuse a code from now on").add_argument("code", metavar="CODE")
    add = actions.add_parser("add", help="start a campaign").add_argument
    add("code", metavar="CODE", help="letters and digits, such as WELCOME10")
    add("--title", required=True, help="what customers read")
    worth = actions.choices["add"].add_mutually_exclusive_group(required=True)
    worth.add_argument("--percent", type=_whole_percent, metavar="PERCENT", help="off the total")
    worth.add_argument("--amount", type=_amount, metavar="AMOUNT", help="off the total, such as 5.00")
    worth.add_argument("--item", help="what is free")
    add("--limit", type=_count, metavar="TIMES", help="uses by all together (default: no limit)")
    add("--per-customer", type=_count, metavar="TIMES", help="uses by each customer (default: no limit)")
    add("--from", dest="first", type=_day, metavar="DATE", help="first day, as 2026-01-31 (default: now)")
    add("--until", dest="last", type=_day, metavar="DATE", help="last day (default: for ever)")
    add("--minimum", type=_amount, metavar="AMOUNT", default=Decimal(0), help="smallest total that it is for")
    add("--stackable", action="store_true", help="it may be combined with others that may")


def _add_gift_card(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a card, and show its code once")
    add.add_argument("amount", type=_amount, metavar="AMOUNT", help="in the shop's currency, such as 25.00")
    add.add_argument("--until", dest="last", type=_day, metavar="DATE", help="last day (default: for ever)")
    cards = actions.add_parser("list", help="every card, and what is on it")
    for action in (add, cards):
        action.add_argument("--customer", metavar="ID", help="whose it is: the shop's own number for them")
    for name, about in (("block", "let nobody use a lost card"), ("free", "let it be used again")):
        actions.add_parser(name, help=about).add_argument("card_id", metavar="CARD", help="its id, see list")


def _add_import(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("kind", choices=("customers", "orders"), help="what the file holds")
    add("file", type=Path, metavar="FILE", help="a .csv or .csv.gz file with a header")
    add("--map", dest="columns", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds a field")
    add("--mapping", dest="mapping_file", type=Path, metavar="FILE", help="a mapping file, in place of guesses")
    add("--dry-run", action="store_true", help="read, check and count everything, and write nothing")
    add("--again", action="store_true", help="import a file once more that was imported to its end")
    add("--overwrite", action="store_true", help="the file counts more than what was changed here")
    add("--earn", action="store_true", help="let imported orders earn points")
    add("--rejects", type=Path, metavar="FILE", help="where rejected rows go (default: beside the file)")
    add("--encoding", help="of the file (default: UTF-8)")
    add("--delimiter", help="what stands between fields (default: found out)")
    add("--decimal-comma", action="store_true", help="amounts are written 1.234,50")
    add("--date-format", dest="date_formats", action="append", default=[], metavar="FORM", help="such as %%d.%%m.%%Y")
    add("--time-zone", help="of moments without one (default: the shop's)")
    add("--currency", help="of amounts without one (default: the shop's)")


def _add_feedback(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("action", choices=("themes", "tell"), help="a table of themes, or a mail to those who spoke of one")
    add("theme", nargs="?", metavar="THEME", help="tell: what it is about, such as delivery")
    add("--text", help="tell: what you did, in a sentence or two for customers")
    add("--from", dest="first", type=_day, metavar="DATE", help="first day (default: themes 90, tell 365 days ago)")
    add("--to", dest="last", type=_day, metavar="DATE", help="themes: last day (default: today)")
    add("--author", default="the shop", help="tell: who says so, for your records")
    add("--dry-run", action="store_true", help="tell: say how many would be told, and send nothing")


def _add_report(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--from", dest="first", type=_day, metavar="DATE", help="first day, as 2026-01-31 (default: 90 days in all)")
    add("--to", dest="last", type=_day, metavar="DATE", help="last day (default: yesterday)")
    add("--csv", dest="csv_folder", type=Path, metavar="FOLDER", help="write the tables there, too")
    add("--pictures", dest="picture_folder", type=Path, metavar="FOLDER", help="draw pictures there")
    add("--margin", dest="margin_percent", type=_percent, metavar="PERCENT", help="of sales that you keep (100)")
    add("--activity-days", type=_days, metavar="DAYS", help="how long a purchase makes somebody a customer (90)")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-01-31") from None


def _percent(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 100:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")


def _whole_percent(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 100:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 100")


def _amount(text: str) -> Decimal:
    with contextlib.suppress(InvalidOperation):
        if 0 < (amount := Decimal(text)) <= MAX_AMOUNT:
            return amount
    raise argparse.ArgumentTypeError(f"{text!r} is not an amount such as 25.00")


def _count(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MAX_COUNT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MAX_COUNT:,}")


def _days(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 1 <= int(text) <= 3_650:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 3650")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status."""
    options = vars(build_parser().parse_args(arguments))
    command = options.pop("command")
    overrides = {name.upper(): options[name] for name in ("host", "port", "workers") if options.get(name) is not None}
    serving = command in ("serve", "gateway", "worker", "scheduler")
    try:
        config = load_config(overrides=overrides, serving=serving)
        set_up_logging(config.log_format)
        if serving:
            # prometheus_client looks for this when it is first imported, so before the composition root.
            config.metrics_dir.mkdir(parents=True, exist_ok=True)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(config.metrics_dir)
        return run(command, config, options)
    except ConfigError as error:
        print(f"Kasuki cannot start:\n{_bulleted(error.faults)}", file=sys.stderr)
        return 2
    except BotError as error:
        print(error.message, file=sys.stderr)
        return INTERRUPTED if error.code == "import_interrupted" else 1
    except KeyboardInterrupt:
        return INTERRUPTED


def run(command: str, config: Config, options: dict[str, object]) -> int:
    """Dispatch a command."""
    from bot import app

    match command:
        case "serve":
            asyncio.run(app.serve(config))
        case "gateway":
            asyncio.run(app.run_gateway(config))
        case "scheduler":
            asyncio.run(app.run_scheduler(config))
        case "worker":
            app.run_worker(
                config, str(options["id"] or f"worker-{secrets.token_hex(6)}"), supervised=bool(options["supervised"])
            )
        case "migrate":
            asyncio.run(app.migrate_database(config))
            print("The database has the schema of this version.")
        case "demo":
            asyncio.run(app.migrate_database(config))
            loaded = asyncio.run(app.load_demo_data(config))
            print(
                f"Loaded {loaded} customers." if loaded else "The database has customers already; nothing was loaded."
            )
        case "check":
            faults = asyncio.run(app.find_faults(config))
            if faults:
                print(_bulleted(faults), file=sys.stderr)
                return 1
            print("Settings, business file, database and model are fine.")
        case "ledger":
            faults = asyncio.run(app.ledger_faults(config))
            if faults:
                print(_bulleted(faults), file=sys.stderr)
                return 1
            print("Every account of points adds up.")
        case "import":
            asyncio.run(app.import_file(config, options))
        case "feedback":
            asyncio.run(app.feedback(config, options))
        case "report":
            asyncio.run(app.report(config, options))
        case "coupon" | "gift-card":
            print(asyncio.run(app.reward_command(config, command, options)))
        case "telegram":
            print(asyncio.run(app.telegram_command(config, str(options["action"]))))
        case "agent":
            print(asyncio.run(app.agent_command(config, options)))
        case "customer":
            print(asyncio.run(app.customer_command(config, options, _confirm)))
    return 0


def _confirm(question: str) -> bool:
    """Whether somebody types yes; nobody does where there is nobody to ask."""
    try:
        return input(f"{question} [yes/no] ").strip().lower() == "yes"
    except EOFError:
        return False


def _bulleted(faults: Sequence[str]) -> str:
    return "\n".join(f"  - {fault}" for fault in faults)


if __name__ == "__main__":
    sys.exit(main())
