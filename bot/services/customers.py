"""The records of customers: who somebody is, what they are known by, and what the shop's people note about them."""

from __future__ import annotations

from bot.core.conversations import clean_text
from bot.core.customers import (
    EMAIL,
    MAX_NOTE_CHARACTERS,
    PHONE,
    SHOP,
    Customer,
    CustomerId,
    CustomerIdentity,
    Note,
    Tag,
    normalise_email,
    normalise_tag,
)
from bot.core.lifecycle import Stage, stage
from bot.core.merges import kept_first
from bot.core.shop import Shop
from bot.errors import NoteRefused
from bot.services.audit import record_audit
from bot.services.ids import new_id
from bot.services.merges import SYSTEM, merge_customers, propose_for
from bot.services.persons import customer_of
from bot.services.ports import Clock, UnitOfWork

CODE = "code"


async def find_customer(work: UnitOfWork, name: str) -> Customer | None:
    """The customer with that number of the shop's, that e-mail address, or that id of ours; None when there is none."""
    name = name.strip()
    found = await work.customers.by_external_id(name) or await work.customers.by_email(normalise_email(name))
    if found is None and await work.customers.get(CustomerId(name)) is not None:
        found = await customer_of(work, CustomerId(name))
    return found


async def add_customer(work: UnitOfWork, clock: Clock, customer: Customer) -> bool:
    """Add a customer unless the shop's number is known; whether added. Who looks like them is proposed for merging."""
    added = await work.customers.add_unless_known(customer)
    if added:
        await propose_for(work, clock, customer.id)
    return added


async def save_customer(work: UnitOfWork, clock: Clock, customer: Customer) -> None:
    """Save a customer that was changed; what they are known by follows, and whoever looks like them is proposed."""
    await work.customers.save(customer, clock.now())
    await propose_for(work, clock, customer.id)


async def prove_identity(
    work: UnitOfWork, clock: Clock, customer_id: CustomerId, kind: str, value: str, *, shop: Shop | None = None
) -> Customer:
    """Note that the customer has proven an address (email, phone, an account by its channel's name); the customer now.

    Where another customer's is proven to be the same, the two are one: they are merged, and the one who was there first
    is returned. `value` is in its normal form. Safe to repeat. Raises CustomerNotFound.
    """
    customer = await customer_of(work, customer_id)
    holder_id = await work.identities.holder(kind, value)
    if holder_id is not None and holder_id != customer.id:
        kept, merged = kept_first(customer, await customer_of(work, holder_id))
        reason = f"verified {kind}"
        merge = await merge_customers(work, clock, kept.id, merged.id, reason=reason, author=SYSTEM, shop=shop)
        customer = await customer_of(work, merge.kept_id)
    now = clock.now()
    await work.identities.prove(CustomerIdentity(new_id(), customer.id, kind, value, CODE, now, verified_at=now))
    if kind not in (EMAIL, PHONE, SHOP):
        await work.customers.link_account(kind, value, customer.id)
    return customer


async def stage_of(work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId) -> Stage:
    """Where the customer stands today: visitor, lead, customer, repeat or lapsed. Raises CustomerNotFound."""
    customer = await customer_of(work, customer_id)
    paid = await work.customers.paid_orders(customer.id)
    zone = shop.hours.zone
    return stage(
        is_known=bool(await work.identities.of_customers([customer.id])),
        paid_orders=paid.number,
        last_paid_on=paid.last_at.astimezone(zone).date() if paid.last_at else None,
        today=clock.now().astimezone(zone).date(),
        lapsed_days=shop.lapsed_days,
    )


async def add_note(work: UnitOfWork, clock: Clock, customer_id: CustomerId, text: str, *, author: str) -> Note:
    """Keep what a person of the shop noted about the customer. Raises NoteRefused, or CustomerNotFound."""
    customer = await customer_of(work, customer_id)
    text = clean_text(text)
    if not 0 < len(text) <= MAX_NOTE_CHARACTERS:
        raise NoteRefused
    note = Note(new_id(), customer.id, author, text, clock.now())
    await work.notes.add(note)
    await record_audit(work, clock, actor=author, action="note", customer_id=customer.id, detail={"id": note.id})
    return note


async def add_tag(work: UnitOfWork, clock: Clock, customer_id: CustomerId, tag: str, *, author: str) -> str:
    """Give the customer a tag, and return it as it is kept. Safe to repeat. Raises NoteRefused, or CustomerNotFound."""
    customer = await customer_of(work, customer_id)
    kept = normalise_tag(clean_text(tag))
    if kept is None:
        raise NoteRefused
    if await work.notes.add_tag(customer.id, Tag(kept, author, clock.now())):
        await record_audit(work, clock, actor=author, action="tag", customer_id=customer.id, detail={"tag": kept})
    return kept


async def remove_tag(work: UnitOfWork, clock: Clock, customer_id: CustomerId, tag: str, *, author: str) -> None:
    """Take a tag away. Safe to repeat. Raises CustomerNotFound."""
    customer = await customer_of(work, customer_id)
    kept = normalise_tag(clean_text(tag))
    if kept is not None and await work.notes.remove_tag(customer.id, kept):
        await record_audit(work, clock, actor=author, action="untag", customer_id=customer.id, detail={"tag": kept})
