"""What customers are likely to bring: by month, worth less the later, and only the shop's share of it."""

from __future__ import annotations

import numpy as np
import pytest

from bot.reports.bg_nbd import BgNbd
from bot.reports.gamma_gamma import GammaGamma
from bot.reports.lifetime_value import WEEKS_A_MONTH, predict_lifetime_value
from bot.reports.maximum_likelihood import CannotFit
from bot.reports.purchase_histories import PurchaseHistories

PURCHASES, SPENDING = BgNbd(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.45)
HISTORIES = PurchaseHistories(
    np.array(["once", "often"]), np.array([0.0, 8.0]), np.array([0.0, 35.0]), np.array([38.0, 38.0]),
    np.array([0.0, 60.0]),
)  # fmt: skip


def predict(**changes):
    terms = {"months": 12, "margin": 0.4, "monthly_discount": 0.01, **changes}
    return predict_lifetime_value(PURCHASES, SPENDING, HISTORIES, **terms)


def test_a_months_purchases_times_their_amount_times_the_margin_are_discounted_to_today():
    expected = 0.0
    before = 0.0
    for month in (1, 2, 3):
        until = float(PURCHASES.expected_more(8, 35, 38, month * WEEKS_A_MONTH))
        expected += (until - before) / 1.01**month
        before = until
    expected *= float(SPENDING.expected_spend(8, 60.0)) * 0.4

    assert predict(months=3)[1] == pytest.approx(expected)


def test_without_a_discount_it_is_all_purchases_times_their_amount():
    found = predict(monthly_discount=0, margin=1)

    more = PURCHASES.expected_more(HISTORIES.repeats, HISTORIES.last_weeks, HISTORIES.end_weeks, 12 * WEEKS_A_MONTH)
    assert found == pytest.approx(more * SPENDING.expected_spend(HISTORIES.repeats, HISTORIES.mean_repeat))


def test_a_regular_is_worth_more_than_a_stranger_and_later_money_less_than_money_now():
    assert predict()[1] > predict()[0] > 0
    assert np.all(predict(monthly_discount=0.05) < predict(monthly_discount=0.01))


def test_amounts_without_a_mean_give_no_value():
    with pytest.raises(CannotFit, match="q is"):
        predict_lifetime_value(
            PURCHASES, GammaGamma(2, 0.9, 10), HISTORIES, months=12, margin=0.4, monthly_discount=0.01
        )


@pytest.mark.parametrize("terms", [{"months": 0}, {"margin": 1.2}, {"margin": -0.1}, {"monthly_discount": -0.01}])
def test_terms_without_sense_are_refused(terms):
    with pytest.raises(ValueError, match="must be at least 1"):
        predict(**terms)
