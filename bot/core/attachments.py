"""Files that people send: which are taken, what they really are, and what they are called.

What a file is, its own first bytes say, and never its name or whoever sends it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.core.conversations import Attachment

MAX_FILE_BYTES = 10 * 2**20
# What one conversation may send in a day.
MAX_FILES_A_DAY = 20
MAX_BYTES_A_DAY = 50 * 2**20
# What all of them together may, so that nobody fills the disk with many conversations.
MAX_FILES_A_DAY_OF_ALL = 20_000
MAX_BYTES_A_DAY_OF_ALL = 2 * 2**30
MAX_NAME_CHARACTERS = 120

# Each type that is taken, and the endings that its names may have; the first is given where there is none.
EXTENSIONS = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".text", ".log", ".md", ".csv"),
}
_ALL_EXTENSIONS = frozenset(extension for group in EXTENSIONS.values() for extension in group)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_GENERAL_BRANDS = frozenset({b"mif1", b"msf1"})
_MAX_FTYP_BYTES = 512
# Nobody who guesses what a text is reads further than this.
_READ_CHARACTERS = 2**16
# What no text has: neither typed nor printed.
_NOT_TEXT = bytes({*range(0x20), 0x7F} - {*b"\t\n\r\x0c"})
# Where a browser, or a computer, would do something with a text instead of showing it.
_MARKUP = re.compile(r"<[!?/a-z]", re.IGNORECASE)
_MARKUP_WITHIN = re.compile(r"<\s*(?:script|svg|html|iframe|!doctype\s+html)\b", re.IGNORECASE)
_PROGRAM = re.compile(r"#!|@echo off\b|%!ps|\{\\rtf|<\?php", re.IGNORECASE)
_LEADING = "\ufeff \t\r\n\x0c"
# What is sent by mistake, or with something in mind: told by its name, so that people know what to do instead.
_NOT_TAKEN = (
    (b"PK\x03\x04", "a packed file or an Office document"),
    (b"PK\x05\x06", "a packed file"),
    (b"\x1f\x8b", "a packed file"),
    (b"7z\xbc\xaf\x27\x1c", "a packed file"),
    (b"Rar!\x1a\x07", "a packed file"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"{\\rtf", "a document of a word processor"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"#!", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"OggS", "a sound file"),
    (b"ID3", "a sound file"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"BM", "a picture of another kind"),
    (b"II*\x00", "a picture of another kind"),
    (b"MM\x00*", "a picture of another kind"),
)


@dataclass(frozen=True)
class IncomingFile:
    """A file as it came: the name that its sender gave it, and what is in it. Nothing is checked yet."""

    name: str
    content: bytes


def media_type_of(content: bytes) -> str | None:
    """What a file is by its signature, if it is of a type that is taken; None otherwise."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
        return "image/png"
    if content[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) > 13:
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and content[12:16] in (b"VP8 ", b"VP8L", b"VP8X"):
        return "image/webp"
    if _is_heic(content):
        return "image/heic"
    if re.match(rb"%PDF-[12]\.[0-9]", content[:8]):
        return "application/pdf"
    return "text/plain" if _is_plain_text(content) else None


def what_it_is(content: bytes) -> str | None:
    """What a file is that is not taken, as a part of a sentence; None where its signature is none that we know."""
    for signature, words in _NOT_TAKEN:
        if content.startswith(signature):
            return words
    if content[4:8] == b"ftyp":
        return "a picture of another kind" if content[8:12] in {b"avif", *_GENERAL_BRANDS} else "a video"
    start = content[:4096].decode("utf-8", "replace").lstrip(_LEADING).lower()
    if start.startswith("<svg") or (start.startswith("<?xml") and "<svg" in start):
        return "a drawing (SVG)"
    if _PROGRAM.match(start):
        return "a program"
    if _MARKUP.match(start) or _MARKUP_WITHIN.search(start):
        return "a web page"
    return None


def is_picture(media_type: str) -> bool:
    """Whether a type is one of pictures."""
    return media_type.startswith("image/")


def file_in_words(attachment: Attachment) -> str:
    """A file as it stands in a conversation: "[photo: mug.jpg]"."""
    return f"[{'photo' if is_picture(attachment.media_type) else 'file'}: {attachment.name}]"


def size_in_words(size: int) -> str:
    """So many bytes, as people say it: "340 KB", "2.4 MB"."""
    if size < 1_024 * 1_000:
        return f"{max(1, round(size / 1_024))} KB"
    megabytes = f"{size / 2**20:.1f}"
    return f"{megabytes.removesuffix('.0')} MB"


def clean_name(name: str, media_type: str) -> str:
    """The name under which a file is kept: of one piece, without anything that hides or misleads, of the right ending.

    The ending says the type: "photo.exe" that is a JPEG is called "photo.exe.jpg". Names of 120 characters at most.
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(character for character in last if not _is_hidden(character))
    # Brackets are how a file is told in a conversation; the others no computer allows.
    shown = unicodedata.normalize("NFC", shown).translate(_REPLACED)
    shown = re.sub(r"\s+", " ", shown).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    extension = f".{ending.lower()}" if dot else ""
    if extension not in EXTENSIONS[media_type]:
        if extension not in _ALL_EXTENSIONS:
            stem = shown
        extension = EXTENSIONS[media_type][0]
    stem = stem.strip(" .")[: MAX_NAME_CHARACTERS - len(extension)].rstrip(" .")
    return (stem or ("photo" if is_picture(media_type) else "file")) + extension


_REPLACED = str.maketrans({"[": "(", "]": ")", **dict.fromkeys('<>:"|?*', "_")})


def _is_hidden(character: str) -> bool:
    """Control characters, those that turn the direction of writing round, and halves of characters.

    Two that are not seen stay, because words and signs are written with them: U+200C and U+200D.
    """
    if character in "\u200c\u200d":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _is_heic(content: bytes) -> bool:
    """ISO 23008-12: a box "ftyp" that begins the file, with a brand of HEVC pictures in it."""
    if content[4:8] != b"ftyp":
        return False
    size = int.from_bytes(content[:4], "big")
    if not 16 <= size <= min(_MAX_FTYP_BYTES, len(content)):
        return False
    major = content[8:12]
    compatible = {content[start : start + 4] for start in range(16, size - 3, 4)}
    return major in _HEIC_BRANDS or (major in _GENERAL_BRANDS and bool(compatible & _HEIC_BRANDS))


def _is_plain_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    start = text.lstrip(_LEADING)[:_READ_CHARACTERS]
    if not start or len(content.translate(None, _NOT_TEXT)) != len(content):
        return False
    return not (_MARKUP.match(start) or _PROGRAM.match(start) or _MARKUP_WITHIN.search(start))
