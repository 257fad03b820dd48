"""Lifetime value: our fits of BG/NBD and Gamma-Gamma beside the published ones, on the CDNOW sample."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.report import describe_machine, machine_line, say, table, write_json
from bot.reports.bg_nbd import fit_bg_nbd
from bot.reports.gamma_gamma import fit_gamma_gamma
from bot.reports.purchase_histories import PurchaseHistories, summarise_purchases

CUT = date(1997, 9, 30)
TRANSACTIONS, SUMMARY, AMOUNTS = (
    *("CDNOW_sample.txt", "cdnow_customers_summary.csv"),
    "cdnow_customers_summary_with_transactions.csv",
)
# Fader, Hardie and Lee (2005); for the amounts, the fit to the summary file, whose means are rounded to cents (the
# amounts as they are give a v of 15.44).
PUBLISHED_PURCHASES = {"r": "0.243", "alpha": "4.414", "a": "0.793", "b": "2.426", "log-likelihood": "-9582.43"}
PUBLISHED_AMOUNTS = {"p": "6.25", "q": "3.74", "v": "15.45", "mean spend": "35.17"}

Fitted = TypeVar("Fitted")


class CdnowError(Exception):
    """The data are not there, or not as they should be."""


@dataclass(frozen=True)
class Comparison:
    """A fitted number beside the published one, which is written with as many digits as were published."""

    name: str
    published: str
    fitted: float

    @property
    def agrees(self) -> bool:
        """Whether they are the same in every published digit."""
        return self.shown == self.published

    @property
    def shown(self) -> str:
        """Rounded as the published one is."""
        return f"{self.fitted:.{len(self.published.partition('.')[2])}f}"


def read_transactions(path: Path) -> Iterator[tuple[str, date, int]]:
    """The sample's purchases: customer, day, amount in cents.

    The file's columns are an id, the number in the sample, the day, the number of CDs, dollars.
    """
    for number, line in enumerate(_text(path).splitlines(), 1):
        try:
            _, customer, day, _, dollars = line.split()
            units, cents = dollars.split(".")
            bought_on = datetime.strptime(day, "%Y%m%d").replace(tzinfo=timezone.utc).date()
            yield str(int(customer)), bought_on, int(units) * 100 + int(cents.ljust(2, "0"))
        except ValueError as error:
            raise CdnowError(f"{path}: line {number} is not a purchase") from error


def read_summary(path: Path) -> dict[str, tuple[str, ...]]:
    """A summary file's rows as they are written, by customer."""
    rows = list(csv.reader(_text(path).splitlines()))
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise CdnowError(f"{path} is not a summary")
    return {row[0]: tuple(row[1:]) for row in rows[1:]}


def summarise(path: Path) -> PurchaseHistories:
    """Our summary of the purchases up to the cut, amounts in cents."""
    customers, days, cents = zip(*read_transactions(path), strict=True)
    return summarise_purchases(customers, days, cents, CUT)


def as_written(histories: PurchaseHistories) -> dict[str, tuple[str, ...]]:
    """Our summary as the summary file with amounts is written: two decimals, cents rounded half up."""
    return {
        str(customer): (
            f"{int(repeats)}",
            f"{last:.2f}",
            f"{end:.2f}",
            f"{_half_up(mean * repeats, repeats) / 100:.2f}",
        )
        for customer, repeats, last, end, mean in zip(
            histories.customers,
            histories.repeats,
            histories.last_weeks,
            histories.end_weeks,
            histories.mean_repeat,
            strict=True,
        )
    }


def _half_up(total: float, count: float) -> int:
    """total / count, rounded, by whole numbers so that a half is a half."""
    return (2 * round(total) + int(count)) // (2 * int(count)) if count else 0


def differing_rows(ours: dict[str, tuple[str, ...]], theirs: dict[str, tuple[str, ...]]) -> list[str]:
    """The customers whose row is not the same number by number, or who are only on one side."""

    def numbers(row: tuple[str, ...] | None, width: int) -> tuple[float, ...] | None:
        return None if row is None else tuple(map(float, row[:width]))

    width = len(next(iter(theirs.values())))
    return [
        customer
        for customer in sorted({*ours, *theirs})
        if numbers(ours.get(customer), width) != numbers(theirs.get(customer), width)
    ]


def histories_of(summary: dict[str, tuple[str, ...]]) -> PurchaseHistories:
    """The histories that a summary file with amounts describes."""
    numbers = np.array([row for row in summary.values()], dtype=np.float64)
    return PurchaseHistories(np.array(list(summary)), *(np.ascontiguousarray(column) for column in numbers.T))


def compare(histories: PurchaseHistories) -> list[Comparison]:
    """Both models fitted to the histories, amounts in dollars, beside what was published."""
    purchases = _timed("BG/NBD", lambda: fit_bg_nbd(histories))
    amounts = _timed("Gamma-Gamma", lambda: fit_gamma_gamma(histories))
    fitted = [purchases.r, purchases.alpha, purchases.a, purchases.b, purchases.log_likelihood]
    spent = [amounts.p, amounts.q, amounts.v, amounts.mean_spend()]
    return [
        Comparison(name, published, number)
        for (name, published), number in zip(
            [*PUBLISHED_PURCHASES.items(), *PUBLISHED_AMOUNTS.items()], [*fitted, *spent], strict=True
        )
    ]


def _timed(name: str, fit: Callable[[], Fitted]) -> Fitted:
    began = time.perf_counter()
    fitted = fit()
    say(f"{name} fitted in {time.perf_counter() - began:.2f} s")
    return fitted


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CdnowError(f"{path} cannot be read: {error.strerror}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Print our numbers beside the published ones; 1 if any differs."""
    parser = argparse.ArgumentParser(prog="python -m bench.lifetime_value", description=__doc__)
    parser.add_argument("--cdnow", type=Path, required=True, metavar="FOLDER", help=f"with {TRANSACTIONS}, {SUMMARY} "
                        f"and {AMOUNTS}")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    try:
        histories = summarise(options.cdnow / TRANSACTIONS)
        ours = as_written(histories)
        summaries = {name: read_summary(options.cdnow / name) for name in (SUMMARY, AMOUNTS)}
        differing = {name: differing_rows(ours, theirs) for name, theirs in summaries.items()}
        comparisons = compare(histories_of(summaries[AMOUNTS]))
    except CdnowError as error:
        print(error, file=sys.stderr)
        return 1

    print(machine_line(machine) + "\n")
    print(f"{len(histories)} customers, {int(np.count_nonzero(histories.repeat_buyers))} of them repeat buyers\n")
    print(table(["", "published", "ours", "the same"], [
        [row.name, row.published, row.shown, "yes" if row.agrees else "NO"] for row in comparisons
    ]))  # fmt: skip
    print()
    for name, rows in differing.items():
        print(f"{TRANSACTIONS}, cut after {CUT}, against {name}: {len(summaries[name]) - len(rows)} of "
              f"{len(summaries[name])} rows the same" + (f"; not {', '.join(rows[:10])}" if rows else ""))  # fmt: skip
    fine = not any(differing.values()) and all(row.agrees for row in comparisons)
    write_json(
        options.json, {"machine": machine, "differing_rows": differing, "comparisons": comparisons, "fine": fine}
    )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
