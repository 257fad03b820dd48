"""Where a message is cut, and which of its parts count as wishes."""

from __future__ import annotations

from typing import Any

import pytest

from bot.dialogue.clauses import cut, find_wishes, in_order

KNOWN = {
    "where is my order": "track_order",
    "when do you open": "opening_hours",
    "I want to return my mug": "return_item",
    "can I get a refund": "get_refund",
    "cancel TC-10003": "cancel_order",
    "return TC-10001": "return_item",
    "how are you": "chitchat",
    "do you ship to Cebu": "delivery_options",
}


def parse(text: str) -> dict[str, Any]:
    number = next((word for word in text.split() if word.startswith("TC-")), None)
    return {
        "text": text,
        "intent": {"name": KNOWN.get(text, "out_of_scope"), "confidence": 0.95 if text in KNOWN else 0.2},
        "intent_signals": {"similarity": 0.9 if text in KNOWN else 0.3},
        "entities": [{"entity": "order_number", "value": number}] if number else [],
    }


def wishes(text: str, whole: str) -> list[str]:
    found = find_wishes({"text": text, "intent": {"name": whole, "confidence": 0.9}}, text, parse)
    return [wish["intent"]["name"] for wish in found]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("where is my order and when do you open", ["where is my order", "when do you open"]),
        ("where is my order? when do you open?", ["where is my order", "when do you open?"]),
        ("where is my order\nwhen do you open", ["where is my order", "when do you open"]),
        ("where is my order, also when do you open", ["where is my order", "when do you open"]),
        ("the red mug and the blue one", ["the red mug", "the blue one"]),
        ("where is my order", ["where is my order"]),
        ("salt and pepper", ["salt and pepper"]),
        ("hello. where is my order", ["hello. where is my order"]),
        ("mail me at a.b@example.com please", ["mail me at a.b@example.com please"]),
        ("", [""]),
        (" and ", [" and "]),
    ],
)
def test_a_message_is_cut_where_a_new_wish_may_begin(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


def test_a_long_message_is_cut_into_few_parts() -> None:
    assert len(cut("go on now and " * 500)) <= 4


def test_two_wishes_are_both_heard() -> None:
    assert wishes("where is my order and when do you open", "track_order") == ["track_order", "opening_hours"]


def test_one_wish_said_twice_is_one() -> None:
    assert wishes("I want to return my mug and can I get a refund", "return_item") == []


def test_the_same_kind_of_wish_for_two_orders_is_two() -> None:
    assert wishes("cancel TC-10003 and return TC-10001", "cancel_order") == ["cancel_order", "return_item"]


def test_small_talk_and_what_is_not_understood_are_no_wishes() -> None:
    assert wishes("how are you and where is my order", "track_order") == []
    assert wishes("blah blah and where is my order", "track_order") == []


def test_parts_that_have_nothing_to_do_with_the_whole_do_not_count() -> None:
    assert wishes("where is my order and when do you open", "complaint") == []


def test_what_is_answered_at_once_comes_first_and_a_second_task_is_kept_for_later() -> None:
    parts = [parse(text) for text in ("cancel TC-10003", "when do you open", "return TC-10001")]

    ordered = in_order(parts)

    assert [wish["intent"]["name"] for wish in ordered] == ["opening_hours", "cancel_order"]
    assert ordered[1]["also"] == [{"wish": "return_item", "order_number": "TC-10001"}]
