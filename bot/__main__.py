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
from pathlib import Path

from bot.config import Config, load_config
from bot.errors import BotError, ConfigError
from bot.logs import set_up_logging


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
    commands.add_parser("scheduler", help="deliveries alone")
    commands.add_parser("migrate", help="bring the database to the schema of this version")
    commands.add_parser("demo", help="load the demo shop into an empty database")
    commands.add_parser("check", help="check settings, business file, database and model")
    _add_report(commands.add_parser("report", help="the shop's figures: tables here, in files, and as pictures"))
    return parser


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
        return 1
    except KeyboardInterrupt:
        return 130


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
        case "report":
            asyncio.run(app.report(config, options))
    return 0


def _bulleted(faults: Sequence[str]) -> str:
    return "\n".join(f"  - {fault}" for fault in faults)


if __name__ == "__main__":
    sys.exit(main())
