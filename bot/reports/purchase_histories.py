"""Each customer's purchases in three numbers, as the models of lifetime value need them.

x is the number of days with a purchase after the first one (repeat purchases), t_x the time of the last of them and T
the time of the end, both counted from the first purchase, in weeks. Orders of one day are one purchase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAYS_A_WEEK = 7


@dataclass(frozen=True)
class PurchaseHistories:
    """One entry for each customer, in the order of `customers`.

    `mean_repeat` is the mean amount of the repeat purchases, without the first one; 0 where there is none.
    """

    customers: NDArray[np.str_]
    repeats: Floats
    last_weeks: Floats
    end_weeks: Floats
    mean_repeat: Floats

    def __len__(self) -> int:
        return len(self.customers)

    @property
    def repeat_buyers(self) -> NDArray[np.bool_]:
        """Who has bought again."""
        return self.repeats > 0


def summarise_purchases(
    customers: Sequence[str], days: Sequence[date], amounts: Sequence[float], until: date
) -> PurchaseHistories:
    """The histories of all who bought up to and including the day `until`, sorted by customer.

    The three sequences describe one order each. Whoever first bought later is left out. Amounts may be in any unit.
    """
    names, who = np.unique(np.asarray(customers, dtype=np.str_), return_inverse=True)
    when = np.array([day.toordinal() for day in days], dtype=np.int64)
    paid = np.asarray(amounts, dtype=np.float64)
    seen = when <= until.toordinal()
    who, when, paid = who[seen], when[seen], paid[seen]
    if not len(who):
        nothing = np.zeros(0)
        return PurchaseHistories(names[:0], nothing, nothing, nothing, nothing)

    # One row for each customer and day, by customer and then by day.
    order = np.lexsort((when, who))
    who, when, paid = who[order], when[order], paid[order]
    new_day = np.flatnonzero(np.r_[True, (np.diff(who) != 0) | (np.diff(when) != 0)])
    paid = np.add.reduceat(paid, new_day)
    who, when = who[new_day], when[new_day]

    first = np.flatnonzero(np.r_[True, np.diff(who) != 0])
    last = np.r_[first[1:], len(who)] - 1
    repeats = (last - first).astype(np.float64)
    after_first = np.add.reduceat(paid, first) - paid[first]
    return PurchaseHistories(
        customers=names[who[first]],
        repeats=repeats,
        last_weeks=(when[last] - when[first]) / DAYS_A_WEEK,
        end_weeks=(until.toordinal() - when[first]) / DAYS_A_WEEK,
        mean_repeat=np.divide(after_first, repeats, out=np.zeros_like(repeats), where=repeats > 0),
    )
