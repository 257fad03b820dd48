"""Ids for what we record, and numbers for what people name."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

NUMBER_TRIES = 20

Record = TypeVar("Record")


def new_id() -> str:
    """An id that nobody can guess: 32 hexadecimal characters."""
    return uuid.uuid4().hex


def new_number(prefix: str) -> str:
    """A number that a person can read out (R-482915). It may be taken: see add_under_new_number."""
    return f"{prefix}-{100_000 + secrets.randbelow(900_000)}"


async def add_under_new_number(
    prefix: str, make: Callable[[str], Record], add: Callable[[Record], Awaitable[bool]]
) -> Record:
    """Make a record under a free number and add it. `add` says whether the number was free.

    Raises RuntimeError when number after number is taken: then the six digits are used up, and a person must look.
    """
    for _ in range(NUMBER_TRIES):
        record = make(new_number(prefix))
        if await add(record):
            return record
    raise RuntimeError(f"no number beginning with {prefix} was free in {NUMBER_TRIES} tries")
