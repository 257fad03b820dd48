"""The languages that the website chat speaks: ours, and the shop's own over them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.core.languages import ALIASES, Language, as_language

FOLDER = Path(__file__).parent / "static" / "languages"
ENGLISH = "en"
AUTO = "auto"


class Languages:
    """All languages, each complete: a sentence that one has not is taken from English."""

    def __init__(self, own: Mapping[str, Language], default: str = ENGLISH) -> None:
        """`own` are those that the shop has added or reworded; `default` may be "auto"."""
        ours = built_in_languages()
        english = own[ENGLISH].over(ours[ENGLISH]) if ENGLISH in own else ours[ENGLISH]
        self._by_code = {ENGLISH: english}
        for code in sorted({*ours, *own} - {ENGLISH}):
            language = own[code].over(ours[code]) if code in own and code in ours else own.get(code) or ours[code]
            self._by_code[code] = language.over(english)
        self.default = default

    def __iter__(self) -> Iterator[Language]:
        return iter(self._by_code.values())

    def choose(self, wanted: str, accepted: str = "") -> Language:
        """The language that was asked for, else the shop's, else (with "auto") the browser's, else English.

        `accepted` is an Accept-Language header; what comes first in it counts most.
        """
        browsers = [part.partition(";")[0].strip() for part in accepted.split(",")] if self.default == AUTO else []
        for code in (wanted, self.default, *browsers):
            if (language := self._find(code)) is not None:
                return language
        return self._by_code[ENGLISH]

    def _find(self, code: str) -> Language | None:
        """The language of this code, or else of its first part: es-MX finds es."""
        lowered = code.lower()
        base = lowered.partition("-")[0]
        known = {each.lower(): language for each, language in self._by_code.items()}
        return known.get(lowered) or known.get(ALIASES.get(base, base))


@functools.cache
def built_in_languages() -> Mapping[str, Language]:
    """The languages that come with the chat, by their codes."""
    return {file.stem: as_language(file.stem, json.loads(file.read_text("utf-8"))) for file in FOLDER.glob("*.json")}
