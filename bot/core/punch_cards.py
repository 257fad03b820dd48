"""Punch cards: which units of an order are stamped, and the entries that bring stamps in and take them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import count
from typing import NewType

from bot.core.customers import CustomerId
from bot.core.earning import EARNING_STATUSES
from bot.core.loyalty import PunchCard, matches
from bot.core.orders import Order, OrderStatus
from bot.core.refunds import Refund
from bot.core.returns import Return, ReturnStatus

StampId = NewType("StampId", int)

# One order stamps no more units than this: nobody drinks a thousand coffees, but a typing error orders them.
MAX_UNITS_PER_ORDER = 1_000
# And by hand, at once.
MAX_UNITS_BY_HAND = 100


class StampKind(str, Enum):
    """What an entry of a punch card stands for."""

    STAMP = "stamp"
    OPENING = "opening"  # brought along from a card of paper
    VOIDED = "voided"  # a completed card that is not full any more
    COMPLETED = "completed"
    REFUND = "refund"  # a stamp taken back
    TRANSFER = "transfer"  # to or from the card of the same person, found to be one


BY_HAND = frozenset({StampKind.STAMP, StampKind.OPENING})


@dataclass(frozen=True)
class StampEntry:
    """One movement of stamps (signed). `key` names the event; the same event again is this entry.

    `source` is the order, the voucher that was given for a full card, or the merge. `reverses_id` is the entry that
    this one takes back.
    """

    id: StampId
    customer_id: CustomerId
    card: str
    kind: StampKind
    stamps: int
    key: str
    at: datetime
    source: str | None = None
    reverses_id: StampId | None = None

    def same_event(self, other: StampEntry) -> bool:
        """Whether both say the same, whenever they were written down."""
        return (self.customer_id, self.card, self.kind, self.stamps, self.source) == (
            *(other.customer_id, other.card, other.kind, other.stamps, other.source),
        )


NEW = StampId(0)


def units_kept(order: Order, refunds: Sequence[Refund], returns: Iterable[Return]) -> dict[int, int]:
    """How many units of each line (by its position, from 1) the customer has paid for and not given back.

    None unless the order is paid and cost anything. All is given back with the whole price, and by an order that came
    back while no return says what of it did. A return gives back its lines once its money is owed; of several like
    units the last ones.
    """
    came_back = order.status is OrderStatus.RETURNED
    repaid = sum(refund.amount_minor for refund in refunds) >= order.total_minor
    if repaid or not (came_back or order.status in EARNING_STATUSES):
        return {}
    paid_returns = {refund.return_number for refund in refunds}
    ended = [one for one in returns if one.status is ReturnStatus.REFUNDED or one.number in paid_returns]
    if came_back and not ended:
        return {}
    kept = {position: line.quantity for position, line in enumerate(order.lines, 1)}
    for sent_back in ended:
        for back in sent_back.lines:
            left = back.quantity
            for position, line in enumerate(order.lines, 1):
                if line.sku == back.sku:
                    taken = min(left, kept[position])
                    kept[position] -= taken
                    left -= taken
    return kept


def stamp_changes(
    order: Order, kept: Mapping[int, int], cards: Sequence[PunchCard], known: Sequence[StampEntry], at: datetime
) -> list[StampEntry]:
    """The entries that bring an order's stamps (`known`: those so far) to the units that are kept.

    One stamp for each unit of a card's products that cost something. What was stamped once stays stamped as long as the
    unit is kept, whatever becomes of the shop's rules; in an order that holds something else now, it is not kept.
    """
    prefix = f"order:{order.number}:"
    taken_back = {entry.reverses_id for entry in known}
    stamps = {entry.key: entry for entry in known if entry.kind is StampKind.STAMP and entry.key.startswith(prefix)}
    units = [(position, unit, order.lines[position - 1]) for position, unit in _units(kept)]
    # Every stamp that may be there, without the times that the order was taken back and good again.
    bought = {f"{position}:{unit}:{line.sku}" for position, unit, line in units}
    changes = [
        _taken_back(entry, at)
        for key, entry in stamps.items()
        if entry.id not in taken_back and key.removeprefix(prefix).split(":", 2)[2] not in bought
    ]
    if order.customer_id is None:
        return changes
    for position, unit, line in units:
        for card in cards:
            if line.unit_price_minor == 0 or not matches(line.sku, card.products):
                continue
            keys = (f"{prefix}{card.id}:{time}:{position}:{unit}:{line.sku}" for time in count(1))
            key = next(key for key in keys if key not in stamps or stamps[key].id not in taken_back)
            if key not in stamps:
                changes.append(
                    StampEntry(NEW, order.customer_id, card.id, StampKind.STAMP, 1, key, at, source=order.number)
                )
    return changes


def _units(kept: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    left = MAX_UNITS_PER_ORDER
    for position, quantity in kept.items():
        for unit in range(1, min(quantity, left) + 1):
            yield position, unit
        left -= min(quantity, left)


def _taken_back(entry: StampEntry, at: datetime) -> StampEntry:
    return StampEntry(
        *(NEW, entry.customer_id, entry.card, StampKind.REFUND, -entry.stamps, f"back:{entry.id}", at),
        source=entry.source,
        reverses_id=entry.id,
    )
