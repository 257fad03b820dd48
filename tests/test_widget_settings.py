"""The group `widget:` of the business file, and the files beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.business import load_business
from bot.core.widget import Question, WidgetLook
from bot.errors import ConfigError
from tests.test_config import BUSINESS

BESIDE = "is not the name of a file beside business.yml, such as avatar.png"
KNOWN = " (there are: {name}, {assistant}, {shop})"
WORD = ", digits, _ and -, such as order_number"
ONLY_A_CHOICE = ", which only a question of the kind choice may have"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20)


def look(folder: Path, widget: str) -> WidgetLook:
    (folder / "business.yml").write_text(f"{BUSINESS}widget:\n{widget}")
    return load_business(folder / "business.yml").to_shop().widget


def faults(folder: Path, widget: str) -> list[str]:
    with pytest.raises(ConfigError) as told:
        look(folder, widget)
    return [fault.removeprefix(f"{folder / 'business.yml'}: ") for fault in told.value.faults]


def test_a_shop_that_says_nothing_has_our_look(tmp_path):
    assert look(tmp_path, "  origins: []\n") == WidgetLook()


def test_the_shop_has_the_look_that_its_owner_wrote(tmp_path):
    (tmp_path / "suki.png").write_bytes(PNG)

    found = look(
        tmp_path,
        """
  colour: "#1AF"
  position: left
  theme: dark
  language: auto
  avatar: suki.png
  welcome: Hi {name}, this is {assistant} of {shop}.
  starters: [Where is it?, When?]
  sound: true
  questions:
    - {id: name, label: Your name?}
    - {id: topic, label: About what?, kind: choice, choices: [Order, Else], required: true}
""".replace("#1AF", "#05A"),
    )

    assert (found.colour, found.position, found.theme, found.language) == ("#0055aa", "left", "dark", "auto")
    assert found.avatar is not None and (found.avatar.content, found.avatar.media_type) == (PNG, "image/png")
    assert found.welcome == "Hi {name}, this is {assistant} of {shop}."
    assert (found.starters, found.sound) == (("Where is it?", "When?"), True)
    assert found.questions == (
        Question("name", "Your name?"),
        Question("topic", "About what?", "choice", ("Order", "Else"), True),
    )


def test_a_colour_that_is_too_light_is_refused_with_the_nearest_that_is_not(tmp_path):
    assert faults(tmp_path, '  colour: "#ffcc00"\n') == [
        "widget.colour: #ffcc00 is too light: the chat writes in white on it, which has a contrast of 1.51 to 1 "
        'and needs 4.5 to 1 to be read. "#8f7200" is the nearest darker shade that does'
    ]
    assert look(tmp_path, '  colour: "#8f7200"\n').colour == "#8f7200"
    # Just under what is needed.
    assert "a contrast of 4.47 to 1" in faults(tmp_path, '  colour: "#777777"\n')[0]


@pytest.mark.parametrize(
    ("widget", "where", "what"),
    [
        ("colour: green", "colour", "'green' is not a colour such as \"#0d5547\", in quotes"),
        ("colour: 0", "colour", "is not text: put it in quotes"),
        ("color: '#000'", "color", "is not a setting; did you mean colour?"),
        ("position: top", "position", "'top' is not right or left"),
        ("theme: night", "theme", "'night' is not auto, light or dark"),
        ("language: E", "language", "'E' is neither a language's code such as en, es or pt-BR, nor auto"),
        ("sound: loud", "sound", "is not true or false"),
        ("avatar: ../a.png", "avatar", f"'../a.png' {BESIDE}"),
        ("avatar: /etc/passwd", "avatar", f"'/etc/passwd' {BESIDE}"),
        ("avatar: https://x.example/a.png", "avatar", f"'https://x.example/a.png' {BESIDE}"),
        ("welcome: Hi {customer}", "welcome", "{customer} is nothing that the chat can fill in" + KNOWN),
        (f"welcome: {'x' * 601}", "welcome", "has 601 characters; there is room for 600"),
        ("starters: [a, b, c, d, e]", "starters", "has 5 suggestions; there is room for 4"),
        ("starters: ['']", "starters.0", "is empty"),
        ("questions: [{id: Name, label: x}]", "questions.0.id", "'Name' is not a short word of small letters" + WORD),
        ("questions: [{id: a, label: x}, {id: a, label: y}]", "questions", "the id a is there twice"),
        ("questions: [{id: a, labl: x}]", "questions.0.label", "is missing"),
        ("questions: [{id: a, label: x, kind: d}]", "questions.0.kind", "'d' is not text, email or choice"),
        ("questions: [{id: a, label: x, choices: [y, z]}]", "questions.0", "has choices" + ONLY_A_CHOICE),
        ("questions: [{id: a, label: x, kind: choice}]", "questions.0", "needs 2 to 12 choices, each another"),
        (
            "questions: [{id: a, label: x, kind: choice, choices: [y, y]}]",
            "questions.0",
            "needs 2 to 12 choices, each another",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_owners_words(tmp_path, widget, where, what):
    assert f"widget.{where}: {what}" in faults(tmp_path, f"  {widget}\n")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(20), "image/webp"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
    ],
)
def test_a_picture_is_known_by_what_is_in_it(tmp_path, content, media_type):
    (tmp_path / "avatar.png").write_bytes(content)

    avatar = look(tmp_path, "  avatar: avatar.png\n").avatar
    assert avatar is not None and avatar.media_type == media_type


def test_a_picture_that_is_none_is_too_large_or_is_not_there_is_a_fault(tmp_path):
    file = tmp_path / "avatar.png"
    assert faults(tmp_path, "  avatar: avatar.png\n") == [
        f"widget.avatar: {file} cannot be read (No such file or directory)"
    ]
    file.write_bytes(b"%PDF-1.7 not a picture")
    assert faults(tmp_path, "  avatar: avatar.png\n") == [
        f"widget.avatar: {file} is not a picture of a kind that browsers show (PNG, JPEG, WebP or SVG)"
    ]
    file.write_bytes(PNG + bytes(600 * 1024))
    assert faults(tmp_path, "  avatar: avatar.png\n")[0].startswith(f"widget.avatar: {file} has 600 KB; every visitor")


def test_a_shop_adds_a_language_and_rewords_one_of_ours(tmp_path):
    folder = tmp_path / "languages"
    folder.mkdir()
    (folder / "de.json").write_text(json.dumps({"language": "Deutsch", "send": "Senden"}))
    (folder / "ar.json").write_text(json.dumps({"send": "أرسل"}))

    languages = look(tmp_path, "  language: de\n").languages

    assert (languages["de"].texts, languages["de"].direction) == ({"send": "Senden"}, "ltr")
    assert (languages["ar"].texts, languages["ar"].direction) == ({"send": "أرسل"}, "rtl")


def test_every_fault_of_the_shops_languages_is_named_with_the_file(tmp_path):
    folder = tmp_path / "languages"
    folder.mkdir()
    (folder / "de.json").write_text('{"sent": "Senden"}')
    (folder / "fr.json").write_text('{"send": "Envoyer",\n}')
    (folder / "German.json").write_text("{}")

    assert faults(tmp_path, "  language: xx\n") == [
        f"{folder / 'German.json'}: is not named after a language's code, such as de.json or pt-BR.json",
        f"{folder / 'de.json'}: sent: is not a sentence of the chat",
        f"{folder / 'fr.json'}: line 2, column 1: Expecting property name enclosed in double quotes",
    ]


def test_a_language_that_nobody_has_written_is_a_fault(tmp_path):
    assert faults(tmp_path, "  language: de\n") == [
        "widget.language: there is no language 'de' (there are: ar, en, es, fil, auto); "
        f"to add it, write {tmp_path / 'languages' / 'de.json'}"
    ]
