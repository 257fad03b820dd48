"""The real model, the real actions and a real database, talked to as a customer would."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.business import load_business
from bot.clock import SystemClock
from bot.content import CATALOGUE_FILE, KNOWLEDGE_FOLDER, ContentFiles
from bot.core.channels import TELEGRAM
from bot.core.conversations import Author, Conversation, InboundMessage, Message
from bot.core.shop import Shop
from bot.dialogue.lean import leave_out_tensorflow
from bot.gateway.links import SignedLinks
from bot.metrics import TurnMetrics
from bot.services.conversations import ProvenIdentity, open_web_conversation, receive_message
from bot.services.demo_data import load_demo
from bot.services.ids import new_id
from bot.services.turns import claim_turn
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "kasuki.tar.gz"

leave_out_tensorflow()


class MovableClock:
    """The system's clock, which a test can move ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


@dataclass
class Talk:
    """One customer's conversation with the assistant."""

    worker: object
    db: SqlDatabase
    clock: MovableClock
    conversation: Conversation
    choices: dict[str, str] = field(default_factory=dict)
    offered: list[str] = field(default_factory=list)

    async def say(self, text: str) -> list[Message]:
        """Write something (or pick a choice, in square brackets), and return what the bot answers."""
        payload = self.choices[text[1:-1]] if text.startswith("[") else None
        message = await receive_message(
            self.db, self.clock, self.conversation.id, InboundMessage(new_id(), text, payload)
        )
        return await self.answer(message)

    async def answer(self, message: Message) -> list[Message]:
        """Work until nothing is due, and return what was said after the message."""
        while (turn := await claim_turn(self.db, self.clock, self.worker.id)) is not None:
            await self.worker.work_on(turn)
        async with self.db.reading() as work:
            said = await work.messages.after(self.conversation.id, message.seq)
        said = [one for one in said if one.author is not Author.CUSTOMER]
        self.offered = [choice.title for one in said for choice in one.choices]
        self.choices.update({choice.title: choice.payload for one in said for choice in one.choices})
        return said

    async def text(self, text: str) -> str:
        """Like say, as one text."""
        return "\n".join(message.text for message in await self.say(text))


@pytest.fixture(scope="session")
def assistant() -> Iterator[object]:
    if not MODEL.exists():
        pytest.fail("there is no trained model: run `make train` (`make test` does)")
    from bot.dialogue.assistant import Assistant

    loaded = Assistant.load(MODEL)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def shop() -> Shop:
    return load_business(ROOT / "business.yml").to_shop()


@pytest.fixture(scope="session")
def content() -> ContentFiles:
    business = load_business(ROOT / "business.yml")
    return ContentFiles(ROOT / KNOWLEDGE_FOLDER, ROOT / CATALOGUE_FILE, business.facts())


@pytest.fixture(scope="session")
def links() -> SignedLinks:
    return SignedLinks("https://chat.example.com", "a key of the tests, which is long enough", 24, {TELEGRAM})


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the demo shop, made once."""
    import asyncio

    path = tmp_path_factory.mktemp("demo") / "demo.db"

    async def fill() -> None:
        url = f"sqlite:///{path}"
        engine = create_engine(url)
        await migrate(engine)
        shop = load_business(ROOT / "business.yml").to_shop()
        await load_demo(SqlDatabase(engine, create_wakeups(url)), SystemClock(), shop)
        await engine.dispose()

    asyncio.run(fill())
    return path


@pytest.fixture
async def demo_db(demo_file: Path, tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    url = f"sqlite:///{shutil.copy(demo_file, tmp_path / 'kasuki.db')}"
    db = SqlDatabase(create_engine(url), create_wakeups(url))
    yield db
    await db.close()


@pytest.fixture
def worker(
    assistant: object,
    demo_db: SqlDatabase,
    clock: MovableClock,
    shop: Shop,
    content: ContentFiles,
    links: SignedLinks,
) -> object:
    from bot.dialogue.worker import Worker

    return Worker("worker-test", assistant, demo_db, clock, shop, content, links, TurnMetrics())


@pytest.fixture
def talk_as(worker: object, demo_db: SqlDatabase, clock: MovableClock):
    """Begin a conversation: `await talk_as()` for a stranger, `await talk_as("C-1001")` for a verified customer."""

    async def begin(external_id: str | None = None) -> Talk:
        identity = None
        if external_id is not None:
            async with demo_db.reading() as work:
                customer = await work.customers.by_external_id(external_id)
            identity = ProvenIdentity(external_id, customer.email, customer.name, clock.now() + timedelta(hours=1))
        conversation, _ = await open_web_conversation(demo_db, clock, conversation_id=None, identity=identity)
        return Talk(worker, demo_db, clock, replace(conversation))

    return begin
