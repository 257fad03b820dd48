"""The published results on the CDNOW sample, which is not ours to pass on: CDNOW_DATA names the folder that has it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bench.lifetime_value import AMOUNTS, SUMMARY, TRANSACTIONS, as_written, differing_rows, read_summary, summarise
from bot.reports.bg_nbd import fit_bg_nbd
from bot.reports.gamma_gamma import fit_gamma_gamma

FOLDER = Path(os.environ.get("CDNOW_DATA") or ".")
pytestmark = pytest.mark.skipif(not os.environ.get("CDNOW_DATA"), reason="CDNOW_DATA names no folder")


def test_the_raw_transactions_give_every_row_of_the_published_summary():
    ours = as_written(summarise(FOLDER / TRANSACTIONS))

    assert len(ours) == 2_357
    assert differing_rows(ours, read_summary(FOLDER / SUMMARY)) == []
    assert differing_rows(ours, read_summary(FOLDER / AMOUNTS)) == []


def test_the_fit_is_the_published_one():
    histories = summarise(FOLDER / TRANSACTIONS)
    purchases, amounts = fit_bg_nbd(histories), fit_gamma_gamma(histories)

    assert (purchases.r, purchases.alpha, purchases.a, purchases.b) == pytest.approx(
        (0.243, 4.414, 0.793, 2.426), abs=5e-4
    )
    assert purchases.log_likelihood == pytest.approx(-9582.43, abs=5e-3)
    assert np.count_nonzero(histories.repeat_buyers) == 946
    assert (amounts.p, amounts.q) == pytest.approx((6.25, 3.74), abs=5e-3)
    # In cents.
    assert amounts.v / 100 == pytest.approx(15.45, abs=0.01)
    assert amounts.mean_spend() / 100 == pytest.approx(35.17, abs=5e-3)


def test_the_fit_to_39_weeks_foretells_the_next_39_within_an_eighth():
    histories = summarise(FOLDER / TRANSACTIONS)
    model = fit_bg_nbd(histories)
    later = summarise_until(date(1998, 6, 30))

    bought = float(np.sum(later) - np.sum(histories.repeats))
    foretold = float(np.sum(model.expected_more(histories.repeats, histories.last_weeks, histories.end_weeks, 39)))

    assert foretold == pytest.approx(bought, rel=1 / 8)


def summarise_until(day: date) -> np.ndarray:
    from bench.lifetime_value import read_transactions
    from bot.reports.purchase_histories import summarise_purchases

    customers, days, cents = zip(*read_transactions(FOLDER / TRANSACTIONS), strict=True)
    return summarise_purchases(customers, days, cents, day).repeats
