"""Amounts of money, points and ratings, in figures, signs and words."""

import pytest

from bot.nlu.details import DetailFinder


@pytest.fixture(scope="module")
def finder() -> DetailFinder:
    return DetailFinder()


def values(finder: DetailFinder, text: str) -> list[tuple[str, str | int]]:
    return [(detail.kind, detail.value) for detail in finder.find(text)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$12.50", "12.50 USD"), ("500 pesos", "500.00 PHP"), ("php 500", "500.00 PHP"), ("20 bucks", "20.00 USD"),
        ("₱1,500.50 po", "1500.50 PHP"), ("P500", "500.00 PHP"), ("I paid $1500", "1500.00 USD"),
        ("php 1500 for this?", "1500.00 PHP"), ("2k pesos", "2000.00 PHP"), ("$1.5k", "1500.00 USD"),
        ("twenty five dollars", "25.00 USD"), ("two hundred pesos", "200.00 PHP"), ("15 €", "15.00 EUR"),
        ("worth 45", "45.00"), ("i paid 1200 for it", "1200.00"), ("an amount of 12.75", "12.75"),
    ],
)  # fmt: skip
def test_an_amount_has_two_decimals_and_the_currency_that_was_said(
    finder: DetailFinder, text: str, amount: str
) -> None:
    assert values(finder, text) == [("amount", amount)]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("200 points", 200), ("1,000 pts", 1000), ("can I redeem 1000 points", 1000), ("10002 points", 10002),
        ("redeem 500", 500), ("five hundred points", 500), ("2k points", 2000),
    ],
)  # fmt: skip
def test_points_are_a_whole_number(finder: DetailFinder, text: str, points: int) -> None:
    assert values(finder, text) == [("points", points)]


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("4 stars", 4), ("4-star", 4), ("four stars", 4), ("5/5", 5), ("3 out of 5", 3), ("two out of five", 2),
        ("⭐⭐⭐⭐", 4), ("⭐️⭐️⭐️", 3), ("★★★☆☆ ok", 3), ("I rate it 3", 3), ("rating: 5!", 5), ("4/5 stars", 4),
        ("zero stars", 1), ("4.5 stars", 5), ("⭐" * 9, 5),
        # Out of ten: halved, and rounded half up.
        ("8/10", 4), ("9 out of 10", 5), ("7/10", 4), ("1/10", 1), ("0 out of 10", 1),
    ],
)  # fmt: skip
def test_a_rating_is_from_one_to_five(finder: DetailFinder, text: str, rating: int) -> None:
    assert values(finder, text) == [("rating", rating)]


@pytest.mark.parametrize(
    "text",
    [
        "2 bags", "2 pounds of beans", "paid 20 times", "1/2 kg", "see page p 5", "4.5 points", "7 stars", "6/5",
        "at this point", "you are a star", "☆☆☆", "my points", "pay 12 orders", "rate my 3 orders", "12/10", "5/5/5",
    ],
)  # fmt: skip
def test_other_numbers_are_no_quantities(finder: DetailFinder, text: str) -> None:
    assert values(finder, text) == []


def test_several_quantities_are_told_apart(finder: DetailFinder) -> None:
    assert values(finder, "200 points or $5? 4/5 stars") == [("points", 200), ("amount", "5.00 USD"), ("rating", 4)]
