"""What a page is given to embed the chat: the script with the look within it, and what the panel looks like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from bot.core.colours import dark_palette, light_palette
from bot.core.languages import Language
from bot.core.shop import Shop
from bot.core.widget import WidgetLook
from bot.gateway.languages import Languages
from bot.gateway.served import STATIC, Served, smaller

_PLACE = "const LOOK = {};"
_OF_THE_LAUNCHER = "launcher."


class Embedding:
    """The embed script and the panel's configuration, made once from what the owner decided."""

    def __init__(self, shop: Shop) -> None:
        look, light, dark = shop.widget, light_palette(shop.widget.colour), dark_palette(shop.widget.colour)
        colours = {"light": light.variables(), "dark": dark.variables()}
        self.languages = Languages(look.languages, look.language)
        launcher = {
            "theme": look.theme,
            "colours": {theme: _of_the_launcher(shades) for theme, shades in colours.items()},
            "position": look.position,
            "language": self.languages.default,
            "texts": {language.code: _launcher_texts(language) for language in self.languages},
        }
        script = smaller((STATIC / "widget.js").read_text("utf-8"))
        if _PLACE not in script:
            raise ValueError(f"widget.js has no place for the look: {_PLACE}")
        self.script = Served.of(script.replace(_PLACE, f"const LOOK = {_as_json(launcher)};", 1), "text/javascript")
        self._panels = {language.code: _panel(look, colours, language) for language in self.languages}

    def panel(self, wanted: str, accepted: str) -> Served:
        """What the panel looks like and its sentences, in the language that Languages.choose finds."""
        return self._panels[self.languages.choose(wanted, accepted).code]


EMBEDDING = web.AppKey("embedding", Embedding)


def _of_the_launcher(shades: Mapping[str, str]) -> dict[str, str]:
    """The shades that the launcher and the empty panel need."""
    return {name: shade for name, shade in shades.items() if name != "--brand-quiet"}


def _launcher_texts(language: Language) -> dict[str, Any]:
    """The few sentences that are needed before the chat is opened, by short names."""
    texts = {
        key.removeprefix(_OF_THE_LAUNCHER): sentence
        for key, sentence in language.texts.items()
        if key.startswith(_OF_THE_LAUNCHER)
    }
    return {**texts, "rtl": True} if language.direction == "rtl" else texts


def _panel(look: WidgetLook, colours: Mapping[str, Mapping[str, str]], language: Language) -> Served:
    panel = {
        "theme": look.theme,
        "colours": colours,
        "avatar": None
        if look.avatar is None
        else f"/chat/avatar?v={hashlib.sha256(look.avatar.content).hexdigest()[:12]}",
        "welcome": look.welcome,
        "starters": look.starters,
        "sound": look.sound,
        "questions": [asdict(question) for question in look.questions],
        "language": {"code": language.code, "direction": language.direction},
        "texts": {key: text for key, text in language.texts.items() if not key.startswith(_OF_THE_LAUNCHER)},
    }
    return Served.of(_as_json(panel), "application/json")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
