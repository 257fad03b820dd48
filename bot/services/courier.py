"""The courier: brings what is said in a conversation to the messaging channel it is held on.

A message counts as delivered once the platform has taken all of its parts. How far each conversation has been told is
kept, so a courier that dies is followed by another, who repeats at most the part that was on its way. Within a
conversation everything goes out in order; a platform that is away holds up its own conversations and nobody else's,
and when it is back they go out no faster than usual.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
    Delivery,
    Part,
)
from bot.services.ports import Clock, Database

LEASE = timedelta(seconds=60)
MESSAGES_AT_ONCE = 20
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
# Buckets of accounts that nobody has written to for a while say nothing any more.
BUCKETS_KEPT = 10_000

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """How fast may be sent on one channel: to everybody together, and to each account. `now` is a steady clock's."""

    def __init__(self, capabilities: Capabilities, now: Callable[[], float], sleep: Sleep) -> None:
        self._capabilities = capabilities
        self._now = now
        self._sleep = sleep
        self._everybody = Bucket(capabilities.to_everybody, now())
        self._each: dict[str, Bucket] = {}
        self._paused_until = now()

    async def take_turn(self, address: str) -> None:
        """Wait until something may be sent to the account."""
        while True:
            now = self._now()
            one = self._each.setdefault(address, Bucket(self._capabilities.to_one, now))
            wait = max(self._paused_until - now, self._everybody.wait(now), one.wait(now))
            if wait <= 0:
                self._everybody.take(now)
                one.take(now)
                break
            await self._sleep(wait)
        if len(self._each) > BUCKETS_KEPT:
            self._each = {name: bucket for name, bucket in self._each.items() if not bucket.is_full(now)}

    def pause(self, seconds: float) -> None:
        """The platform asked for a pause: nobody sends meanwhile."""
        self._paused_until = max(self._paused_until, self._now() + seconds)


@dataclass(frozen=True)
class Route:
    """A channel and its pace."""

    channel: Channel
    pace: Pace


async def deliver_next(db: Database, clock: Clock, routes: Mapping[str, Route]) -> Delivery | None:
    """Tell the conversation that has waited longest what is new, and return how it stands; None when nothing is due.

    Several may run at once, and in several processes: each has another conversation.
    """
    async with db.transaction() as work:
        now = clock.now()
        delivery = await work.deliveries.claim_due(sorted(routes), now, now + LEASE)
    if delivery is None:
        return None
    return await _deliver(db, clock, routes[delivery.channel], delivery)


async def _deliver(db: Database, clock: Clock, route: Route, delivery: Delivery) -> Delivery:
    lease_ends = clock.now() + LEASE
    messages = await _new_messages(db, delivery)
    for message in messages:
        parts = await _parts_of(db, route.channel.capabilities, message)
        for number, part in enumerate(parts[delivery.parts :], delivery.parts + 1):
            if clock.now() + LEASE / 2 > lease_ends:
                # Another courier may go on when the lease ends; this one gives it back before.
                return await _note(db, delivery, clock.now())
            try:
                await route.pace.take_turn(delivery.address)
                await route.channel.send(delivery.address, part)
            except ChannelBusy as busy:
                route.pace.pause(busy.seconds)
                return await _note(db, delivery, clock.now() + timedelta(seconds=busy.seconds), str(busy))
            except ChannelDown as down:
                return await _put_off(db, clock, delivery, str(down))
            except ChannelBlocked as blocked:
                return await _note(db, replace(delivery, stopped_at=clock.now()), None, str(blocked))
            except ChannelRefused as refused:
                # It must not hold up what comes after it.
                log.error("a part of a message was refused for good: %s", refused)
                delivery = replace(delivery, last_error=str(refused)[:500])
            delivery = replace(delivery, parts=number, attempts=0)
            async with db.transaction() as work:
                await work.deliveries.progress(delivery)
        delivery = replace(delivery, seq=message.seq, parts=0)
    is_more = len(messages) == MESSAGES_AT_ONCE
    return await _note(db, delivery, clock.now() if is_more else None, delivery.last_error)


async def _new_messages(db: Database, delivery: Delivery) -> list[Message]:
    async with db.reading() as work:
        return await work.messages.after(delivery.conversation_id, delivery.seq, MESSAGES_AT_ONCE)


async def _parts_of(db: Database, capabilities: Capabilities, message: Message) -> list[Part]:
    """What is to be sent of a message; nothing of what the customer wrote there."""
    if message.author is Author.CUSTOMER:
        return []
    if not message.choices or not capabilities.buttons:
        return in_parts(message, capabilities, ())
    async with db.transaction() as work:
        tokens = await work.deliveries.tokens_of(message.conversation_id, message.seq, message.choices)
    buttons = [Button(choice.title, token) for choice, token in zip(message.choices, tokens, strict=True)]
    return in_parts(message, capabilities, tuple(buttons))


def in_parts(message: Message, capabilities: Capabilities, buttons: tuple[Button, ...]) -> list[Part]:
    """A message as a channel takes it: a long text in several parts, the buttons below the last of them.

    Where there are more choices than buttons, or a title is too long for one, they are a numbered list, which is
    answered by number.
    """
    text = message.text
    if message.author_name and message.author is Author.AGENT:
        text = f"{message.author_name}: {text}"
    fits = len(buttons) <= capabilities.buttons and all(
        utf16_length(button.title) <= capabilities.button_title_length for button in buttons
    )
    if message.choices and not (buttons and fits):
        numbered = "\n".join(f"{number}. {choice.title}" for number, choice in enumerate(message.choices, 1))
        text, buttons = f"{text}\n\n{numbered}\n\nAnswer with the number.", ()
    parts = [Part(piece) for piece in split_text(text, capabilities.text_length)]
    if message.image is not None:
        if len(parts) == 1 and utf16_length(text) <= capabilities.caption_length:
            parts = [Part(text, message.image)]
        else:
            parts.append(Part(message.image.alt, message.image))
    if parts and buttons:
        parts[-1] = replace(parts[-1], buttons=buttons)
    return parts


async def _put_off(db: Database, clock: Clock, delivery: Delivery, error: str) -> Delivery:
    attempts = delivery.attempts + 1
    longest = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    # Not all at the same moment, when the platform is back.
    pause = timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311 - no secret
    return await _note(db, replace(delivery, attempts=attempts), clock.now() + pause, error)


async def _note(
    db: Database, delivery: Delivery, next_attempt_at: datetime | None, error: str | None = None
) -> Delivery:
    delivery = replace(delivery, last_error=error[:500] if error else None)
    async with db.transaction() as work:
        await work.deliveries.save(delivery, next_attempt_at)
    return delivery
