"""How the actions read words that the model alone does not settle."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from actions.delivery import address_in
from actions.identity import _ASKS_AGAIN
from actions.order_changes import CancelOrder
from actions.orders import _NOT_HERE, READ_AT_MOST
from actions.shop import find_products
from actions.task import _STOP
from actions.task_questions import has_it_not
from actions.undoing_rewards import undoes_reward
from bot.content import read_catalogue
from bot.core.catalogue import Catalogue, Product

CATALOGUE = read_catalogue(Path(__file__).parents[2] / "catalogue.yml", "USD")


@pytest.mark.parametrize(
    "text", ["stop", "ok stop", "no, forget it", "never mind", "nvm", "cancel please", "NO THANKS"]
)
def test_a_plain_word_stops(text: str) -> None:
    assert _STOP.search(text)


@pytest.mark.parametrize("text", ["I changed my mind", "don't like it", "the lid does not stop leaking at all"])
def test_a_reason_does_not_stop(text: str) -> None:
    assert not _STOP.search(text)


@pytest.mark.parametrize("text", ["cancel it", "yes cancel it", "cancel the order", "cancel my order please"])
def test_cancel_it_is_a_yes_to_shall_i_cancel_it(text: str) -> None:
    assert CancelOrder().is_yes(text)


@pytest.mark.parametrize(
    "text", ["cancel", "don't cancel it", "no, do not cancel it", "wait", "stop, cancel that idea"]
)
def test_what_could_mean_stop_is_no_yes(text: str) -> None:
    assert not CancelOrder().is_yes(text)


@pytest.mark.parametrize(
    "text", ["I don't have the number", "dont know", "i lost it", "no idea", "I can't find it anywhere", "forgot"]
)
def test_somebody_who_does_not_have_it_is_understood(text: str) -> None:
    assert has_it_not(text)


@pytest.mark.parametrize("text", ["TC-10002", "maria@example.com", "it is 1200", "the number is TC 10002"])
def test_somebody_who_has_it_is_understood(text: str) -> None:
    assert not has_it_not(text)


@pytest.mark.parametrize(
    "text", ["i didnt get any code", "resend", "send it again", "new code please", "nothing came", "code never arrived"]
)
def test_another_code_is_asked_for(text: str) -> None:
    assert _ASKS_AGAIN.search(text)


@pytest.mark.parametrize("text", ["123 456", "it says 123456", "what is this"])
def test_no_other_code_is_asked_for(text: str) -> None:
    assert not _ASKS_AGAIN.search(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("send TC-10003 to 45 Rizal Avenue, Quezon City 1100 instead", "45 Rizal Avenue, Quezon City 1100"),
        ("ship it to: Unit 8, 100 Ayala Avenue, Makati 1226 please!", "Unit 8, 100 Ayala Avenue, Makati 1226"),
    ],
)
def test_an_address_in_the_first_message_is_read(text: str, address: str) -> None:
    assert address_in(text) == address


@pytest.mark.parametrize("text", ["I want to change the address", "deliver it to my office", "to another place"])
def test_no_address_is_read_where_there_is_none(text: str) -> None:
    assert address_in(text) is None


def test_no_text_takes_long_to_read() -> None:
    for text in (
        "to a" + " " * 1_990 + "1x",
        "to 1 " * 400,
        "please, " * 250 + "to 1 a b",
        "never " * 330,
        "when " * 400,
    ):
        began = time.process_time()
        address_in(text)
        has_it_not(text)
        _ASKS_AGAIN.search(text)
        _STOP.search(text)
        _NOT_HERE.search(text[:READ_AT_MOST])
        assert time.process_time() - began < 0.2, text[:20]


def names(text: str) -> set[str]:
    return {product.name for product in find_products(CATALOGUE, text)}


def test_products_are_found_by_kind() -> None:
    assert {product.category for product in find_products(CATALOGUE, "which mugs do you have")} == {"mugs"}


def test_products_are_found_by_taste_whatever_its_ending() -> None:
    found = find_products(CATALOGUE, "a coffee with chocolate notes")

    assert found
    assert all("chocolatey" in product.tags for product in found)
    assert not any("no coffee" in product.tags for product in found)


def test_a_question_about_nothing_in_particular_finds_nothing() -> None:
    assert names("do you have something good") == set()
    assert names("") == set()


def test_an_empty_catalogue_is_no_trouble() -> None:
    assert find_products(Catalogue(), "mugs") == []


def test_what_is_sold_out_is_found_as_well() -> None:
    catalogue = Catalogue([Product("A", "Red mug", "mugs", 100, available=False)])

    assert [product.sku for product in find_products(catalogue, "a mug please")] == ["A"]


@pytest.mark.parametrize(
    "text",
    [
        "cancel the reward I just redeemed",
        "give me my points back for that voucher",
        "undo my redemption",
        "I don't want the voucher any more",
        "can I have my points back please",
        "turn the voucher back into points",
    ],
)
def test_a_reward_that_is_not_wanted_is_understood(text: str) -> None:
    assert undoes_reward(text)


@pytest.mark.parametrize(
    "text",
    [
        "do I get my points back if I return something",
        "cancel my order and give me the points back",
        "use my points for a reward",
        "what happens if I return a reward",
        "I want to return something",
        "use my gift card",
    ],
)
def test_other_wishes_are_no_reward_to_give_back(text: str) -> None:
    assert not undoes_reward(text)
