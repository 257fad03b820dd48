"""Links by which a customer connects their account on a messaging channel: each works once, and not for long."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.customers import CustomerId

# As secrets.token_urlsafe writes so many bytes; it fits into https://core.telegram.org/bots/features#deep-linking.
TOKEN_BYTES = 32
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
LINK_LIFETIME = timedelta(minutes=15)
LINKS_AT_MOST = 5
LINKS_WINDOW = timedelta(hours=1)
# An account of somebody's own is not asked every hour who they are; half a year of silence is too long to be sure.
CONNECTED_FOR = timedelta(days=180)


@dataclass(frozen=True)
class AccountLink:
    """A link that was made for a customer, for one channel. Only the token's hash is kept."""

    token_hash: str
    channel: str
    customer_id: CustomerId
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether it still connects."""
        return self.used_at is None and at < self.expires_at


def hash_token(token: str) -> str:
    """The form in which a token is kept: nobody guesses so many random characters, so it needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
