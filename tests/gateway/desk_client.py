"""Somebody at the desk: signs in, asks the API, and sits at an open socket."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from bot.core.agents import Agent, Role
from bot.core.conversations import ConversationId
from bot.core.handoffs import HandoffReason
from bot.services.agents import add_agent
from bot.services.handoffs import request_handoff
from tests.gateway.chat_client import Chat
from tests.gateway.conftest import Gateway

PASSWORD = "correct horse battery"


class Desk:
    """One person's browser."""

    def __init__(self, gateway: Gateway, agent: Agent) -> None:
        self.gateway = gateway
        self.agent = agent
        self.csrf = ""
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def sign_in(self, password: str = PASSWORD) -> dict[str, Any]:
        status, answer = await self.post("login", {"email": self.agent.email, "password": password})
        assert status == 200, answer
        self.csrf = answer["csrf"]
        return answer

    async def ask(
        self, method: str, path: str, body: Any = None, *, csrf: str | None = None, **options: Any
    ) -> tuple[int, Any]:
        """A request: its status, and what was answered."""
        headers = {**options.pop("headers", {})}
        if (self.csrf if csrf is None else csrf) and method != "GET":
            headers["X-CSRF-Token"] = self.csrf if csrf is None else csrf
        sent = {} if method == "GET" else {"json": {} if body is None else body}
        url = f"{self.gateway.url}/desk/api/{path}"
        async with self.session.request(method, url, headers=headers, **sent, **options) as response:
            if response.content_type.endswith("json"):
                return response.status, await response.json(content_type=None)
            return response.status, await response.text()

    async def get(self, path: str, **query: str) -> Any:
        """What is answered to a question that may be asked."""
        status, answer = await self.ask("GET", path, params=query)
        assert status == 200, (path, status, answer)
        return answer

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        return await self.ask("POST", path, body)

    async def do(self, conversation_id: str, what: str, **body: Any) -> Any:
        """Something done with a conversation, which works."""
        status, answer = await self.post(f"conversations/{conversation_id}/{what}", body)
        assert status == 200, (what, status, answer)
        return answer

    async def reply(self, conversation_id: str, text: str, client_id: str | None = None) -> int:
        return (await self.do(conversation_id, "reply", text=text, client_id=client_id or str(uuid.uuid4())))["seq"]

    async def online(self) -> None:
        status, answer = await self.ask("PUT", "presence", {"status": "online"})
        assert status == 200, answer

    async def listed(self, **query: str) -> list[str]:
        """The ids in a list."""
        return [row["id"] for row in (await self.get("conversations", **query))["conversations"]]

    @contextlib.asynccontextmanager
    async def at_socket(self, **options: Any) -> AsyncIterator[Chat]:
        """The desk's socket, after its greeting."""
        async with self.session.ws_connect(f"{self.gateway.url}/desk/ws", **options) as socket:
            frames = Chat(socket)
            assert (await frames.expect("hello"))["agent"]["id"] == self.agent.id
            yield frames


async def hired(
    gateway: Gateway, email: str, name: str, role: Role = Role.AGENT, password: str | None = PASSWORD
) -> tuple[Agent, str]:
    """Somebody who works at the desk, and their password."""
    return await add_agent(gateway.store, gateway.clock, email=email, name=name, role=role, password=password)


async def wants_a_person(gateway: Gateway, conversation_id: str, **about: Any) -> None:
    """The customer's wish, as a worker elsewhere commits it."""
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(conversation_id))
        assert conversation is not None
        about = {"reason": HandoffReason.ASKED, **about}
        await request_handoff(work, gateway.clock, gateway.shop, conversation, **about)
