"""Who may be written to about what, and how somebody says no."""

from __future__ import annotations

from bot.core.consents import Consent, hash_address, is_allowed, is_repetition
from bot.core.customers import EMAIL
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, PageLinks, UnitOfWork

UNSUBSCRIBED = "Unsubscribed by the link in a mail."


async def record_consent(
    work: UnitOfWork,
    clock: Clock,
    *,
    channel: str,
    address: str,
    purpose: str,
    granted: bool,
    wording: str,
    source: str,
) -> None:
    """Note for ever what was agreed to or refused for an address, in the words that were shown.

    Safe to repeat: what was said last already is not written again. `source` says who speaks: an `import`, the shop's
    systems (`api`, `shop`) cannot take back a no; people themselves (`chat`, `link`, `agent` on their behalf) can.
    """
    await record_hashed_consent(
        work,
        Consent(channel, hash_address(channel, address), purpose, granted, wording, source, clock.now()),
    )


async def record_hashed_consent(work: UnitOfWork, consent: Consent) -> None:
    """The same, where only the hash of the address is known."""
    said = await work.consents.said(consent.channel, consent.address_hash, consent.purpose)
    if not is_repetition(consent, said):
        await work.consents.add(consent)


async def may_contact(work: UnitOfWork, *, channel: str, address: str, purpose: str) -> bool:
    """Whether the address may be used for the purpose.

    The last word counts. Where nothing was said: `feedback`, `loyalty` and `service` yes, `marketing` and anything else
    no.
    """
    return is_allowed(purpose, await work.consents.said(channel, hash_address(channel, address), purpose))


async def queue_optional_mail(
    work: UnitOfWork,
    clock: Clock,
    links: PageLinks,
    *,
    key: str,
    to: str,
    purpose: str,
    subject: str,
    body: str,
    reply_to: str | None = None,
) -> bool:
    """Queue a mail that nobody has to want (`marketing`, `feedback`, `loyalty`), with a way to say no; whether it did.

    It is not, where the address may not be used for the purpose. The same key queues it once.
    """
    if not await may_contact(work, channel=EMAIL, address=to, purpose=purpose):
        return False
    url = links.unsubscribe(to, purpose, clock.now())
    body = f"{body}\n\n--\nYou do not want mails like this one? {url}"
    return await queue_mail(
        work, clock, key=key, to=to, subject=subject, body=body, reply_to=reply_to, unsubscribe_url=url
    )
