"""What people at the desk do with a conversation: each a transaction under its lock, with the owner checked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.agents import Agent, AgentId
from bot.core.conversations import (
    Conversation,
    ConversationEvent,
    ConversationId,
    Message,
    clean_text,
)
from bot.core.desk_records import MAX_LABELS, MAX_NOTE_CHARACTERS, DeskNote, normalise_label
from bot.core.handoffs import Stage, Step
from bot.core.shop import Shop
from bot.errors import ConversationNotFound, DeskRefused, DuplicateMessageId, NoteRefused, StepRefused
from bot.services.agent_replies import record_reply, theirs_to_answer
from bot.services.conversations import checked_text
from bot.services.dropped_turns import drop_waiting
from bot.services.handoffs import take_step
from bot.services.ids import new_id
from bot.services.line_places import tell_place
from bot.services.ports import Clock, Database, Hint, UnitOfWork
from bot.services.standings import Standing, locked_standing_of, standing_of
from bot.services.system_lines import say

# Nothing is put off for longer.
LONGEST_SNOOZE = timedelta(days=30)
BLOCKED = "Our team has closed this conversation, and nobody reads it any more. You can write to {contact}."
UNBLOCKED = "Our team reads this conversation again. You can write here as before."


async def step(
    db: Database,
    clock: Clock,
    shop: Shop,
    agent: Agent,
    conversation_id: ConversationId,
    wanted: Step,
    *,
    to: AgentId | None = None,
    topic: str | None = None,
    note: str | None = None,
) -> Standing:
    """Take, pass on, give back or close a conversation, with a note for whoever is next.

    Claiming what one has already is safe to repeat. Raises StepRefused, changing nothing, when somebody was quicker or
    the step cannot be taken; ConversationNotFound; NoteRefused.
    """
    async with db.transaction() as work:
        conversation = await locked(work, conversation_id)
        before = await standing_of(work, conversation)
        if wanted in (Step.CLAIM, Step.TAKE_OVER):
            if before.handoff is not None and before.handoff.is_helped_by(agent.id):
                return before
            # Whoever steps in takes it up wherever it stands; what was claimed and left the line meanwhile is gone.
            if wanted is Step.TAKE_OVER and before.stage in (Stage.QUEUE, Stage.CALLBACK):
                wanted = Step.CLAIM
        colleague = await work.agents.get(to) if to is not None else None
        if note:
            await _add_note(work, clock, agent, conversation, note)
        after = await take_step(work, clock, shop, conversation, wanted, by=agent, to=colleague, topic=topic)
        if wanted in (Step.TRANSFER, Step.TRANSFER_TEAM):
            await work.desk.forget_read(conversation_id)
        if wanted is Step.TRANSFER_TEAM:
            return replace(after, conversation=await tell_place(work, clock, shop, after))
        return after


async def pass_offer(db: Database, agent: Agent, conversation_id: ConversationId) -> None:
    """Let an offer go to the next one. Safe to repeat; nothing happens where it is not on offer to them."""
    async with db.transaction() as work:
        await locked(work, conversation_id)
        handoff = await work.handoffs.lock_open(conversation_id)
        if handoff is not None and handoff.offered_to == agent.id:
            passed = (*handoff.passed_by, agent.id)
            await work.handoffs.save(replace(handoff, passed_by=passed, offered_to=None, offered_until=None))
            work.hint(Hint("desk", conversation_id))


async def reply(
    db: Database, clock: Clock, agent: Agent, conversation_id: ConversationId, text: str, client_id: str
) -> Message:
    """Say something to the customer, and return it with its place.

    Safe to repeat: the same `client_id` is the same message. Raises StepRefused when the conversation is not theirs
    (any more), DuplicateMessageId (same id, other text), EmptyText, TextTooLong or ConversationNotFound.
    """
    text = checked_text(text)
    async with db.transaction() as work:
        conversation = await locked(work, conversation_id)
        if (recorded := await work.messages.by_client_id(conversation_id, client_id)) is not None:
            if recorded.agent_id != agent.id or recorded.text != text or recorded.attachment is not None:
                raise DuplicateMessageId
            return recorded
        handoff = await theirs_to_answer(work, agent, conversation)
        return await record_reply(work, clock, agent, conversation, handoff, text, client_id)


async def add_note(
    db: Database, clock: Clock, agent: Agent, conversation_id: ConversationId, text: str, client_id: str | None = None
) -> DeskNote:
    """Keep a note for the others at the desk, which no customer sees. Raises NoteRefused, or ConversationNotFound.

    Safe to repeat with a `client_id`.
    """
    async with db.transaction() as work:
        return await _add_note(work, clock, agent, await locked(work, conversation_id), text, client_id)


async def snooze(
    db: Database, clock: Clock, agent: Agent, conversation_id: ConversationId, until: datetime | None
) -> None:
    """Put off what one has, or a call-back, until then; None: no longer. Raises StepRefused, or DeskRefused."""
    if until is not None and not clock.now() < until <= clock.now() + LONGEST_SNOOZE:
        raise DeskRefused(f"Choose a moment within the next {LONGEST_SNOOZE.days} days.")
    async with db.transaction() as work:
        standing = await locked_standing_of(work, await locked(work, conversation_id))
        handoff = standing.handoff
        if handoff is None or not (handoff.is_helped_by(agent.id) or standing.stage is Stage.CALLBACK):
            raise StepRefused(standing.stage.value)
        await work.handoffs.save(replace(handoff, snoozed_until=until))
        work.hint(Hint("desk", conversation_id))


async def label(db: Database, conversation_id: ConversationId, add: Sequence[str], remove: Sequence[str]) -> list[str]:
    """Put labels on a conversation and take others off; what it has then. Safe to repeat. Raises DeskRefused."""
    adding, removing = [_label(text) for text in add], [_label(text) for text in remove]
    async with db.transaction() as work:
        await locked(work, conversation_id)
        await work.desk.label(conversation_id, adding, removing)
        labels = list(await work.desk.labels_of(conversation_id))
        if len(labels) > MAX_LABELS:
            raise DeskRefused(f"A conversation has {MAX_LABELS} labels at most.")
        work.hint(Hint("desk", conversation_id))
        return labels


async def block(
    db: Database, clock: Clock, shop: Shop, agent: Agent, conversation_id: ConversationId, *, blocked: bool
) -> None:
    """Answer nothing here any more, neither people nor the bot; or do so again. The customer is told. Safe to repeat.

    What somebody else has, only they can block. Raises StepRefused, or ConversationNotFound.
    """
    now = clock.now()
    async with db.transaction() as work:
        conversation = await locked(work, conversation_id)
        if (conversation.blocked_at is not None) is blocked:
            return
        if blocked:
            conversation = await _closed(work, clock, shop, agent, conversation)
        words = BLOCKED.format(contact=shop.contact_email) if blocked else UNBLOCKED
        conversation = await say(work, clock, conversation, words)
        await work.conversations.save(replace(conversation, blocked_at=now if blocked else None))
        kind = "blocked" if blocked else "unblocked"
        await work.conversations.add_event(ConversationEvent(conversation_id, kind, now, {"agent": agent.id}))
        work.hint(Hint("outbound", conversation_id))
        work.hint(Hint("desk", conversation_id))


async def read_up_to(db: Database, conversation_id: ConversationId, seq: int) -> None:
    """Note how far the desk has read. Never goes back, never past the end; safe to repeat."""
    async with db.transaction(durable=False) as work:
        conversation = await work.conversations.get(conversation_id)
        if conversation is None:
            raise ConversationNotFound
        if await work.desk.read(conversation_id, min(seq, conversation.last_seq)):
            work.hint(Hint("desk", conversation_id))


async def show_typing(db: Database, agent: Agent, conversation_id: ConversationId) -> None:
    """Let the customer see that an answer is being written, if it is theirs to write."""
    async with db.reading() as work:
        handoff = await work.handoffs.open_for(conversation_id)
    if handoff is not None and handoff.is_helped_by(agent.id):
        async with db.transaction(durable=False) as work:
            work.hint(Hint("agent_typing", conversation_id))


async def locked(work: UnitOfWork, conversation_id: ConversationId) -> Conversation:
    """The conversation, which nobody else changes meanwhile. Raises ConversationNotFound."""
    conversation = await work.conversations.lock(conversation_id)
    if conversation is None:
        raise ConversationNotFound
    return conversation


async def _add_note(
    work: UnitOfWork,
    clock: Clock,
    agent: Agent,
    conversation: Conversation,
    text: str,
    client_id: str | None = None,
) -> DeskNote:
    text = clean_text(text)
    if not 0 < len(text) <= MAX_NOTE_CHARACTERS:
        raise NoteRefused
    # The desk's own id of the note names it, so that it is kept once.
    note_id = client_id.replace("-", "") if client_id else new_id()
    known = [note for note in await work.desk.notes_of(conversation.id) if note.id == note_id]
    if known:
        return known[0]
    note = DeskNote(note_id, conversation.id, agent.id, text, conversation.last_seq, clock.now())
    await work.desk.add_note(note)
    work.hint(Hint("desk", conversation.id))
    return note


async def _closed(work: UnitOfWork, clock: Clock, shop: Shop, agent: Agent, conversation: Conversation) -> Conversation:
    """The conversation, which nobody works on any more."""
    stage = (await standing_of(work, conversation)).stage
    if stage in (Stage.QUEUE, Stage.AGENT, Stage.CALLBACK):
        conversation = (await take_step(work, clock, shop, conversation, Step.BLOCK, by=agent)).conversation
    return await drop_waiting(work, conversation, clock.now())


def _label(text: str) -> str:
    label = normalise_label(clean_text(text))
    if label is None:
        raise DeskRefused("A label has 1 to 40 characters, on one line.")
    return label
