"""Long texts are cut where a reader would pause, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text_splitting import split_text, utf16_length

FACE = "\N{GRINNING FACE}"
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 10, ["short"]),
        ("  trimmed \n", 10, ["trimmed"]),
        ("", 10, []),
        (" \n ", 10, []),
        ("one two three four", 9, ["one two", "three", "four"]),
        ("First. Second one. Third", 19, ["First. Second one.", "Third"]),
        ("a line\nanother line", 12, ["a line", "another line"]),
        ("one\n\ntwo lines\nof text", 16, ["one\n\ntwo lines", "of text"]),
        ("exactly ten words", 7, ["exactly", "ten", "words"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        (f"\N{HOT BEVERAGE}{FACE}{FACE}", 3, [f"\N{HOT BEVERAGE}{FACE}", FACE]),
        (f"{FAMILY}{FAMILY}", 10, [FAMILY, FAMILY]),
        ("e\N{COMBINING ACUTE ACCENT}" * 2, 3, ["e\N{COMBINING ACUTE ACCENT}"] * 2),
    ],
)  # fmt: skip
def test_it_is_cut_at_the_best_place_that_fits(text, limit, parts):
    assert split_text(text, limit) == parts


@given(st.text(max_size=300), st.integers(2, 40))
def test_every_part_fits_and_nothing_but_white_space_is_lost(text, limit):
    parts = split_text(text, limit)

    assert all(0 < utf16_length(part) <= limit and part == part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.text())
def test_the_length_is_that_of_the_encoding(text):
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
