"""Vouchers and points in words, and the picture that a till scans."""

from __future__ import annotations

from datetime import datetime

from actions.task import Talk, who
from actions.wording import day
from bot.core.money import money_in_words as money
from bot.core.shop import Shop
from bot.core.voucher_words import last_moment
from bot.core.vouchers import Voucher
from bot.services.vouchers import vouchers_of


async def usable_vouchers(talk: Talk) -> list[Voucher]:
    """What the customer can still use, soonest to end first."""
    turn = talk.turn
    vouchers = await vouchers_of(turn.work, turn.clock, who(talk).id)
    return sorted(vouchers, key=lambda voucher: (voucher.expires_at is None, voucher.expires_at))


def voucher_line(voucher: Voucher, shop: Shop) -> str:
    """A voucher in one line."""
    until = f", until {last_day(voucher.expires_at, shop)}" if voucher.expires_at else ""
    return f"{voucher.title}: {voucher.code}{until}"


def show_voucher(talk: Talk, text: str, voucher: Voucher) -> None:
    """Say something together with a voucher: its code in words, as a picture to scan, and as a page to keep."""
    turn = talk.turn
    now = turn.clock.now()
    until = f" until {last_day(voucher.expires_at, turn.shop)}" if voucher.expires_at else ""
    where = "Show it at the counter"
    if voucher.effect.item is None:
        where += ", or type it in when you pay in the web shop"
    talk.say(
        f"{text}\nYour code: {voucher.code}\n"
        f"It works once{until}{at_least(voucher.minimum_minor, turn.shop)}. {where}. "
        f"To keep it at hand: {turn.links.voucher(voucher.code, now)}",
        image=turn.links.voucher_image(voucher.code, now),
        image_alt=f"QR code of your reward {voucher.code}",
    )


def at_least(minimum_minor: int, shop: Shop) -> str:
    """A minimum that an order must reach, as the end of a sentence."""
    return f" for an order of at least {money(minimum_minor, shop.currency)}" if minimum_minor else ""


def points(number: int) -> str:
    """A number of points in words."""
    return "1 point" if number == 1 else f"{number:,} points"


def last_day(ends_at: datetime, shop: Shop) -> str:
    """The last day of something that ends at a moment: midnight still belongs to the day before."""
    return day(last_moment(ends_at, shop.hours.zone), shop)
