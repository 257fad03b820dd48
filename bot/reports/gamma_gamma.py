"""How much customers spend each time: the Gamma-Gamma model.

P. S. Fader and B. G. S. Hardie, The Gamma-Gamma Model of Monetary Value (2013), brucehardie.com/notes/025. What a
customer pays varies around the customer's own mean as a gamma distribution (p, and a rate); the rate differs
between customers as another one (q, v). It assumes that how much somebody pays says nothing about how often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, psi

from bot.reports.maximum_likelihood import CannotFit, maximise
from bot.reports.purchase_histories import PurchaseHistories

Floats = NDArray[np.float64]

MIN_BUYERS = 30
# Where all spend alike, or always the same, parameters grow without end, and only their quotients count.
LIMITS = (1e-3, 1e5)


@dataclass(frozen=True)
class GammaGamma:
    """The model with its three parameters; amounts in the unit of the data, and so is `v`."""

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")

    def mean_spend(self) -> float:
        """What a purchase brings on average over all customers. Raises CannotFit where that has no bound (q ≤ 1)."""
        self._check_mean()
        return self.p * self.v / (self.q - 1)

    def expected_spend(self, repeats: ArrayLike, mean_repeat: ArrayLike) -> Floats:
        """What each customer's purchases bring on average: between the own mean so far and that of all.

        Without a repeat purchase it is the mean of all. Raises CannotFit where that has no bound (q ≤ 1).
        """
        self._check_mean()
        x, mean = np.asarray(repeats, dtype=np.float64), np.asarray(mean_repeat, dtype=np.float64)
        return np.asarray(self.p * (self.v + x * mean) / (self.p * x + self.q - 1))

    def _check_mean(self) -> None:
        if self.q <= 1:
            raise CannotFit(
                "A mean amount cannot be given: a few purchases are so much larger than the others that the model's "
                f"mean has no bound (q is {self.q:.2f}, and must be above 1)."
            )


def fit_gamma_gamma(histories: PurchaseHistories) -> GammaGamma:
    """The model that makes the mean amounts of the repeat buyers most probable; those of 0 or less are left out.

    Raises CannotFit for fewer than MIN_BUYERS buyers, and when the best parameters cannot be found.
    """
    usable = histories.repeat_buyers & (histories.mean_repeat > 0)
    x, mean = histories.repeats[usable], histories.mean_repeat[usable]
    if len(x) < MIN_BUYERS:
        raise CannotFit(
            f"Too few repeat buyers to say how much they spend: {len(x)}; at least {MIN_BUYERS} are needed."
        )
    # In units of the mean amount, so that the same starting points serve cents and euros.
    unit = float(np.mean(mean))
    starts = [(p, q, (q - 1) / p) for p, q in ((5.0, 3.0), (1.0, 4.0), (15.0, 2.0))]
    fit = maximise(lambda parameters: log_likelihood(parameters, x, mean / unit), starts, [LIMITS] * 3, len(x))
    p, q, v = fit.parameters
    return GammaGamma(p, q, v * unit, fit.log_likelihood - len(x) * float(np.log(unit)))


def log_likelihood(parameters: ArrayLike, x: Floats, mean: Floats) -> tuple[float, Floats]:
    """The logarithm of the note's equation 1a, summed over customers, and its gradient by (p, q, v)."""
    p, q, v = np.asarray(parameters, dtype=np.float64)
    total = v + x * mean
    shape = p * x
    logs = (
        gammaln(shape + q) - gammaln(shape) - gammaln(q)
        + q * np.log(v) + (shape - 1) * np.log(mean) + shape * np.log(x) - (shape + q) * np.log(total)
    )  # fmt: skip
    both = psi(shape + q)
    by_p = x * (both - psi(shape) + np.log(mean) + np.log(x) - np.log(total))
    by_q = both - psi(q) + np.log(v) - np.log(total)
    by_v = q / v - (shape + q) / total
    return float(np.sum(logs)), np.array([np.sum(by_p), np.sum(by_q), np.sum(by_v)])
