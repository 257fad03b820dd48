"""Effects that leave the house: written with the turn, delivered after its commit, at least once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.verification import CODE_LIMITS
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, Hint, OutboxEntry, UnitOfWork

MAX_ATTEMPTS = 8
DELIVERY_LEASE = timedelta(minutes=2)
MAIL, SECRET_MAIL, FORGOTTEN_MAIL = "mail", "secret_mail", "forgotten_mail"
SECRET_MAIL_LIFETIME = CODE_LIMITS.lifetime


@dataclass(frozen=True)
class Mail:
    """An e-mail in plain text. `message_id` stays the same when a delivery is repeated.

    Where `unsubscribe_url` is set, mail programs offer to unsubscribe with one click (RFC 8058).
    """

    message_id: str
    to: str
    subject: str
    body: str
    reply_to: str | None = None
    unsubscribe_url: str | None = None


Deliver = Callable[[Mail], Awaitable[None]]


async def queue_mail(
    work: UnitOfWork,
    clock: Clock,
    *,
    key: str,
    to: str,
    subject: str,
    body: str,
    reply_to: str | None = None,
    is_secret: bool = False,
    unsubscribe_url: str | None = None,
    forget: bool = False,
) -> bool:
    """Have an e-mail sent once this unit of work is committed. The same key queues it once; whether this did.

    The text of a secret one is kept until it is sent, or given up: it is tried no longer than its secret is good. Of
    one to `forget` nothing is kept then, not even to whom it went.
    """
    now = clock.now()
    payload = {"to": to, "subject": subject, "body": body, "reply_to": reply_to}
    if unsubscribe_url:
        payload["unsubscribe_url"] = unsubscribe_url
    kind = SECRET_MAIL if is_secret else FORGOTTEN_MAIL if forget else MAIL
    queued = await work.outbox.add(OutboxEntry(new_id(), key, kind, payload, now, next_attempt_at=now))
    if queued:
        work.hint(Hint("outbox"))
    return queued


async def deliver_next(db: Database, clock: Clock, deliver: Deliver) -> OutboxEntry | None:
    """Deliver the entry that is due longest, and return it as it stands afterwards; None when nothing is due.

    A failure is kept with the entry and tried again after 30 s, doubling; after 8 tries it stays for a person to see.
    """
    async with db.transaction() as work:
        now = clock.now()
        entry = await work.outbox.claim_due(now, now + DELIVERY_LEASE)
        if entry is None:
            return None
        # Counted before trying: an entry whose delivery kills the process is tried no more often than others.
        attempts = entry.attempts + 1
        again_at = now + DELIVERY_LEASE if attempts < MAX_ATTEMPTS else None
        entry = replace(entry, attempts=attempts, next_attempt_at=again_at)
        await work.outbox.save(entry)
    try:
        await deliver(Mail(message_id=entry.id, **entry.payload))
    except (OSError, ValueError) as error:  # a mail server that is away (smtplib raises OSError), or a bad address
        again_at = clock.now() + timedelta(seconds=30 * 2 ** (attempts - 1))
        is_stale = entry.kind == SECRET_MAIL and again_at >= entry.created_at + SECRET_MAIL_LIFETIME
        next_attempt_at = again_at if attempts < MAX_ATTEMPTS and not is_stale else None
        entry = replace(entry, next_attempt_at=next_attempt_at, last_error=str(error)[:500])
    else:
        entry = replace(entry, next_attempt_at=None, sent_at=clock.now(), last_error=None)
    if entry.kind == SECRET_MAIL and entry.next_attempt_at is None:
        entry = replace(entry, payload={**entry.payload, "body": ""})
    if entry.kind == FORGOTTEN_MAIL and entry.next_attempt_at is None:
        # Not even to whom: what a mail server says about an address names it.
        nothing = {"to": "", "subject": "", "body": "", "reply_to": None}
        entry = replace(entry, payload=nothing, last_error=entry.last_error and "not delivered")
    async with db.transaction() as work:
        await work.outbox.save(entry)
    return entry
