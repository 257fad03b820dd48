"""Fitting a model by maximum likelihood, from several starting points, with a check that it has arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from bot.errors import BotError

Floats = NDArray[np.float64]

# How steep the mean log-likelihood of a customer may still be, by the logarithm of a parameter.
FLAT = 1e-6


class CannotFit(BotError):
    """The data are too few, or of a kind, that a model cannot be fitted to them. `message` says why."""

    code = "cannot_fit"


@dataclass(frozen=True)
class Fit:
    """The best parameters, the log-likelihood there, and which parameters stand at their lowest limit."""

    parameters: tuple[float, ...]
    log_likelihood: float
    at_lowest: tuple[bool, ...]


def maximise(
    log_likelihood: Callable[[Floats], tuple[float, Floats]],
    starts: Sequence[Sequence[float]],
    limits: Sequence[tuple[float, float]],
    observations: int,
) -> Fit:
    """The positive parameters, within their limits, that make the log-likelihood greatest.

    `log_likelihood` takes the parameters and returns its value and its gradient; `starts` are parameters to begin
    with. It climbs on the logarithms of the parameters, so that all stay positive.
    Raises CannotFit when the best point found is not a summit.
    """

    def descend(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = log_likelihood(parameters)
        return -value / observations, -gradient * parameters / observations

    lowest, highest = np.log(np.asarray(limits, dtype=np.float64)).T
    options = {"maxiter": 2_000, "maxfun": 10_000, "ftol": 1e-15, "gtol": FLAT / 100}
    bounds = list(zip(lowest, highest, strict=True))

    def climb(start: Sequence[float]) -> OptimizeResult:
        begin = np.clip(np.log(start), lowest, highest)
        return minimize(descend, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)

    found = [climb(start) for start in starts]
    best = min(found, key=lambda result: float(result.fun) if np.isfinite(result.fun) else np.inf)
    logs: Floats = best.x
    value, gradient = descend(logs)
    at_lowest, at_highest = logs <= lowest, logs >= highest
    # At a limit, only a slope that leads back inside says that this is not a summit.
    steep = np.where(at_lowest, np.minimum(gradient, 0), np.where(at_highest, np.maximum(gradient, 0), gradient))
    if not np.isfinite(value) or float(np.max(np.abs(steep))) > FLAT:
        raise CannotFit("The model does not settle on these data: they look too unlike what it assumes.")
    return Fit(
        parameters=tuple(np.exp(logs).tolist()),
        log_likelihood=-value * observations,
        at_lowest=tuple(at_lowest.tolist()),
    )
