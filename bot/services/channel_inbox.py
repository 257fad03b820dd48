"""What comes in from messaging channels, taken in once, whatever a platform repeats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from bot.core.conversations import MAX_TEXT_CHARACTERS, Conversation, InboundMessage, clean_text
from bot.core.text_splitting import split_text
from bot.services.conversations import channel_conversation, record_inbound
from bot.services.ports import Clock, Database, UnitOfWork

# Longer than any platform goes on repeating itself.
UPDATES_KEPT = timedelta(days=14)
_NUMBER = re.compile(r"\(?\s*#?\s*([0-9]{1,2})\s*[.)]?\s*")


@dataclass(frozen=True)
class Said:
    """A customer wrote something; in words, whatever it was."""

    address: str
    text: str


@dataclass(frozen=True)
class Picked:
    """A customer pressed a button of ours."""

    address: str
    token: str


@dataclass(frozen=True)
class Stopped:
    """A customer wants to hear nothing more."""

    address: str


ChannelEvent = Said | Picked | Stopped


class Taken(str, Enum):
    """What became of an event."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    STOPPED = "stopped"
    UNKNOWN_BUTTON = "unknown_button"
    EMPTY = "empty"


async def take_in(db: Database, clock: Clock, channel: str, update_id: str, event: ChannelEvent) -> Taken:
    """Record what happened on a channel. Safe to repeat, and at the same time: the same update is taken in once.

    Whoever writes again after they had stopped us is answered again.
    """
    async with db.transaction() as work:
        if not await work.deliveries.add_update(channel, update_id, clock.now()):
            return Taken.REPEATED
        conversation = await channel_conversation(work, clock, channel=channel, external_id=event.address)
        if isinstance(event, Stopped):
            await work.deliveries.stop(channel, event.address, clock.now())
            return Taken.STOPPED
        await work.deliveries.resume(channel, event.address)
        messages = await _messages(work, conversation, event)
        if messages is None:
            return Taken.UNKNOWN_BUTTON
        for number, (text, payload) in enumerate(messages):
            locked = await work.conversations.lock(conversation.id)
            if locked is None:
                break
            external_id = f"{channel}:{update_id}" + (f":{number}" if number else "")
            await record_inbound(work, clock, locked, InboundMessage(external_id, text, payload))
        return Taken.RECORDED if messages else Taken.EMPTY


async def _messages(
    work: UnitOfWork, conversation: Conversation, event: Said | Picked
) -> list[tuple[str, str | None]] | None:
    """The messages to record: text, and payload of a choice. None for a button that this conversation was not given."""
    if isinstance(event, Picked):
        payload = await work.deliveries.choice_of(conversation.id, event.token)
        choice = await work.messages.offered_choice(conversation.id, payload) if payload else None
        return [(choice.title, choice.payload)] if choice else None
    numbered = await _numbered_choice(work, conversation, event.text)
    if numbered is not None:
        return [numbered]
    # A platform may take longer texts than we do: all of it is kept, in several messages.
    return [(part, None) for part in split_text(clean_text(event.text), MAX_TEXT_CHARACTERS)]


async def _numbered_choice(work: UnitOfWork, conversation: Conversation, text: str) -> tuple[str, str | None] | None:
    """The choice that a bare number stands for, where the last thing that was said was a list."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    offered = await work.messages.last_offer(conversation.id)
    place = int(match[1]) - 1
    return (offered[place].title, offered[place].payload) if 0 <= place < len(offered) else None


async def forget_updates(db: Database, clock: Clock) -> int:
    """Forget updates that no platform repeats any more; how many."""
    async with db.transaction() as work:
        return await work.deliveries.forget_updates(clock.now() - UPDATES_KEPT)
