"""What languages are called, and what can be wrong with a language file."""

from __future__ import annotations

import pytest

from bot.core.languages import as_language, is_language_code, language_faults, named_language, spoken_language

ENGLISH = as_language(
    "en",
    {
        "direction": "ltr",
        "hello": "Hello {name}",
        "bye": "Bye",
        "left": {"one": "{count} left", "other": "{count} left"},
    },
)


def faults(content: object) -> list[str]:
    return list(language_faults(content, ENGLISH))


def test_a_language_may_leave_sentences_out_and_the_count_where_the_words_say_it():
    assert faults({}) == []
    assert faults({"language": "Polski", "direction": "ltr", "hello": "Cześć {name}"}) == []
    assert faults({"left": {"one": "a last one", "few": "{count} …", "other": "{count} …"}}) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([], 'is not a list of sentences, each as "key": "sentence"'),
        ({"helo": "x"}, "helo: is not a sentence of the chat"),
        ({"hello": "Hej"}, "hello: has not the same placeholders as in English: {name}"),
        ({"bye": "Hej {who}"}, "bye: has not the same placeholders as in English: {who}"),
        ({"bye": " "}, "bye: is not a sentence"),
        ({"bye": 3}, "bye: is not a sentence"),
        ({"left": "{count}"}, 'left: needs plural forms, at least {"other": "…"}'),
        ({"left": {"one": "{count}"}}, 'left: needs plural forms, at least {"other": "…"}'),
        ({"left": {"other": "many"}}, "left: other has not the same placeholders as in English: {count}"),
        (
            {"left": {"all": "{count}", "other": "{count}"}},
            "left: all is not a plural form (there are: zero, one, two, few, many, other)",
        ),
        ({"left": {"few": None, "other": "{count}"}}, "left: few is not a sentence"),
        ({"direction": "down"}, "direction: 'down' is not ltr (left to right) or rtl (right to left)"),
    ],
)
def test_what_is_wrong_is_named(content, fault):
    assert faults(content) == [fault]


def test_a_language_takes_what_it_has_not_from_another():
    polish = as_language("pl", {"bye": "Pa"}).over(ENGLISH)

    assert (polish.code, polish.texts["bye"], polish.texts["hello"]) == ("pl", "Pa", "Hello {name}")


def test_codes_are_those_that_browsers_use():
    assert [
        code for code in ("en", "fil", "pt-BR", "zh-Hant", "EN", "e", "../en", "en_US", "") if is_language_code(code)
    ] == [*("en", "fil", "pt-BR", "zh-Hant")]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *[("en", "en"), ("EN-us", "en"), ("pt-BR", "pt"), ("zh-Hant-TW", "zh"), ("fil", "fil"), ("es-419", "es")],
        # As some apps still say it.
        *[("tl", "fil"), ("tl-PH", "fil"), ("iw", "he"), ("in-ID", "id")],
        *[("", None), ("e", None), ("english", None), ("en_US", None), ("und", None), ("mul", None), ("en-", None)],
        *[(None, None), (5, None), (["en"], None), ("é", None), ("en\n", None), ("<b>", None)],
        ("en" + "-a" * 40, None),
    ],
)
def test_the_language_of_a_tag_or_nothing(tag, language):
    assert spoken_language(tag) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [("Filipino", "fil"), (" tagalog ", "fil"), ("Spanish", "es"), ("EN", "en"), ("pt-br", "pt"), ("Klingon", None)],
)
def test_people_may_name_a_language_in_words(text, language):
    assert named_language(text) == language
