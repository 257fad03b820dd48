"""Vouchers in words: what one is worth, how it may be used, and how it stands."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from enum import Enum

from bot.core.loyalty import Effect
from bot.core.money import money_in_words
from bot.core.vouchers import UNLIMITED_USES, UseState, Voucher, VoucherUse


class Standing(str, Enum):
    """How a voucher stands, in words for whoever holds it."""

    READY = "Ready to use"
    NOT_YET = "Not valid yet"
    RESERVED = "In use at a checkout"
    USED = "Used"
    USED_UP = "Used up"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"

    @property
    def is_over(self) -> bool:
        """Whether it will not be of use again."""
        return self in (Standing.USED, Standing.USED_UP, Standing.EXPIRED, Standing.CANCELLED)


_OBSTACLES = {
    None: Standing.READY,
    "not_started": Standing.NOT_YET,
    "used_up": Standing.USED_UP,
    "expired": Standing.EXPIRED,
    "cancelled": Standing.CANCELLED,
}


def standing_of(voucher: Voucher, last_use: VoucherUse | None, at: datetime) -> Standing:
    """How the voucher stands at a moment, by its latest use that counts then."""
    obstacle = voucher.obstacle(at)
    if voucher.use_limit == 1 and voucher.uses == 1 and voucher.cancelled_at is None:
        # Used is said of what was used, though it has expired since.
        if last_use is not None:
            return Standing.USED if last_use.state is UseState.REDEEMED else Standing.RESERVED
        # It was held by a checkout that came to nothing.
        return Standing.READY if obstacle == "used_up" else _OBSTACLES[obstacle]
    return _OBSTACLES[obstacle]


def worth_in_words(effect: Effect, currency: str) -> str:
    """`$5.00 off`, `10% off`, `Any coffee, for free`."""
    if effect.amount_minor is not None:
        return f"{money_in_words(effect.amount_minor, currency)} off"
    if effect.percent is not None:
        return f"{effect.percent}% off"
    item = effect.item or ""
    return f"{item[:1].upper()}{item[1:]}, for free"


def says_worth(title: str, effect: Effect, currency: str) -> bool:
    """Whether a title says already what the voucher is worth: `$5 off your order`."""
    if effect.item is not None:
        return effect.item.lower() in title.lower()
    return worth_in_words(effect, currency).removesuffix(" off").removesuffix(".00") in title


def terms_in_words(voucher: Voucher, currency: str) -> list[str]:
    """What to mind when using it, a sentence each. Dates are not among them."""
    terms = []
    if voucher.minimum_minor:
        terms.append(f"For purchases of {money_in_words(voucher.minimum_minor, currency)} or more.")
    if voucher.use_limit == 1:
        terms.append("It can be used once.")
    elif voucher.use_limit < UNLIMITED_USES:
        terms.append(f"It can be used {voucher.use_limit:,} times in all, by whoever comes first.")
    if voucher.uses_per_customer is not None and voucher.use_limit > 1:
        times = {1: "once", 2: "twice"}.get(voucher.uses_per_customer, f"{voucher.uses_per_customer} times")
        terms.append(f"Each customer can use it {times}.")
    if voucher.stackable:
        terms.append("It can be combined with other vouchers that allow it.")
    else:
        terms.append("It cannot be combined with other vouchers.")
    return terms


def last_moment(ends_at: datetime, zone: tzinfo) -> datetime:
    """The last instant of something that ends at a moment: of what ends at midnight, on the day before."""
    return (ends_at - timedelta(microseconds=1)).astimezone(zone)
