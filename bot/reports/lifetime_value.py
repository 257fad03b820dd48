"""What each customer is likely to bring from now on: purchases to come, times what they bring, worth less the later."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bot.reports.bg_nbd import BgNbd
from bot.reports.gamma_gamma import GammaGamma
from bot.reports.purchase_histories import DAYS_A_WEEK, PurchaseHistories

Floats = NDArray[np.float64]

WEEKS_A_MONTH = 365.25 / 12 / DAYS_A_WEEK


def predict_lifetime_value(
    purchases: BgNbd,
    spending: GammaGamma,
    histories: PurchaseHistories,
    *,
    months: int,
    margin: float,
    monthly_discount: float,
) -> Floats:
    """The value of each customer over the coming months, in the unit of the amounts, without what they brought so far.

    `margin` is the share of an amount that the shop keeps. What comes in the m-th month counts 1 / (1 + discount)^m.
    Raises CannotFit where a mean amount cannot be given, ValueError for a margin, discount or span without sense.
    """
    if months < 1 or not 0 <= margin <= 1 or monthly_discount < 0:
        raise ValueError("months must be at least 1, the margin between 0 and 1, and the discount not below 0")
    ends = np.arange(1, months + 1)
    until = purchases.expected_more(
        histories.repeats[:, None], histories.last_weeks[:, None], histories.end_weeks[:, None], ends * WEEKS_A_MONTH
    )
    in_month = np.diff(until, axis=1, prepend=0)
    discounted = in_month @ (1 + monthly_discount) ** -ends.astype(np.float64)
    spend = spending.expected_spend(histories.repeats, histories.mean_repeat)
    return np.asarray(discounted * spend * margin)
