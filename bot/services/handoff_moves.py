"""The effects that every step between the bot and people has, whoever takes it."""

from __future__ import annotations

from dataclasses import replace

from bot.core.conversations import ConversationEvent, Owner
from bot.core.handoffs import (
    OWNERS,
    STATES,
    Handoff,
    HandoffState,
    Stage,
    Step,
    stage_after,
)
from bot.core.held_proofs import hold_proof, let_proof_go
from bot.errors import StepRefused
from bot.services.ports import Clock, Hint, UnitOfWork
from bot.services.standings import Standing
from bot.services.system_lines import say


async def move_on(
    work: UnitOfWork,
    clock: Clock,
    before: Standing,
    step: Step,
    handoff: Handoff | None,
    *,
    words: str | None = None,
    **noted: str | None,
) -> Standing:
    """Take a step from where a locked conversation stands: its owner, the request, what is said, and what is noted.

    Who may take it is for others to have checked. Raises StepRefused where it does not begin there.
    """
    stage = stage_after(before.stage, step)
    if stage is None:
        raise StepRefused(before.stage.value)
    now = clock.now()
    resolved_at = now if stage is Stage.RESOLVED else None
    conversation = replace(before.conversation, owner=OWNERS[stage], resolved_at=resolved_at)
    if handoff is not None:
        if conversation.owner is not Owner.BOT:
            conversation, handoff = hold_proof(conversation, handoff, now)
        else:
            conversation, handoff = let_proof_go(conversation, handoff, now, is_gone=step is Step.GIVE_UP)
        handoff = replace(handoff, state=STATES[stage])
        if handoff.state is HandoffState.CLOSED:
            handoff = replace(handoff, closed_at=now, outcome=step.value)
        await (work.handoffs.save if before.handoff is not None else work.handoffs.add)(handoff)
    await work.conversations.save(conversation)
    detail = {"step": step.value, "from": before.stage.value, "to": stage.value}
    detail |= {name: value for name, value in noted.items() if value is not None}
    await work.conversations.add_event(ConversationEvent(conversation.id, "handoff_step", now, detail))
    if words:
        conversation = await say(work, clock, conversation, words)
    work.hint(Hint("outbound", conversation.id))
    work.hint(Hint("desk", conversation.id))
    return Standing(conversation, handoff if handoff is not None and handoff.is_open else None)
