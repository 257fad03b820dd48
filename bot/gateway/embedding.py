"""What a page is given to embed the chat: the script with the look within it, and what the panel looks like."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import ETag, web

from bot.core.colours import dark_palette, light_palette
from bot.core.languages import Language
from bot.core.shop import Shop
from bot.core.widget import WidgetLook
from bot.gateway.languages import Languages

STATIC = Path(__file__).parent / "static"
_PLACE = "const LOOK = {};"
_OF_THE_LAUNCHER = "launcher."


@dataclass(frozen=True)
class Served:
    """Text that is sent packed to browsers that can unpack it, and not again while it has not changed."""

    content: bytes
    packed: bytes
    etag: str
    content_type: str

    @classmethod
    def of(cls, text: str, content_type: str) -> Served:
        """The text, packed once."""
        content = text.encode()
        return cls(content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:24], content_type)

    def answer(self, request: web.Request, *vary: str) -> web.Response:
        """The text, or "not modified" for a browser that has it. `vary` are headers that the text depends on."""
        headers = {"Cache-Control": "no-cache", "Vary": ", ".join(["Accept-Encoding", *vary])}
        known = request.if_none_match or ()
        if any(tag.value in (self.etag, "*") for tag in known):
            response = web.Response(status=304, headers=headers)
        elif "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            response = web.Response(body=self.packed, headers=headers)
        else:
            response = web.Response(body=self.content, headers=headers)
        if response.status == 200:
            response.content_type, response.charset = self.content_type, "utf-8"
        # Weak: it stands for the text, however that is packed.
        response.etag = ETag(self.etag, is_weak=True)
        return response


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
        script = _smaller((STATIC / "widget.js").read_text("utf-8"))
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


def _smaller(script: str) -> str:
    """A script of ours without indentation and remarks, which every visitor of the shop would load.

    What tells a remark apart is our own way of writing: `//` begins a line or follows `;`, `{` or `,` and a space.
    """
    script = re.sub(r"^ +", "", script, flags=re.M)
    script = re.sub(r"^/\*.*?\*/\n", "", script, flags=re.M | re.S)
    return re.sub(r"(?:^|(?<=[;{,]) )//[^\n]*", "", script, flags=re.M).replace("\n\n", "\n")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
