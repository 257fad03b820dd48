"""The people who help customers at the desk: who they are, what they may do, and how they prove it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType

from bot.core.common_passwords import is_common

AgentId = NewType("AgentId", str)

# So many wrong passwords in a row lock an account for whoever guesses, and each further one for twice as long.
WRONG_PASSWORDS_ALLOWED = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
# Somebody who does nothing for so long, or signed in so long ago, signs in again.
IDLE_FOR = timedelta(hours=12)
SESSION_LENGTH = timedelta(days=7)
# A desk of which nothing was seen for so long is closed, or has lost its network.
GONE_AFTER = timedelta(seconds=45)
PASSWORD_CHARACTERS = (10, 200)
NAME_CHARACTERS = 80


class Role(str, Enum):
    """What somebody at the desk may do: admins also manage the agents."""

    AGENT = "agent"
    ADMIN = "admin"


class Presence(str, Enum):
    """Whether somebody at the desk takes conversations now."""

    ONLINE = "online"
    AWAY = "away"


@dataclass(frozen=True)
class Agent:
    """Somebody who helps customers at the desk. Only the hash of the password is kept."""

    id: AgentId
    email: str
    name: str
    role: Role
    password_hash: str
    created_at: datetime
    # Since when they could have taken the next conversation.
    free_since: datetime
    presence: Presence = Presence.AWAY
    # Since when they have been away, if that is known.
    away_since: datetime | None = None
    # When their desk was last seen: a browser that is open says so every few seconds.
    seen_at: datetime | None = None
    # How many conversations at once; what they know and speak, all of it where nothing is named.
    capacity: int = 3
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    # A password that somebody else made is to be replaced by one's own.
    must_change_password: bool = False
    wrong_passwords: int = 0
    locked_until: datetime | None = None
    disabled_at: datetime | None = None

    def is_there(self, at: datetime) -> bool:
        """Whether they take conversations, and their desk is open."""
        there = self.seen_at is not None and at - self.seen_at < GONE_AFTER
        return self.presence is Presence.ONLINE and there and self.disabled_at is None

    def is_locked(self, at: datetime) -> bool:
        """Whether too many wrong passwords were tried, so that even the right one is refused for now."""
        return self.locked_until is not None and at < self.locked_until


@dataclass(frozen=True)
class AgentSession:
    """Somebody's time at the desk, from signing in on. The token is the browser's secret; only its hash is kept."""

    token_hash: str
    agent_id: AgentId
    created_at: datetime
    seen_at: datetime

    def is_over(self, at: datetime) -> bool:
        """Whether to sign in again."""
        return at - self.seen_at >= IDLE_FOR or at - self.created_at >= SESSION_LENGTH


def lock_after(wrong_passwords: int, at: datetime) -> datetime | None:
    """Until when an account is locked after so many wrong passwords in a row; None for not at all."""
    over = wrong_passwords - WRONG_PASSWORDS_ALLOWED
    return at + min(FIRST_LOCK * 2 ** min(over, 20), LONGEST_LOCK) if over >= 0 else None


def password_fault(password: str, email: str, shop_name: str = "") -> str | None:
    """What is wrong with a new password, in words; None if it will do. Length is what makes it strong.

    What everybody would try first is refused (NIST SP 800-63B); of which kinds its characters are is not asked.
    """
    fewest, most = PASSWORD_CHARACTERS
    if not fewest <= len(password) <= most:
        return f"A password has {fewest} to {most} characters."
    if not _is_text(password):
        return "This password has something in it that is no character."
    if len(set(password)) < fewest // 2:
        return "This password repeats the same few characters."
    squeezed = _squeezed(password)
    own = email.partition("@")[0].lower()
    if len(own) > 2 and (own in password.lower() or _squeezed(own) in squeezed):
        return "This password has your own address in it."
    if len(_squeezed(shop_name)) > 2 and _squeezed(shop_name) in squeezed:
        return "This password has the name of the shop in it."
    if is_common(password):
        return "This password is one of those that are tried first. A few words that do not belong together do well."
    return None


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _is_text(password: str) -> bool:
    try:
        password.encode()
    except UnicodeError:  # one half of a pair that is one character
        return False
    return True


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def agent_fault(email: str, name: str) -> str | None:
    """What is wrong with somebody's address or name, in words; None if nothing is."""
    if not _EMAIL.fullmatch(email) or len(email) > 254:
        return f"{email!r} is not an e-mail address."
    if not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        return f"A name has 1 to {NAME_CHARACTERS} characters; customers read it."
    return None
