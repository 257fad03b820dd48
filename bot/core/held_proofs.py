"""While somebody waits for a person, or speaks with one, the proof of who they are does not run out under them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.conversations import Conversation, Owner
from bot.core.handoffs import Handoff

# Longer than anybody is left alone in the middle of it; and what is left to those who come back to the assistant.
HELD, AFTERWARDS = timedelta(hours=2), timedelta(minutes=15)


def prolonged(conversation: Conversation, at: datetime) -> Conversation:
    """The conversation, with a proof that holds for a while yet, if it has one that holds and is not the bot's."""
    if conversation.owner is Owner.BOT or conversation.verified_customer(at) is None:
        return conversation
    return replace(conversation, verified_until=max(conversation.verified_until or at, at + HELD))


def hold_proof(conversation: Conversation, handoff: Handoff, at: datetime) -> tuple[Conversation, Handoff]:
    """A conversation that is people's now, and its request, which remembers when the proof would have run out."""
    held = prolonged(conversation, at)
    if held.verified_until == conversation.verified_until or handoff.proof_until is not None:
        return held, handoff
    return held, replace(handoff, proof_until=conversation.verified_until)


def let_proof_go(
    conversation: Conversation, handoff: Handoff, at: datetime, *, is_gone: bool
) -> tuple[Conversation, Handoff]:
    """A conversation that is the bot's again, and its request: the proof runs out when it would have.

    Whoever was spoken with has a little time in any case; and so has whoever waited in vain, but once: nobody gets it
    again by asking again.
    """
    until = handoff.proof_until
    if until is None:
        return conversation, handoff
    if conversation.verified_until is not None:
        is_spoken_with = handoff.first_reply_at is not None
        if not is_gone and (is_spoken_with or until - handoff.requested_at > AFTERWARDS):
            until = max(until, at + AFTERWARDS)
        conversation = replace(conversation, verified_until=min(until, conversation.verified_until))
    return conversation, replace(handoff, proof_until=None)
