"""How often customers will come back: the BG/NBD model.

P. S. Fader, B. G. S. Hardie and K. L. Lee, "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD
Model, Marketing Science 24 (2005), 275-284. While a customer is active, purchases come at random at a rate, which
differs between customers as a gamma distribution (r, alpha). After each repeat purchase a customer stops for good with
some probability, which differs between customers as a beta distribution (a, b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, gammaln, hyp2f1, psi

from bot.reports.maximum_likelihood import CannotFit, maximise
from bot.reports.purchase_histories import PurchaseHistories

Floats = NDArray[np.float64]

# Fewer say so little about four parameters that the answer is mostly chance.
MIN_CUSTOMERS = 100
MIN_REPEAT_BUYERS = 30

# Beyond these, customers are as good as all alike (r, a and b large), or as good as never the same (small), and the
# data cannot tell one value from another; within them the formulas below are exact to six digits.
LIMITS_R, LIMITS_A, LIMITS_B = (0.01, 100.0), (1e-4, 50.0), (0.01, 500.0)

# The formulas for expected purchases are 0/0 at a = 1; this near, they are interpolated.
_NEAR = 1e-5
# They have a pole at a + b = 1, which is cancelled but must not be stepped on.
_BESIDE = 1e-12


@dataclass(frozen=True)
class BgNbd:
    """The model with its four parameters; times in weeks, or in whatever unit the data had.

    `log_likelihood` is that of the data it was fitted to, and `no_departures` says that they show no sign of customers
    who stop for good.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    no_departures: bool = False

    def probability_active(self, repeats: ArrayLike, last: ArrayLike, end: ArrayLike) -> Floats:
        """How probable it is that a customer has not stopped for good.

        In this model nobody stops before the first repeat purchase, so it is 1 for whoever has bought once.
        """
        x, t_x, t_end = (np.asarray(values, dtype=np.float64) for values in (repeats, last, end))
        odds = self._log_odds_of_departure(x, t_x, t_end)
        return np.asarray(expit(-odds))

    def expected_purchases(self, time: ArrayLike) -> Floats:
        """How many repeat purchases a new customer makes in the given time after the first purchase."""
        return self._interpolated(np.zeros(1), np.zeros(1), np.asarray(time, dtype=np.float64)).reshape(np.shape(time))

    def expected_more(self, repeats: ArrayLike, last: ArrayLike, end: ArrayLike, time: ArrayLike) -> Floats:
        """How many purchases a customer with this history makes in the given time from now on."""
        x, t_x, t_end, ahead = (np.asarray(values, dtype=np.float64) for values in (repeats, last, end, time))
        return np.asarray(self._interpolated(x, t_end, ahead) * self.probability_active(x, t_x, t_end))

    def _log_odds_of_departure(self, x: Floats, t_x: Floats, t_end: Floats) -> Floats:
        bought = np.maximum(x, 1)
        odds = np.log(self.a / (self.b + bought - 1)) + (self.r + bought) * np.log(
            (self.alpha + t_end) / (self.alpha + t_x)
        )
        return np.where(x > 0, odds, -np.inf)

    def _interpolated(self, x: Floats, t_end: Floats, ahead: Floats) -> Floats:
        """Purchases of a customer who is active at t_end."""
        if abs(self.a - 1) >= _NEAR:
            return self._ahead(self.a, x, t_end, ahead)
        share = (self.a - 1 + _NEAR) / (2 * _NEAR)
        return np.asarray(
            (1 - share) * self._ahead(1 - _NEAR, x, t_end, ahead) + share * self._ahead(1 + _NEAR, x, t_end, ahead)
        )

    def _ahead(self, a: float, x: Floats, t_end: Floats, ahead: Floats) -> Floats:
        # The paper's equation 10 after Euler's transformation of its hypergeometric function, whose parameters would
        # grow with x until it overflows.
        z = ahead / (self.alpha + t_end + ahead)
        c = a + self.b + x - 1
        c = np.where(np.abs(c) < _BESIDE, _BESIDE, c)
        rest = np.power(1 - z, a - 1) * hyp2f1(a + self.b - 1 - self.r, a - 1, c, z)
        return np.asarray(c / (a - 1) * (1 - rest))


def fit_bg_nbd(histories: PurchaseHistories) -> BgNbd:
    """The model that makes these histories most probable.

    Raises CannotFit for fewer than MIN_CUSTOMERS customers or MIN_REPEAT_BUYERS repeat buyers, and when the best
    parameters cannot be found.
    """
    customers, again = len(histories), int(np.count_nonzero(histories.repeat_buyers))
    if customers < MIN_CUSTOMERS or again < MIN_REPEAT_BUYERS:
        raise CannotFit(
            f"Too few customers to say how often they come back: {customers} with {again} repeat buyers; "
            f"at least {MIN_CUSTOMERS} with {MIN_REPEAT_BUYERS} are needed."
        )
    x, t_x, t_end = histories.repeats, histories.last_weeks, histories.end_weeks
    # Purchases so far in the time so far, as if all were alike; alpha then sets the unit of time.
    pace = float(np.sum(x)) / max(float(np.sum(t_end)), 1e-9)
    starts = [(r, r / pace, a, b) for r, a, b in ((1.0, 1.0, 3.0), (0.25, 0.5, 2.0), (3.0, 0.1, 5.0))]
    limits = [LIMITS_R, (1e-6 / pace, 1e6 / pace), LIMITS_A, LIMITS_B]
    fit = maximise(lambda parameters: log_likelihood(parameters, x, t_x, t_end), starts, limits, customers)
    r, alpha, a, b = fit.parameters
    return BgNbd(r, alpha, a, b, fit.log_likelihood, no_departures=fit.at_lowest[2])


def log_likelihood(parameters: ArrayLike, x: Floats, t_x: Floats, t_end: Floats) -> tuple[float, Floats]:
    """The logarithm of the paper's equation 6, summed over customers, and its gradient by (r, alpha, a, b)."""
    r, alpha, a, b = np.asarray(parameters, dtype=np.float64)
    again = x > 0
    # Where x is 0 the second way is not open; 1 keeps its logarithm finite.
    bought = np.where(again, x, 1)
    still = -(r + x) * np.log(alpha + t_end)
    gone = np.where(again, np.log(a) - np.log(b + bought - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
    either = np.logaddexp(still, gone)
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)

    share = np.exp(gone - either)
    by_r = psi(r + x) - psi(r) + np.log(alpha) - (1 - share) * np.log(alpha + t_end) - share * np.log(alpha + t_x)
    by_alpha = r / alpha - (r + x) * ((1 - share) / (alpha + t_end) + share / (alpha + t_x))
    together = psi(a + b) - psi(a + b + x)
    by_a = together + share / a
    by_b = together + psi(b + x) - psi(b) - np.where(again, share / (b + bought - 1), 0)
    return float(np.sum(shared + either)), np.array([np.sum(by_r), np.sum(by_alpha), np.sum(by_a), np.sum(by_b)])
