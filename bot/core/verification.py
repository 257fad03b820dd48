"""How somebody proves that an order or an account is theirs, and how often they may try."""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId

CODE_DIGITS = 6
# Written as one, or else in groups that are not part of a longer number (a telephone's).
_CODE = re.compile(rf"(?<!\d)\d{{{CODE_DIGITS}}}(?!\d)")
_CODE_IN_GROUPS = re.compile(rf"(?<!\d)(?<!\d[\s\-.])(?:\d[\s\-.]?){{{CODE_DIGITS - 1}}}\d(?![\s\-.]?\d)")


@dataclass(frozen=True)
class LookupLimits:
    """Failed attempts allowed, for one conversation and for one order (whoever asks), and the windows they count in."""

    per_conversation: int = 5
    conversation_window: timedelta = timedelta(minutes=15)
    per_order: int = 10
    order_window: timedelta = timedelta(hours=1)

    def is_reached(self, failed_in_conversation: int, failed_for_order: int) -> bool:
        """Whether no further attempt may be made now."""
        return failed_in_conversation >= self.per_conversation or failed_for_order >= self.per_order


@dataclass(frozen=True)
class CodeLimits:
    """How many codes are sent (to an account, to an address), how long one is good, and how often it is tried.

    `wrong_per_address` counts wrong codes for one address from whichever conversations, within the window: after so
    many no further code is sent to it. One that was sent is good for its own tries, whatever others try.
    """

    per_conversation: int = 3
    per_address: int = 5
    window: timedelta = timedelta(hours=1)
    lifetime: timedelta = timedelta(minutes=10)
    tries: int = 5
    wrong_per_address: int = 20

    def is_reached(self, sent_in_conversation: int, sent_to_address: int) -> bool:
        """Whether no further code may be sent now."""
        return sent_in_conversation >= self.per_conversation or sent_to_address >= self.per_address


CODE_LIMITS = CodeLimits()
# How long somebody who gave the right code is believed.
VERIFIED_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class VerificationCode:
    """A one-time code that was sent, and of which only the hash is kept. `customer_id` is None when nobody has the
    address; such a code was mailed to nobody and proves nothing."""

    id: str
    conversation_id: ConversationId
    email: str
    customer_id: CustomerId | None
    code_hash: str
    created_at: datetime
    expires_at: datetime
    attempts: int = 0
    used_at: datetime | None = None


def find_code(text: str) -> str | None:
    """The code in what somebody typed ("it's 123 456"): six digits that stand alone; None when there is none."""
    text = unicodedata.normalize("NFKC", text)
    match = _CODE.search(text) or _CODE_IN_GROUPS.search(text)
    if match is None:
        return None
    return "".join(str(unicodedata.digit(character)) for character in match.group() if character.isdigit())


def hash_code(code: str, salt: str) -> str:
    """The form in which a code is kept: the salt, and HMAC-SHA256 of the code with it."""
    return f"{salt}:{hmac.new(salt.encode(), code.encode(), 'sha256').hexdigest()}"


def is_code(code: str, code_hash: str) -> bool:
    """Whether the code is the one that was hashed. Takes the same time for right and wrong."""
    return hmac.compare_digest(hash_code(code, code_hash.partition(":")[0]), code_hash)
