"""Turns: the bot's answer to one message, all of it or nothing.

A worker claims a conversation (a lease that runs out if the worker dies), works on its oldest waiting message, and
commits tracker events, replies and effects together. What fails is tried again, and in the end given to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.conversations import (
    Author,
    Conversation,
    ConversationEvent,
    Message,
    MessageId,
    Owner,
    Reply,
    TurnState,
)
from bot.core.handoffs import HandoffReason, Stage
from bot.core.shop import Shop
from bot.core.turns import LEASE, MAX_ATTEMPTS, is_exhausted, retry_delay
from bot.errors import LeaseLost
from bot.services.dropped_turns import drop_waiting
from bot.services.handoff_words import HOW_TO_REACH
from bot.services.handoffs import request_handoff
from bot.services.ids import new_id
from bot.services.line_places import what_comes_next
from bot.services.ports import Clock, Database, Hint, UnitOfWork
from bot.services.standings import Standing

SORRY = "I'm sorry, something went wrong on my side and I could not answer that."
APOLOGY = (
    f"{SORRY} I have passed this conversation on to our team. "
    "You can also write to {contact}; they answer {reply_time}."
)


@dataclass(frozen=True)
class Turn:
    """A message that a worker may work on while it holds the conversation's lease."""

    conversation: Conversation
    message: Message
    holder: str

    @property
    def is_exhausted(self) -> bool:
        """Whether it was tried too often already (counting the tries that died)."""
        return is_exhausted(self.message.attempts)


async def claim_turn(db: Database, clock: Clock, holder: str) -> Turn | None:
    """Lease the conversation that has waited longest, and its oldest waiting message; None when nothing is due."""
    while True:
        now = clock.now()
        # A power cut may undo a claim, and then there is nobody left who holds it.
        async with db.transaction(durable=False) as work:
            conversation = await work.conversations.claim_due(holder=holder, now=now, until=now + LEASE)
            if conversation is None:
                return None
            if conversation.owner is Owner.BOT:
                # Counted before trying: a message that kills its worker is counted too.
                message = await work.messages.count_try(conversation.id, MAX_ATTEMPTS + 1)
                if message is not None:
                    work.hint(Hint("typing", conversation.id))
                    return Turn(conversation, message, holder)
            await drop_waiting(work, conversation, now)


async def begin_turn(work: UnitOfWork, clock: Clock, turn: Turn) -> Conversation | None:
    """Lock the conversation and make sure that the bot may still answer.

    None when a person took over meanwhile: the turn is dropped, and the drop is recorded. Raises LeaseLost when
    somebody else holds the conversation.
    """
    now = clock.now()
    conversation = await work.conversations.lock(turn.conversation.id)
    if conversation is None or conversation.lease_holder != turn.holder:
        raise LeaseLost
    if conversation.owner is not Owner.BOT or conversation.blocked_at is not None:
        # A late bot reply must not talk over a person.
        await drop_waiting(work, conversation, now)
        return None
    return conversation


async def finish_turn(
    work: UnitOfWork, clock: Clock, shop: Shop, turn: Turn, replies: Sequence[Reply], conversation: Conversation
) -> None:
    """Record the replies, mark the message handled and give the conversation back, in the turn's own transaction.

    Raises LeaseLost when the message was answered meanwhile; the caller's transaction must not be committed then.
    """
    await _settle(work, turn, TurnState.HANDLED)
    conversation = await _say_all(work, clock, shop, turn.message, replies, conversation)
    await _hand_back(work, clock, conversation)


async def fail_turn(db: Database, clock: Clock, turn: Turn, error: BaseException) -> None:
    """Note that a try failed, and set the next one. Does nothing if the lease is lost: the next holder sees to it."""
    now = clock.now()
    async with db.transaction() as work:
        conversation = await work.conversations.lock(turn.conversation.id)
        if conversation is None or conversation.lease_holder != turn.holder:
            return
        attempts = turn.message.attempts + 1
        await work.conversations.add_event(
            ConversationEvent(
                conversation.id,
                "turn_failed",
                now,
                {"seq": turn.message.seq, "attempt": attempts, "error": type(error).__name__},
            )
        )
        # The last try is followed by the apology at once; an apology that fails is no reason to spin.
        is_last = is_exhausted(attempts) and not turn.is_exhausted
        due = now if is_last else now + retry_delay(min(attempts, MAX_ATTEMPTS))
        await work.conversations.save(replace(conversation, next_turn_at=due, lease_holder=None, lease_expires_at=None))
        work.hint(Hint("inbound", conversation.id))


async def give_up_turn(db: Database, clock: Clock, shop: Shop, turn: Turn) -> None:
    """Apologise, ask for a person, and go on with what was written after. Raises LeaseLost like begin_turn."""
    async with db.transaction() as work:
        conversation = await begin_turn(work, clock, turn)
        if conversation is None:
            return
        standing = await request_handoff(work, clock, shop, conversation, HandoffReason.TURN_FAILED)
        conversation = standing.conversation
        next_step = await what_comes_next(work, clock, shop, standing)
        apology = Reply(APOLOGY.format(reply_time=shop.reply_time, contact=shop.contact_email))
        if next_step is not None:
            how = HOW_TO_REACH if _is_asked_for(standing) else ""
            apology = replace(next_step, text=f"{SORRY} {next_step.text} {how}".rstrip())
        await _settle(work, turn, TurnState.FAILED)
        conversation = await _say_all(work, clock, shop, turn.message, [apology], conversation)
        await _hand_back(work, clock, conversation)


def _is_asked_for(standing: Standing) -> bool:
    """Whether somebody is to be called back of whom nobody knows how."""
    return standing.stage is Stage.CALLBACK and standing.handoff is not None and standing.handoff.contact is None


async def renew_leases(db: Database, clock: Clock, holder: str) -> int:
    """Keep the leases a worker holds. Those that ran out stay lost."""
    now = clock.now()
    async with db.transaction(durable=False) as work:
        return await work.conversations.renew_leases(holder, now, now + LEASE)


async def release_worker(db: Database, worker_id: str) -> int:
    """Give back everything a dead or stopped worker held, so that the next one need not wait; the number of leases."""
    async with db.transaction() as work:
        await work.workers.remove(worker_id)
        released = await work.conversations.release_leases(worker_id)
        if released:
            work.hint(Hint("inbound"))
        return released


async def _settle(work: UnitOfWork, turn: Turn, state: TurnState) -> None:
    # A worker that was slow may have lost its lease and claimed the conversation anew: only one of the two may answer.
    if not await work.messages.settle(turn.message.id, state):
        raise LeaseLost


async def _say_all(
    work: UnitOfWork, clock: Clock, shop: Shop, answered: Message, replies: Sequence[Reply], conversation: Conversation
) -> Conversation:
    messages = [
        Message(
            id=MessageId(new_id()),
            conversation_id=conversation.id,
            seq=seq,
            author=Author.BOT,
            author_name=shop.assistant_name,
            text=reply.text,
            choices=reply.choices,
            image=reply.image,
            cards=reply.cards,
            reply_to_seq=answered.seq,
            at=clock.now(),
        )
        for seq, reply in enumerate(replies, conversation.last_seq + 1)
    ]
    await work.messages.add(*messages, channel=conversation.channel)
    return replace(conversation, last_seq=conversation.last_seq + len(messages))


async def _hand_back(work: UnitOfWork, clock: Clock, conversation: Conversation) -> None:
    if await work.conversations.hand_back(conversation, clock.now()):
        work.hint(Hint("inbound", conversation.id))
    work.hint(Hint("outbound", conversation.id))
