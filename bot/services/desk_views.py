"""What people at the desk see: their lists, and a conversation whole. Whose data were looked at is in the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta

from bot.core.agents import Agent
from bot.core.conversations import Conversation, ConversationEvent, ConversationId, Message
from bot.core.customers import CustomerId
from bot.core.desk_records import DeskNote, Listed, ListQuery, Understood
from bot.core.shop import Shop
from bot.core.widget import Question
from bot.errors import ConversationNotFound
from bot.services.audit import actor_of, record_audit
from bot.services.customer_panel import CustomerPanel, customer_panel
from bot.services.noted_lately import NotedLately
from bot.services.ports import Clock, Database, UnitOfWork

MESSAGES_SHOWN = 200
# A conversation that stays open is read again every few seconds; that is noted again after so long.
READ_AGAIN_AFTER = timedelta(minutes=10)
# That somebody saw a customer's name in a list is noted again after so long.
NAME_AGAIN_AFTER = timedelta(hours=1)
# Who looked into which conversation, and who could be recognised there.
Look = tuple[str, str, CustomerId | None]


@dataclass(frozen=True)
class ConversationView:
    """A conversation with everything that people at the desk need to go on with it."""

    listed: Listed
    messages: Sequence[Message]
    understood: Mapping[str, Understood]
    taught: Mapping[int, str]
    notes: Sequence[DeskNote]
    events: Sequence[ConversationEvent]
    agents: Mapping[str, Agent]
    panel: CustomerPanel | None
    # What visitors are asked before the chat.
    questions: Sequence[Question]
    # The files of which only the name is left.
    deleted_files: Set[str]


async def list_conversations(db: Database, query: ListQuery) -> list[Listed]:
    """A page of a list. Whoever shows it records whose names are on it: see record_seen."""
    async with db.reading() as work:
        return list(await work.desk.page(query))


async def record_seen(
    db: Database, clock: Clock, agent: Agent, customer_ids: Sequence[CustomerId], action: str
) -> None:
    """Note that somebody has seen who these customers are."""
    if customer_ids:
        async with db.transaction() as work:
            for customer_id in customer_ids:
                await record_audit(work, clock, actor=actor_of(agent), action=action, customer_id=customer_id)


async def record_read(
    db: Database,
    clock: Clock,
    noted: NotedLately[Look],
    agent: Agent,
    conversation: Conversation,
    *,
    others: Sequence[CustomerId] = (),
) -> None:
    """Note that somebody reads a conversation, and whom else they see there, unless that was noted a while ago.

    Whoever shows it does this first. Safe to repeat.
    """
    now = clock.now()
    people = [conversation.customer_id, *others]
    due = noted.due([(agent.id, conversation.id, one) for one in people], now)
    if due:
        detail = {"conversation": conversation.id}
        async with db.transaction() as work:
            for _, _, customer_id in due:
                await record_audit(
                    work, clock, actor=actor_of(agent), action="read", customer_id=customer_id, detail=detail
                )
        noted.note(due, now)


async def view_conversation(
    db: Database,
    clock: Clock,
    shop: Shop,
    agent: Agent,
    conversation_id: ConversationId,
    *,
    before: int | None = None,
    noted: NotedLately[Look] | None = None,
) -> ConversationView:
    """A conversation, with its last messages, or those before one. Noted in the audit log before anything is shown.

    `noted` keeps a view that is asked for again and again from being noted each time. Raises ConversationNotFound.
    """
    async with db.reading() as work:
        view = await _view(work, clock, shop, conversation_id, before)
    others = [one.other.id for one in view.panel.proposals] if view.panel else []
    await record_read(db, clock, noted or NotedLately(READ_AGAIN_AFTER), agent, view.listed.conversation, others=others)
    return view


async def _view(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation_id: ConversationId, before: int | None
) -> ConversationView:
    listed = await work.desk.listed(conversation_id)
    if listed is None:
        raise ConversationNotFound
    conversation = listed.conversation
    end = min(before or conversation.last_seq + 1, conversation.last_seq + 1)
    start = max(end - 1 - MESSAGES_SHOWN, 0)
    panel = None
    if conversation.customer_id is not None:
        panel = await customer_panel(work, clock, shop, conversation.customer_id, but=conversation_id)
    return ConversationView(
        listed=listed,
        messages=await work.messages.after(conversation_id, start, end - 1 - start) if end - 1 > start else [],
        understood=await work.desk.understood(conversation_id),
        taught=await work.desk.marks_of(conversation_id),
        notes=await work.desk.notes_of(conversation_id),
        events=await work.conversations.events(conversation_id),
        agents={agent.id: agent for agent in await work.agents.all()},
        panel=panel,
        questions=shop.widget.questions,
        deleted_files=await work.desk.deleted_files(conversation_id),
    )
