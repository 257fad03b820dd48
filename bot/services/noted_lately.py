"""What was noted in the audit log a while ago, so that who looks again and again is not noted each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

MAX_KEPT = 50_000

_Look = TypeVar("_Look", bound=Hashable)


class NotedLately(Generic[_Look]):
    """Looks that are in the audit log already, and since when; each is noted again after so long."""

    def __init__(self, again_after: timedelta) -> None:
        self._again_after = again_after
        self._at: OrderedDict[_Look, datetime] = OrderedDict()

    def due(self, looks: Sequence[_Look], now: datetime) -> list[_Look]:
        """Those that are to be noted now."""
        again = self._again_after
        return [one for one in dict.fromkeys(looks) if one not in self._at or now - self._at[one] >= again]

    def note(self, looks: Sequence[_Look], now: datetime) -> None:
        """They are noted."""
        for look in looks:
            self._at.pop(look, None)
            self._at[look] = now
        while len(self._at) > MAX_KEPT:
            self._at.popitem(last=False)
