"""Customers made up as the models say that customers are, from known parameters and a seed."""

from __future__ import annotations

import numpy as np

from bot.reports.purchase_histories import PurchaseHistories


def simulate(
    *,
    customers: int = 4_000,
    weeks: float = 52.0,
    purchases: tuple[float, float, float, float] = (0.8, 6.0, 0.9, 3.0),
    amounts: tuple[float, float, float] = (6.0, 4.0, 15.0),
    seed: int = 7,
) -> PurchaseHistories:
    """Histories of customers whose first purchases are spread over the first third of the time."""
    draw = np.random.default_rng(seed)
    r, alpha, a, b = purchases
    p, q, v = amounts
    end = weeks - draw.uniform(0, weeks / 3, customers)
    rates, stops = draw.gamma(r, 1 / alpha, customers), draw.beta(a, b, customers)
    means = draw.gamma(q, 1 / v, customers)
    repeats, last, spent = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    for one in range(customers):
        at = draw.exponential(1 / rates[one])
        while at < end[one]:
            repeats[one] += 1
            last[one] = at
            spent[one] += draw.gamma(p, 1 / means[one])
            if draw.random() < stops[one]:
                break
            at += draw.exponential(1 / rates[one])
    mean = np.divide(spent, repeats, out=np.zeros(customers), where=repeats > 0)
    return PurchaseHistories(np.array([f"C-{one}" for one in range(customers)]), repeats, last, end, mean)
