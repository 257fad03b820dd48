"""Several vouchers on one total: in any order, and never below zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.loyalty import Effect
from bot.errors import VoucherRefused
from bot.services.vouchers import check_stack
from tests.core.test_vouchers import a_voucher, effects


@given(st.lists(effects, max_size=6), st.integers(0, 10**7))
def test_a_total_never_goes_below_zero_however_many_vouchers_there_are(found, total):
    vouchers = [a_voucher(code=str(number), effect=effect, stackable=True) for number, effect in enumerate(found)]

    try:
        discounts = check_stack(vouchers, total)
    except VoucherRefused as refused:
        assert refused.reason == "nothing_left"
    else:
        assert all(discount >= 0 for discount in discounts)
        assert sum(discounts) <= total


def test_percentages_count_from_the_total_before_vouchers_and_are_rounded_down():
    ten, half = (a_voucher(code=str(percent), effect=Effect(percent=percent), stackable=True) for percent in (10, 50))

    assert check_stack([ten, half], 999) == check_stack([half, ten], 999)[::-1] == [99, 499]


def test_a_voucher_stands_alone_unless_all_may_be_combined():
    alone, other = a_voucher(), a_voucher(code="OTHER", stackable=True)

    assert check_stack([alone], 1_000) == [500]
    for vouchers in ([alone, other], [other, alone]):
        with pytest.raises(VoucherRefused) as refused:
            check_stack(vouchers, 10_000)
        assert refused.value.reason == "not_stackable"


@pytest.mark.parametrize(
    ("changes", "total", "reason"),
    [
        ({"minimum_minor": 2_000}, 1_999, "below_minimum"),
        ({}, 0, "nothing_left"),
        ({"stackable": True}, 9_000, "twice"),
    ],
)
def test_what_does_not_fit_a_total_is_refused(changes, total, reason):
    vouchers = [a_voucher(**changes)] * (2 if reason == "twice" else 1)

    with pytest.raises(VoucherRefused) as refused:
        check_stack(vouchers, total)

    assert refused.value.reason == reason
