"""Money: amounts in minor units of a currency (cents), and how people write them."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision


def to_minor_units(amount: Decimal, currency: str) -> int:
    """An amount in minor units: 2.50 USD is 250. Raises ValueError for a fraction of the smallest unit."""
    digits = get_currency_precision(currency)
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency} has ({digits})")
    return int(minor)


def money_in_words(amount_minor: int, currency: str) -> str:
    """An amount in minor units as people write it: `$12.50`."""
    digits = get_currency_precision(currency)
    return str(format_currency(Decimal(amount_minor).scaleb(-digits), currency, locale="en_US"))
