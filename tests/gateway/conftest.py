"""A real gateway on a real socket over a real database, with an answerer in the dialogue worker's place."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bot.business import load_business
from bot.core.conversations import Author, Choice, ConversationId, Message, MessageId
from bot.core.customers import Customer, CustomerId
from bot.core.shop import Shop
from bot.gateway.application import create_gateway, gateway_runner
from bot.gateway.limits import RateLimit
from bot.gateway.settings import LIVE, MESSAGE_LIMIT, SOCKETS, GatewaySettings
from bot.services.demo import DEMO_PEOPLE
from bot.services.ids import new_id
from bot.services.ports import Hint, UnitOfWork
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import LocalWakeups, Wakeups, create_wakeups
from tests.gateway.answerer import Answerer
from tests.gateway.chat_client import Chat, EventStream
from tests.gateway.tokens import IDENTITY_SECRET, SECRET

ROOT = Path(__file__).parents[2]
SHOP_ORIGIN = "https://shop.example"
API_KEY = "key-of-the-shop"


class SettableClock:
    """The real time, plus what a test adds to it: tokens are checked against the real time."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


def broken_database() -> OperationalError:
    """What SQLAlchemy says when the database does not answer."""
    return OperationalError("INSERT …", {}, Exception("database is locked"))


class BreakableDatabase:
    """A database that a test can take away, or hold just before a commit."""

    def __init__(self, db: SqlDatabase) -> None:
        self._db = db
        self.error: BaseException | None = None
        self.commit_error: BaseException | None = None
        self.at_commit = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    @contextlib.asynccontextmanager
    async def transaction(self, *, durable: bool = True) -> AsyncIterator[UnitOfWork]:
        if self.error is not None:
            raise self.error
        async with self._db.transaction(durable=durable) as work:
            yield work
            self.at_commit.set()
            await self.may_commit.wait()
            if self.commit_error is not None:
                raise self.commit_error

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        if self.error is not None:
            raise self.error
        async with self._db.reading() as work:
            yield work


class Gateway:
    """The running gateway, and what a test needs to know about it."""

    def __init__(self, app: web.Application, session: aiohttp.ClientSession, file: Path) -> None:
        self.app = app
        self.session = session
        self.file = file
        self.url = ""
        self.db: BreakableDatabase
        self.store: SqlDatabase  # the same database, which cannot be broken
        self.wakeups: Wakeups
        self.clock: SettableClock
        self.shop: Shop
        self.answerer: Answerer
        self.runner: web.AppRunner

    async def connect(self, **options: Any) -> Chat:
        """A socket on which nothing has been said."""
        return Chat(await self.session.ws_connect(f"{self.url}/chat/ws", **options))

    async def chat(self, **hello: Any) -> Chat:
        """A socket with an open conversation."""
        chat = await self.connect()
        await chat.hello(**hello)
        return chat

    async def post(self, frame: Any, token: str | None = None, **options: Any) -> tuple[int, dict[str, Any]]:
        """A frame over plain HTTP; status and body."""
        headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        body = {"data": frame} if isinstance(frame, str | bytes) else {"json": frame}
        async with self.session.post(f"{self.url}/chat/messages", headers=headers, **body, **options) as response:
            return response.status, await response.json(content_type=None)

    @contextlib.asynccontextmanager
    async def events(self, token: str, **options: Any) -> AsyncIterator[EventStream]:
        """The event stream of a conversation."""
        headers = {**options.pop("headers", {}), "Authorization": f"Bearer {token}"}
        async with self.session.get(f"{self.url}/chat/events", headers=headers, **options) as response:
            assert response.status == 200, await response.text()
            yield EventStream(response)

    async def webhook(self, body: Any, key: str | None = API_KEY, **options: Any) -> tuple[int, Any]:
        """Rasa's REST channel; status and body."""
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        sent = {"data": body} if isinstance(body, str | bytes) else {"json": body}
        async with self.session.post(
            f"{self.url}/webhooks/rest/webhook", headers={**headers, **options.pop("headers", {})}, **sent, **options
        ) as response:
            return response.status, await response.json(content_type=None)

    async def bot_says(self, conversation_id: str, *texts: str, choices: tuple[Choice, ...] = ()) -> None:
        """Messages from the bot, as a worker elsewhere would commit them."""
        async with self.store.transaction() as work:
            conversation = await work.conversations.lock(ConversationId(conversation_id))
            assert conversation is not None
            for seq, text in enumerate(texts, conversation.last_seq + 1):
                said = Message(MessageId(new_id()), conversation.id, seq, Author.BOT, text, self.clock.now(), choices)
                await work.messages.add(said, channel=conversation.channel)
            await work.conversations.save(replace(conversation, last_seq=conversation.last_seq + len(texts)))
            work.hint(Hint("outbound", conversation_id))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What another program sees in the database now: committed rows only."""
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query, values).fetchall()

    def open_sockets(self) -> int:
        return len(self.app[SOCKETS])


StartGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture(scope="session")
def shop() -> Shop:
    return load_business(ROOT / "business.yml").to_shop()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of this version's schema, to be copied."""
    file = tmp_path_factory.mktemp("database") / "empty.db"

    async def make() -> None:
        engine = create_engine(f"sqlite:///{file}")
        await migrate(engine)
        await engine.dispose()

    asyncio.run(make())
    return file


@pytest.fixture
def hint_folder() -> Iterator[Path]:
    """A short path: a socket's may have 100 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="kasuki-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def start_gateway(
    empty_database: Path, tmp_path: Path, hint_folder: Path, shop: Shop
) -> AsyncIterator[StartGateway]:
    """Starts a gateway: without its answerer, its wake-ups, its demo or its message limit if told so."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_join_drivers)

        async def start(
            *,
            answering: bool = True,
            hints: bool = True,
            demo: bool = True,
            limited: bool = True,
            database_url: str | None = None,
            public_url: str = "",
            desk_is_open: bool = False,
        ) -> Gateway:
            file = tmp_path / "kasuki.db"
            wakeups: Wakeups = LocalWakeups(hint_folder)
            if database_url is not None and database_url.startswith("postgresql"):
                wakeups, engine = create_wakeups(database_url), create_engine(database_url)
            else:
                shutil.copy(empty_database, file)
                engine = create_engine(f"sqlite:///{file}")
                event.listen(engine.sync_engine, "connect", _write_fast)
            store = SqlDatabase(engine, wakeups)
            stack.push_async_callback(store.close)
            db, clock = BreakableDatabase(store), SettableClock()
            metrics_dir = tmp_path / "metrics"
            metrics_dir.mkdir(exist_ok=True)
            kept = replace(shop, desk=replace(shop.desk, always_open=desk_is_open))
            settings = GatewaySettings(
                shop=kept,
                allowed_origins=frozenset({SHOP_ORIGIN}),
                demo=demo,
                metrics_dir=metrics_dir,
                secret_key=SECRET,
                identity_secret=IDENTITY_SECRET,
                api_key=API_KEY,
                public_url=public_url,
            )
            app = create_gateway(settings, db, clock)
            if not limited:
                app[MESSAGE_LIMIT] = RateLimit(1_000_000, 1_000_000)
            runner = gateway_runner(app, 5)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            if hints:
                await stack.enter_async_context(wakeups.listening(app[LIVE].receive_hint))
            session = await stack.enter_async_context(aiohttp.ClientSession())

            gateway = Gateway(app, session, file)
            host, port = runner.addresses[0][:2]
            gateway.url = f"http://{host}:{port}"
            gateway.db, gateway.store, gateway.wakeups, gateway.clock = db, store, wakeups, clock
            gateway.shop, gateway.runner = kept, runner
            gateway.answerer = Answerer(store, clock, kept)
            if answering:
                await stack.enter_async_context(wakeups.listening(gateway.answerer.receive_hint))
                task = asyncio.create_task(gateway.answerer.run())
                stack.push_async_callback(_stop, gateway.answerer, task)
            return gateway

        yield start


def _write_fast(connection: Any, _record: Any) -> None:
    # Nobody pulls the plug here, so nothing needs to wait for the disk.
    connection.execute("PRAGMA synchronous=OFF")


async def _stop(answerer: Answerer, task: asyncio.Task[None]) -> None:
    answerer.stop()
    await asyncio.wait_for(task, 10)


async def _join_drivers() -> None:
    """Wait for the SQLite driver's threads: one that was left in the middle still reports to this loop."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway()


@pytest.fixture
async def quiet_gateway(start_gateway: StartGateway) -> Gateway:
    """Nobody answers."""
    return await start_gateway(answering=False)


@pytest.fixture
async def demo_people(gateway: Gateway) -> dict[str, Customer]:
    """The demo's fixed customers, by e-mail address."""
    now = gateway.clock.now()
    people = [
        Customer(CustomerId(new_id()), person.external_id, person.name, person.email, now) for person in DEMO_PEOPLE
    ]
    async with gateway.store.transaction() as work:
        for customer in people:
            await work.customers.add(customer)
    return {customer.email or "": customer for customer in people}
