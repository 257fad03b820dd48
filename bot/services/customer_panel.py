"""What stands beside a conversation at the desk: who the customer is, and what there was between them and the shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.conversations import ConversationId
from bot.core.customers import Customer, CustomerId, Note, Tag
from bot.core.desk_records import Listed
from bot.core.feedback import Feedback
from bot.core.ledger import Balance
from bot.core.lifecycle import Stage
from bot.core.merges import Merge, MergeState
from bot.core.orders import Order
from bot.core.shop import Shop
from bot.core.tiers import TierStanding
from bot.core.timeline import TimelineEntry
from bot.core.vouchers import Voucher
from bot.services.customers import stage_of
from bot.services.earning import tier_of
from bot.services.ledger import balance_of
from bot.services.persons import customer_of
from bot.services.ports import Clock, UnitOfWork
from bot.services.punch_cards import CardStanding, cards_of
from bot.services.timeline import timeline_of
from bot.services.vouchers import vouchers_of

ORDERS_SHOWN, FEEDBACK_SHOWN, CONVERSATIONS_SHOWN, TIMELINE_SHOWN = 20, 20, 20, 30


@dataclass(frozen=True)
class MergeProposal:
    """Somebody who may be the same person."""

    merge: Merge
    other: Customer


@dataclass(frozen=True)
class CustomerPanel:
    """Everything that somebody at the desk may need to know about a customer; newest first, each list cut."""

    customer: Customer
    stage: Stage
    tags: Sequence[Tag]
    orders: Sequence[Order]
    balance: Balance
    tier: TierStanding | None
    cards: Sequence[CardStanding]
    vouchers: Sequence[Voucher]
    feedback: Sequence[Feedback]
    conversations: Sequence[Listed]
    notes: Sequence[Note]
    timeline: Sequence[TimelineEntry]
    proposals: Sequence[MergeProposal]


async def customer_panel(
    work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId, *, but: ConversationId | None = None
) -> CustomerPanel:
    """The panel of a customer, or of whom they turned out to be; without the conversation that it stands beside.

    Whoever shows it records that. Raises CustomerNotFound.
    """
    customer = await customer_of(work, customer_id)
    ids = await work.merges.same_person(customer.id)
    conversations = await work.desk.conversations_of(ids, CONVERSATIONS_SHOWN + 1)
    return CustomerPanel(
        customer=customer,
        stage=await stage_of(work, clock, shop, customer.id),
        tags=await work.notes.tags_of(customer.id),
        orders=await work.orders.of_customer(customer.id, ORDERS_SHOWN),
        balance=await balance_of(work, clock, customer.id),
        tier=await tier_of(work, clock, shop, customer.id) if shop.loyalty else None,
        cards=await cards_of(work, shop, customer.id) if shop.loyalty else [],
        vouchers=await vouchers_of(work, clock, customer.id),
        feedback=(await work.feedback.of_customer(customer.id))[:FEEDBACK_SHOWN],
        conversations=[one for one in conversations if one.conversation.id != but][:CONVERSATIONS_SHOWN],
        notes=await work.notes.of_customer(customer.id),
        timeline=await timeline_of(work, customer.id, limit=TIMELINE_SHOWN),
        proposals=await _proposals(work, customer.id, ids),
    )


async def _proposals(work: UnitOfWork, customer_id: CustomerId, ids: Sequence[CustomerId]) -> list[MergeProposal]:
    found = []
    for merge in await work.merges.of_customers(ids):
        if merge.state is MergeState.PROPOSED:
            other = await work.customers.get(merge.merged_id if merge.kept_id in ids else merge.kept_id)
            if other is not None and other.id != customer_id:
                found.append(MergeProposal(merge, other))
    return found
