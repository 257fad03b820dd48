"""A gateway on each database with an open desk, and people who sit at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.agents import Role
from tests.gateway.chat_client import Chat
from tests.gateway.conftest import Gateway
from tests.gateway.desk_client import Desk, hired, wants_a_person


@pytest.fixture
async def desk_gateway(start_gateway, sql_url: str, quick_hashes: None) -> Gateway:
    """The test runs on SQLite and on PostgreSQL."""
    gateway: Gateway = await start_gateway(database_url=sql_url, desk_is_open=True, limited=False)
    return gateway


async def _at_the_desk(gateway: Gateway, email: str, name: str, role: Role) -> Desk:
    agent, _ = await hired(gateway, email, name, role)
    desk = Desk(gateway, agent)
    await desk.sign_in()
    await desk.online()
    return desk


@pytest.fixture
async def ana(desk_gateway: Gateway) -> AsyncIterator[Desk]:
    """An agent, online."""
    desk = await _at_the_desk(desk_gateway, "ana@corner.example", "Ana Cruz", Role.AGENT)
    yield desk
    await desk.session.close()


@pytest.fixture
async def ben(desk_gateway: Gateway) -> AsyncIterator[Desk]:
    """An admin, online."""
    desk = await _at_the_desk(desk_gateway, "ben@corner.example", "Ben Lim", Role.ADMIN)
    yield desk
    await desk.session.close()


@pytest.fixture
async def waiting(desk_gateway: Gateway, ana: Desk) -> Chat:
    """A customer who has asked for a person and waits in line."""
    chat = await desk_gateway.chat()
    await chat.ask("Hello")
    await wants_a_person(desk_gateway, chat.conversation_id)
    await chat.expect("owner", owner="queue")
    return chat


@pytest.fixture
async def helped(waiting: Chat, ana: Desk) -> Chat:
    """A customer whom Ana helps."""
    await ana.do(waiting.conversation_id, "claim")
    await waiting.expect("owner", owner="agent")
    return waiting
