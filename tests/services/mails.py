"""What the outbox would send."""

from __future__ import annotations

from bot.services.outbox import Mail, deliver_next
from bot.services.ports import Clock, Database


async def sent_mails(db: Database, clock: Clock) -> list[Mail]:
    """Every mail that is due, in the order in which it was queued."""
    sent: list[Mail] = []

    async def deliver(mail: Mail) -> None:
        sent.append(mail)

    while await deliver_next(db, clock, deliver):
        pass
    return sorted(sent, key=lambda mail: mail.to)
