"""How many wrong passwords were tried from where, so that guessing takes long and keeps nobody else out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from bot.core.agents import FIRST_LOCK, WRONG_PASSWORDS_ALLOWED, lock_after

# Wrong passwords that were tried so long ago count no more.
FORGOTTEN_AFTER = timedelta(days=1)
MAX_KEPT = 50_000

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class _Tried:
    times: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None


class WrongPasswords:
    """The long locks: of an account, for whoever guesses at it, by where they ask from.

    An account that there is not is treated as one that there is, so that a lock tells nobody which of them it is.
    """

    def __init__(self) -> None:
        self._tried: OrderedDict[tuple[str, ...], _Tried] = OrderedDict()
        self._right: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def locked_until(self, now: datetime, *key: str) -> datetime | None:
        """Until when nothing is tried under this key; None if it may be."""
        until = self._tried.get(key, _Tried()).locked_until
        return until if until is not None and now < until else None

    def note_wrong(self, now: datetime, *key: str) -> datetime | None:
        """One more; until when there is a lock now, which is longer each time."""
        tried = self._recent(key, now)
        until = lock_after(tried.times + 1, now)
        _keep(self._tried, key, _Tried(tried.times + 1, now, until))
        return until

    def note_wrong_for_nobody(self, now: datetime, email: str) -> datetime | None:
        """One more for an account that there is not; until when it pauses now, as one that there is would."""
        tried = self._recent((email,), now)
        times, until = after_wrong_password(tried.times, now)
        _keep(self._tried, (email,), _Tried(times, now, until))
        return until

    def note_right(self, *key: str) -> None:
        """The right one was given: wrong ones from elsewhere do not keep whoever asks from there out."""
        self._tried.pop(key, None)
        _keep(self._right, key, None)

    def was_right(self, *key: str) -> bool:
        """Whether the right one was given under this key before."""
        return key in self._right

    def _recent(self, key: tuple[str, ...], now: datetime) -> _Tried:
        tried = self._tried.get(key, _Tried())
        return tried if tried.last_at is not None and now - tried.last_at < FORGOTTEN_AFTER else _Tried()


def _keep(kept: OrderedDict[tuple[str, ...], _Value], key: tuple[str, ...], value: _Value) -> None:
    """Keep it as the newest; of too many the oldest goes."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > MAX_KEPT:
        kept.popitem(last=False)


def after_wrong_password(times_before: int, now: datetime) -> tuple[int, datetime | None]:
    """How many count from now on for an account, wherever they were tried, and until when it pauses.

    The pause is short, and begins anew only after as many again: it must not be a way of keeping somebody out.
    """
    if times_before + 1 < WRONG_PASSWORDS_ALLOWED:
        return times_before + 1, None
    return 0, now + FIRST_LOCK
