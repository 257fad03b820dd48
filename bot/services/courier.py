"""The courier: brings what is said in a conversation to the messaging channel it is held on.

A message counts as delivered once the platform has taken all of its parts. How far each conversation has been told is
kept, so a courier that dies is followed by another, who repeats at most the part that was on its way. Within a
conversation everything goes out in order; a platform that is away holds up its own conversations and nobody else's,
and when it is back they go out no faster than usual.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.attachments import file_in_words
from bot.core.conversations import Author, Message
from bot.core.rate_buckets import Bucket
from bot.core.text_splitting import split_text, utf16_length
from bot.services.channel_ports import (
    Button,
    Capabilities,
    Channel,
    ChannelBlocked,
    ChannelBusy,
    ChannelDown,
    ChannelRefused,
    ChannelUnsure,
    Delivery,
    Part,
    PartFile,
)
from bot.services.handoff_leaving import leave_by_stopping
from bot.services.ports import Clock, Database

LEASE = timedelta(seconds=60)
MESSAGES_AT_ONCE = 20
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
LONGEST_PAUSE_FOR_ALL = 5.0
# A courier waits no longer for one conversation than this, in seconds: others are waiting for the courier.
PATIENCE = 3.0
# Buckets of accounts that nobody has written to for a while say nothing any more.
BUCKETS_KEPT = 10_000

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """How fast may be sent on one channel: to everybody together, and to each account. `now` is a steady clock's."""

    def __init__(self, capabilities: Capabilities, now: Callable[[], float], sleep: Sleep) -> None:
        self._capabilities = capabilities
        self._now = now
        self.sleep = sleep
        self._everybody = Bucket(capabilities.to_everybody, now())
        self._each: dict[str, Bucket] = {}
        self._paused_until = now()

    def take_turn(self, address: str) -> float:
        """0, and then something is to be sent to the account at once; or the seconds until it may be."""
        now = self._now()
        one = self._each.setdefault(address, Bucket(self._capabilities.to_one, now))
        wait = max(self._paused_until - now, self._everybody.wait(now), one.wait(now))
        if wait > 0:
            return wait
        self._everybody.take(now)
        one.take(now)
        if len(self._each) > BUCKETS_KEPT:
            self._each = {name: bucket for name, bucket in self._each.items() if not bucket.is_full(now)}
        return 0

    def pause(self, seconds: float) -> None:
        """The platform asked for a pause: nobody sends for that long, or a moment if it is longer.

        Whom it was about waits for all of it; the others are told by the platform, if it means them as well.
        """
        self._paused_until = max(self._paused_until, self._now() + min(seconds, LONGEST_PAUSE_FOR_ALL))


@dataclass(frozen=True)
class Route:
    """A channel and its pace."""

    channel: Channel
    pace: Pace


def _never() -> bool:
    return False


async def deliver_next(
    db: Database, clock: Clock, routes: Mapping[str, Route], *, should_stop: Callable[[], bool] = _never
) -> Delivery | None:
    """Tell the conversation that has waited longest what is new, and return how it stands; None when nothing is due.

    Several may run at once, and in several processes: each has another conversation. Told to stop, it ends after the
    part that is on its way.
    """
    async with db.transaction() as work:
        now = clock.now()
        delivery = await work.deliveries.claim_due(sorted(routes), now, now + LEASE)
    if delivery is None:
        return None
    route = routes[delivery.channel]
    delivery = replace(delivery, last_error=None)
    if delivery.attempts:
        # It went wrong before. Asking costs nothing; a line that is lost on the way would.
        try:
            await route.channel.probe()
        except ChannelBusy as busy:
            return await _pause(db, clock, route, delivery, busy)
        except ChannelDown as down:
            return await _put_off(db, clock, delivery, str(down))
    return await _deliver(db, clock, route, delivery, should_stop)


async def _deliver(
    db: Database, clock: Clock, route: Route, delivery: Delivery, should_stop: Callable[[], bool]
) -> Delivery:
    slept, lease_is_half_over_at = 0.0, clock.now() + LEASE / 2
    messages = await _new_messages(db, delivery)
    for message in messages:
        parts = await _parts_of(db, route.channel.capabilities, message)
        for number, part in enumerate(parts[delivery.parts :], delivery.parts + 1):
            while (wait := route.pace.take_turn(delivery.address)) > 0:
                if slept + wait > PATIENCE:
                    # Others are served meanwhile.
                    return await _give_back(db, delivery, clock.now() + timedelta(seconds=wait))
                slept += wait
                await route.pace.sleep(wait)
            if should_stop() or clock.now() >= lease_is_half_over_at:
                return await _give_back(db, delivery, clock.now())
            sent = await _send(db, clock, route, delivery, number, part)
            if not sent.is_leased:
                return sent
            delivery = sent
        delivery = replace(delivery, seq=message.seq, parts=0)
    is_more = len(messages) == MESSAGES_AT_ONCE
    return await _give_back(db, delivery, clock.now() if is_more else None, delivery.last_error)


async def _send(db: Database, clock: Clock, route: Route, delivery: Delivery, number: int, part: Part) -> Delivery:
    """Send one part, and note that it was sent. The delivery is leased no more where it has to end here."""
    done = replace(delivery, parts=number, attempts=0)
    try:
        await route.channel.send(delivery.address, part)
    except ChannelBusy as busy:
        return await _pause(db, clock, route, delivery, busy)
    except ChannelDown as down:
        return await _put_off(db, clock, delivery, str(down))
    except ChannelUnsure as unsure:
        # It counts as sent; what comes after it waits until the platform answers again.
        return await _put_off(db, clock, replace(done, attempts=delivery.attempts), str(unsure))
    except ChannelBlocked as blocked:
        return await _stop(db, clock, delivery, str(blocked))
    except ChannelRefused as refused:
        # It must not hold up what comes after it.
        log.error("a part of a message was refused for good: %s", refused)
        done = replace(done, last_error=str(refused)[:500])
    async with db.transaction() as work:
        is_ours = await work.deliveries.progress(done)
    # Otherwise the customer has stopped us meanwhile, or it took so long that another courier goes on.
    return done if is_ours else replace(done, is_leased=False)


async def _new_messages(db: Database, delivery: Delivery) -> list[Message]:
    async with db.reading() as work:
        return await work.messages.after(delivery.conversation_id, delivery.seq, MESSAGES_AT_ONCE)


async def _is_for_others(db: Database, message: Message) -> bool:
    """Whether it may be somebody else's account by now: its customer logged out, and this answers nothing of theirs."""
    if message.author is Author.CUSTOMER or message.reply_to_seq is not None:
        return False
    async with db.reading() as work:
        conversation = await work.conversations.get(message.conversation_id)
    return conversation is not None and conversation.signed_out_at is not None


async def _parts_of(db: Database, capabilities: Capabilities, message: Message) -> list[Part]:
    """What is to be sent of a message; nothing of what the customer wrote there."""
    if message.author is Author.CUSTOMER or await _is_for_others(db, message):
        return []
    file = await _file_of(db, message)
    if not message.choices or not capabilities.buttons:
        return in_parts(message, capabilities, (), file)
    async with db.transaction() as work:
        tokens = await work.deliveries.tokens_of(message.conversation_id, message.seq, message.choices)
    buttons = [Button(choice.title, token) for choice, token in zip(message.choices, tokens, strict=True)]
    return in_parts(message, capabilities, tuple(buttons), file)


async def _file_of(db: Database, message: Message) -> PartFile | None:
    """The file that goes with a message; None where there is none, or it was deleted since."""
    attachment = message.attachment
    if attachment is None:
        return None
    async with db.reading() as work:
        content = await work.attachments.content(message.conversation_id, attachment.id)
    return PartFile(attachment.name, attachment.media_type, content) if content is not None else None


def in_parts(
    message: Message, capabilities: Capabilities, buttons: tuple[Button, ...], file: PartFile | None = None
) -> list[Part]:
    """A message as a channel takes it: a long text in several parts, the buttons below the last of them.

    Where there are more choices than buttons, or a title is too long for one, they are a numbered list, which is
    answered by number.
    """
    text = message.text
    if file is not None and message.attachment is not None and text == file_in_words(message.attachment):
        # Shown, and not told as well.
        text = ""
    if message.author_name and message.author is Author.AGENT:
        text = f"{message.author_name}: {text}" if text else message.author_name
    if message.choices and not (buttons and fit_on_buttons([button.title for button in buttons], capabilities)):
        numbered = "\n".join(f"{number}. {choice.title}" for number, choice in enumerate(message.choices, 1))
        text, buttons = f"{text}\n\n{numbered}\n\nAnswer with the number.", ()
    parts = [Part(piece) for piece in split_text(text, capabilities.text_length)]
    if file is not None:
        fits = len(parts) <= 1 and utf16_length(text) <= capabilities.caption_length
        parts = [Part(text, file=file)] if fits else [*parts, Part("", file=file)]
    elif message.image is not None:
        if len(parts) == 1 and utf16_length(text) <= capabilities.caption_length:
            parts = [Part(text, message.image)]
        else:
            parts.append(Part(message.image.alt, message.image))
    if parts and buttons:
        parts[-1] = replace(parts[-1], buttons=buttons)
    return parts


def fit_on_buttons(titles: Sequence[str], capabilities: Capabilities) -> bool:
    """Whether choices of these titles are buttons there, and no numbered list."""
    return len(titles) <= capabilities.buttons and all(
        utf16_length(title) <= capabilities.button_title_length for title in titles
    )


async def _pause(db: Database, clock: Clock, route: Route, delivery: Delivery, busy: ChannelBusy) -> Delivery:
    route.pace.pause(busy.seconds)
    return await _give_back(db, delivery, clock.now() + timedelta(seconds=busy.seconds), str(busy))


async def _put_off(db: Database, clock: Clock, delivery: Delivery, error: str) -> Delivery:
    attempts = delivery.attempts + 1
    longest = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    # Not all at the same moment, when the platform is back.
    pause = timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311 - no secret
    return await _give_back(db, replace(delivery, attempts=attempts), clock.now() + pause, error)


async def _stop(db: Database, clock: Clock, delivery: Delivery, error: str) -> Delivery:
    """Send nothing more there; who waited for a person waits no longer, as after a "stop"."""
    delivery = replace(delivery, stopped_at=clock.now(), last_error=error[:500])
    async with db.transaction() as work:
        # Before its delivery, as everybody does: so no two wait for each other.
        conversation = await work.conversations.lock(delivery.conversation_id)
        if await work.deliveries.save(delivery, None) and conversation is not None:
            await leave_by_stopping(work, clock, conversation)
    return replace(delivery, is_leased=False)


async def _give_back(
    db: Database, delivery: Delivery, next_attempt_at: datetime | None, error: str | None = None
) -> Delivery:
    delivery = replace(delivery, last_error=error[:500] if error else None)
    async with db.transaction() as work:
        await work.deliveries.save(delivery, next_attempt_at)
    return replace(delivery, is_leased=False)
