"""Updates taken in, however they come: told to our webhook, or asked for."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from bot.channels.telegram.channel import CAPABILITIES, TelegramChannel
from bot.channels.telegram.client import RemoteFileTooLarge, TelegramClient
from bot.channels.telegram.updates import ALLOWED_UPDATES, RemoteFile, Update, read_update
from bot.core.attachments import MAX_FILE_BYTES, IncomingFile
from bot.core.channels import TELEGRAM
from bot.core.conversations import ConversationId
from bot.core.shop import Shop
from bot.errors import FileRefused, FileTooLarge
from bot.services.attachments import check_file
from bot.services.channel_inbox import TOO_MANY, ChannelEvent, Sent, Taken, take_in
from bot.services.channel_ports import ChannelBusy, ChannelError, ChannelRefused, Part
from bot.services.ports import Clock, Database
from bot.services.remote_files import Prospect, file_prospect
from bot.waits import finish_within

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
# Telegram holds a question for updates open for so long; between two that failed there is a pause.
POLL_SECONDS = 25
PAUSE_SECONDS = 5.0
# So often is an update tried that cannot be taken in, where we ask for updates.
TRIES = 5
CLOSING_SECONDS = 3.0
# So long may fetching a file take: Telegram waits for us meanwhile, and so do the others where we ask for updates.
FETCH_SECONDS = 10.0
# So many files are in memory at once, at most.
FETCHES_AT_ONCE = 8
NOT_FETCHED = "which could not be fetched"
TOO_LARGE = "too large to be kept"
NOT_KEPT = "of a kind that is not kept"
OLD_BUTTON = "This choice is too old. Please write what you would like."
IN_GROUPS = (
    "I only talk to people one at a time, so that nothing personal is read by others. Please write to me directly."
)

log = logging.getLogger(__name__)


class TelegramInbox:
    """Webhook of the gateway for Telegram, and the one who asks for updates where there is no webhook."""

    def __init__(
        self, db: Database, clock: Clock, channel: TelegramChannel, secret: str, shop: Shop | None = None
    ) -> None:
        self._db = db
        self._clock = clock
        self._channel = channel
        self._secret = secret.encode()
        self._shop = shop
        # The bot's own, without the @; what is said in groups is for others until it is known.
        self.bot_name: str | None = None
        self._courtesies: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._fetches = asyncio.Semaphore(FETCHES_AT_ONCE)
        # One for each account that has something on its way in.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def address(self, token: str | None) -> str | None:
        """Where people begin to talk to the bot (https://core.telegram.org/bots/features#deep-linking).

        None until the bot's name is known.
        """
        if self.bot_name is None:
            return None
        return f"https://t.me/{self.bot_name}" + (f"?start={token}" if token else "")

    def is_genuine(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from Telegram: it brings the secret that Telegram was given."""
        return hmac.compare_digest(headers.get(SECRET_HEADER, "").encode("utf-8", "replace"), self._secret)

    async def receive(self, body: bytes) -> None:
        """Take in what was told to the webhook. Raises only what the database raises: Telegram then tells it again.

        What is not understood counts as taken, or Telegram would repeat it, and hold back all that comes after it.
        """
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        await self.receive_update(data)

    async def receive_update(self, data: Any) -> None:
        """The same for one update that was read already."""
        update = read_update(data, self.bot_name)
        if update is None:
            log.warning("Telegram sent something that is no update; it was left alone")
            return
        taken = None
        if update.event is not None:
            # What somebody writes below a picture must not overtake it while it is fetched.
            async with self._turns.setdefault(update.event.address, asyncio.Lock()):
                event = await self._with_file(update.id, update.event, update.file)
                taken = await take_in(
                    *(self._db, self._clock, TELEGRAM, CAPABILITIES, update.id, event, self._shop),
                    language=update.language,
                )
        self._be_courteous(update, taken)

    async def _with_file(self, update_id: str, event: ChannelEvent, remote: RemoteFile | None) -> ChannelEvent:
        """What was sent, with its file where it can be had, and may be kept.

        Before it is recorded, so that both are there at once. A process that dies meanwhile has recorded nothing, and
        Telegram tells the update again.
        """
        if not isinstance(event, Sent) or remote is None:
            return event
        if remote.size is not None and remote.size > MAX_FILE_BYTES:
            return replace(event, trouble=TOO_LARGE)
        prospect = await file_prospect(self._db, self._clock, TELEGRAM, update_id, event.address, remote.size)
        if prospect is Prospect.KNOWN:
            return event
        if prospect is Prospect.TOO_MANY:
            return replace(event, trouble=TOO_MANY)
        try:
            async with self._fetches:
                content = await finish_within(self._channel.fetch(remote.id, MAX_FILE_BYTES), FETCH_SECONDS)
            return replace(event, file=check_file(IncomingFile(remote.name, content)))
        except (FileTooLarge, RemoteFileTooLarge):
            return replace(event, trouble=TOO_LARGE)
        except FileRefused:
            return replace(event, trouble=NOT_KEPT)
        except (ChannelError, asyncio.TimeoutError) as error:
            log.warning("a file could not be fetched: %s", error or "it took too long")
            return replace(event, trouble=NOT_FETCHED)

    async def receive_update_at_last(self, data: Any) -> None:
        """The same; but an update that fails again and again, while the database answers, is given up.

        Nobody would be answered any more, for a day, because of what a single person has sent.
        """
        try:
            await self.receive_update(data)
            self._failures = 0
        except Exception:
            self._failures += 1
            if self._failures < TRIES:
                raise
            async with self._db.reading() as work:
                await work.deliveries.choice_of(ConversationId(""), "")
            log.exception("an update could not be taken in, again and again; it was given up")
            self._failures = 0

    def _be_courteous(self, update: Update, taken: Taken | None) -> None:
        # Beside the answer to Telegram, which must not wait for more calls.
        if update.callback_id is not None:
            is_old = taken in (None, Taken.UNKNOWN_BUTTON)
            self._beside(self._channel.acknowledge(update.callback_id, OLD_BUTTON if is_old else None))
        if update.keyboard is not None and taken is Taken.RECORDED:
            self._beside(self._channel.take_buttons_away(*update.keyboard))
        if update.in_group is not None:
            self._beside(self._say(update.in_group, IN_GROUPS))

    async def _say(self, chat: str, text: str) -> None:
        try:
            await self._channel.send(chat, Part(text))
        except ChannelError as error:
            log.info("a group could not be answered: %s", error)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    async def close(self) -> None:
        """Wait for what is still on its way, for a moment."""
        if self._courtesies:
            await asyncio.wait(self._courtesies, timeout=CLOSING_SECONDS)
        for task in tuple(self._courtesies):
            task.cancel()
        await asyncio.gather(*self._courtesies, return_exceptions=True)


async def poll(client: TelegramClient, inbox: TelegramInbox) -> None:
    """Ask for updates, until cancelled; for a machine that Telegram cannot reach. Each is taken in before the next.

    An update that was not taken in is asked for again, because only the following question says which have been.
    """
    offset: int | None = None
    while True:
        try:
            updates = await client.call(
                "getUpdates",
                {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": list(ALLOWED_UPDATES)},
                seconds=POLL_SECONDS + 15.0,
            )
            for update in updates if isinstance(updates, list) else ():
                await inbox.receive_update_at_last(update)
                if isinstance(update, dict) and isinstance(number := update.get("update_id"), int):
                    offset = number + 1
        except ChannelBusy as busy:
            await asyncio.sleep(busy.seconds)
        except ChannelRefused as error:
            # While a webhook is set, nobody may ask.
            log.warning("Telegram gives out no messages: %s. See `python -m bot telegram delete-webhook`.", error)
            await asyncio.sleep(PAUSE_SECONDS)
        except ChannelError as error:
            log.warning("could not ask Telegram for messages: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)
        except Exception:
            log.exception("could not take in what Telegram had; asking again")
            await asyncio.sleep(PAUSE_SECONDS)
