"""What a messaging channel has to offer, and what delivering to one needs from the database.

A channel does what is peculiar to its platform and nothing else: it renders, sends, and says what became of it. Order,
repeats, pauses, opt-outs, buttons and the length of texts are the courier's business, once for all channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.conversations import Choice, ConversationId, Image
from bot.core.rate_buckets import Rate


@dataclass(frozen=True)
class Capabilities:
    """What a platform takes. Lengths are in UTF-16 units; `buttons` is how many go with one message, 0 for none."""

    text_length: int
    caption_length: int
    buttons: int
    button_title_length: int
    to_everybody: Rate
    to_one: Rate


@dataclass(frozen=True)
class Button:
    """A choice as a channel shows it: the title, and a token that stands for it here."""

    title: str
    token: str


@dataclass(frozen=True)
class PartFile:
    """A file that somebody of the shop sends."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Part:
    """One thing to send: a text, or a picture or a file with the text as its caption; the buttons go below it."""

    text: str
    image: Image | None = None
    buttons: tuple[Button, ...] = ()
    file: PartFile | None = None


class ChannelError(Exception):
    """A platform did not do what it was asked to, as far as is known."""


class ChannelBusy(ChannelError):
    """The platform asks for a pause; nothing was sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait for {seconds:.0f} s")
        self.seconds = seconds


class ChannelDown(ChannelError):
    """The platform could not be reached, or had a fault of its own; nothing was sent."""


class ChannelBlocked(ChannelError):
    """The customer does not want to be written to, or is not there any more."""


class ChannelUnsure(ChannelError):
    """It cannot be known whether the part was sent: the connection broke at that moment."""


class ChannelRefused(ChannelError):
    """The platform will not take this part, now or later."""


class Channel(Protocol):
    """One platform."""

    name: str
    capabilities: Capabilities

    async def send(self, address: str, part: Part) -> None:
        """Send one part to an account on the platform.

        Raises ChannelBusy, ChannelDown, ChannelBlocked or ChannelRefused where nothing was sent. Where it cannot be
        known whether it was, ChannelUnsure: it counts as sent then, because a line twice confuses more than one that is
        asked for again.
        """
        ...

    async def probe(self) -> None:
        """See whether the platform answers at all. Raises ChannelDown or ChannelBusy."""
        ...

    async def indicate(self, address: str) -> None:
        """Show that an answer is being written; a failure is nobody's trouble."""
        ...


@dataclass(frozen=True)
class Delivery:
    """How far a conversation has been told on its channel: all up to `seq`, and `parts` of the message after it.

    `address` is the account there. Nothing is sent while it is stopped.
    """

    conversation_id: ConversationId
    channel: str
    address: str
    seq: int = 0
    parts: int = 0
    attempts: int = 0
    stopped_at: datetime | None = None
    last_error: str | None = None
    # Until then it is one courier's; only who holds this lease changes anything.
    leased_until: datetime | None = None
    is_leased: bool = True


class DeliveryRepository(Protocol):
    """Deliveries, the updates that platforms have sent, and the tokens behind buttons."""

    async def claim_due(self, channels: Sequence[str], now: datetime, until: datetime) -> Delivery | None:
        """The one that has been due longest, leased until then; two never get the same one."""
        ...

    async def get(self, conversation_id: ConversationId) -> Delivery | None: ...
    async def progress(self, delivery: Delivery) -> bool:
        """Note how far it has got; it stays leased. False, noting nothing, if the lease is lost or it was stopped."""
        ...

    async def save(self, delivery: Delivery, next_attempt_at: datetime | None) -> bool:
        """Give it back, to go on then; None for when something new comes, or at once if it has come since the claim.

        False, noting nothing, if the lease is lost or it was stopped.
        """
        ...

    async def stop(self, channel: str, address: str, at: datetime) -> bool:
        """Send nothing more to that account; whether that is new."""
        ...

    async def resume(self, channel: str, address: str) -> bool:
        """Send again, beginning with what comes next; whether it was stopped."""
        ...

    async def add_update(self, channel: str, update_id: str, at: datetime) -> bool:
        """Note that an update came; False if it had come before."""
        ...

    async def forget_updates(self, before: datetime) -> int: ...
    async def tokens_of(self, conversation_id: ConversationId, seq: int, choices: Sequence[Choice]) -> list[str]:
        """A token for each choice of a message; asked again, the same ones."""
        ...

    async def choice_of(self, conversation_id: ConversationId, token: str) -> str | None:
        """The payload behind a token that this conversation was given."""
        ...
