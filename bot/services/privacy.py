"""A person's own data: a copy of everything, and having it erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.core.consents import FEEDBACK, LOYALTY, MARKETING, Consent, hash_address
from bot.core.conversations import Conversation
from bot.core.customers import EMAIL, PHONE, SHOP, Customer, CustomerId, erased_external_id
from bot.core.privacy import Erasure, Unfinished
from bot.core.requests import RequestKind, ServiceRequest
from bot.core.shop import Shop
from bot.errors import ErasureRefused
from bot.services.audit import record_audit
from bot.services.consents import record_hashed_consent
from bot.services.handoff_leaving import leave_by_erasure
from bot.services.outbox import queue_mail
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, UnitOfWork
from bot.services.requests import record_request
from bot.services.turn_context import current_turn

__all__ = ["Erasure"]

OPTIONAL = (MARKETING, FEEDBACK, LOYALTY)
ERASED_WISH = "Erased at their own wish."
ERASURE = "erasure"


async def export_customer(work: UnitOfWork, customer_id: CustomerId) -> dict[str, Any]:
    """Everything that is kept about somebody, table by table, as plain values for JSON.

    With the records that turned out to be theirs. Whoever hands it out records that (`record_audit`, `export`).
    Raises CustomerNotFound.
    """
    customer = await customer_of(work, customer_id)
    ids = await work.merges.same_person(customer.id)
    addresses = await _addresses(work, ids)
    hashes = sorted({(kind, hash_address(kind, value)) for kind, value in addresses})
    return {"customer": customer.id, **await work.privacy.export(ids, hashes)}


async def hand_out(db: Database, clock: Clock, customer_id: CustomerId, *, actor: str) -> dict[str, Any] | None:
    """The same, noted in the audit log; None for somebody who is not there, or was erased."""
    async with db.transaction() as work:
        customer = await work.customers.get(customer_id)
        if customer is None or customer.erased_at is not None:
            return None
        data = await export_customer(work, customer_id)
        await record_audit(work, clock, actor=actor, action="export", customer_id=CustomerId(data["customer"]))
    return data


async def unfinished_with(work: UnitOfWork, customer_id: CustomerId) -> Unfinished:
    """What is still going on with somebody, whichever of their records it is under: none of it, and they can be erased.

    Raises CustomerNotFound.
    """
    customer = await customer_of(work, customer_id)
    return await work.privacy.unfinished(await work.merges.same_person(customer.id))


async def erase_customer(work: UnitOfWork, clock: Clock, customer_id: CustomerId, *, actor: str) -> Erasure:
    """Erase somebody for good: who they were, what they wrote, how they were reached. Figures stay, as nobody's.

    Nobody waits for a person as them any more, nor is to be called back, and their addresses say no to mails that
    nobody has to want, by their hashes. Safe to repeat. Raises CustomerNotFound, or ErasureRefused while an order is
    open or money is owed to them; then nothing is changed.
    """
    customer = await customer_of(work, customer_id)
    ids = await work.merges.same_person(customer.id)
    await work.merges.lock_records(sorted(ids))
    customer = await customer_of(work, customer.id)
    if customer.erased_at is not None:
        return Erasure(customer.id, customer.erased_at)
    unfinished = (await work.privacy.unfinished(ids)).in_words()
    if unfinished:
        raise ErasureRefused(unfinished)
    now = clock.now()
    for conversation_id in await work.privacy.wanting_people(ids):
        conversation = await work.conversations.lock(conversation_id)
        if conversation is not None:
            await leave_by_erasure(work, clock, conversation)
    for kind, address in await _addresses(work, ids):
        for purpose in OPTIONAL:
            no = Consent(kind, hash_address(kind, address), purpose, False, ERASED_WISH, ERASURE, now)
            await record_hashed_consent(work, no)
    records = [one for customer_id in ids if (one := await work.customers.get(customer_id)) is not None]
    await work.privacy.erase({one.id: erased_external_id(one.external_id) for one in records}, now)
    await record_audit(work, clock, actor=actor, action="erase", customer_id=customer.id, detail={"records": len(ids)})
    return Erasure(customer.id, now)


async def request_erasure(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, customer: Customer
) -> Erasure | ServiceRequest:
    """What the verified customer asks for in a conversation: done at once, or passed on to a person.

    To a person where business.yml says so, or while something is unfinished; asked again, it is the same request. Done
    at once, it is confirmed by a last mail, and the conversation and the present turn are nobody's any more.
    """
    unfinished = (await unfinished_with(work, customer.id)).in_words()
    if shop.erasure_needs_approval or unfinished:
        return await _pass_on(work, clock, shop, conversation, customer, unfinished)
    erasure = await erase_customer(work, clock, customer.id, actor="customer")
    turn = current_turn.get(None)
    if turn is not None and turn.conversation.id == conversation.id:
        # The turn saves its conversation in the end.
        turn.conversation = replace(
            turn.conversation, customer_id=None, verified_until=None, visitor_details=None, language=None
        )
        turn.customer = None
    if customer.email:
        await _confirm(work, clock, shop, customer, customer.email)
    return erasure


async def _pass_on(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, customer: Customer, unfinished: str
) -> ServiceRequest:
    for request in await work.requests.open_in(conversation.id):
        if request.kind is RequestKind.PRIVACY and request.text.startswith(_WISH):
            return request
    lines = [
        f"{_WISH} {customer.name} ({customer.external_id}).",
        f"To do it: python -m bot customer erase {customer.external_id}",
        *([f"Not before everything is finished: {unfinished}."] if unfinished else []),
    ]
    text = "\n".join(lines)
    return await record_request(work, clock, shop, conversation, customer, RequestKind.PRIVACY, text)


_WISH = "Please erase everything about"


async def _confirm(work: UnitOfWork, clock: Clock, shop: Shop, customer: Customer, email: str) -> None:
    """The last mail, of which nothing is kept either."""
    greeting = f"Hello {customer.first_name}," if customer.first_name else "Hello,"
    await queue_mail(
        work,
        clock,
        key=f"erased:{customer.id}",
        to=email,
        subject=f"[{shop.name}] Your data are erased",
        body="\n".join(
            [
                greeting,
                "",
                "as you asked in our chat, we have erased what we knew about you: your name, your addresses, what you",
                "wrote to us, and your account with us. Of past orders only the figures stay, without your name.",
                "",
                f"Was this not you? Please write to us at once: {shop.contact_email}",
                "",
                shop.name,
            ]
        ),
        reply_to=shop.contact_email,
        forget=True,
    )


async def _addresses(work: UnitOfWork, ids: Sequence[CustomerId]) -> list[tuple[str, str]]:
    """How somebody can be reached, (channel, address): what they are known by, and what their records say."""
    found = {(one.kind, one.value) for one in await work.identities.of_customers(ids) if one.kind != SHOP}
    for customer_id in ids:
        customer = await work.customers.get(customer_id)
        if customer is not None:
            found |= {(kind, value) for kind, value in ((EMAIL, customer.email), (PHONE, customer.phone)) if value}
    return sorted(found)
