"""A gateway for browser tests, and in it the bot says what the test wants."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import threading
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.business import load_business
from bot.clock import SystemClock
from bot.core.conversations import Author, ConversationId, Image, Message, MessageId, Owner, Reply
from bot.core.handoffs import Handoff, HandoffId, HandoffReason
from bot.gateway.application import create_gateway
from bot.gateway.links import SignedLinks
from bot.gateway.settings import LIVE, GatewaySettings
from bot.services.ids import new_id
from bot.services.ports import Hint
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups
from tests.browser.shop_page import shop_website
from tests.builders import change_owner

ROOT = Path(__file__).parents[2]
CODE = "SUKI-7K3P-4ACD-9EFG"


class Window:
    """A gateway without a worker, in a thread of its own: what the bot says comes from the test.

    `shop` is the address of a shop's website on another origin, which embeds the chat.
    """

    def __init__(self, folder: Path, business: Path = ROOT / "business.yml") -> None:
        self._shop = load_business(business).to_shop()
        self._file = folder / "kasuki.db"
        self._url = f"sqlite:///{self._file}"
        self._metrics = folder
        self._loop = asyncio.new_event_loop()
        self._clock = SystemClock()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port, self._shop_port = _free_port(), _free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.shop = f"http://localhost:{self._shop_port}"

    def start(self) -> None:
        self._thread.start()
        self._run(self._start())

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def say(self, *replies: Reply) -> None:
        """The bot says something in the newest conversation."""
        self._run(self._say(replies))

    def put_in_line(self) -> None:
        """The customer of the newest conversation waits for a person."""
        self._run(self._put_in_line())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another program sees in the database now."""
        with contextlib.closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(query).fetchall()

    def picture(self, code: str = CODE, secret: str = "v" * 40) -> Image:
        """The picture of a code, as a reward has it."""
        return Image(SignedLinks(self.address, secret, 1).voucher_image(code, self._clock.now()), f"QR code {code}")

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        engine = create_engine(self._url)
        await migrate(engine)
        wakeups = create_wakeups(self._url)
        self._db = SqlDatabase(engine, wakeups)
        settings = GatewaySettings(
            shop=self._shop,
            allowed_origins=frozenset({self.address, self.shop}),
            demo=True,
            metrics_dir=self._metrics,
            secret_key="v" * 40,
            identity_secret="i" * 40,
            api_key="k" * 40,
        )
        app = create_gateway(settings, self._db, self._clock)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._website = web.AppRunner(shop_website(self.address), access_log=None, shutdown_timeout=1)
        await self._website.setup()
        await web.TCPSite(self._website, "127.0.0.1", self._shop_port).start()
        self._listening = wakeups.listening(app[LIVE].receive_hint)
        await self._listening.__aenter__()

    async def _stop(self) -> None:
        await self._listening.__aexit__(None, None, None)
        await self._website.cleanup()
        await self._runner.cleanup()
        await self._db.close()

    def _newest(self) -> ConversationId:
        ((newest,),) = self.rows("SELECT id FROM conversations ORDER BY created_at DESC LIMIT 1")
        return ConversationId(newest)

    async def _put_in_line(self) -> None:
        async with self._db.transaction() as work:
            conversation = await work.conversations.lock(self._newest())
            assert conversation is not None
            now = self._clock.now()
            waiting = Handoff(HandoffId(new_id()), conversation.id, HandoffReason.ASKED, now, waiting_since=now)
            await work.handoffs.add(waiting)
        await change_owner(self._db, self._clock, conversation.id, Owner.QUEUE)

    async def _say(self, replies: tuple[Reply, ...]) -> None:
        async with self._db.transaction() as work:
            conversation = await work.conversations.lock(self._newest())
            assert conversation is not None
            for seq, reply in enumerate(replies, conversation.last_seq + 1):
                said = Message(
                    *(MessageId(new_id()), conversation.id, seq, Author.BOT, reply.text, self._clock.now()),
                    choices=reply.choices,
                    image=reply.image,
                    cards=reply.cards,
                )
                await work.messages.add(said, channel=conversation.channel)
            await work.conversations.save(replace(conversation, last_seq=conversation.last_seq + len(replies)))
            work.hint(Hint("outbound", conversation.id))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
