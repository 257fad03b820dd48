"""Consents: the last word counts, and nobody but the person takes back a no."""

import pytest

from bot.core.consents import FEEDBACK, MARKETING, SERVICE, Consent, hash_address, is_allowed, is_repetition
from tests.builders import NOW


def said(granted, source="chat", wording="Mails with offers"):
    return Consent("email", "hash", MARKETING, granted, wording, source, NOW)


@pytest.mark.parametrize(("purpose", "allowed"), [(MARKETING, False), (FEEDBACK, True), (SERVICE, True), ("x", False)])
def test_where_nothing_was_said_only_what_customers_expect_is_allowed(purpose, allowed):
    assert is_allowed(purpose, []) is allowed


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ([said(True)], True),
        ([said(True), said(False)], False),
        ([said(False), said(True)], True),
        ([said(True, "import")], True),
        ([said(False, "link"), said(True, "import")], False),
        ([said(False, "link"), said(True, "api"), said(True, "shop")], False),
        ([said(False, "import"), said(True, "import")], False),
        ([said(True), said(False, "import")], False),
        ([said(False, "link"), said(True, "import"), said(True, "chat")], True),
        ([said(False), said(True), said(True, "import")], True),
    ],
)
def test_the_last_word_counts_but_hearsay_takes_back_no_no(words, allowed):
    assert is_allowed(MARKETING, words) is allowed


def test_the_same_word_twice_is_a_repetition_unless_another_came_between():
    yes, no = said(True), said(False)

    assert is_repetition(yes, [no, yes])
    assert not is_repetition(yes, [yes, no])
    assert not is_repetition(yes, [said(True, wording="Other words")])
    assert not is_repetition(yes, [])


def test_an_import_repeats_itself_though_somebody_spoke_between():
    file = said(True, "import")

    assert is_repetition(file, [file, said(False, "link")])
    assert not is_repetition(file, [said(True, "api")])


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        ("email", "Maria@Example.com ", "maria@example.com"),
        ("phone", "+63 917 123 4567", "+639171234567"),
        ("telegram", " 4711", "4711"),
    ],
)
def test_an_address_is_recognised_however_it_is_written_and_cannot_be_read(channel, one, other):
    assert hash_address(channel, one) == hash_address(channel, other)
    assert other not in hash_address(channel, one)
    assert len(hash_address(channel, one)) == 64
