"""Vouchers' codes, and what several of them take off one total."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.gift_cards import hash_card_code, last_characters, new_card_code
from bot.core.loyalty import Effect
from bot.core.voucher_words import Standing, last_moment, says_worth, standing_of, terms_in_words, worth_in_words
from bot.core.vouchers import (
    CODE_ALPHABET,
    UNLIMITED_USES,
    UseState,
    Voucher,
    VoucherKind,
    VoucherUse,
    discount_beside,
    end_of_validity,
    new_voucher_code,
    normalise_voucher_code,
    stack_obstacle,
)

NOW = datetime(2026, 3, 2, 1, tzinfo=timezone.utc)
MANILA = ZoneInfo("Asia/Manila")


def a_voucher(**changes):
    changes = {"code": "SUKI-7K3P-4ACD-9EFG", "effect": Effect(amount_minor=500), **changes}
    return Voucher(
        **{"kind": VoucherKind.REWARD, "customer_id": None, "name": "five", "title": "$5 off", "key": "k", **changes},
        created_at=NOW,
    )


def a_use(**changes):
    return VoucherUse(
        **{
            **{"id": "u", "code": "c", "key": "k", "customer_id": None, "state": UseState.REDEEMED},
            **{"total_minor": 1_000, "discount_minor": 500, "reserved_at": NOW, **changes},
        }
    )


effects = st.one_of(
    st.integers(1, 10**6).map(lambda amount: Effect(amount_minor=amount)),
    st.integers(1, 100).map(lambda percent: Effect(percent=percent)),
    st.just(Effect(item="Mug")),
)


def test_codes_are_all_different_and_have_nothing_that_looks_alike():
    codes = {new_voucher_code() for _ in range(2_000)} | {new_card_code() for _ in range(2_000)}

    assert len(codes) == 4_000
    assert len(CODE_ALPHABET) == len(set(CODE_ALPHABET)) == 24
    assert not set("0O1IL2Z5S8BU") & set(CODE_ALPHABET)
    assert {len(code) for code in codes} == {len("SUKI-7K3P-4ACD-9EFG"), len("GIFT-7K3P-4ACD-9EFG-7K3P")}


@pytest.mark.parametrize(
    "typed",
    [
        "SUKI-7K3P-4ACD-9EFG",
        "suki7k3p4acd9efg",
        " Suki 7k3p 4acd 9efg\n",
        "SUKI\u20137K3P\u20144ACD\u20119EFG",
        "\uff33\uff35\uff2b\uff297K3P4ACD9EFG",
    ],
)
def test_a_code_is_the_same_however_it_is_typed(typed):
    assert normalise_voucher_code(typed) == "SUKI-7K3P-4ACD-9EFG"


@pytest.mark.parametrize(("typed", "kept"), [("welcome-10", "WELCOME10"), ("Suki10", "SUKI10"), ("¡!", "")])
def test_a_shops_own_code_is_kept_without_signs(typed, kept):
    assert normalise_voucher_code(typed) == kept


@given(st.text())
def test_whatever_is_typed_is_kept_in_one_form(typed):
    kept = normalise_voucher_code(typed)

    assert normalise_voucher_code(kept) == kept == kept.upper()
    assert hash_card_code(typed) == hash_card_code(f" {typed}-")


def test_of_a_gift_cards_code_only_the_end_is_shown():
    assert last_characters("gift-7k3p-4acd-9efg-7k3p") == "7K3P"


@given(effects, st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_voucher_beside_others_takes_no_more_than_is_left(effect, total, taken):
    taken = min(taken, total)
    voucher = a_voucher(effect=effect, stackable=True)

    discount = discount_beside(voucher, taken, total)

    assert 0 <= discount <= total - taken
    wasted = discount == 0 and effect.item is None
    assert stack_obstacle(voucher, [voucher], taken, total) == ("nothing_left" if wasted else None)


def test_validity_ends_with_the_last_day_where_the_shop_is():
    ends_at = end_of_validity(NOW, 90, MANILA)

    assert ends_at == datetime(2026, 6, 1, tzinfo=MANILA)
    assert f"{last_moment(ends_at, MANILA):%d %B %H:%M}" == "31 May 23:59"
    assert end_of_validity(NOW, 90) == NOW + timedelta(days=90)


@pytest.mark.parametrize(
    ("changes", "use", "standing"),
    [
        ({}, None, Standing.READY),
        ({"starts_at": NOW + timedelta(1)}, None, Standing.NOT_YET),
        ({"expires_at": NOW}, None, Standing.EXPIRED),
        ({"cancelled_at": NOW}, None, Standing.CANCELLED),
        ({"uses": 1}, a_use(), Standing.USED),
        ({"uses": 1, "expires_at": NOW}, a_use(), Standing.USED),
        ({"uses": 1}, a_use(state=UseState.RESERVED), Standing.RESERVED),
        ({"uses": 1}, None, Standing.READY),
        ({"uses": 1, "expires_at": NOW}, None, Standing.EXPIRED),
        ({"uses": 5, "use_limit": 5}, a_use(), Standing.USED_UP),
        ({"uses": 4, "use_limit": 5}, a_use(), Standing.READY),
    ],
)
def test_how_a_voucher_stands(changes, use, standing):
    assert standing_of(a_voucher(**changes), use, NOW) is standing


@pytest.mark.parametrize(
    ("effect", "worth", "title"),
    [
        (Effect(amount_minor=500), "$5.00 off", "$5 off your order"),
        (Effect(percent=15), "15% off", "Fiesta: 15% off"),
        (Effect(item="any coffee"), "Any coffee, for free", "Any coffee on us"),
    ],
)
def test_what_a_voucher_is_worth_is_said_once(effect, worth, title):
    assert worth_in_words(effect, "USD") == worth
    assert says_worth(title, effect, "USD")
    assert not says_worth("Fiesta week", effect, "USD")


def test_the_terms_say_what_to_mind():
    once = a_voucher(minimum_minor=2_000)
    campaign = a_voucher(use_limit=500, uses_per_customer=1, stackable=True)

    assert terms_in_words(once, "USD") == [
        "For purchases of $20.00 or more.",
        "It can be used once.",
        "It cannot be combined with other vouchers.",
    ]
    assert terms_in_words(campaign, "USD") == [
        "It can be used 500 times in all, by whoever comes first.",
        "Each customer can use it once.",
        "It can be combined with other vouchers that allow it.",
    ]
    assert len(terms_in_words(a_voucher(use_limit=UNLIMITED_USES), "USD")) == 1
