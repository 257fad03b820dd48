"""Web addresses: taken apart, and recognised as origins."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL, its port known to be a number; None for what is not a URL at all."""
    try:
        split = urlsplit(url)
        _ = split.port  # computed, and refused, only when asked for
    except ValueError:
        return None
    return None if re.search(r"\s", url) else split


def as_origin(url: str) -> str | None:
    """The origin as browsers send it (lower case, no default port); None when the URL is not just an origin."""
    split = split_url(url)
    if split is None or split.scheme not in ("http", "https") or not split.hostname or "*" in split.netloc:
        return None
    if split.path not in ("", "/") or split.query or split.fragment or "@" in split.netloc:
        return None
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    default_port = {"http": 80, "https": 443}[split.scheme]
    return f"{split.scheme}://{host}" + (f":{split.port}" if split.port not in (None, default_port) else "")
