"""Opening conversations and recording what customers write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.channels import WEB
from bot.core.conversations import (
    MAX_TEXT_CHARACTERS,
    Author,
    Conversation,
    ConversationEvent,
    ConversationId,
    InboundMessage,
    Message,
    MessageId,
    Owner,
    TurnState,
    clean_text,
)
from bot.core.customers import ChannelIdentity, Customer, CustomerId, IdentityId, normalise_email
from bot.core.handoffs import Step
from bot.core.held_proofs import prolonged
from bot.core.shop import Shop
from bot.errors import ConversationNotFound, DuplicateMessageId, EmptyText, SignedOut, TextTooLong, UnknownChoice
from bot.services.bot_lines import say_at_once
from bot.services.customers import add_customer
from bot.services.handoff_leaving import keep_proof_of, write_again
from bot.services.handoff_surveys import is_score_choice
from bot.services.handoffs import take_step
from bot.services.ids import new_id
from bot.services.line_choices import is_line_choice, take_line_choice
from bot.services.ports import Clock, Database, Hint, UnitOfWork
from bot.services.sign_out import log_out_at_once, says_log_out

# As many of a conversation's messages wait for the bot, each for its own answer.
WAITING_AT_MOST = 20
FLOOD = (
    f"That was a lot at once. I answer your first {WAITING_AT_MOST} messages, one after the other. What you write "
    "until then is kept, but not answered: please write it once more when I am done."
)


@dataclass(frozen=True)
class ProvenIdentity:
    """A customer that the shop vouches for, until a moment."""

    external_id: str
    email: str | None
    name: str
    expires_at: datetime


async def open_channel_conversation(db: Database, clock: Clock, *, channel: str, external_id: str) -> Conversation:
    """The conversation of one account on one channel; begun if there is none. Safe to repeat, and at the same time."""
    async with db.reading() as work:
        found = await current_conversation(work, channel, external_id)
    if found is not None:
        return found
    async with db.transaction() as work:
        return await channel_conversation(work, clock, channel=channel, external_id=external_id)


async def channel_conversation(work: UnitOfWork, clock: Clock, *, channel: str, external_id: str) -> Conversation:
    """The same, in the middle of something else."""
    identity = await _identity(work, clock, channel, external_id)
    latest = await work.conversations.latest_of_identity(identity.id)
    if latest is not None and latest.signed_out_at is None:
        return latest
    return await _begin(work, clock, identity, after=latest)


async def open_web_conversation(
    db: Database,
    clock: Clock,
    *,
    conversation_id: ConversationId | None,
    identity: ProvenIdentity | None,
    before_beginning: Callable[[], None] | None = None,
    language: str | None = None,
) -> tuple[Conversation, Customer | None]:
    """The conversation a website visitor may see, and the customer they have proven to be.

    `conversation_id` comes from a checked visitor token. A conversation that belongs to a customer opens only while
    that customer's proof holds: a token left on a shared computer shows nobody's history. Otherwise a new one begins,
    unless `before_beginning` raises. `language` is the one in which they read the chat, if that is known.
    """
    now = clock.now()
    async with db.transaction() as work:
        conversation = await work.conversations.lock(conversation_id) if conversation_id else None
        customer = await _proven_customer(work, clock, identity) if identity else None
        if conversation is not None and not _may_open(conversation, customer, now):
            conversation = None
        if conversation is None:
            if before_beginning is not None:
                before_beginning()
            conversation = await _begin(work, clock, await _identity(work, clock, WEB, new_id()))
        conversation = await note_language(work, conversation, language)
        if customer is not None and identity is not None:
            conversation = replace(conversation, customer_id=customer.id, verified_until=identity.expires_at)
            conversation = await keep_proof_of(work, clock, conversation)
            await work.conversations.save(conversation)
        elif (known := conversation.verified_customer(now)) is not None:
            customer = await work.customers.get(known)
        return conversation, customer


async def note_language(work: UnitOfWork, conversation: Conversation, language: str | None) -> Conversation:
    """Note which language a customer reads, in a locked conversation; None leaves it as it is known. Safe to repeat."""
    if language is None or language == conversation.language:
        return conversation
    conversation = replace(conversation, language=language)
    await work.conversations.save(conversation)
    return conversation


async def visible_conversation(db: Database, clock: Clock, conversation_id: ConversationId) -> Conversation | None:
    """A visitor's own conversation while they may see it; None otherwise, as in open_web_conversation."""
    async with db.reading() as work:
        conversation = await work.conversations.get(conversation_id)
    return conversation if conversation and _may_open(conversation, None, clock.now()) else None


def _may_open(conversation: Conversation, customer: Customer | None, now: datetime) -> bool:
    if conversation.channel != WEB or conversation.signed_out_at is not None:
        return False
    if customer is not None and conversation.customer_id is not None:
        return conversation.customer_id == customer.id
    return conversation.is_open_to_visitor(now)


async def receive_message(
    db: Database,
    clock: Clock,
    conversation_id: ConversationId,
    inbound: InboundMessage,
    shop: Shop | None = None,
    *,
    is_visitor: bool = False,
) -> Message:
    """Record a customer's message and return it with its place in the conversation.

    With the `shop`, what somebody chooses who waits for a person is done at once; without, it is only recorded.
    Safe to repeat: the same external id with the same content returns the recorded message. Raises EmptyText,
    TextTooLong, UnknownChoice, DuplicateMessageId (same id, other content) or ConversationNotFound, recording nothing;
    and SignedOut, of a visitor on the website, who could not see the answer.
    """
    async with db.transaction() as work:
        conversation = await work.conversations.lock(conversation_id)
        if conversation is None:
            raise ConversationNotFound
        if is_visitor and not conversation.is_open_to_visitor(clock.now()):
            raise SignedOut
        if inbound.payload is None:
            inbound = replace(inbound, text=checked_text(inbound.text))
        # Before the choice is looked for: when a message is sent again, its offer may have changed or scrolled away.
        recorded = await work.messages.by_external_id(conversation.channel, inbound.external_id)
        if recorded is not None:
            if recorded.conversation_id != conversation_id or not inbound.same_content(recorded):
                raise DuplicateMessageId
            return recorded
        if inbound.payload is not None:
            choice = await work.messages.offered_choice(conversation_id, inbound.payload)
            if choice is None:
                raise UnknownChoice
            inbound = replace(inbound, text=choice.title)
        return await record_inbound(work, clock, conversation, inbound, shop=shop)


def checked_text(text: str) -> str:
    """The text as it is kept. Raises EmptyText or TextTooLong."""
    text = clean_text(text)
    if not text:
        raise EmptyText
    if len(text) > MAX_TEXT_CHARACTERS:
        raise TextTooLong
    return text


async def record_inbound(
    work: UnitOfWork,
    clock: Clock,
    conversation: Conversation,
    inbound: InboundMessage,
    *,
    for_bot: bool = True,
    shop: Shop | None = None,
) -> Message:
    """Record a message that was checked, in a conversation that is locked, and wake whom it is for.

    One that is not `for_bot` is kept, and has no turn. So are those of a flood, of which the customer is told once:
    while more than a few wait for the bot, what comes on top is not answered. A choice of those who wait for a person
    is done, if the `shop` is given. Whoever wants to be logged out is, at once, also where the bot is not asked.
    """
    now, chosen = clock.now(), inbound.payload if is_line_choice(inbound.payload) else None
    # Nobody answers where somebody at the desk said so.
    blocked = conversation.blocked_at is not None
    if not is_score_choice(inbound.payload) and not blocked:
        conversation = await write_again(work, clock, conversation)
    for_bot = for_bot and chosen is None and conversation.owner is Owner.BOT and not blocked
    waiting = await work.messages.waiting(conversation.id, WAITING_AT_MOST) if conversation.next_turn_at else []
    is_flood = for_bot and bool(waiting) and await _is_flood(work, conversation, waiting)
    for_bot = for_bot and not is_flood
    message = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        seq=conversation.last_seq + 1,
        author=Author.CUSTOMER,
        text=inbound.text,
        at=now,
        payload=inbound.payload,
        external_id=inbound.external_id,
        attachment=inbound.attachment,
        turn_state=TurnState.PENDING if for_bot else TurnState.NOT_FOR_BOT,
    )
    await work.messages.add(message, channel=conversation.channel)
    next_turn_at = (conversation.next_turn_at or now) if for_bot else conversation.next_turn_at
    conversation = prolonged(replace(conversation, last_seq=message.seq, next_turn_at=next_turn_at), now)
    await work.conversations.save(conversation)
    if for_bot:
        work.hint(Hint("inbound", conversation.id))
    work.hint(Hint("echo", conversation.id))
    if conversation.owner is not Owner.BOT:
        await work.handoffs.hear(conversation.id, now)
        work.hint(Hint("desk", conversation.id))
    if chosen is not None and shop is not None and not blocked:
        await take_line_choice(work, clock, shop, conversation, chosen)
        await work.messages.answer_with_later(conversation.id, message.seq)
    elif not for_bot and says_log_out(inbound):
        await log_out_at_once(work, clock, message)
    elif is_flood and not await work.messages.was_said(conversation.id, FLOOD, waiting[0]):
        # What was being asked is open still, and the newest choices are those that count.
        choices = await work.messages.last_offer(conversation.id)
        await say_at_once(work, clock, conversation, FLOOD, answering=message, choices=choices)
    return message


async def _is_flood(work: UnitOfWork, conversation: Conversation, waiting: list[int]) -> bool:
    """Whether too many wait, or did a moment ago: then all of them are answered first."""
    return len(waiting) >= WAITING_AT_MOST or await work.messages.was_said(conversation.id, FLOOD, waiting[0])


async def mark_read(db: Database, conversation_id: ConversationId, seq: int) -> None:
    """Note how far the customer has read. Never goes back, never past the end; safe to repeat."""
    async with db.transaction(durable=False) as work:
        conversation = await work.conversations.lock(conversation_id)
        if conversation is not None and conversation.read_seq < min(seq, conversation.last_seq):
            await work.conversations.save(replace(conversation, read_seq=min(seq, conversation.last_seq)))
            if conversation.owner is Owner.AGENT:
                work.hint(Hint("read", conversation_id))


async def end_conversation(db: Database, clock: Clock, shop: Shop, conversation_id: ConversationId) -> None:
    """The customer ends the chat: they leave the line, or the person. What they asked the bot is still answered."""
    async with db.transaction() as work:
        conversation = await work.conversations.lock(conversation_id)
        if conversation is None:
            return
        await work.conversations.add_event(ConversationEvent(conversation_id, "ended_by_customer", clock.now()))
        step = {Owner.QUEUE: Step.CANCEL, Owner.AGENT: Step.END}.get(conversation.owner)
        if step is not None:
            await take_step(work, clock, shop, conversation, step, by=None)


async def current_conversation(work: UnitOfWork, channel: str, external_id: str) -> Conversation | None:
    """The conversation of an account; None for one that has begun none, or has logged out of it."""
    identity = await work.customers.identity(channel, external_id)
    latest = await work.conversations.latest_of_identity(identity.id) if identity else None
    return latest if latest is not None and latest.signed_out_at is None else None


async def _identity(work: UnitOfWork, clock: Clock, channel: str, external_id: str) -> ChannelIdentity:
    identity = ChannelIdentity(IdentityId(new_id()), channel, external_id, None, clock.now())
    if await work.customers.add_identity(identity):
        return identity
    # Known before, or since a moment ago: the same account may knock twice at once.
    return await work.customers.identity(channel, external_id) or identity


async def _begin(
    work: UnitOfWork, clock: Clock, identity: ChannelIdentity, *, after: Conversation | None = None
) -> Conversation:
    now = clock.now()
    conversation = Conversation(
        id=ConversationId(new_id()),
        channel=identity.channel,
        identity_id=identity.id,
        owner=Owner.BOT,
        last_seq=0,
        # Later than the one before, even within one moment of a coarse clock: the latest is the one that counts.
        created_at=max(now, after.created_at + timedelta(microseconds=1)) if after else now,
    )
    await work.conversations.add(conversation)
    return conversation


async def _proven_customer(work: UnitOfWork, clock: Clock, identity: ProvenIdentity) -> Customer | None:
    """Who the shop vouches for, made known if need be. Nobody who was erased: what they wanted forgotten stays so."""
    customer = await work.customers.by_external_id(identity.external_id)
    if customer is None:
        email = normalise_email(identity.email) if identity.email else None
        customer = Customer(CustomerId(new_id()), identity.external_id, identity.name, email, clock.now())
        if not await add_customer(work, clock, customer):
            # Another tab was a moment earlier.
            customer = await work.customers.by_external_id(identity.external_id) or customer
    return customer if customer.erased_at is None else None
