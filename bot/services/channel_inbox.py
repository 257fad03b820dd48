"""What comes in from messaging channels, taken in once, whatever a platform repeats."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from bot.core.conversations import (
    MAX_TEXT_CHARACTERS,
    Author,
    Conversation,
    InboundMessage,
    Message,
    MessageId,
    Owner,
    clean_text,
)
from bot.core.shop import Shop
from bot.core.text_splitting import split_text
from bot.services.channel_ports import Capabilities
from bot.services.conversations import channel_conversation, record_inbound
from bot.services.courier import fit_on_buttons
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, Hint, UnitOfWork

# Longer than any platform goes on repeating itself.
UPDATES_KEPT = timedelta(days=14)
# As many pictures as an album may have, and their answer.
ALBUM = 12
ONLY_WORDS = (
    "I can only read words, so I could not look at that. Please tell me in words what it is about, or write "
    "“talk to a person”."
)
_OWN_NUMBER = re.compile(r"[0-9]{1,2}\b")
_NUMBER = re.compile(r"\(?\s*#?\s*([0-9]{1,2})\s*[.)]?\s*")


@dataclass(frozen=True)
class Said:
    """A customer wrote something, or sent something that is told here in words, and that had none of its own."""

    address: str
    text: str
    is_wordless: bool = False


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


async def take_in(
    db: Database,
    clock: Clock,
    channel: str,
    capabilities: Capabilities,
    update_id: str,
    event: ChannelEvent,
    shop: Shop | None = None,
) -> Taken:
    """Record what happened on a channel. Safe to repeat, and at the same time: the same update is taken in once.

    Whoever writes again after they had stopped us is answered again. With the `shop`, what somebody chooses who waits
    for a person is done at once; without, it is only recorded.
    """
    async with db.transaction() as work:
        if not await work.deliveries.add_update(channel, update_id, clock.now()):
            return Taken.REPEATED
        conversation = await channel_conversation(work, clock, channel=channel, external_id=event.address)
        # Before its delivery, as everybody does: so no two wait for each other.
        await work.conversations.lock(conversation.id)
        if isinstance(event, Stopped):
            await work.deliveries.stop(channel, event.address, clock.now())
            return Taken.STOPPED
        await work.deliveries.resume(channel, event.address)
        messages = await _messages(work, capabilities, conversation, event)
        if messages is None:
            return Taken.UNKNOWN_BUTTON
        for number, (text, payload) in enumerate(messages):
            locked = await work.conversations.lock(conversation.id)
            if locked is None:
                break
            external_id = f"{channel}:{update_id}" + (f":{number}" if number else "")
            inbound = InboundMessage(external_id, text, payload)
            if isinstance(event, Said) and event.is_wordless:
                await _record_wordless(work, clock, locked, inbound)
            else:
                await record_inbound(work, clock, locked, inbound, shop=shop)
        return Taken.RECORDED if messages else Taken.EMPTY


async def _record_wordless(work: UnitOfWork, clock: Clock, conversation: Conversation, inbound: InboundMessage) -> None:
    """Keep it for people to see; where the bot would have to answer, it says that it reads words only."""
    sent = await record_inbound(work, clock, conversation, inbound, for_bot=False)
    if conversation.owner is not Owner.BOT or await _has_just_been_said(work, sent):
        return
    answer = Message(
        id=MessageId(new_id()),
        conversation_id=conversation.id,
        seq=sent.seq + 1,
        author=Author.BOT,
        text=ONLY_WORDS,
        at=clock.now(),
        reply_to_seq=sent.seq,
    )
    await work.messages.add(answer, channel=conversation.channel)
    now = await work.conversations.lock(conversation.id)
    if now is not None:
        await work.conversations.save(replace(now, last_seq=answer.seq))
    work.hint(Hint("outbound", conversation.id))


async def _has_just_been_said(work: UnitOfWork, sent: Message) -> bool:
    """Whether nothing but the like has come since it was said: an album comes as many pictures."""
    before = await work.messages.after(sent.conversation_id, max(sent.seq - ALBUM, 0))
    wordless = sent.text.partition("]")[0]
    for message in reversed([one for one in before if one.seq < sent.seq]):
        if message.text == ONLY_WORDS:
            return True
        if message.text.partition("]")[0] != wordless:
            break
    return False


async def _messages(
    work: UnitOfWork, capabilities: Capabilities, conversation: Conversation, event: Said | Picked
) -> list[tuple[str, str | None]] | None:
    """The messages to record: text, and payload of a choice. None for a button that this conversation was not given."""
    if isinstance(event, Picked):
        payload = await work.deliveries.choice_of(conversation.id, event.token)
        choice = await work.messages.offered_choice(conversation.id, payload) if payload else None
        return [(choice.title, choice.payload)] if choice else None
    numbered = await _numbered_choice(work, capabilities, conversation, event.text)
    if numbered is not None:
        return [numbered]
    # A platform may take longer texts than we do: all of it is kept, in several messages.
    return [(part, None) for part in split_text(clean_text(event.text), MAX_TEXT_CHARACTERS)]


async def _numbered_choice(
    work: UnitOfWork, capabilities: Capabilities, conversation: Conversation, text: str
) -> tuple[str, str | None] | None:
    """The choice that a bare number stands for, where the last thing that was said was a numbered list."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    offered = await work.messages.last_offer(conversation.id)
    if fit_on_buttons([choice.title for choice in offered], capabilities):
        return None
    # Where choices begin with numbers of their own, as scores do, those are meant, and not the places in the list.
    own = [(_OWN_NUMBER.match(choice.title), choice) for choice in offered]
    if any(found for found, _ in own):
        return next(
            ((choice.title, choice.payload) for found, choice in own if found and int(found[0]) == int(match[1])), None
        )
    place = int(match[1]) - 1
    return (offered[place].title, offered[place].payload) if 0 <= place < len(offered) else None


async def forget_updates(db: Database, clock: Clock) -> int:
    """Forget updates that no platform repeats any more; how many."""
    async with db.transaction() as work:
        return await work.deliveries.forget_updates(clock.now() - UPDATES_KEPT)
