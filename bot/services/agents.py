"""The people at the desk: adding them, signing them in and out, and their passwords."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from bot.core.agents import (
    SESSION_LENGTH,
    Agent,
    AgentId,
    AgentSession,
    Presence,
    Role,
    agent_fault,
    password_fault,
)
from bot.core.conversations import clean_text
from bot.errors import AgentRefused, SignInRefused
from bot.services.audit import actor_of, record_audit
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, Hint, UnitOfWork
from bot.services.wrong_passwords import WrongPasswords, after_wrong_password

TOKEN_BYTES = 32
# None is good for longer.
SESSIONS_KEPT = SESSION_LENGTH
ONE_TIME_PASSWORD_BYTES = 12
# An account's sessions are noted as being in use this often at most.
SEEN_EVERY_SECONDS = 60
# That somebody is at the desk is noted this often at most.
PRESENT_EVERY_SECONDS = 10

# Argon2id with the library's parameters, which follow RFC 9106 for machines of little memory.
_hasher = PasswordHasher()


@dataclass(frozen=True)
class SignedIn:
    """Somebody at the desk, and the secret that their browser keeps."""

    agent: Agent
    token: str


async def add_agent(
    db: Database,
    clock: Clock,
    *,
    email: str,
    name: str,
    role: Role,
    password: str | None = None,
    by: Agent | None = None,
) -> tuple[Agent, str]:
    """Somebody new at the desk, and the one-time password that they replace when they first sign in.

    With a password, that one is theirs for good. `by` is the admin who adds them; None: whoever runs the service.
    Raises AgentRefused for an address or a name that will not do, or that somebody has.
    """
    email, name = clean_text(email).lower(), clean_text(name)
    if (fault := agent_fault(email, name)) is not None:
        raise AgentRefused(fault)
    must_change_password = password is None
    password = password or secrets.token_urlsafe(ONE_TIME_PASSWORD_BYTES)
    agent = Agent(
        id=AgentId(new_id()),
        email=email,
        name=name,
        role=role,
        password_hash=await _hash(password),
        created_at=clock.now(),
        free_since=clock.now(),
        must_change_password=must_change_password,
    )
    async with db.transaction() as work:
        if not await work.agents.add(agent):
            raise AgentRefused(f"There is somebody with the address {email} already.")
        await record_account(work, clock, by, "agent_added", agent, role=role.value)
    return agent, password


async def sign_in(
    db: Database, clock: Clock, *, email: str, password: str, address: str = "", wrong: WrongPasswords | None = None
) -> SignedIn:
    """Begin a session. Raises SignInRefused, which does not tell whether the address or the password is wrong.

    Several wrong passwords in a row lock the account for whoever asks from that network address, longer each time, and
    for everybody else for a moment, but for whoever has signed in from where they are before: then the right one is
    refused as well. `wrong` keeps what was tried before.
    """
    email, now, wrong = clean_text(email).lower(), clock.now(), wrong or WrongPasswords()
    async with db.reading() as work:
        found = await work.agents.by_email(email)
    # With the hash, so that a new password begins without locks, whichever process it was made in.
    key = (email, address, found.password_hash if found and found.disabled_at is None else "")
    if (until := wrong.locked_until(now, *key)) is not None:
        raise SignInRefused(locked_until=until)
    # Compared outside the transaction, because it takes long on purpose; and for nobody, so that it takes as long.
    is_right = await _is_password(password, found.password_hash if found else await _nobodys_hash())
    async with db.transaction() as work:
        agent = await work.agents.lock_by_email(email)
        if agent is None or agent.disabled_at is not None:
            if (until := wrong.locked_until(now, email)) is not None:
                raise SignInRefused(locked_until=until)
            paused_until = wrong.note_wrong_for_nobody(now, email)
        elif agent.is_locked(now) and not wrong.was_right(*key):
            raise SignInRefused(locked_until=agent.locked_until)
        elif is_right and found is not None and agent.password_hash == found.password_hash:
            wrong.note_right(*key)
            return await _begin_session(work, agent, now)
        else:
            times, paused_until = after_wrong_password(agent.wrong_passwords, now)
            await work.agents.save(replace(agent, wrong_passwords=times, locked_until=paused_until))
            detail = {"agent": agent.id, "locked": paused_until is not None}
            await record_audit(
                work, clock, actor=actor_of(agent), action="sign_in_refused", customer_id=None, detail=detail
            )
    ends = [until for until in (wrong.note_wrong(now, *key), paused_until) if until is not None]
    raise SignInRefused(locked_until=max(ends, default=None))


async def forget_sessions(db: Database, clock: Clock) -> int:
    """Delete the sessions that ended long ago; how many. Safe to repeat."""
    async with db.transaction() as work:
        return await work.agents.forget_sessions(clock.now() - SESSIONS_KEPT)


async def _begin_session(work: UnitOfWork, agent: Agent, now: datetime) -> SignedIn:
    agent = replace(agent, wrong_passwords=0, locked_until=None)
    sessions = await work.agents.sessions_of(agent.id)
    if all(session.is_over(now) for session in sessions):
        # Who left without signing out takes no conversations before they say so.
        agent = as_away(agent, now)
    await work.agents.save(agent)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await work.agents.add_session(AgentSession(hash_token(token), agent.id, now, now))
    return SignedIn(agent, token)


async def signed_in_agent(db: Database, clock: Clock, token: str) -> Agent | None:
    """Who holds a session's token; None if there is no such session, or no more. Notes that they are there."""
    now, token_hash = clock.now(), hash_token(token)
    async with db.reading() as work:
        session = await work.agents.session(token_hash)
        agent = await work.agents.get(session.agent_id) if session else None
    if session is None or agent is None or agent.disabled_at is not None or session.is_over(now):
        return None
    if (now - session.seen_at).total_seconds() >= SEEN_EVERY_SECONDS:
        async with db.transaction(durable=False) as work:
            await work.agents.touch_session(token_hash, now)
    return agent


async def sign_out(db: Database, clock: Clock, token: str) -> None:
    """End a session; whoever has no other takes no conversations any more. Safe to repeat."""
    async with db.transaction() as work:
        session = await work.agents.session(hash_token(token))
        agent = await work.agents.lock(session.agent_id) if session else None
        await work.agents.end_session(hash_token(token))
        if agent is not None:
            now = clock.now()
            if all(other.is_over(now) for other in await work.agents.sessions_of(agent.id)):
                await work.agents.save(as_away(agent, now))
                work.hint(Hint("desk"))
            work.hint(Hint("desk", agent.id))


async def change_password(
    db: Database, agent_id: AgentId, token: str, *, old: str, new: str, shop_name: str = ""
) -> None:
    """Replace one's own password, and end one's other sessions. Raises SignInRefused or AgentRefused."""
    async with db.reading() as work:
        agent = await work.agents.get(agent_id)
    if agent is None or not await _is_password(old, agent.password_hash):
        raise SignInRefused
    if old == new:
        raise AgentRefused("The new password is the old one.")
    if (fault := password_fault(new, agent.email, shop_name)) is not None:
        raise AgentRefused(fault)
    password_hash = await _hash(new)
    async with db.transaction() as work:
        current = await work.agents.lock(agent_id)
        # Changed meanwhile, by an admin or in another window.
        if current is None or current.password_hash != agent.password_hash:
            raise SignInRefused
        await work.agents.save(replace(current, password_hash=password_hash, must_change_password=False))
        await work.agents.end_sessions(agent_id, but=hash_token(token))
        work.hint(Hint("desk", agent_id))


async def reset_password(db: Database, clock: Clock, agent_id: AgentId, *, by: Agent | None = None) -> str:
    """A new one-time password for somebody who forgot theirs; their sessions end. Raises AgentRefused for nobody.

    `by` is the admin who makes it; None: whoever runs the service.
    """
    password = secrets.token_urlsafe(ONE_TIME_PASSWORD_BYTES)
    password_hash = await _hash(password)
    async with db.transaction() as work:
        agent = await work.agents.lock(agent_id)
        if agent is None:
            raise AgentRefused("There is no such agent.")
        fresh = replace(
            agent, password_hash=password_hash, must_change_password=True, wrong_passwords=0, locked_until=None
        )
        # Whoever is signed out takes no conversations.
        await work.agents.save(as_away(fresh, clock.now()))
        await work.agents.end_sessions(agent_id)
        await record_account(work, clock, by, "password_reset", agent)
        work.hint(Hint("desk", agent_id))
    return password


async def set_presence(db: Database, clock: Clock, agent_id: AgentId, presence: Presence) -> None:
    """Take conversations from now on, or no more. Safe to repeat."""
    now = clock.now()
    async with db.transaction() as work:
        agent = await work.agents.lock(agent_id)
        if agent is not None and agent.presence is not presence:
            times = {"free_since": now, "away_since": None} if presence is Presence.ONLINE else {"away_since": now}
            await work.agents.save(replace(agent, presence=presence, seen_at=now, **times))
            work.hint(Hint("desk"))


async def note_presence(db: Database, clock: Clock, agent: Agent) -> None:
    """Note that somebody's desk is open, if that was not noted a moment ago."""
    now = clock.now()
    if agent.seen_at is None or (now - agent.seen_at).total_seconds() >= PRESENT_EVERY_SECONDS:
        async with db.transaction(durable=False) as work:
            await work.agents.see(agent.id, now)


def as_away(agent: Agent, now: datetime) -> Agent:
    """Somebody who takes no conversations from now on."""
    return replace(agent, presence=Presence.AWAY, away_since=now) if agent.presence is Presence.ONLINE else agent


async def record_account(
    work: UnitOfWork, clock: Clock, by: Agent | None, action: str, agent: Agent, **detail: object
) -> None:
    """Note for ever what was done to somebody's account, and by whom; with the unit of work."""
    actor = actor_of(by) if by else "operator"
    await record_audit(work, clock, actor=actor, action=action, customer_id=None, detail={"agent": agent.id, **detail})


def hash_token(token: str) -> str:
    """The form in which a session's token is kept."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


async def _hash(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def _is_password(password: str, password_hash: str) -> bool:
    try:
        return await asyncio.to_thread(_hasher.verify, password_hash, password[:1_000])
    except (Argon2Error, InvalidHashError, UnicodeError):
        return False


@cache
def _made_up_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(TOKEN_BYTES))


async def _nobodys_hash() -> str:
    return await asyncio.to_thread(_made_up_hash)
