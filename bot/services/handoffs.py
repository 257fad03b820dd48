"""Between the bot and people: every step from one to the other, taken under the conversation's lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.agents import Agent
from bot.core.conversations import Author, Conversation, ConversationEvent, Message, MessageId, clean_text
from bot.core.handoffs import (
    OWNERS,
    STATES,
    Handoff,
    HandoffId,
    HandoffReason,
    HandoffState,
    Stage,
    Step,
    stage_after,
    stage_of,
)
from bot.core.shop import Shop
from bot.core.waiting_line import expected_wait, position_of
from bot.errors import StepRefused
from bot.services.handoff_words import reason_in_words, words_for
from bot.services.ids import new_id
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, Hint, UnitOfWork
from bot.services.transcripts import conversation_lines

# The pace of the line is judged by the claims of so long.
PACE_WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Standing:
    """Where a conversation stands: locked, so that nothing of it changes meanwhile."""

    conversation: Conversation
    handoff: Handoff | None

    @property
    def stage(self) -> Stage:
        """Which of the stages."""
        return stage_of(self.conversation.owner, self.handoff, self.conversation.resolved_at)


@dataclass(frozen=True)
class Place:
    """A place in the line, and how long it will take, if the pace of the line tells."""

    position: int
    expected: timedelta | None
    anybody_there: bool


async def standing_of(work: UnitOfWork, conversation: Conversation) -> Standing:
    """Where a locked conversation stands."""
    return Standing(conversation, await work.handoffs.open_for(conversation.id))


async def request_handoff(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    reason: HandoffReason,
    *,
    topic: str | None = None,
    language: str | None = None,
    priority: int = 0,
    summary: dict[str, str] | None = None,
) -> Standing:
    """Ask for a person: the conversation joins the line, or is noted for a call-back while nobody can be reached.

    Safe to repeat: whoever waits already keeps their place. The conversation must be locked; go on with the one that is
    returned.
    """
    now = clock.now()
    before = await standing_of(work, conversation)
    reachable = await people_can_be_reached(work, shop, now)
    if before.stage in (Stage.QUEUE, Stage.AGENT) or (before.stage is Stage.CALLBACK and not reachable):
        return before
    last = before.handoff or await work.handoffs.latest_of(conversation.id)
    handoff = before.handoff or Handoff(HandoffId(new_id()), conversation.id, reason, now)
    wanted = last.agent_id if last and last.closed_at and now - last.closed_at < shop.desk.same_agent_within else None
    handoff = replace(
        handoff,
        topic=topic or handoff.topic,
        language=language or handoff.language,
        priority=max(priority, handoff.priority),
        summary={**handoff.summary, **(summary or {})},
        waiting_since=now,
        wanted_agent_id=wanted,
        wanted_until=now + shop.desk.offer_time if wanted else None,
        due_at=None if reachable else _due(shop, now),
    )
    if before.stage is Stage.RESOLVED:
        before = await _move(work, clock, shop, before, Step.WRITE_AGAIN, by=None)
    after = await _move(
        work, clock, shop, before, Step.ASK if reachable else Step.ASK_CLOSED, by=None, handoff=handoff, reason=reason
    )
    if not reachable:
        await _mail_the_shop(work, clock, shop, after)
    return after


async def take_step(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    step: Step,
    *,
    by: Agent | None,
    to: Agent | None = None,
    topic: str | None = None,
) -> Standing:
    """Take a step, if it can be taken now. `by` is who takes it at the desk, or None: the customer, or time itself.

    Raises StepRefused, changing nothing, where the conversation does not stand where the step begins, or somebody else
    has it. The conversation must be locked.
    """
    now = clock.now()
    before = await standing_of(work, conversation)
    handoff = before.handoff
    if by is not None and before.stage is Stage.AGENT and handoff is not None and handoff.agent_id != by.id:
        raise StepRefused(before.stage.value)
    match step:
        case Step.CLAIM if handoff is not None and by is not None:
            handoff = replace(
                handoff, agent_id=by.id, claimed_at=now, offered_to=None, offered_until=None, passed_by=(), due_at=None
            )
        case Step.TAKE_OVER if by is not None:
            handoff = handoff or Handoff(HandoffId(new_id()), conversation.id, HandoffReason.TAKEN_OVER, now)
            handoff = replace(handoff, agent_id=by.id, claimed_at=now, waiting_since=now)
        case Step.TRANSFER if handoff is not None and to is not None:
            handoff = replace(handoff, agent_id=to.id, claimed_at=now)
        case Step.TRANSFER_TEAM if handoff is not None:
            handoff = replace(handoff, agent_id=None, waiting_since=now, topic=topic, passed_by=())
        case Step.VANISH if handoff is not None:
            # Back to the front: their place is the one they had.
            handoff = replace(handoff, wanted_agent_id=None, agent_id=None, asked_at=now)
        case Step.NOBODY_CAME | Step.LEAVE_MESSAGE if handoff is not None:
            handoff = replace(handoff, offered_to=None, offered_until=None, due_at=_due(shop, now))
        case Step.CANCEL | Step.RETURN | Step.RESOLVE | Step.GIVE_UP | Step.CALLED if handoff is not None:
            handoff = replace(handoff, offered_to=None, offered_until=None)
        case Step.WRITE_AGAIN:
            pass
        case _:
            raise StepRefused(before.stage.value)
    after = await _move(work, clock, shop, before, step, by=by, to=to, handoff=handoff)
    if step in (Step.NOBODY_CAME, Step.LEAVE_MESSAGE):
        await _mail_the_shop(work, clock, shop, after)
    return after


async def people_can_be_reached(work: UnitOfWork, shop: Shop, now: datetime) -> bool:
    """Whether somebody may come: the shop has people at a desk, and it is open. Open is not the same as being there."""
    return shop.desk.is_open(shop.hours, now) and any(one.disabled_at is None for one in await work.agents.all())


async def place_of(work: UnitOfWork, clock: Clock, handoff: Handoff) -> Place | None:
    """The place in the line; None for somebody who does not wait."""
    now = clock.now()
    position = position_of(handoff, await work.handoffs.in_state(HandoffState.WAITING))
    if position is None:
        return None
    claims = await work.handoffs.claims_since(now - PACE_WINDOW)
    there = any(agent.is_there(now) for agent in await work.agents.all())
    return Place(position, expected_wait(position, claims, now, PACE_WINDOW), there)


async def say(work: UnitOfWork, clock: Clock, conversation: Conversation, text: str, **more: object) -> Conversation:
    """A line of the system's, for everybody who sees the conversation. Go on with the one that is returned."""
    message = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        seq=conversation.last_seq + 1,
        author=Author.SYSTEM,
        text=clean_text(text),
        at=clock.now(),
        **more,  # type: ignore[arg-type]
    )
    await work.messages.add(message, channel=conversation.channel)
    conversation = replace(conversation, last_seq=message.seq)
    await work.conversations.save(conversation)
    return conversation


async def _move(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    before: Standing,
    step: Step,
    *,
    by: Agent | None,
    to: Agent | None = None,
    handoff: Handoff | None = None,
    reason: HandoffReason | None = None,
) -> Standing:
    """The step's effects, the same for all of them: owner, request, what is said, and what is noted."""
    stage = stage_after(before.stage, step)
    if stage is None:
        raise StepRefused(before.stage.value)
    now = clock.now()
    if handoff is not None:
        state = STATES[stage]
        closed = {"closed_at": now, "outcome": step.value} if state is HandoffState.CLOSED else {}
        handoff = replace(handoff, state=state, **closed)  # type: ignore[arg-type]
        await (work.handoffs.save if before.handoff is not None else work.handoffs.add)(handoff)
    conversation = replace(
        before.conversation, owner=OWNERS[stage], resolved_at=now if stage is Stage.RESOLVED else None
    )
    await work.conversations.save(conversation)
    detail = {"step": step.value, "from": before.stage.value, "to": stage.value}
    detail |= {"agent": by.id} if by else {}
    detail |= {"to_agent": to.id} if to else {}
    detail |= {"reason": reason.value} if reason else {}
    await work.conversations.add_event(ConversationEvent(conversation.id, "handoff_step", now, detail))
    words = words_for(step, shop, by=by, to=to)
    if words:
        conversation = await say(work, clock, conversation, words)
    work.hint(Hint("outbound", conversation.id))
    work.hint(Hint("desk", conversation.id))
    return Standing(conversation, handoff if handoff is not None and handoff.is_open else None)


def _due(shop: Shop, now: datetime) -> datetime:
    """By when somebody should have been called back: so long after the shop opens next, or from now."""
    opens = now if shop.hours.is_open(now) else shop.hours.next_opening(now) or now
    return opens + shop.desk.call_back_within


async def _mail_the_shop(work: UnitOfWork, clock: Clock, shop: Shop, standing: Standing) -> None:
    handoff, conversation = standing.handoff, standing.conversation
    if handoff is None:
        return
    customer_id = conversation.verified_customer(clock.now())
    customer = await work.customers.get(customer_id) if customer_id else None
    await queue_mail(
        work,
        clock,
        key=f"handoff:{handoff.id}",
        to=shop.contact_email,
        subject=f"[{shop.name}] {customer.name if customer else 'A visitor'} is waiting for a person",
        body="\n".join([reason_in_words(handoff.reason), "", *await conversation_lines(work, conversation, customer)]),
        reply_to=customer.email if customer else None,
    )
