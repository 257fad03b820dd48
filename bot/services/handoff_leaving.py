"""What customers do while people have a conversation: write again, log out, stop, be forgotten, prove who they are."""

from __future__ import annotations

from dataclasses import replace

from bot.core.conversations import Conversation, Owner
from bot.core.handoffs import (
    Stage,
    Step,
    stage_after,
)
from bot.core.held_proofs import hold_proof
from bot.services.handoff_moves import move_on
from bot.services.ports import Clock, UnitOfWork
from bot.services.standings import locked_standing_of


async def write_again(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """The customer writes in a locked conversation: one that a person had dealt with is the bot's again."""
    if conversation.resolved_at is None:
        return conversation
    return (
        await move_on(work, clock, await locked_standing_of(work, conversation), Step.WRITE_AGAIN, None)
    ).conversation


async def leave_by_logging_out(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """The customer logs out of a locked conversation: nobody is to come any more, and whoever was there may go.

    A call-back stays to be made. Go on with the conversation that is returned.
    """
    return await _leave(work, clock, conversation, Step.LOG_OUT)


async def leave_by_stopping(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """The customer of a locked conversation hears nothing there any more: they leave the line; a person is told so.

    A call-back stays to be made. Go on with the conversation that is returned.
    """
    return await _leave(work, clock, conversation, Step.STOP)


async def leave_by_erasure(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """The customer of a locked conversation is erased: nobody is to come or to call. Go on with what is returned."""
    return await _leave(work, clock, conversation, Step.ERASE)


async def _leave(work: UnitOfWork, clock: Clock, conversation: Conversation, step: Step) -> Conversation:
    """The step, where it can be taken: without a word, for nobody is there who would read it."""
    before = await locked_standing_of(work, conversation)
    if before.handoff is None or stage_after(before.stage, step) is None:
        return conversation
    handoff = replace(before.handoff, offered_to=None, offered_until=None, snoozed_until=None)
    had = handoff.agent_id if before.stage is Stage.AGENT else None
    after = await move_on(work, clock, before, step, handoff, from_agent=had)
    if had is not None and after.stage is not Stage.AGENT:
        await work.agents.set_free(had, clock.now())
    return after.conversation


async def keep_proof_of(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """Keep a proof that was just given in a locked conversation for as long as people speak there; it is not saved."""
    if conversation.owner is Owner.BOT:
        return conversation
    handoff = await work.handoffs.lock_open(conversation.id)
    if handoff is None:
        return conversation
    conversation, kept = hold_proof(conversation, replace(handoff, proof_until=None), clock.now())
    await work.handoffs.save(kept)
    return conversation
