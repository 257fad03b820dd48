"""Colours that can be read, whatever colour a shop has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.colours import (
    DARK_PAPER,
    DARK_SOFT,
    DEFAULT_BRAND,
    LIGHT_PAPER,
    LIGHT_SOFT,
    READABLE,
    contrast,
    dark_palette,
    full_form,
    is_colour,
    light_palette,
    mix,
    readable_shade,
)

STYLES = Path(__file__).parents[2] / "bot/gateway/static/frame.css"
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#ffffff", 21), ("#fff", "#FFF", 1), ("#767676", "#ffffff", 4.54), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast_is_that_of_the_standard(one, other, ratio):
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


def test_colours_are_written_with_a_hash_and_three_or_six_digits():
    assert [is_colour(text) for text in ("#0d5547", "#ABC", "0d5547", "#0d55", "green", "#0d554g", "#0d5547;")] == [
        *(True, True, False, False, False, False, False)
    ]
    assert full_form("#AbC") == "#aabbcc"
    assert mix("#000000", "#ffffff", 0.5) == "#808080"


@given(COLOURS)
def test_any_colour_has_a_shade_that_carries_white(colour):
    shade = readable_shade(colour)

    assert contrast(shade, "#ffffff") >= READABLE
    if contrast(colour, "#ffffff") >= READABLE:
        assert shade == colour


@given(COLOURS.map(readable_shade))
def test_whatever_the_colour_everything_can_be_read_in_both_themes(brand):
    for palette, paper, soft in (
        (light_palette(brand), LIGHT_PAPER, LIGHT_SOFT),
        (dark_palette(brand), DARK_PAPER, DARK_SOFT),
    ):
        assert contrast("#ffffff", palette.brand) >= READABLE
        assert contrast("#ffffff", palette.brand_hover) >= READABLE
        assert contrast(palette.brand_quiet, palette.brand) >= READABLE
        assert min(contrast(palette.accent, below) for below in (paper, soft, palette.tint)) >= READABLE


@given(COLOURS.map(readable_shade))
def test_the_top_stands_out_from_the_dark_paper(brand):
    assert contrast(dark_palette(brand).brand, DARK_PAPER) >= 1.8


def test_the_style_sheet_has_the_same_colours():
    styles = STYLES.read_text()
    light, dark = styles.split('[data-theme="dark"]', 1)
    dark = dark.split("}", 1)[0]

    for text, paper, soft in ((light, LIGHT_PAPER, LIGHT_SOFT), (dark, DARK_PAPER, DARK_SOFT)):
        assert full_form(re.findall(r"--paper: (#\w+)", text)[0]) == paper
        assert full_form(re.findall(r"--soft: (#\w+)", text)[0]) == soft
    for name, colour in light_palette(DEFAULT_BRAND).variables().items():
        assert re.findall(rf"{name}: (#\w+)", light) == [colour]
    for name, colour in dark_palette(DEFAULT_BRAND).variables().items():
        assert re.findall(rf"{name}: (#\w+)", dark) == [colour]
