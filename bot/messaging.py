"""The messaging channels put together: what each needs, who receives for it, and the couriers that deliver to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.channels.telegram.channel import CAPABILITIES, TelegramChannel
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.inbox import TelegramInbox, poll
from bot.channels.telegram.setup import is_reachable, run_telegram_command
from bot.config import Config
from bot.core.channels import TELEGRAM
from bot.core.conversations import ConversationId
from bot.errors import ConfigError
from bot.gateway.links import VOUCHER_IMAGE
from bot.gateway.tokens import BadToken, read_voucher_token
from bot.gateway.vouchers import qr_image
from bot.services.channel_ports import ChannelError, Delivery
from bot.services.courier import Pace, Route, deliver_next
from bot.services.ports import Clock, Database, Hint
from bot.waits import set_within

COURIERS = 4
POLL_SECONDS = 1.0
# A platform shows "typing" for about as long.
TYPING_SECONDS = 4.0
# While Telegram does not tell the bot's name, it is asked again.
NAME_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Telegram:
    """Telegram, set up."""

    client: TelegramClient
    channel: TelegramChannel
    inbox: TelegramInbox


@contextlib.asynccontextmanager
async def open_telegram(config: Config, db: Database, clock: Clock) -> AsyncIterator[Telegram | None]:
    """Telegram as the settings say; None where they say nothing of it. Its connections are closed at the end."""
    if config.telegram_bot_token is None or config.telegram_webhook_secret is None:
        yield None
        return
    client = TelegramClient(config.telegram_api_url, config.telegram_bot_token)
    channel = TelegramChannel(client, _Pictures(config))
    inbox = TelegramInbox(db, clock, channel, config.telegram_webhook_secret, config.business.to_shop())
    naming = asyncio.create_task(_learn_name(client, inbox))
    try:
        yield Telegram(client, channel, inbox)
    finally:
        naming.cancel()
        await asyncio.gather(naming, return_exceptions=True)
        await inbox.close()
        await client.close()


async def _learn_name(client: TelegramClient, inbox: TelegramInbox) -> None:
    """Ask for the bot's own name, by which people find it, and in groups speak to it; until Telegram tells it."""
    while inbox.bot_name is None:
        with contextlib.suppress(ChannelError):
            found = await client.call("getMe", {})
            if isinstance(found, dict) and isinstance(found.get("username"), str):
                inbox.bot_name = found["username"]
                return
        await asyncio.sleep(NAME_SECONDS)


class _Pictures:
    """The pictures of our own pages, drawn here: a platform could not fetch them from a machine without an address."""

    def __init__(self, config: Config) -> None:
        self._origin = config.public_url
        self._secret_key = config.secret_key

    async def __call__(self, url: str) -> bytes | None:
        path = urlsplit(url).path.split("/")
        if not url.startswith(f"{self._origin}/rewards/") or path[-1] != VOUCHER_IMAGE:
            return None
        try:
            return qr_image(read_voucher_token(path[-2], self._secret_key))
        except BadToken:
            return None


class Couriers:
    """Delivers to the messaging channels, woken by hints. To be run as long as the service lives."""

    def __init__(self, db: Database, clock: Clock, telegram: Telegram) -> None:
        loop = asyncio.get_running_loop()
        self._db = db
        self._clock = clock
        pace = Pace(CAPABILITIES, loop.time, asyncio.sleep)
        self._routes: Mapping[str, Route] = {TELEGRAM: Route(telegram.channel, pace)}
        self._wake = asyncio.Event()
        self._stopping = False
        self._typing: dict[str, float] = {}
        self._courtesies: set[asyncio.Task[None]] = set()

    def receive_hint(self, hint: Hint) -> None:
        """Look for work, or show that an answer is being written."""
        if hint.topic == "outbound":
            self._wake.set()
        elif hint.topic in ("typing", "agent_typing"):
            now = asyncio.get_running_loop().time()
            if now - self._typing.get(hint.conversation_id, -TYPING_SECONDS) < TYPING_SECONDS:
                return
            if len(self._typing) > 1_000:
                self._typing.clear()
            self._typing[hint.conversation_id] = now
            task = asyncio.create_task(self._indicate(ConversationId(hint.conversation_id)))
            self._courtesies.add(task)
            task.add_done_callback(self._courtesies.discard)

    async def _indicate(self, conversation_id: ConversationId) -> None:
        try:
            async with self._db.reading() as work:
                delivery = await work.deliveries.get(conversation_id)
            if delivery is not None and delivery.stopped_at is None and delivery.channel in self._routes:
                await self._routes[delivery.channel].channel.indicate(delivery.address)
        except Exception:
            log.debug("typing was not shown", exc_info=True)

    async def run(self) -> None:
        """Deliver what is due, until told to stop."""
        await asyncio.gather(*(self._deliver_all() for _ in range(COURIERS)))

    def stop(self) -> None:
        """End after the parts that are on their way."""
        self._stopping = True
        self._wake.set()

    async def _deliver_next(self) -> Delivery | None:
        return await deliver_next(self._db, self._clock, self._routes, should_stop=lambda: self._stopping)

    async def _deliver_all(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                while (delivery := await self._deliver_next()) is not None and not self._stopping:
                    if delivery.last_error:
                        log.warning("a conversation could not be told everything: %s", delivery.last_error)
            except Exception:
                log.exception("could not look for what is to be delivered; trying again")
            await set_within(self._wake, POLL_SECONDS)


async def telegram_command(config: Config, action: str) -> str:
    """Do what was typed about Telegram, and return what to say. Raises ConfigError where no bot is set up."""
    if config.telegram_bot_token is None or config.telegram_webhook_secret is None:
        raise ConfigError(["TELEGRAM_BOT_TOKEN: is missing; @BotFather in Telegram makes a bot and tells its token"])
    client = TelegramClient(config.telegram_api_url, config.telegram_bot_token)
    try:
        return await run_telegram_command(client, action, config.public_url, config.telegram_webhook_secret)
    finally:
        await client.close()


async def ask_for_messages(telegram: Telegram) -> None:
    """Ask Telegram for messages, where it cannot tell them: until cancelled."""
    await poll(telegram.client, telegram.inbox)


def has_public_address(config: Config) -> bool:
    """Whether Telegram can tell us of messages."""
    return is_reachable(config.public_url)
