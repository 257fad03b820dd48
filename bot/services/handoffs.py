"""Between the bot and people: every step from one to the other, taken under the conversation's lock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import Enum

from bot.core.agents import Agent
from bot.core.conversations import Conversation, Message, Owner
from bot.core.handoffs import (
    Handoff,
    HandoffId,
    HandoffReason,
    Stage,
    Step,
)
from bot.core.shop import Shop
from bot.services.call_backs import SAME_REQUEST, known_contact, mail_the_shop
from bot.services.dropped_turns import drop_waiting
from bot.services.handoff_effects import check_step, request_after
from bot.services.handoff_moves import move_on
from bot.services.handoff_summary import summary_of
from bot.services.handoff_surveys import ask_how_it_was
from bot.services.handoff_words import People, words_for
from bot.services.ids import new_id
from bot.services.left_unanswered import leave_to_bot, left_unanswered
from bot.services.ports import Clock, Hint, UnitOfWork
from bot.services.standings import Standing, locked_standing_of

_TO_CALL_BACK = (Step.NOBODY_CAME, Step.LEAVE_MESSAGE)
_PERSON_IS_DONE = (Step.RETURN, Step.RESOLVE, Step.END)


class Reach(str, Enum):
    """Whether people can be reached. Open is not the same as being there."""

    NO_DESK = "no_desk"  # nobody works at a desk: the shop is told by mail
    CLOSED = "closed"
    OPEN = "open"


async def reach_of(work: UnitOfWork, shop: Shop, now: datetime) -> Reach:
    """Whether people can be reached at that moment."""
    if all(agent.disabled_at is not None for agent in await work.agents.all()):
        return Reach.NO_DESK
    return Reach.OPEN if shop.desk.is_open(shop.hours, now) else Reach.CLOSED


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
    contact: str | None = None,
    call_back: bool = False,
) -> Standing:
    """Ask for a person: the conversation joins the line, or is noted for a call-back while nobody can be reached.

    With `call_back` it is noted even while people can be; whoever asks for that tells the shop by mail. Safe to repeat:
    whoever waits already keeps their place, and a call-back that is noted already learns what is new. The conversation
    must be locked; go on with the one that is returned. Nobody is called into one that was blocked.
    """
    now = clock.now()
    before = await locked_standing_of(work, conversation)
    if before.stage in (Stage.QUEUE, Stage.AGENT) or before.conversation.blocked_at is not None:
        return before
    reach = await reach_of(work, shop, now)
    is_open = not call_back and reach is Reach.OPEN
    summary = await summary_of(work, before.conversation) if summary is None else summary
    known = before.handoff or Handoff(HandoffId(new_id()), conversation.id, reason, now)
    known = replace(
        known,
        topic=topic or known.topic,
        language=language or known.language or before.conversation.language,
        priority=max(priority, known.priority),
        summary={**known.summary, **summary},
        contact=contact or known.contact or await known_contact(work, before.conversation, now),
    )
    if before.stage is Stage.CALLBACK and not is_open:
        has_desk = reach is not Reach.NO_DESK
        return await _ask_again(work, clock, shop, before, known, has_desk=has_desk, is_mailed=not call_back)
    if before.stage is Stage.RESOLVED:
        before = await move_on(work, clock, before, Step.WRITE_AGAIN, before.handoff)
    last = await work.handoffs.last_helped(conversation.id)
    helper = last.agent_id if last and last.closed_at and now - last.closed_at < shop.desk.same_agent_within else None
    # Of whoever they have just complained, they are not sent back to first.
    wanted, unwanted = (None, helper) if reason is HandoffReason.LOW_RATING else (helper, None)
    handoff = replace(
        known,
        waiting_since=now,
        asked_at=None,
        heard_at=None,
        passed_by=(unwanted,) if unwanted else (),
        wanted_agent_id=wanted,
        wanted_until=now + shop.desk.offer_time if wanted else None,
        due_at=None if is_open else shop.desk.due_at(shop.hours, now),
    )
    step = Step.ASK if is_open else Step.ASK_CLOSED
    after = await move_on(work, clock, before, step, handoff, reason=reason.value)
    if not is_open and not call_back and after.handoff is not None:
        await mail_the_shop(work, clock, shop, after.conversation, after.handoff)
    return after


async def _ask_again(
    work: UnitOfWork, clock: Clock, shop: Shop, before: Standing, known: Handoff, *, has_desk: bool, is_mailed: bool
) -> Standing:
    """What is known more of somebody who is to be called back anyway; a promise that was not kept is made anew."""
    now = clock.now()
    since = known.waiting_since or known.requested_at
    # Where nobody works at a desk nobody can say that it is done: each time that somebody asks is told of.
    is_new = (known.due_at is not None and known.due_at <= now) if has_desk else now - since >= SAME_REQUEST
    if is_new:
        known = replace(known, waiting_since=now, due_at=shop.desk.due_at(shop.hours, now))
    if known == before.handoff:
        return before
    await work.handoffs.save(known)
    work.hint(Hint("desk", before.conversation.id))
    if is_new and is_mailed:
        await mail_the_shop(work, clock, shop, before.conversation, known)
    return replace(before, handoff=known)


async def note_call_back(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    contact: str,
    *,
    summary: dict[str, str] | None = None,
) -> Conversation:
    """Have people at the desk call somebody, who has said where. Safe to repeat, and nothing in a shop without a desk.

    The conversation must be locked; go on with the one that is returned.
    """
    if await reach_of(work, shop, clock.now()) is Reach.NO_DESK:
        return conversation
    reason = HandoffReason.CALLBACK
    standing = await request_handoff(
        work, clock, shop, conversation, reason, contact=contact, summary=summary, call_back=True
    )
    return standing.conversation


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

    Raises StepRefused, changing nothing, where the conversation does not stand where the step begins, where somebody
    else has it, or where whoever takes it, or is to get it, takes no conversations now. The conversation must be
    locked; go on with the one that is returned.
    """
    now = clock.now()
    before = await locked_standing_of(work, conversation)
    by, to = await check_step(work, before, step, by, to, now)
    had = before.handoff.agent_id if before.stage is Stage.AGENT and before.handoff else None
    had_it = await work.agents.get(had) if had else None
    handoff = request_after(shop, before, step, by=by, to=to, topic=topic, now=now)
    if step in _TO_CALL_BACK and handoff is not None and handoff.contact is None:
        handoff = replace(handoff, contact=await known_contact(work, before.conversation, now))
    if step is Step.TAKE_OVER and handoff is not None:
        handoff = replace(handoff, summary=await summary_of(work, before.conversation))
    if step in (Step.TAKE_OVER, Step.CLAIM):
        # Whoever still works on an answer finds that it is not theirs any more.
        dropped = await drop_waiting(work, before.conversation, now, Owner.AGENT)
        before = replace(before, conversation=dropped)
    people = People(*(one.name if one else None for one in (by, had_it, to)))
    words = words_for(step, shop, people, handoff, now)
    noted = {"agent": by.id if by else None, "from_agent": had, "to_agent": to.id if to else None, "topic": topic}
    after = await move_on(work, clock, before, step, handoff, words=words, **noted)
    if by is not None:
        # Whoever does something is there, whatever their browser says.
        await work.agents.see(by.id, now)
    if had is not None and (after.handoff is None or after.handoff.agent_id != had):
        await work.agents.set_free(had, now)
    if step in _TO_CALL_BACK and after.handoff is not None:
        await mail_the_shop(work, clock, shop, after.conversation, after.handoff)
    if step in _PERSON_IS_DONE and handoff is not None:
        after = replace(after, conversation=await ask_how_it_was(work, clock, shop, after.conversation, handoff))
    if step in (*_PERSON_IS_DONE, Step.CANCEL):
        # Given back, the assistant answers whatever is open; of what was dealt with, only what nobody has seen.
        is_open = await left_unanswered(work, before.conversation, unread=step in (Step.RESOLVE, Step.END))
        if is_open:
            return await _go_on(work, clock, after, is_open)
    return after


async def _go_on(work: UnitOfWork, clock: Clock, standing: Standing, is_open: list[Message]) -> Standing:
    if standing.stage is Stage.RESOLVED:
        standing = await move_on(work, clock, standing, Step.WRITE_AGAIN, None)
    return replace(standing, conversation=await leave_to_bot(work, clock, standing.conversation, is_open))
