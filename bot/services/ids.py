"""Ids for what we record."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """An id that nobody can guess: 32 hexadecimal characters."""
    return uuid.uuid4().hex
