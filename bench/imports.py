"""Imports: the speed and memory of a real file's import, and whether what is stored is what the file says."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import gzip
import os
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.crash_layouts import database_url
from bench.processes import ROOT, BenchmarkError, tail, temporary_folder
from bench.report import describe_machine, machine_line, say, table, write_json
from bot.config import SETTINGS
from bot.storage.engine import create_engine

MAPPING = ROOT / "docs" / "mappings" / "online_retail.yml"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
DATABASES = ("sqlite", "postgresql")
ROWS_A_SECOND, MEGABYTES = 20_000, 300
_CENT = Decimal("0.01")


@dataclass
class Totals:
    """What a file says, or a database holds: records of each kind, and the money in them, in pence."""

    customers: int = 0
    orders: int = 0
    order_lines: int = 0
    order_pieces: int = 0
    order_minor: int = 0
    guests_orders: int = 0
    guests_minor: int = 0
    credit_notes: int = 0
    credit_note_lines: int = 0
    credit_minor: int = 0
    # Of each order and credit note: what it comes to.
    by_number: dict[str, int] = field(default_factory=dict)
    by_customer: dict[str, int] = field(default_factory=dict)


@dataclass
class Account:
    """What becomes of the file's rows, by this page's own reading of them."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def read_file(path: Path) -> tuple[Totals, Account]:
    """The file's totals, read with nothing but the csv module. Shares no code with the import, on purpose."""
    totals, account = Totals(), Account()
    orders: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    customers = set()
    for row in _rows(path):
        account.rows += 1
        quantity, price = int(row["Quantity"]), Decimal(row["UnitPrice"])
        number, customer = row["InvoiceNo"], row["CustomerID"]
        is_credit_note = number.startswith("C")
        if price < 0:
            account.outcomes["negative_price"] += 1
        elif quantity < 0 and not is_credit_note:
            account.outcomes["negative_quantity" if customer or price else "stock_adjustment"] += 1
        else:
            account.outcomes["imported"] += 1
            pence = int((price / _CENT).quantize(Decimal(1), ROUND_HALF_UP)) * abs(quantity)
            orders[number].append((customer, pence))
            if customer:
                customers.add(customer)
            if is_credit_note:
                totals.credit_note_lines += 1
            else:
                totals.order_lines += 1
                totals.order_pieces += quantity
    for number, lines in orders.items():
        minor, customer = sum(pence for _, pence in lines), lines[0][0]
        totals.by_number[number] = minor
        if number.startswith("C"):
            totals.credit_notes += 1
            totals.credit_minor += minor
            continue
        totals.orders += 1
        totals.order_minor += minor
        if customer:
            totals.by_customer[customer] = totals.by_customer.get(customer, 0) + minor
        else:
            totals.guests_orders += 1
            totals.guests_minor += minor
    totals.customers = len(customers)
    return totals, account


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="") as file
        ):
            reader = csv.DictReader(file)
            if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                raise BenchmarkError(f"{path} has no column {', '.join(sorted(missing))}: it is not Online Retail")
            yield from reader
    except OSError as error:
        raise BenchmarkError(
            f"{path} cannot be read ({error.strerror}). The data set is Online Retail (UCI), as one CSV file with "
            f"the columns {', '.join(COLUMNS)}; it is not part of this repository."
        ) from error


async def read_database(url: str) -> Totals:
    """The database's totals, by plain SQL."""
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:

            async def one(statement: str) -> Sequence[Any]:
                return (await connection.execute(text(statement))).one()

            async def pairs(statement: str) -> dict[str, int]:
                return {row[0]: int(row[1]) for row in await connection.execute(text(statement))}

            orders = await one("SELECT count(*), coalesce(sum(total_minor), 0) FROM orders")
            lines = await one(
                "SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(quantity * unit_price_minor), 0) "
                "FROM order_lines"
            )
            guests = await one("SELECT count(*), coalesce(sum(total_minor), 0) FROM orders WHERE customer_id IS NULL")
            notes = await one("SELECT count(*), coalesce(sum(total_minor), 0) FROM credit_notes")
            note_lines = await one(
                "SELECT count(*), coalesce(sum(quantity * unit_price_minor), 0) FROM credit_note_lines"
            )
            customers = await one("SELECT count(*) FROM customers")
            if (lines[2], note_lines[1]) != (orders[1], notes[1]):
                raise BenchmarkError("the totals of the orders are not the sums of their lines")
            return Totals(
                customers=customers[0],
                orders=orders[0],
                order_lines=lines[0],
                order_pieces=int(lines[1]),
                order_minor=int(orders[1]),
                guests_orders=guests[0],
                guests_minor=int(guests[1]),
                credit_notes=notes[0],
                credit_note_lines=note_lines[0],
                credit_minor=int(notes[1]),
                by_number=await pairs(
                    "SELECT number, total_minor FROM orders UNION ALL SELECT number, total_minor FROM credit_notes"
                ),
                by_customer=await pairs(
                    "SELECT c.external_id, sum(o.total_minor) FROM orders o "
                    "JOIN customers c ON c.id = o.customer_id GROUP BY c.external_id"
                ),
            )
    finally:
        await engine.dispose()


@dataclass(frozen=True)
class Run:
    """One import in a process of its own."""

    seconds: float
    processor_seconds: float
    peak_mb: float
    output: str

    def speed(self, rows: int) -> float:
        """Rows a second, from the start of the process to its end."""
        return rows / self.seconds


def import_file(path: Path, url: str, folder: Path, *options: str) -> Run:
    """Import the file with the shipped mapping, as somebody at a terminal would."""
    command = ["import", "orders", str(path), "--mapping", str(MAPPING), "--rejects", str(folder / "rejects.csv")]
    began = time.perf_counter()
    output, usage = _bot(url, folder, *command, *options)
    # Linux counts kilobytes, macOS bytes.
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1_024)
    return Run(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, peak, output)


def _bot(url: str, folder: Path, *arguments: str) -> tuple[str, resource.struct_rusage]:
    env = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    env |= {"DATABASE_URL": url, "VAR_DIR": str(folder / "var"), "BUSINESS_FILE": str(ROOT / "business.yml")}
    log = folder / "import.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments], env=env, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
        )
        # In place of Popen.wait, because only this tells what the process has used.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchmarkError(f"python -m bot {arguments[0]} failed:\n{tail(log)}")
    return log.read_text(encoding="utf-8"), usage


def measure(kind: str, path: Path, times: int) -> tuple[list[Run], list[Run], Totals]:
    """Import the file into empty databases so many times, and once more into the last one: the runs and the totals."""
    fresh: list[Run] = []
    with contextlib.ExitStack() as stack:
        for number in range(times):
            stack.close()
            folder = Path(stack.enter_context(temporary_folder("kasuki-import-")))
            url = stack.enter_context(database_url(kind, folder))
            _bot(url, folder, "migrate")
            fresh.append(import_file(path, url, folder))
            say(f"{kind}, run {number + 1}: {fresh[-1].seconds:.1f} s, {fresh[-1].peak_mb:.0f} MB")
        again = [import_file(path, url, folder, "--again")]
        say(f"{kind}, again: {again[0].seconds:.1f} s")
        return fresh, again, asyncio.run(read_database(url))


def outcomes_of(output: str) -> Counter[str]:
    """What the import itself has said about the rows: the imported ones, and each reason."""
    found: Counter[str] = Counter()
    for line in output.splitlines():
        count, _, words = line.strip().partition(" ")
        if count.replace(",", "").isdigit():
            name = "imported" if words.startswith("imported: new") else words.partition(":")[0]
            found[name] = int(count.replace(",", ""))
    return found


def differences(said: Totals, stored: Totals) -> list[str]:
    """What the file says and the database does not, or the other way round."""
    found = []
    for name, expected in vars(said).items():
        actual = getattr(stored, name)
        if expected == actual:
            continue
        if isinstance(expected, dict):
            keys = [key for key in expected.keys() | actual.keys() if expected.get(key) != actual.get(key)]
            found.append(f"{name}: {len(keys)} differ, {', '.join(sorted(keys)[:5])} …")
        else:
            found.append(f"{name}: {expected:,} in the file, {actual:,} in the database")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Import the file, print what became of it and how fast; 1 if the database is not what the file says."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="Online Retail (UCI) as .csv or .csv.gz")
    parser.add_argument("--database", choices=DATABASES, action="append", help="only this one (default: both)")
    parser.add_argument("--runs", type=int, default=3, help="imports into an empty database; the best counts (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    fine = True
    results: dict[str, Any] = {}
    try:
        say("reading the file by itself")
        said, account = read_file(options.file)
        for kind in options.database or DATABASES:
            fresh, again, stored = measure(kind, options.file, options.runs)
            wrong = differences(said, stored)
            told = outcomes_of(fresh[-1].output)
            wrong += [
                f"{name}: {count:,} by our own reading, {told[name]:,} by the import"
                for name, count in account.outcomes.items()
                if told[name] != count
            ]
            results[kind] = {"fresh": fresh, "again": again, "wrong": wrong}
            fine = fine and not wrong
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    print(machine_line(machine) + "\n")
    print(_outcome_table(account) + "\n")
    print(_totals_table(said) + "\n")
    print(_speed_table(results, account.rows) + "\n")
    for kind, result in results.items():
        for line in result["wrong"] or ["everything in the database is what the file says, order by order"]:
            print(f"{kind}: {line}")
    write_json(options.json, {"machine": machine, "totals": said, "outcomes": account.outcomes, "runs": results})
    return 0 if fine else 1


def _outcome_table(account: Account) -> str:
    rows = [[name, f"{count:,}"] for name, count in account.outcomes.most_common()]
    return table(["rows", "number"], [*rows, ["together, as the file has", f"{account.rows:,}"]])


def _totals_table(totals: Totals) -> str:
    def pounds(minor: int) -> str:
        return f"{Decimal(minor) / 100:,.2f}"

    return table(["in the file and in the database", "number", "lines", "sum, GBP"], [
        ["orders", f"{totals.orders:,}", f"{totals.order_lines:,}", pounds(totals.order_minor)],
        ["of these: without a customer", f"{totals.guests_orders:,}", "", pounds(totals.guests_minor)],
        ["credit notes", f"{totals.credit_notes:,}", f"{totals.credit_note_lines:,}", pounds(totals.credit_minor)],
        ["customers", f"{totals.customers:,}", "", ""],
    ])  # fmt: skip


def _speed_table(results: dict[str, Any], rows: int) -> str:
    lines = []
    for kind, result in results.items():
        best = min(result["fresh"], key=lambda run: run.seconds)
        for name, run in ((kind, best), (f"{kind}, the same again", result["again"][0])):
            lines.append([
                name, f"{run.seconds:.1f}", f"{run.speed(rows):,.0f}", f"{rows / run.processor_seconds:,.0f}",
                f"{run.peak_mb:.0f}",
            ])  # fmt: skip
    aim = ["wanted (SQLite)", "", f"≥ {ROWS_A_SECOND:,}", "", f"≤ {MEGABYTES}"]
    return table(["import", "seconds", "rows/s", "rows/s of processor", "peak memory, MB"], [*lines, aim])


if __name__ == "__main__":
    sys.exit(main())
