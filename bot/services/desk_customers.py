"""What people at the desk do for a customer beside talking: goodwill, contact data, and who may be the same person."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.agents import Agent
from bot.core.audit import changes
from bot.core.conversations import ConversationId, clean_text
from bot.core.customers import Customer, normalise_address, normalise_email
from bot.core.ledger import LedgerEntry
from bot.core.merges import Merge
from bot.core.phones import normalise_phone
from bot.core.shop import Shop
from bot.errors import CustomerNotFound, DeskRefused, MergeRefused
from bot.services.audit import actor_of, record_audit
from bot.services.customers import find_customer, save_customer
from bot.services.desk import locked
from bot.services.goodwill import give_goodwill
from bot.services.merges import propose_merge
from bot.services.outbox import queue_mail
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, UnitOfWork


@dataclass(frozen=True)
class ContactChange:
    """How a customer is reached from now on; None leaves it as it is, an empty text takes it away."""

    phone: str | None = None
    email: str | None = None
    address: str | None = None


async def give_points(
    db: Database,
    clock: Clock,
    shop: Shop,
    agent: Agent,
    conversation_id: ConversationId,
    points: int,
    *,
    reason: str,
    key: str,
) -> LedgerEntry:
    """Give the conversation's customer points, within what the role may give.

    Safe to repeat: the same key is the same gift. Raises CustomerNotFound where nobody has proven who they are,
    LedgerRefused or KeyReused.
    """
    async with db.transaction() as work:
        customer = await _customer(work, conversation_id)
        role, author = agent.role.value, agent.email
        return await give_goodwill(
            work, clock, shop, customer.id, points, author=author, role=role, reason=reason, key=f"desk:{key}"
        )


async def change_contact(
    db: Database, clock: Clock, shop: Shop, agent: Agent, conversation_id: ConversationId, change: ContactChange
) -> Customer:
    """Change how the conversation's customer is reached. Their old e-mail address is told of a new one.

    Safe to repeat. Raises DeskRefused for what will not do, or is somebody else's; CustomerNotFound.
    """
    async with db.transaction() as work:
        customer = await work.customers.lock((await _customer(work, conversation_id)).id)
        if customer is None:
            raise CustomerNotFound
        changed = await _changed(work, customer, change)
        if changed == customer:
            return customer
        await save_customer(work, clock, changed)
        detail = changes(vars(customer), {name: getattr(changed, name) for name in vars(change)})
        await record_audit(work, clock, actor=actor_of(agent), action="edit", customer_id=customer.id, detail=detail)
        if customer.email and changed.email != customer.email:
            await _tell_old_address(work, clock, shop, customer, customer.email)
        return changed


async def propose_same_person(
    db: Database, clock: Clock, agent: Agent, conversation_id: ConversationId, other: str
) -> Merge:
    """Propose that the conversation's customer is also `other` (the shop's number, an e-mail address, or our id).

    An admin decides. Safe to repeat. Raises CustomerNotFound, or MergeRefused for those who are one already.
    """
    async with db.transaction() as work:
        customer = await _customer(work, conversation_id)
        twin = await find_customer(work, clean_text(other))
        if twin is None or twin.erased_at is not None:
            raise CustomerNotFound
        actor = actor_of(agent)
        merge = await propose_merge(work, clock, customer.id, twin.id, reason="proposed at the desk", author=actor)
        if merge is None:
            raise MergeRefused("oneself")
        detail = {"merge": merge.id, "with": twin.id}
        await record_audit(work, clock, actor=actor, action="merge_proposed", customer_id=customer.id, detail=detail)
        return merge


async def _customer(work: UnitOfWork, conversation_id: ConversationId) -> Customer:
    conversation = await locked(work, conversation_id)
    if conversation.customer_id is None:
        raise CustomerNotFound
    customer = await customer_of(work, conversation.customer_id)
    if customer.erased_at is not None:
        raise CustomerNotFound
    return customer


async def _changed(work: UnitOfWork, customer: Customer, change: ContactChange) -> Customer:
    if change.phone is not None:
        customer = replace(customer, phone=_phone(change.phone))
    if change.address is not None:
        customer = replace(customer, address=_address(change.address))
    if change.email is not None:
        email = normalise_email(clean_text(change.email))
        known = await work.customers.by_email(email) if email else None
        if known is not None and known.id != customer.id:
            # Two people never become one by a typed address; an admin may merge them.
            raise DeskRefused("Another customer has this e-mail address. Propose a merge if they are one person.")
        customer = replace(customer, email=email or None)
    return customer


def _phone(text: str) -> str | None:
    if text.strip() and normalise_phone(text) is None:
        raise DeskRefused("Write the telephone number with its country, such as +63 917 555 0101.")
    return text.strip() or None


def _address(text: str) -> str | None:
    address = normalise_address(clean_text(text))
    if text.strip() and address is None:
        raise DeskRefused("A postal address has letters, and 500 characters at most.")
    return address


async def _tell_old_address(work: UnitOfWork, clock: Clock, shop: Shop, customer: Customer, address: str) -> None:
    """Whoever talks our people into changing an address must not go unnoticed."""
    lines = [
        f"Hello {customer.first_name}," if customer.first_name else "Hello,",
        "",
        "our team has noted another e-mail address for you, as you asked us to in a conversation.",
        f"Was this not you? Please write to us at once: {shop.contact_email}",
        "",
        shop.name,
    ]
    await queue_mail(
        work,
        clock,
        key=f"address_changed:{customer.id}:{clock.now():%Y%m%d%H%M%S%f}",
        to=address,
        subject=f"[{shop.name}] Your e-mail address was changed",
        body="\n".join(lines),
        reply_to=shop.contact_email,
    )
