"""What feedback is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.themes import (
    BUILT_IN,
    MAX_BECAUSE_CHARACTERS,
    MAX_THEME_CHARACTERS,
    ThemeCount,
    all_themes,
    find_themes,
    is_theme_word,
)

SENTENCES = [
    ("My parcel was three days late and nobody told me.", {"delivery"}),
    ("The box was crushed and half of the beans had leaked out.", {"packaging"}),
    ("Delivered on time, but the packaging was torn.", {"delivery", "packaging"}),
    ("The decaf tastes burnt to me.", {"taste"}),
    ("Love the aroma, so fresh!", {"taste"}),
    ("Far too bitter for my liking", {"taste"}),
    ("A bit pricey, but worth it.", {"price"}),
    ("Your prices went up again, it's getting expensive.", {"price"}),
    ("The barista was rude to my mother.", {"service"}),
    ("Customer service never replied to my mail.", {"service"}),
    ("Friendly staff, quick answers.", {"service"}),
    ("I could not log in to the app, it crashed twice.", {"website"}),
    ("The chatbot understood nothing.", {"website"}),
    ("The handle of the mug broke after a week, poor quality.", {"quality"}),
    ("The grinder doesn't work any more.", {"quality"}),
    ("The grinder doesn’t work any more.", {"quality"}),
    ("Benguet is always out of stock.", {"availability"}),
    ("When is it available again?", {"availability"}),
    ("My points are gone, and so is my voucher.", {"loyalty"}),
    ("The stamps on my punch card did not count.", {"loyalty"}),
    ("I was charged twice on my credit card.", {"payment"}),
    ("I sent it back weeks ago and still have no refund.", {"returns"}),
    ("I wish you had a bigger selection of filters.", {"choice"}),
    ("The delivry took ages", {"delivery"}),
    ("Packagin was awful", {"packaging"}),
    ("way too expansive... I mean expensve", {"price"}),
    ("the custmer sevrice was slow", {"service"}),
    ("it is not availible", {"availability"}),
    ("the fresh flavor of the beans", {"taste"}),
    # What is about nothing of this.
    ("Thank you, all is well!", set()),
    ("Kind regards, Maria", set()),
    ("Could you do me a favour?", set()),
    ("I went shopping and found you. My favourite place!", set()),
    ("I changed my mind.", set()),
    ("It was written with great care by an employer.", set()),
    ("The police called.", set()),
    ("", set()),
    ("😀 1200 !!!", set()),
]


@pytest.mark.parametrize(("text", "themes"), SENTENCES)
def test_a_sentence_is_about(text, themes):
    assert {found.theme for found in find_themes(text)} == themes


def test_the_words_that_say_so_are_named_as_they_were_written():
    assert [(found.theme, found.because) for found in find_themes("LATE again! The Box was crushed, and late.")] == [
        ("delivery", "LATE, late"),
        ("packaging", "Box, crushed"),
    ]
    (found,) = find_themes("The custmer service is slow.")
    assert found.because == "custmer service"


def test_a_shop_adds_words_and_themes_of_its_own():
    own = {"taste": ("Crema",), "grinding": ("grind*", "too fine")}

    assert {found.theme for found in find_themes("no crema at all, and ground too fine", own)} == {"taste", "grinding"}
    assert {found.theme for found in find_themes("the grinding was uneven", own)} == {"grinding"}
    assert find_themes("no crema at all, and ground too fine") == ()
    assert set(all_themes(own)) == {*BUILT_IN, "grinding"}
    assert set(BUILT_IN["taste"]) < set(all_themes(own)["taste"])


def test_short_words_are_taken_as_they_are():
    own = {"app": ("app",), "hot": ("hot",)}

    assert find_themes("an apple in a hotel", own) == ()
    assert {found.theme for found in find_themes("two apps, both hot", own)} == {"website", "app", "hot"}


def test_every_word_finds_its_own_theme():
    for theme, words in BUILT_IN.items():
        for word in words:
            assert is_theme_word(word), word
            assert theme in {found.theme for found in find_themes(f"well, {word.rstrip('*').upper()} it is")}, word
        assert len(theme) <= MAX_THEME_CHARACTERS


def test_no_word_stands_for_two_themes():
    words = [word for words in BUILT_IN.values() for word in words]

    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("word", ["oat milk", "grind*", "too fine", "doesn't", "wi-fi", "café", "24"])
def test_what_can_be_a_word(word):
    assert is_theme_word(word)
    (found,) = find_themes(f"about {word.rstrip('*')} again", {"x": (word,)})
    assert found.theme == "x"


@pytest.mark.parametrize("word", ["", " ", "*", "a*b", "gr*nd", "(", "one * two", "*end", "a.b"])
def test_what_can_be_none(word):
    assert not is_theme_word(word)


@given(st.text(max_size=500))
def test_any_text_has_reasons_that_fit(text):
    for found in find_themes(f"late {text} delivery", {"x": ("y*",)}):
        assert 0 < len(found.because) <= MAX_BECAUSE_CHARACTERS
        assert found.theme in all_themes({"x": ()})


def test_a_very_long_word_is_cut():
    (found,) = find_themes("deliver" + "y" * 5_000)
    assert len(found.because) == MAX_BECAUSE_CHARACTERS


def test_the_share_of_low_scores_is_among_the_scores():
    assert ThemeCount("taste", 10, 4, 1, 3).low_share == 0.25
    assert ThemeCount("taste", 10, 0, 0, 10).low_share is None
