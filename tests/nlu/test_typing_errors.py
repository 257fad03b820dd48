"""Typing errors: how they are made, and how they are put right."""

import random
from pathlib import Path

import pytest

from bot.nlu.spelling import Speller
from bot.nlu.typos import add_typos

PIECES = {"[CLS]": 0, "the": 1, "order": 2, "delivery": 3, "##ing": 4, "deliver": 5, "rival": 6, "2000": 7}


@pytest.fixture
def speller() -> Speller:
    return Speller.learn(["where is my parcel", "track my parcel", "hello Tala", "thnx"], PIECES)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("where is my pacrel", "where is my parcel"),
        ("WHERE is my parcle?", "WHERE is my parcel?"),
        ("my delivry", "my delivery"),  # not in our examples, but a word that the encoder knows
        ("thnx", "thnx"),  # misspelt in our examples too, and so understood as it is
        ("open on Rizal day", "open on Rizal day"),  # short, and only near a word that is not ours
        ("parcel TC-10002, pacrel@example.com", "parcel TC-10002, pacrel@example.com"),
        ("zxcvbnm", "zxcvbnm"),
        ("", ""),
        ("\ud800 \u6771\u4eac", "\ud800 \u6771\u4eac"),
    ],
)
def test_misspelt_words_are_put_right_and_nothing_else_is_touched(speller: Speller, written: str, read: str) -> None:
    assert speller.correct(written) == read


OURS = ["the", "my", "can"] * 8 + ["how can I pay"] + ["refund"] * 10 + ["refnd", "refunds", "cant", "don't"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ym refund", "my refund"),
        ("csn I hvae teh refund", "can I hvae the refund"),
        ("TEH ym", "TEH my"),  # capitals may be an abbreviation
        ("refnd", "refund"),  # a slip of our own examples, far rarer than what was meant
        ("refunds cant don't", "refunds cant don't"),  # plurals and contractions are not slips
        ("hom", "hom"),  # "how" is too rare among our words to be meant by three letters
        ("how's my can's", "how's my can's"),
    ],
)
def test_short_words_are_put_right_only_when_it_is_sure(written: str, read: str) -> None:
    assert Speller.learn(OURS, PIECES).correct(written) == read


def test_a_stored_speller_corrects_the_same_and_a_missing_one_nothing(speller: Speller, tmp_path: Path) -> None:
    assert Speller.load(tmp_path).correct("pacrel") == "pacrel"

    speller.save(tmp_path)

    assert Speller.load(tmp_path).correct("pacrel delivry") == "parcel delivery"


def test_the_same_seed_makes_the_same_errors_and_every_message_gets_one() -> None:
    texts = ["where is my order", "I would like to speak to a person", "track TC-10002"]

    first = [add_typos(text, random.Random(7)) for text in texts]

    assert first == [add_typos(text, random.Random(7)) for text in texts]
    assert sum(before != after for before, after in zip(texts, first, strict=True)) >= 2
    assert all(abs(len(before) - len(after)) <= 2 for before, after in zip(texts, first, strict=True))
    assert "10002" in first[2]


@pytest.mark.parametrize("text", ["", "ok", "10002", "\U0001f600"])
def test_a_text_of_few_letters_stays_as_it_is(text: str) -> None:
    assert add_typos(text, random.Random(0)) == text
