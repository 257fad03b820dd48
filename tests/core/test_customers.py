"""What a customer's record says that they are known by."""

import pytest

from bot.core.customers import EMAIL, PHONE, SHOP, erased_external_id, known_by, normalise_tag
from tests.builders import NOW, a_customer

MARIA = a_customer(external_id="C-1", email="maria@example.com", phone="+63 917 123 4567")


@pytest.mark.parametrize("source", [None, "import", "api"])
def test_the_shop_vouches_for_its_numbers_and_addresses_but_telephones_are_shared(source):
    customer = a_customer(external_id="C-1", email="maria@example.com", phone="+63 917 123 4567", source=source)

    assert known_by(customer) == [
        *((SHOP, "C-1", True), (EMAIL, "maria@example.com", True), (PHONE, "+639171234567", False)),
    ]


def test_what_somebody_typed_in_a_chat_is_only_claimed():
    assert known_by(a_customer(email="maria@example.com", source="chat")) == [(EMAIL, "maria@example.com", False)]


def test_what_is_not_there_is_not_known():
    assert known_by(a_customer(external_id="C-1", email=None, phone="ask my son")) == [(SHOP, "C-1", True)]
    assert known_by(a_customer(email=None, erased_at=NOW)) == []


def test_of_an_erased_number_nothing_can_be_read():
    assert erased_external_id("C-1") == erased_external_id("C-1") != erased_external_id("C-2")
    assert "C-1" not in erased_external_id("C-1")


@pytest.mark.parametrize(
    ("text", "tag"), [(" VIP ", "vip"), ("Big\n spender", "big spender"), ("", None), ("x" * 41, None)]
)
def test_a_tag_is_one_line_of_small_letters(text, tag):
    assert normalise_tag(text) == tag
