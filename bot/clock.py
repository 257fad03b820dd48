"""The system's clock, as the services want it."""

from __future__ import annotations

from datetime import datetime, timezone


class SystemClock:
    """The time of this machine, in UTC."""

    def now(self) -> datetime:
        """The current moment."""
        return datetime.now(timezone.utc)
