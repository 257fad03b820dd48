"""Between the bot and people: where a conversation may stand, what leads from one place to the next, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import NewType

from bot.core.agents import AgentId
from bot.core.conversations import ConversationId, Owner

HandoffId = NewType("HandoffId", str)


class HandoffReason(str, Enum):
    """Why a person is wanted."""

    ASKED = "asked"
    TURN_FAILED = "turn_failed"
    MISUNDERSTOOD = "misunderstood"
    COMPLAINT = "complaint"
    REPORT_PROBLEM = "report_problem"
    CALLBACK = "callback"
    ABUSE = "abuse"
    ACCOUNT = "account"
    LOW_RATING = "low_rating"
    ANGER = "anger"
    FOR_PEOPLE = "for_people"  # a wish that the shop gives to people
    TAKEN_OVER = "taken_over"  # somebody at the desk stepped in


class HandoffState(str, Enum):
    """What has become of a request for a person."""

    WAITING = "waiting"
    ACTIVE = "active"
    CALLBACK = "callback"
    CLOSED = "closed"


class Stage(str, Enum):
    """Where a conversation stands."""

    BOT = "bot"
    QUEUE = "queue"
    AGENT = "agent"
    CALLBACK = "callback"  # the bot answers, and a person will get in touch
    RESOLVED = "resolved"  # a person has dealt with it, and nobody has written since


class Step(str, Enum):
    """What leads from one stage to another."""

    ASK = "ask"  # a person is wanted, while people can be reached
    ASK_CLOSED = "ask_closed"  # a person is wanted, while nobody can be
    CANCEL = "cancel"  # the customer goes back to the bot
    NOBODY_CAME = "nobody_came"  # waited for too long, or until the shop closed
    LEAVE_MESSAGE = "leave_message"  # the customer would rather be written to
    CLAIM = "claim"  # somebody takes it from the line, or takes a call-back up
    TAKE_OVER = "take_over"  # somebody steps in while the bot has it
    TRANSFER = "transfer"  # to another person
    TRANSFER_TEAM = "transfer_team"  # to whoever knows the topic
    VANISH = "vanish"  # the person is gone: closed the browser, lost the network
    RETURN = "return"  # the person gives it back to the bot
    RESOLVE = "resolve"  # the person has dealt with it
    GIVE_UP = "give_up"  # the customer is gone
    CALLED = "called"  # the customer was called or written to, outside of this conversation
    WRITE_AGAIN = "write_again"  # the customer writes after it was resolved
    END = "end"  # the customer ends the chat with a person
    BLOCK = "block"  # somebody at the desk closes it for good
    LOG_OUT = "log_out"  # the customer logs out: whoever comes next is somebody else
    STOP = "stop"  # the customer wants to hear nothing more on that channel
    ERASE = "erase"  # everything about the customer is erased


# What there is, and nothing else. Each step is taken in the transaction that re-reads the stage, under the
# conversation's lock, so that of two who act at once one is told that it was too late.
TRANSITIONS: Mapping[tuple[Stage, Step], Stage] = MappingProxyType(
    {
        (Stage.BOT, Step.ASK): Stage.QUEUE,
        (Stage.BOT, Step.ASK_CLOSED): Stage.CALLBACK,
        (Stage.BOT, Step.TAKE_OVER): Stage.AGENT,
        (Stage.CALLBACK, Step.ASK): Stage.QUEUE,
        (Stage.CALLBACK, Step.CLAIM): Stage.AGENT,
        (Stage.CALLBACK, Step.CALLED): Stage.RESOLVED,
        (Stage.CALLBACK, Step.BLOCK): Stage.RESOLVED,
        (Stage.QUEUE, Step.CLAIM): Stage.AGENT,
        (Stage.QUEUE, Step.CANCEL): Stage.BOT,
        (Stage.QUEUE, Step.NOBODY_CAME): Stage.CALLBACK,
        (Stage.QUEUE, Step.LEAVE_MESSAGE): Stage.CALLBACK,
        (Stage.QUEUE, Step.GIVE_UP): Stage.RESOLVED,
        (Stage.QUEUE, Step.LOG_OUT): Stage.RESOLVED,
        (Stage.QUEUE, Step.BLOCK): Stage.RESOLVED,
        (Stage.AGENT, Step.TRANSFER): Stage.AGENT,
        (Stage.AGENT, Step.TRANSFER_TEAM): Stage.QUEUE,
        (Stage.AGENT, Step.VANISH): Stage.QUEUE,
        (Stage.AGENT, Step.RETURN): Stage.BOT,
        (Stage.AGENT, Step.RESOLVE): Stage.RESOLVED,
        (Stage.AGENT, Step.GIVE_UP): Stage.RESOLVED,
        (Stage.AGENT, Step.END): Stage.RESOLVED,
        (Stage.AGENT, Step.LOG_OUT): Stage.RESOLVED,
        (Stage.AGENT, Step.BLOCK): Stage.RESOLVED,
        (Stage.QUEUE, Step.STOP): Stage.RESOLVED,
        (Stage.AGENT, Step.STOP): Stage.AGENT,
        (Stage.QUEUE, Step.ERASE): Stage.BOT,
        (Stage.AGENT, Step.ERASE): Stage.BOT,
        (Stage.CALLBACK, Step.ERASE): Stage.BOT,
        (Stage.RESOLVED, Step.WRITE_AGAIN): Stage.BOT,
        (Stage.RESOLVED, Step.TAKE_OVER): Stage.AGENT,
    }
)

OWNERS: Mapping[Stage, Owner] = MappingProxyType(
    {
        Stage.BOT: Owner.BOT,
        Stage.QUEUE: Owner.QUEUE,
        Stage.AGENT: Owner.AGENT,
        Stage.CALLBACK: Owner.BOT,
        Stage.RESOLVED: Owner.BOT,
    }
)
STATES: Mapping[Stage, HandoffState] = MappingProxyType(
    {
        Stage.BOT: HandoffState.CLOSED,
        Stage.QUEUE: HandoffState.WAITING,
        Stage.AGENT: HandoffState.ACTIVE,
        Stage.CALLBACK: HandoffState.CALLBACK,
        Stage.RESOLVED: HandoffState.CLOSED,
    }
)

# Taken by somebody at the desk; the others by the customer, the assistant, or time itself.
DESK_STEPS = frozenset(
    {
        *(Step.CLAIM, Step.TAKE_OVER, Step.TRANSFER, Step.TRANSFER_TEAM, Step.RETURN, Step.RESOLVE),
        *(Step.CALLED, Step.BLOCK),
    }
)


@dataclass(frozen=True)
class Handoff:
    """One request for a person, from when one was wanted until somebody has taken care of it.

    `waiting_since` is since when they have been in line, now or the last time. `wanted_agent_id` is asked before the
    others, until `wanted_until`. `summary` is what the person should know, from data. `proof_until` is when the proof
    of who the customer is would have run out, had nobody spoken with them.
    """

    id: HandoffId
    conversation_id: ConversationId
    reason: HandoffReason
    requested_at: datetime
    state: HandoffState = HandoffState.WAITING
    waiting_since: datetime | None = None
    priority: int = 0
    topic: str | None = None
    language: str | None = None
    agent_id: AgentId | None = None
    wanted_agent_id: AgentId | None = None
    wanted_until: datetime | None = None
    offered_to: AgentId | None = None
    offered_until: datetime | None = None
    # Who let an offer pass; asked again when nobody else is left.
    passed_by: tuple[AgentId, ...] = ()
    claimed_at: datetime | None = None
    first_reply_at: datetime | None = None
    # When the customer was last asked whether to go on waiting.
    asked_at: datetime | None = None
    # When they last wrote something, since a person was wanted.
    heard_at: datetime | None = None
    contact: str | None = None
    due_at: datetime | None = None
    snoozed_until: datetime | None = None
    proof_until: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    summary: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether a person still has something to do."""
        return self.state is not HandoffState.CLOSED

    def is_helped_by(self, agent_id: AgentId) -> bool:
        """Whether that person has the conversation now."""
        return self.state is HandoffState.ACTIVE and self.agent_id == agent_id


def is_left(outcome: str | None, agent_id: AgentId | None) -> bool:
    """Whether a request ended because the customer went, and not because somebody had taken care of it."""
    return outcome in _LEFT or (outcome == Step.GIVE_UP.value and agent_id is None)


_LEFT = frozenset(step.value for step in (Step.CANCEL, Step.LOG_OUT, Step.STOP, Step.ERASE))


def stage_of(owner: Owner, handoff: Handoff | None, resolved_at: datetime | None) -> Stage:
    """Where a conversation stands, by who owns it and its open request for a person."""
    if owner is Owner.QUEUE:
        return Stage.QUEUE
    if owner is Owner.AGENT:
        return Stage.AGENT
    if handoff is not None and handoff.state is HandoffState.CALLBACK:
        return Stage.CALLBACK
    return Stage.RESOLVED if resolved_at is not None else Stage.BOT


def stage_after(stage: Stage, step: Step) -> Stage | None:
    """Where a step leads; None where it cannot be taken."""
    return TRANSITIONS.get((stage, step))
