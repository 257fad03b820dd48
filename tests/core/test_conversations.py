"""Texts as they are kept, owners, and proof of identity."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.conversations import (
    MAX_EXTERNAL_ID_CHARACTERS,
    InboundMessage,
    clean_text,
    is_external_id,
)
from tests.builders import NOW, a_conversation, a_message, an_identity

ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT)
def test_a_cleaned_text_can_be_stored_anywhere(text):
    cleaned = clean_text(text)

    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert cleaned == cleaned.strip()
    assert len(cleaned) <= len(text)


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text):
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_what_people_write_is_only_trimmed(text):
    assert clean_text(f"  {text}\n") == text.strip()


@pytest.mark.parametrize("value", ["1", "update-42", "ünïcode", "a b", "x" * MAX_EXTERNAL_ID_CHARACTERS])
def test_ids_of_other_systems_are_kept(value):
    assert is_external_id(value)


@pytest.mark.parametrize(
    "value", ["", " ", "\u2003", "a\x00", "a\nb", "a\x7f", "\ud800", "x" * (MAX_EXTERNAL_ID_CHARACTERS + 1)]
)
def test_ids_that_could_not_be_stored_or_shown_are_refused(value):
    assert not is_external_id(value)


@pytest.mark.parametrize(
    ("customer_id", "verified_until", "expected"),
    [
        ("customer", NOW + timedelta(microseconds=1), "customer"),
        ("customer", NOW, None),
        ("customer", None, None),
        (None, None, None),
    ],
)
def test_a_customer_counts_while_their_proof_holds(customer_id, verified_until, expected):
    conversation = a_conversation(an_identity(), customer_id=customer_id, verified_until=verified_until)

    assert conversation.verified_customer(NOW) == expected


@pytest.mark.parametrize(
    ("recorded", "again", "same"),
    [
        (("Hello", None), ("Hello", None), True),
        (("Hello", None), ("Hello!", None), False),
        (("Yes", "/affirm"), ("", "/affirm"), True),
        (("Yes", "/affirm"), ("Yes", "/deny"), False),
        (("Yes", "/affirm"), ("Yes", None), False),
        (("Yes", None), ("Yes", "/affirm"), False),
    ],
)
def test_a_message_sent_again_has_the_same_words_or_the_same_choice(recorded, again, same):
    message = a_message(a_conversation(an_identity()), text=recorded[0], payload=recorded[1])

    assert InboundMessage("1", *again).same_content(message) is same
