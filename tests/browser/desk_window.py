"""A gateway with an open desk and no worker, in a thread of its own: the test plays customers and colleagues."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.business import load_business
from bot.clock import SystemClock
from bot.core.agents import Agent, Presence, Role
from bot.core.attachments import IncomingFile
from bot.core.conversations import Author, Choice, Conversation, InboundMessage, Message, MessageId
from bot.core.handoffs import HandoffReason, Step
from bot.gateway.application import create_gateway
from bot.gateway.desk_sign_in import SIGN_IN_LIMIT
from bot.gateway.limits import RateLimit
from bot.gateway.settings import ADDRESS_LIMIT, LIVE, MESSAGE_LIMIT, GatewaySettings
from bot.services import desk, teaching
from bot.services.agents import add_agent, set_presence
from bot.services.attachments import receive_file
from bot.services.conversations import open_web_conversation, receive_message
from bot.services.handoffs import request_handoff
from bot.services.ids import new_id
from bot.services.ports import Hint, UnitOfWork
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


class DeskWindow:
    """The gateway with its desk; what the test does is done when its call returns."""

    def __init__(self, folder: Path) -> None:
        self._url = f"sqlite:///{folder / 'kasuki.db'}"
        self._metrics = folder
        self._loop = asyncio.new_event_loop()
        self._clock = SystemClock()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        shop = load_business(ROOT / "business.yml").to_shop()
        self.shop = replace(shop, desk=replace(shop.desk, always_open=True))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._thread.start()
        self._run(self._start())

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def leave(self) -> None:
        """The server goes away …"""
        self._run(self._runner.cleanup())

    def return_(self) -> None:
        """… and comes back at the same address, with the same data."""
        self._run(self._serve())

    def hire(
        self, email: str, name: str, role: Role = Role.AGENT, password: str | None = PASSWORD
    ) -> tuple[Agent, str]:
        """Somebody who works at the desk and takes conversations, and their password."""
        return self._run(self._hire(email, name, role, password))  # type: ignore[no-any-return]

    def customer(self, *texts: str, details: Mapping[str, str] | None = None) -> str:
        """Somebody who writes to the bot: the id of their conversation."""
        return self._run(self._customer(texts, details))  # type: ignore[no-any-return]

    def say(self, conversation_id: str, *texts: str) -> None:
        """The customer writes."""
        self._run(self._say(conversation_id, texts))

    def send_file(self, conversation_id: str, name: str, content: bytes) -> str:
        """The customer sends a file: its id."""
        file = IncomingFile(name, content)
        message = self._run(receive_file(self._db, self._clock, conversation_id, new_id(), file))  # type: ignore[arg-type]
        return message.attachment.id  # type: ignore[no-any-return]

    def wants_a_person(self, conversation_id: str, **about: Any) -> None:
        """The customer asks for a person."""
        self._run(self._wants_a_person(conversation_id, {"reason": HandoffReason.ASKED, **about}))

    def waiting(self, *texts: str, name: str | None = None, **about: Any) -> str:
        """Somebody who waits in line: the id of their conversation."""
        conversation_id = self.customer(*(texts or ("Hello",)), details={"name": name} if name else None)
        self.wants_a_person(conversation_id, **about)
        return conversation_id

    def bot_says(self, conversation_id: str, text: str, choices: tuple[Choice, ...] = ()) -> None:
        """The bot answers."""
        self._run(self._bot_says(conversation_id, text, choices))

    def offer(self, agent: Agent, conversation_id: str, seconds: int = 30) -> None:
        """The line offers what waits to somebody."""
        self._run(self._offer(agent, conversation_id, seconds))

    def claim(self, agent: Agent, conversation_id: str) -> None:
        """They take it, and are online for that; whoever has signed out is away."""
        self._run(set_presence(self._db, self._clock, agent.id, Presence.ONLINE))
        self._run(desk.step(self._db, self._clock, self.shop, agent, conversation_id, Step.CLAIM))  # type: ignore[arg-type]

    def note(self, agent: Agent, conversation_id: str, text: str) -> None:
        self._run(desk.add_note(self._db, self._clock, agent, conversation_id, text, str(uuid.uuid4())))  # type: ignore[arg-type]

    def label(self, conversation_id: str, *labels: str) -> None:
        self._run(desk.label(self._db, conversation_id, labels, ()))  # type: ignore[arg-type]

    def canned(self, agent: Agent, shortcut: str, text: str) -> None:
        self._run(teaching.keep_canned_reply(self._db, self._clock, agent, shortcut, text))

    def step(self, agent: Agent, conversation_id: str, wanted: Step, **about: Any) -> None:
        """Somebody does something with a conversation elsewhere."""
        self._run(desk.step(self._db, self._clock, self.shop, agent, conversation_id, wanted, **about))  # type: ignore[arg-type]

    def reply(self, agent: Agent, conversation_id: str, text: str) -> None:
        self._run(desk.reply(self._db, self._clock, agent, conversation_id, text, str(uuid.uuid4())))  # type: ignore[arg-type]

    def snooze(self, agent: Agent, conversation_id: str, seconds: int) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        self._run(desk.snooze(self._db, self._clock, agent, conversation_id, until))  # type: ignore[arg-type]

    def teach(self, agent: Agent, conversation_id: str, seq: int, intent: str) -> None:
        self._run(teaching.teach(self._db, self._clock, agent, conversation_id, seq, intent))  # type: ignore[arg-type]

    def ask(self, agent: Agent, conversation_id: str, question: str) -> None:
        """A question that nobody had an answer to."""
        self._run(teaching.draft_question(self._db, self._clock, agent, question, conversation_id))  # type: ignore[arg-type]

    def change(self, what: Callable[[UnitOfWork], Awaitable[Any]]) -> Any:
        """Whatever is done in one transaction, committed."""
        return self._run(self._change(what))

    def texts(self, conversation_id: str, author: Author) -> list[str]:
        """What somebody has said there, as the customer has it."""
        return [message.text for message in self.messages(conversation_id) if message.author is author]

    def messages(self, conversation_id: str) -> list[Message]:
        """Everything that was said there."""
        return self._run(self._messages(conversation_id))  # type: ignore[no-any-return]

    def now(self) -> datetime:
        return self._clock.now()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def _change(self, what: Callable[[UnitOfWork], Awaitable[Any]]) -> Any:
        async with self._db.transaction() as work:
            return await what(work)

    async def _start(self) -> None:
        engine = create_engine(self._url)
        await migrate(engine)
        self._wakeups = create_wakeups(self._url)
        self._db = SqlDatabase(engine, self._wakeups)
        await self._serve()

    async def _serve(self) -> None:
        settings = GatewaySettings(
            shop=self.shop,
            allowed_origins=frozenset({self.address}),
            demo=True,
            metrics_dir=self._metrics,
            secret_key="v" * 40,
            identity_secret="i" * 40,
            api_key="k" * 40,
        )
        app = create_gateway(settings, self._db, self._clock)
        app[MESSAGE_LIMIT] = app[ADDRESS_LIMIT] = app[SIGN_IN_LIMIT] = RateLimit(10_000, 10_000)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._listening = self._wakeups.listening(app[LIVE].receive_hint)
        await self._listening.__aenter__()

    async def _stop(self) -> None:
        await self._listening.__aexit__(None, None, None)
        await self._runner.cleanup()
        await self._db.close()

    async def _hire(self, email: str, name: str, role: Role, password: str | None) -> tuple[Agent, str]:
        agent, password = await add_agent(self._db, self._clock, email=email, name=name, role=role, password=password)
        await set_presence(self._db, self._clock, agent.id, Presence.ONLINE)
        return agent, password

    async def _offer(self, agent: Agent, conversation_id: str, seconds: int) -> None:
        async with self._db.transaction() as work:
            conversation = await _locked(work, conversation_id)
            handoff = await work.handoffs.open_for(conversation.id)
            assert handoff is not None
            until = self._clock.now() + timedelta(seconds=seconds)
            await work.handoffs.save(replace(handoff, offered_to=agent.id, offered_until=until))
            work.hint(Hint("desk", conversation.id))

    async def _customer(self, texts: tuple[str, ...], details: Mapping[str, str] | None) -> str:
        conversation, _ = await open_web_conversation(self._db, self._clock, conversation_id=None, identity=None)
        if details:
            async with self._db.transaction() as work:
                await work.conversations.save(replace(conversation, visitor_details=details))
        await self._say(conversation.id, texts)
        return conversation.id

    async def _say(self, conversation_id: str, texts: tuple[str, ...]) -> None:
        for text in texts:
            inbound = InboundMessage(f"{conversation_id}:{uuid.uuid4()}", text)
            await receive_message(self._db, self._clock, conversation_id, inbound)  # type: ignore[arg-type]

    async def _wants_a_person(self, conversation_id: str, about: dict[str, Any]) -> None:
        async with self._db.transaction() as work:
            await request_handoff(work, self._clock, self.shop, await _locked(work, conversation_id), **about)

    async def _bot_says(self, conversation_id: str, text: str, choices: tuple[Choice, ...]) -> None:
        async with self._db.transaction() as work:
            conversation = await _locked(work, conversation_id)
            seq = conversation.last_seq + 1
            said = Message(
                *(MessageId(new_id()), conversation.id, seq, Author.BOT, text, self._clock.now()), choices=choices
            )
            await work.messages.add(said, channel=conversation.channel)
            await work.conversations.save(replace(conversation, last_seq=seq))
            work.hint(Hint("outbound", conversation.id))

    async def _messages(self, conversation_id: str) -> list[Message]:
        async with self._db.reading() as work:
            return await work.messages.after(conversation_id, 0, 1_000)  # type: ignore[arg-type]


async def _locked(work: Any, conversation_id: str) -> Conversation:
    conversation: Conversation | None = await work.conversations.lock(conversation_id)
    assert conversation is not None
    return conversation
