"""What belongs to the website chat and lies beside business.yml: the assistant's picture, and languages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.attachments import media_type_of, what_it_is
from bot.core.languages import Language, as_language, is_language_code, language_faults
from bot.core.widget import Avatar

LANGUAGES_FOLDER = "languages"
_OURS = Path(__file__).parent / "gateway" / "static" / "languages"
_MAX_AVATAR_BYTES = 512 * 1024
_AVATAR_TYPES = ("image/png", "image/jpeg", "image/webp")
_SVG = "image/svg+xml"


@dataclass(frozen=True)
class WidgetFiles:
    """The files of the chat, read and checked; `faults` says what is wrong with those that are not here."""

    avatar: Avatar | None = None
    languages: Mapping[str, Language] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def read_widget_files(folder: Path, avatar: str | None, language: str) -> WidgetFiles:
    """Read the picture of this name and the folder of languages; `language` is the one that the shop has chosen."""
    faults: list[str] = []
    picture = None if avatar is None else _read_avatar(folder / avatar, faults)
    own = dict(_read_languages(folder / LANGUAGES_FOLDER, faults))
    known = sorted({*(file.stem for file in _OURS.glob("*.json")), *own})
    if language not in ("auto", *known) and not faults:
        faults.append(
            f"widget.language: there is no language {language!r} (there are: {', '.join(known)}, auto); "
            f"to add it, write {folder / LANGUAGES_FOLDER / language}.json"
        )
    return WidgetFiles(picture, own, tuple(faults))


def _read_avatar(file: Path, faults: list[str]) -> Avatar | None:
    try:
        content = file.read_bytes()
    except OSError as error:
        faults.append(f"widget.avatar: {file} cannot be read ({error.strerror})")
        return None
    media_type = media_type_of(content)
    if media_type not in _AVATAR_TYPES:
        media_type = _SVG if what_it_is(content) == "a drawing (SVG)" else None
    if media_type is None:
        faults.append(f"widget.avatar: {file} is not a picture of a kind that browsers show (PNG, JPEG, WebP or SVG)")
    elif len(content) > _MAX_AVATAR_BYTES:
        faults.append(
            f"widget.avatar: {file} has {len(content) // 1024} KB; every visitor loads it, so "
            f"{_MAX_AVATAR_BYTES // 1024} KB is the most, and 192 × 192 dots are enough"
        )
    else:
        return Avatar(content, media_type)
    return None


def _read_languages(folder: Path, faults: list[str]) -> Iterator[tuple[str, Language]]:
    english = as_language("en", json.loads((_OURS / "en.json").read_text("utf-8")))
    for file in sorted(folder.glob("*.json")):
        if not is_language_code(file.stem):
            faults.append(f"{file}: is not named after a language's code, such as de.json or pt-BR.json")
            continue
        try:
            content = json.loads(file.read_text("utf-8-sig"))
        except OSError as error:
            faults.append(f"{file}: cannot be read ({error.strerror})")
        except UnicodeDecodeError:
            faults.append(f"{file}: is not UTF-8 text")
        except json.JSONDecodeError as error:
            faults.append(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}")
        else:
            wrong = list(language_faults(content, english))
            faults.extend(f"{file}: {fault}" for fault in wrong)
            if not wrong:
                yield file.stem, as_language(file.stem, content, _direction_of(file.stem))


def _direction_of(code: str) -> str:
    """Which way our own file of this language is written, for a shop's file that says nothing about it."""
    ours = _OURS / f"{code}.json"
    return str(json.loads(ours.read_text("utf-8"))["direction"]) if ours.exists() else "ltr"
