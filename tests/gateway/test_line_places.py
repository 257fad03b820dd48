"""What customers are told about their place in line and who helps them, while it changes."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.conversations import Choice
from bot.gateway import live
from bot.gateway.settings import LIVE
from bot.services.handoff_words import BACK_TO_BOT
from tests.gateway.desk_client import wants_a_person
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]


@pytest.fixture
async def second(desk_gateway, waiting):
    """Somebody who waits behind the first."""
    chat = await desk_gateway.chat()
    await chat.ask("Hello")
    await wants_a_person(desk_gateway, chat.conversation_id)
    await chat.expect("owner", owner="queue", position=2)
    return chat


async def test_whoever_moves_up_is_told_so(waiting, second, ana):
    await ana.do(waiting.conversation_id, "claim")

    assert await second.expect("owner") == {"type": "owner", "owner": "queue", "position": 1, "name": None}


async def test_a_place_that_no_wake_up_told_of_is_told_at_the_next_look(
    waiting, second, ana, desk_gateway, monkeypatch
):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(desk_gateway.app[LIVE]._line_moved, "set", lambda: None)
    await ana.do(waiting.conversation_id, "claim")

    await second.expect("owner", position=1)


async def test_whoever_joins_is_known_by_name(waiting, ana):
    await ana.do(waiting.conversation_id, "claim")

    frame = await waiting.expect("owner", owner="agent")

    assert (frame["name"], frame["position"]) == ("Ana Cruz", None)


async def test_who_comes_back_to_the_page_sees_their_place_and_their_person_again(desk_gateway, waiting, second, ana):
    again = await desk_gateway.chat(visitor_token=second.visitor_token, last_seq=2)
    assert (again.ready["owner"], again.ready["position"]) == ("queue", 2)
    assert await again.is_silent(0.15)  # what ready said is not said again

    await ana.do(waiting.conversation_id, "claim")
    again = await desk_gateway.chat(visitor_token=waiting.visitor_token)
    assert (await again.expect("owner", owner="agent"))["name"] == "Ana Cruz"


async def test_the_place_is_told_to_those_who_ask_now_and_then(desk_gateway, second):
    headers = {"Authorization": f"Bearer {second.visitor_token}"}
    async with desk_gateway.session.get(f"{desk_gateway.url}/chat/messages?after=9", headers=headers) as response:
        owner = {"type": "owner", "owner": "queue", "position": 2, "name": None}
        assert (await response.json())["frames"][-1] == owner


async def test_passing_on_tells_the_new_name(desk_gateway, helped, ana, ben):
    await ana.do(helped.conversation_id, "transfer", agent_id=ben.agent.id)

    assert (await helped.expect("owner", name="Ben Lim"))["owner"] == "agent"


async def test_a_choice_in_line_is_done_at_once(desk_gateway, waiting):
    await desk_gateway.bot_says(
        waiting.conversation_id, "Go on waiting?", choices=(Choice("Back to the assistant", BACK_TO_BOT),)
    )
    await waiting.expect("message", text="Go on waiting?")
    await waiting.send({"type": "choice", "client_id": "5b0a6b1e-5c4c-4a3e-9d0a-0c1f6f1f0a01", "payload": BACK_TO_BOT})

    await waiting.expect("owner", owner="bot")
    assert "You have left the line" in (await waiting.expect("message", author="system"))["text"]
    # And the bot answers again.
    assert await asyncio.wait_for(waiting.ask("Are you there?"), 10)


async def test_the_end_of_the_chat_leaves_the_line_and_the_person(waiting, ana):
    await waiting.send({"type": "end"})
    await waiting.expect("owner", owner="bot")

    await wants_a_person(ana.gateway, waiting.conversation_id)
    await ana.do(waiting.conversation_id, "claim")
    await waiting.expect("owner", owner="agent")
    await waiting.send({"type": "end"})
    await waiting.expect("owner", owner="bot")
    assert (await ana.get(f"conversations/{waiting.conversation_id}"))["conversation"]["stage"] == "resolved"
