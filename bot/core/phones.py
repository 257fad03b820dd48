"""Telephone numbers as they are compared and kept."""

from __future__ import annotations

import unicodedata

MIN_DIGITS, MAX_DIGITS = 6, 15
MAX_PHONE_CHARACTERS = 40


def normalise_phone(text: str, country: str | None = None) -> str | None:
    """A telephone number as it is compared: international (+639171234567) where that can be told; None when it is none.

    `country` (two letters, PH) is whose numbers are written without their country. Without it, such a number is kept
    as its digits: equal ones are still equal. Normalising what is normal changes nothing.
    """
    # Only here: it takes a while to load, and most processes never meet a telephone number.
    import phonenumbers

    if len(text) > MAX_PHONE_CHARACTERS:
        return None
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        digits = "".join(str(unicodedata.digit(one)) for one in text if one.isdecimal())
        return digits if country is None and MIN_DIGITS <= len(digits) <= MAX_DIGITS and _only_dials(text) else None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_country(text: str) -> bool:
    """Whether these are the two letters of a country with telephone numbers of its own."""
    import phonenumbers

    return text in phonenumbers.SUPPORTED_REGIONS


def _only_dials(text: str) -> bool:
    return not any(map(str.isalpha, text)) and "@" not in text
