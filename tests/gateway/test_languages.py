"""The sentences of the chat: the same ones in every language, and which language is taken."""

from __future__ import annotations

import json
import re

import pytest

from bot.core.languages import as_language, language_faults
from bot.gateway.languages import FOLDER, Languages, built_in_languages
from bot.gateway.served import STATIC

CODES = ("ar", "en", "es", "fil")
# The categories of Unicode's plural rules for whole numbers: https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html
PLURALS = {
    "ar": {"zero", "one", "two", "few", "many", "other"},
    "en": {"one", "other"},
    "es": {"one", "many", "other"},
    "fil": {"one", "other"},
}
SCRIPTS = sorted(STATIC.glob("*.js"))


def content(code: str) -> dict[str, object]:
    return json.loads((FOLDER / f"{code}.json").read_text("utf-8"))


@pytest.mark.parametrize("code", CODES)
def test_a_language_has_the_sentences_and_placeholders_of_english(code):
    assert list(content(code)) == list(content("en"))
    assert list(language_faults(content(code), built_in_languages()["en"])) == []
    plural = [sentence for sentence in content(code).values() if isinstance(sentence, dict)]
    assert plural and all(set(sentence) == PLURALS[code] for sentence in plural)


def test_these_are_all_the_languages_there_are():
    assert sorted(built_in_languages()) == sorted(CODES)


def test_every_sentence_that_the_panel_asks_for_exists_and_none_is_left_over():
    english = set(built_in_languages()["en"].texts)
    texts = "\n".join(file.read_text("utf-8") for file in [*SCRIPTS, STATIC / "frame.html"])
    asked = set(re.findall(r'\bt\(\s*"([a-z_.]+)"', texts)) | set(
        re.findall(r'data-(?:text|label|hint)="([^"]+)"', texts)
    )
    # `t(cond ? "a" : "b")` and `t(`error.${code}`)` are found by their words.
    families = {family for family in re.findall(r"`([a-z_.]+\.)\$\{", texts)}

    assert asked - english == set()
    unused = {
        key for key in english - asked if not key.startswith(("launcher.", *families)) and f'"{key}"' not in texts
    }
    assert unused == set()


def test_the_launchers_sentences_are_those_that_the_embed_script_uses():
    sentences = {
        key.removeprefix("launcher.") for key in built_in_languages()["en"].texts if key.startswith("launcher.")
    }
    used = set(re.findall(r"TEXTS\.(\w+)", (STATIC / "widget.js").read_text("utf-8")))

    # "rtl" is none: it says which way the language is written.
    assert used - {"rtl"} == sentences


@pytest.mark.parametrize(
    ("default", "wanted", "accepted", "chosen"),
    [
        ("en", "", "", "en"),
        ("en", "es", "", "es"),
        ("en", "es-MX", "", "es"),
        ("en", "AR", "", "ar"),
        ("en", "tl", "", "fil"),
        ("fil", "", "es", "fil"),
        ("fil", "xx", "", "fil"),
        ("en", "../../etc/passwd", "", "en"),
        ("auto", "", "de, es;q=0.8, en;q=0.5", "es"),
        ("auto", "ar", "es", "ar"),
        ("auto", "", "de", "en"),
        ("en", "", "es", "en"),
    ],
)
def test_the_pages_language_comes_first_then_the_shops_then_the_browsers(default, wanted, accepted, chosen):
    assert Languages({}, default).choose(wanted, accepted).code == chosen


def test_a_shop_rewords_one_sentence_and_adds_a_language_of_its_own():
    own = {"en": as_language("en", {"send": "Off it goes"}), "de": as_language("de", {"send": "Senden"})}
    languages = Languages(own)

    assert languages.choose("en").texts["send"] == "Off it goes"
    assert languages.choose("en").texts["close"] == "Close chat"
    german = languages.choose("de")
    assert (german.texts["send"], german.texts["close"]) == ("Senden", "Close chat")
    assert languages.choose("es").texts["send"] == "Enviar"


async def test_the_panel_is_told_its_language_with_every_sentence(gateway):
    async with gateway.session.get(f"{gateway.url}/chat/config?lang=ar") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        told = await response.json()

    assert told["language"] == {"code": "ar", "direction": "rtl"}
    assert told["texts"]["send"] == "إرسال"
    assert not any(key.startswith("launcher.") for key in told["texts"])


async def test_the_page_of_the_panel_has_its_sentences_fetched_ahead(gateway):
    for query, ahead in (
        ("?lang=ar", "/chat/config?lang=ar"),
        ("", "/chat/config?lang="),
        ("?lang=%22%3E", "/chat/config?lang="),
    ):
        async with gateway.session.get(f"{gateway.url}/chat/frame{query}") as response:
            assert response.headers["Link"] == f"<{ahead}>; rel=preload; as=fetch; crossorigin"


async def test_the_embed_script_carries_the_launchers_sentences_in_every_language(gateway):
    async with gateway.session.get(f"{gateway.url}/widget.js") as response:
        assert response.content_type == "text/javascript"
        script = await response.text()

    assert "const LOOK = {};" not in script
    look = json.loads(script.partition("const LOOK = ")[2].partition(";\n")[0])
    assert {code: texts["close"] for code, texts in look["texts"].items()} == {
        "ar": "أغلق المحادثة",
        "en": "Close chat",
        "es": "Cerrar el chat",
        "fil": "Isara ang chat",
    }
    assert [code for code, texts in look["texts"].items() if texts.get("rtl")] == ["ar"]


async def test_a_client_that_cannot_unpack_is_given_plain_text(gateway):
    async with gateway.session.get(f"{gateway.url}/widget.js", headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert (await response.text()).endswith("})();\n")
