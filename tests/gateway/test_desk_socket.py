"""The desk's socket: what it tells, whom it lets in, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest

from bot.core.conversations import ConversationId
from bot.gateway import desk_socket
from bot.gateway.desk_live import DESK, MAX_CHANGED
from bot.gateway.settings import LIVE
from bot.services.agent_changes import AgentChange, change_agent
from bot.services.agents import reset_password
from bot.services.ports import Hint
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]


async def watched(frames, conversation_id):
    await frames.send({"type": "watch", "conversation_id": conversation_id})
    return await frames.expect("viewers", conversation_id=conversation_id)


async def test_a_foreign_page_gets_no_socket(desk_gateway, ana):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await ana.session.ws_connect(f"{desk_gateway.url}/desk/ws", headers={"Origin": "https://evil.example"})

    assert refused.value.status == 403


async def test_a_foreign_page_changes_nothing_either(ana):
    status, _ = await ana.ask("PUT", "presence", {"status": "away"}, headers={"Origin": "https://evil.example"})

    assert status == 403


async def test_the_desks_own_page_gets_a_socket(desk_gateway, ana):
    async with ana.at_socket(headers={"Origin": desk_gateway.url}):
        pass


async def test_a_new_customer_in_line_is_told_to_everybody(desk_gateway, ana, ben, waiting):
    async with ana.at_socket() as anas, ben.at_socket() as bens:
        await waiting.say("Hello?")

        for frames in (anas, bens):
            await frames.expect("changed", conversation_id=waiting.conversation_id)


async def test_whoever_watches_reads_along_without_what_customers_may_not_know(ana, helped):
    async with ana.at_socket() as frames:
        await watched(frames, helped.conversation_id)

        seq = await helped.say("Here I am")
        theirs = await frames.expect("message", conversation_id=helped.conversation_id)
        replied = await ana.reply(helped.conversation_id, "Hello")
        own = await frames.expect("message", conversation_id=helped.conversation_id)

    assert (theirs["message"]["seq"], theirs["message"]["text"]) == (seq, "Here I am")
    assert (own["message"]["seq"], own["message"]["agent_id"]) == (replied, ana.agent.id)


async def test_typing_is_seen_on_both_sides(ana, helped):
    async with ana.at_socket() as frames:
        await watched(frames, helped.conversation_id)

        await helped.send({"type": "typing"})
        assert (await frames.expect("typing", author="customer"))["conversation_id"] == helped.conversation_id

        await frames.send({"type": "typing", "conversation_id": helped.conversation_id})
        await helped.expect("typing", author="agent")


async def test_how_far_the_customer_has_read_is_told_at_once(ana, helped):
    async with ana.at_socket() as frames:
        await watched(frames, helped.conversation_id)

        await helped.send({"type": "read", "seq": 1})
        assert await frames.expect("read") == {"type": "read", "conversation_id": helped.conversation_id, "seq": 1}


async def test_nobody_types_in_a_conversation_that_is_not_theirs(desk_gateway, ben, helped):
    hints = []
    desk_gateway.app[LIVE].listeners.append(hints.append)
    await ben.do(helped.conversation_id, "typing")
    await ben.do(helped.conversation_id, "note", text="just looking")
    async with ben.at_socket() as frames:
        await helped.say("Hello")
        await frames.expect("changed", conversation_id=helped.conversation_id)

    assert "desk" in {hint.topic for hint in hints}
    assert "agent_typing" not in {hint.topic for hint in hints}


async def test_two_in_one_conversation_see_each_other_until_one_leaves(ana, ben, helped):
    async with ana.at_socket() as anas:
        assert [one["name"] for one in (await watched(anas, helped.conversation_id))["viewers"]] == ["Ana Cruz"]
        async with ben.at_socket() as bens:
            seen = await watched(bens, helped.conversation_id)
            assert [one["name"] for one in seen["viewers"]] == ["Ana Cruz", "Ben Lim"]
            assert len((await anas.expect("viewers"))["viewers"]) == 2
            view = await ana.get(f"conversations/{helped.conversation_id}")
            assert len(view["viewers"]) == 2

        assert [one["name"] for one in (await anas.expect("viewers"))["viewers"]] == ["Ana Cruz"]


async def test_closing_one_of_two_windows_is_not_leaving(ana, ben, helped):
    async with ana.at_socket() as kept, ben.at_socket() as bens:
        await watched(kept, helped.conversation_id)
        await watched(bens, helped.conversation_id)
        async with ana.at_socket() as closed:
            for looks_at in (helped.conversation_id, None):
                await closed.send({"type": "watch", "conversation_id": looks_at})
            await closed.send("nonsense")
            await closed.error()
        await helped.say("Are you there?")
        await bens.expect("message")

        viewers = (await ben.get(f"conversations/{helped.conversation_id}"))["viewers"]
    assert [one["name"] for one in viewers] == ["Ana Cruz", "Ben Lim"]


async def test_nobody_opens_more_windows_than_they_can_use(ana, ben, monkeypatch):
    monkeypatch.setattr(desk_socket, "MAX_OPEN_DESKS", 2)
    async with ana.at_socket(), ana.at_socket():
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with ana.at_socket():
                pass
        async with ben.at_socket():
            pass

    assert refused.value.status == 429
    async with ana.at_socket():
        pass


async def test_what_the_desk_is_told_is_not_packed(desk_gateway, ana):
    async with ana.session.ws_connect(f"{desk_gateway.url}/desk/ws", compress=15) as socket:
        assert socket.compress == 0


async def test_an_offer_is_told_to_whom_it_is_made(desk_gateway, ana, ben, waiting):
    async with ana.at_socket() as frames:
        now = desk_gateway.clock.now()
        until = now + timedelta(seconds=30)
        async with desk_gateway.store.transaction() as work:
            handoff = await work.handoffs.open_for(ConversationId(waiting.conversation_id))
            await work.handoffs.offer(handoff.id, ana.agent.id, now, until)
            work.hint(Hint("desk"))

        offer = await frames.expect("offer")

    assert (offer["conversation_id"], offer["until"]) == (waiting.conversation_id, until.isoformat())


@pytest.mark.parametrize("how", ["sign out", "reset", "disable"])
async def test_the_socket_ends_with_the_session(desk_gateway, ana, ben, how):
    async with ana.at_socket() as frames:
        match how:
            case "sign out":
                await ana.post("logout")
            case "reset":
                await reset_password(desk_gateway.store, desk_gateway.clock, ana.agent.id)
            case _:
                await change_agent(desk_gateway.store, desk_gateway.clock, ana.agent.id, AgentChange(disabled=True))

        assert (await frames.closed()).code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_desk_that_says_it_is_there_is_noted(desk_gateway, ana):
    async with ana.at_socket() as frames:
        desk_gateway.clock.ahead += timedelta(minutes=2)
        await frames.send({"type": "here"})
        await frames.send("nonsense")
        await frames.error()
        async with desk_gateway.store.reading() as work:
            agent = await work.agents.get(ana.agent.id)

    assert agent.is_there(desk_gateway.clock.now())


@pytest.mark.parametrize(
    "frame",
    ["{", "[]", '{"type":"dance"}', '{"type":"watch"}x', '{"type":"typing"}', '{"type":"watch","conversation_id":5}'],
)
async def test_a_frame_that_makes_no_sense_gets_an_error_and_nothing_breaks(ana, helped, frame):
    async with ana.at_socket() as frames:
        await frames.send(frame)
        assert (await frames.error())["code"] == "bad_request"
        await watched(frames, helped.conversation_id)


async def test_whoever_sends_nothing_but_nonsense_is_shown_the_door(ana):
    async with ana.at_socket() as frames:
        for _ in range(25):
            await frames.send("nonsense")

        assert (await frames.closed()).code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_desk_that_does_not_read_is_told_less_and_later(desk_gateway, ana):
    hub = desk_gateway.app[DESK]
    with hub.open(ana.agent) as screen:
        for number in range(10 * MAX_CHANGED):
            hub.receive_hint(Hint("desk", f"{number}"))

        assert None in screen.look_at
        assert len(screen.look_at) <= MAX_CHANGED
