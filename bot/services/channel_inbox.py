"""What comes in from messaging channels, taken in once, whatever a platform repeats."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

from bot.core.attachments import file_in_words
from bot.core.conversations import (
    MAX_TEXT_CHARACTERS,
    Attachment,
    Conversation,
    InboundMessage,
    Message,
    clean_text,
)
from bot.core.shop import Shop
from bot.core.text_splitting import split_text
from bot.core.wishes import CONNECT
from bot.errors import FileRefused
from bot.services.account_links import use_link
from bot.services.attachments import FILE_ANSWER, CheckedFile, keep_file
from bot.services.channel_ports import Capabilities
from bot.services.conversations import channel_conversation, note_language, record_inbound
from bot.services.courier import fit_on_buttons
from bot.services.handoff_leaving import leave_by_stopping
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, UnitOfWork
from bot.services.wordless import record_wordless

# Longer than any platform goes on repeating itself.
UPDATES_KEPT = timedelta(days=14)
ONLY_WORDS = (
    "I can only read words, so I could not look at that. Please tell me in words what it is about, or write "
    "“talk to a person”."
)
TOO_MANY = "more than is kept in a day"
_OWN_NUMBER = re.compile(r"[0-9]{1,2}\b")
_NUMBER = re.compile(r"\(?\s*#?\s*([0-9]{1,2})\s*[.)]?\s*")


@dataclass(frozen=True)
class Said:
    """A customer wrote something."""

    address: str
    text: str


@dataclass(frozen=True)
class Sent:
    """A customer sent something that is no text: what ("a picture"), with a caption or without.

    `file` is there where it was one that is kept; `trouble` says in words why one is not.
    """

    address: str
    what: str
    caption: str | None = None
    file: CheckedFile | None = None
    trouble: str | None = None

    def in_words(self) -> str:
        """How it is told where it is not shown; in brackets, as what is told about a message and not said in it."""
        return f"[{self.what}, {self.trouble}]" if self.trouble else f"[{self.what}]"


@dataclass(frozen=True)
class Picked:
    """A customer pressed a button of ours."""

    address: str
    token: str


@dataclass(frozen=True)
class Arrived:
    """A customer came by a link of ours that connects their account; the token is nobody's to read later."""

    address: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Stopped:
    """A customer wants to hear nothing more."""

    address: str


@dataclass(frozen=True)
class LoggedOut:
    """A customer logged out by a command of the channel: at once, whoever speaks with them."""

    address: str


# Messages to record: text, and payload of a choice.
Texts = list[tuple[str, str | None]]
ChannelEvent = Said | Sent | Picked | Arrived | LoggedOut | Stopped
# How it is told that somebody arrived: without what they brought. And that they logged out.
ARRIVED, LOGOUT = "/start", "/logout"


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
    language: str | None = None,
) -> Taken:
    """Record what happened on a channel. Safe to repeat, and at the same time: the same update is taken in once.

    Whoever writes again after they had stopped us is answered again. With the `shop`, what somebody chooses who waits
    for a person is done at once; without, it is only recorded. `language` is the one of their app, if that is known.
    """
    async with db.transaction() as work:
        if not await work.deliveries.add_update(channel, update_id, clock.now()):
            return Taken.REPEATED
        # Before its delivery, as everybody does: so no two wait for each other.
        conversation = await _locked(work, clock, channel, event.address)
        if isinstance(event, Stopped):
            await work.deliveries.stop(channel, event.address, clock.now())
            await leave_by_stopping(work, clock, conversation)
            return Taken.STOPPED
        messages = await _messages(work, capabilities, conversation, event) if isinstance(event, Said | Picked) else []
        external_id = await _free_id(work, conversation, f"{channel}:{update_id}", event, messages)
        if external_id is None:
            return Taken.REPEATED
        conversation = await note_language(work, conversation, language)
        await work.deliveries.resume(channel, event.address)
        if isinstance(event, Sent):
            await _record_sent(work, clock, conversation, external_id, event)
        elif isinstance(event, Arrived):
            await _record_arrival(work, clock, conversation, external_id, event)
        elif isinstance(event, LoggedOut):
            await record_inbound(work, clock, conversation, InboundMessage(external_id, LOGOUT), for_bot=False)
        elif messages is None:
            return Taken.UNKNOWN_BUTTON
        elif not messages:
            return Taken.EMPTY
        else:
            await _record_all(work, clock, conversation, external_id, messages, shop=shop)
        return Taken.RECORDED


async def _locked(work: UnitOfWork, clock: Clock, channel: str, address: str) -> Conversation:
    """The account's conversation, locked. One that was left while we waited for it is nobody's to write into."""
    while True:
        chosen = await channel_conversation(work, clock, channel=channel, external_id=address)
        locked = await work.conversations.lock(chosen.id)
        if locked is not None and locked.signed_out_at is None:
            return locked


async def _free_id(
    work: UnitOfWork, conversation: Conversation, wanted: str, event: ChannelEvent, messages: Texts | None
) -> str | None:
    """The id to record an update under; None where it was recorded before.

    Updates are forgotten after a while, messages are not: one that is told again after that is no news. But another
    bot counts on its own, and Telegram counts anew after a quiet week: what somebody else said, or in other words, is.
    """
    recorded = await work.messages.by_external_id(conversation.channel, wanted)
    if recorded is None:
        return wanted
    before = await work.conversations.get(recorded.conversation_id)
    is_same_account = before is not None and before.identity_id == conversation.identity_id
    return None if is_same_account and _is_told_again(recorded, event, messages) else f"{wanted}~{new_id()}"


def _is_told_again(recorded: Message, event: ChannelEvent, messages: Texts | None) -> bool:
    """Whether the event may be what was recorded, or what that began with."""
    match event:
        case Arrived():
            return recorded.text == ARRIVED
        case LoggedOut():
            return recorded.text == LOGOUT
        case Sent():
            words = {event.in_words(), replace(event, trouble=TOO_MANY).in_words()}
            caption = clean_text(event.caption or "")
            told = {caption, *(f"{one} {caption}" for one in words)} if caption else words
            if recorded.attachment is not None and not caption:
                # It is not fetched once more to see whether it is the same.
                told.add(file_in_words(recorded.attachment))
            return recorded.text in {part for one in told for part in split_text(one, MAX_TEXT_CHARACTERS)[:1]}
        case Said() if recorded.text == clean_text(event.text):
            # A number may stand for a choice now, and have been one then, or not.
            return True
        case _:
            return recorded.text in {text for text, _ in (messages or [])[:1]}


async def _record_all(
    work: UnitOfWork,
    clock: Clock,
    conversation: Conversation,
    external_id: str,
    messages: Texts,
    attachment: Attachment | None = None,
    *,
    shop: Shop | None = None,
) -> None:
    """Record what a customer said, in as many messages as it needs; a file goes with the first."""
    for number, (text, payload) in enumerate(messages):
        locked = await work.conversations.lock(conversation.id)
        if locked is None:
            break
        part_id = external_id + (f":{number}" if number else "")
        inbound = InboundMessage(part_id, text, payload, None if number else attachment)
        await record_inbound(work, clock, locked, inbound, shop=shop)


async def _record_arrival(
    work: UnitOfWork, clock: Clock, conversation: Conversation, external_id: str, event: Arrived
) -> None:
    """Connect the account, and let the assistant say what became of it."""
    locked = await work.conversations.lock(conversation.id)
    if locked is None:
        return
    use = await use_link(work, clock, locked, event.token)
    # It may be another one by now.
    latest = await channel_conversation(work, clock, channel=conversation.channel, external_id=event.address)
    now = await work.conversations.lock(latest.id)
    if now is not None:
        payload = f"/{CONNECT}{json.dumps({'facet': use.value})}"
        await record_inbound(work, clock, now, InboundMessage(external_id, ARRIVED, payload))


async def _record_sent(
    work: UnitOfWork, clock: Clock, conversation: Conversation, external_id: str, event: Sent
) -> None:
    """A caption is a message like any other. Without one, people see what it was, and the customer is told so."""
    locked = await work.conversations.lock(conversation.id)
    if locked is None:
        return
    attachment = None
    if event.file is not None:
        try:
            attachment = await keep_file(work, clock, locked, event.file)
        except FileRefused:
            event = replace(event, trouble=TOO_MANY)
    words = file_in_words(attachment) if attachment else event.in_words()
    caption = clean_text(event.caption or "")
    if caption:
        # What is shown with the message need not be told in it.
        told = caption if attachment else f"{words} {caption}"
        parts: Texts = [(part, None) for part in split_text(told, MAX_TEXT_CHARACTERS)]
        await _record_all(work, clock, locked, external_id, parts, attachment)
    else:
        inbound = InboundMessage(external_id, words, attachment=attachment)
        await record_wordless(work, clock, locked, inbound, FILE_ANSWER if attachment else ONLY_WORDS)


async def _messages(
    work: UnitOfWork, capabilities: Capabilities, conversation: Conversation, event: Said | Picked
) -> Texts | None:
    """The messages to record. None for a button that this conversation was not given."""
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
