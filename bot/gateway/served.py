"""Texts as they are sent to browsers: without remarks, packed, and not again while they have not changed."""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ETag, web

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}


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


def served_file(name: str) -> Served | None:
    """A script or style sheet of ours, as it is now; None if there is none of this name."""
    file = STATIC / name
    return _packed_file(file, file.stat().st_mtime_ns) if file.suffix in _TYPES and file.is_file() else None


def smaller(text: str) -> str:
    """A script or style sheet of ours without indentation and remarks, which every visitor would load.

    What tells a remark apart is our own way of writing: it begins a line, or `//` follows `;`, `{` or `,` and a space.
    """
    text = re.sub(r"^ +", "", text, flags=re.M)
    text = re.sub(r"^/\*.*?\*/\n", "", text, flags=re.M | re.S)
    return re.sub(r"(?:^|(?<=[;{,]) )//[^\n]*", "", text, flags=re.M).replace("\n\n", "\n")


@functools.lru_cache(maxsize=256)
def _packed_file(file: Path, _changed: int) -> Served:
    return Served.of(smaller(file.read_text("utf-8")), _TYPES[file.suffix])
