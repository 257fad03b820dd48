"""The same chat over plain HTTP: frames posted, messages as server-sent events."""

from __future__ import annotations

import asyncio
import json
import uuid

import aiohttp
import pytest

from bot.core.conversations import Choice, Reply
from bot.gateway import application, chat, live
from tests.gateway.chat_client import EventStream, eventually, message
from tests.gateway.conftest import broken_database
from tests.gateway.test_chat_bad_frames import BAD_FRAMES
from tests.gateway.tokens import identity_token


async def hello(gateway, **changes) -> dict:
    status, ready = await gateway.post({"type": "hello", "visitor_token": None, "last_seq": 0, **changes})
    assert (status, ready["type"]) == (200, "ready")
    return ready


async def get_events(gateway, token: str | None, **options) -> tuple[int, str, str]:
    """Status, type and body of a stream that is refused."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with gateway.session.get(
        f"{gateway.url}/chat/events", headers={**headers, **options.pop("headers", {})}, **options
    ) as response:
        return response.status, response.content_type, await response.text()


# Posting


async def test_hello_is_answered_as_on_the_socket(gateway):
    over_http, over_socket = await hello(gateway), (await gateway.chat()).ready

    different = {"visitor_token", "conversation_id"}
    assert {name: value for name, value in over_http.items() if name not in different} == {
        name: value for name, value in over_socket.items() if name not in different
    }
    assert (await hello(gateway, identity_token=identity_token()))["customer"] == {"name": "Ana Cruz"}
    again = await hello(gateway, visitor_token=over_http["visitor_token"])
    assert again["conversation_id"] == over_http["conversation_id"]


async def test_a_message_is_acknowledged_once_and_committed(quiet_gateway):
    token = (await hello(quiet_gateway))["visitor_token"]
    frame = message("over HTTP")

    first, second = await quiet_gateway.post(frame, token), await quiet_gateway.post(frame, token)

    assert first == second == (200, {"type": "ack", "client_id": frame["client_id"], "seq": 1})
    assert quiet_gateway.rows("SELECT text FROM messages") == [("over HTTP",)]


async def test_a_message_sent_on_the_socket_is_known_over_http_and_the_other_way_round(gateway):
    socket = await gateway.chat()
    client_id = str(uuid.uuid4())
    seq = await socket.say("one message", client_id)

    assert await gateway.post(message("one message", client_id=client_id), socket.visitor_token) == (
        200,
        {"type": "ack", "client_id": client_id, "seq": seq},
    )
    await gateway.post(message("from the other side"), socket.visitor_token)
    assert await socket.expect("message", text="from the other side")


@pytest.mark.parametrize("frame", [{"type": "typing"}, {"type": "read", "seq": 1}, {"type": "end"}], ids=str)
async def test_a_frame_without_an_answer_is_ok(gateway, frame):
    token = (await hello(gateway))["visitor_token"]

    assert await gateway.post(frame, token) == (200, {"type": "ok"})


async def test_errors_have_the_sockets_body_and_a_status(gateway):
    gateway.answerer.answer = lambda _: [Reply("Which?", (Choice("This", "/this"),))]
    token = (await hello(gateway))["visitor_token"]
    frame = message("hi")
    await gateway.post(frame, token)

    for sent, expected in (
        ("{oops", (400, "bad_request", None)),
        (message(" "), (400, "bad_request", ...)),
        (message("x" * 2_001), (413, "too_long", ...)),
        ({**frame, "text": "other"}, (409, "duplicate_client_id", ...)),
        ({"type": "choice", "client_id": str(uuid.uuid4()), "payload": "/never"}, (422, "unknown_choice", ...)),
    ):
        status, body = await gateway.post(sent, token)
        client_id = sent["client_id"] if isinstance(sent, dict) else None
        assert (status, body["code"], body["client_id"]) == (*expected[:2], client_id)
        assert (body["type"], sorted(body)) == ("error", ["client_id", "code", "message", "type"])


async def test_every_bad_frame_is_a_400(start_gateway):
    gateway = await start_gateway(limited=False)
    token = (await hello(gateway))["visitor_token"]

    for name, frame in BAD_FRAMES.items():
        if not name.startswith("binary"):
            status, body = await gateway.post(frame, token)
            assert (status, body["code"]) == (400, "bad_request"), name
    assert (await gateway.post(b"\x00\xff\xfe\x80", token))[0] == 400


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer forged", "Bearer \xff"])
async def test_without_a_good_token_nothing_is_taken(gateway, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}

    status, body = await gateway.post(message("hi"), headers=headers)

    assert (status, body["code"]) == (401, "unauthorized")
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_flood_is_limited_as_on_the_socket(quiet_gateway):
    token = (await hello(quiet_gateway))["visitor_token"]

    answers = [await quiet_gateway.post(message(f"{number}"), token) for number in range(25)]

    status, body = next(answer for answer in answers if answer[0] != 200)
    assert (status, body["code"]) == (429, "rate_limited")
    assert body["retry_after"] >= 1


async def test_a_flood_from_one_address_is_limited_with_retry_after(start_gateway, monkeypatch):
    monkeypatch.setattr(application, "REQUESTS_AT_ONCE", 3)
    monkeypatch.setattr(application, "REQUESTS_PER_SECOND", 0.1)
    gateway = await start_gateway()
    for _ in range(3):
        await hello(gateway)

    async with gateway.session.post(f"{gateway.url}/chat/messages", json={"type": "hello"}) as response:
        assert (response.status, response.content_type) == (429, "application/problem+json")
        assert int(response.headers["Retry-After"]) >= 1
        assert (await response.json())["code"] == "rate_limited"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.connect()
    assert refused.value.status == 429
    # Behind a proxy on this machine, the address is the one that the proxy names.
    status, _ = await gateway.post({"type": "hello"}, headers={"X-Forwarded-For": "1.2.3.4, 192.0.2.7"})
    assert status == 200


@pytest.mark.parametrize("frame", [{"type": "hello"}, message("hi"), {"type": "read", "seq": 1}, {"type": "end"}])
async def test_a_database_that_is_away_is_a_503_and_nothing_is_acknowledged(gateway, frame):
    token = (await hello(gateway))["visitor_token"]
    gateway.db.error = broken_database()

    status, body = await gateway.post(frame, token)

    assert (status, body["type"], body["code"]) == (503, "error", "unavailable")
    gateway.db.error = None
    assert (await gateway.post(frame, token))[0] == 200


async def test_a_commit_that_fails_over_http_is_a_503(gateway):
    token = (await hello(gateway))["visitor_token"]
    gateway.db.commit_error = broken_database()

    assert (await gateway.post(message("hi"), token))[0] == 503
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_body_that_is_too_big_is_a_413(gateway):
    status, body = await gateway.post(b" " * (application.MAX_BODY_BYTES + 1))

    assert (status, body["status"]) == (413, 413)


async def test_a_body_that_is_packed_is_a_415(gateway):
    status, _ = await gateway.post(b"no deflate", headers={"Content-Encoding": "deflate"})

    assert status == 415


# Events


async def test_the_stream_shows_what_the_socket_shows(gateway):
    socket = await gateway.chat()
    await socket.ask("first")
    shown = [await socket.expect("message", seq=1)]

    async with gateway.events(socket.visitor_token) as events:
        replayed = [await events.next() for _ in range(2)]
        assert [event_id for event_id, _ in replayed] == ["1", "2"]
        assert replayed[0][1] == shown[0]
        await gateway.post(message("second"), socket.visitor_token)
        live_messages = [await events.message() for _ in range(2)]

    assert [frame["text"] for frame in live_messages] == ["second", "echo: second"]
    assert [await socket.expect("message", seq=seq) for seq in (3, 4)] == live_messages


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({}, 1),
        ({"params": {"after": "0"}}, 1),
        ({"params": {"after": "3"}}, 4),
        ({"headers": {"Last-Event-ID": "3"}}, 4),
        ({"params": {"after": "999999999"}}, 1),
    ],
    ids=str,
)
async def test_the_stream_begins_after_what_was_seen(gateway, options, first):
    socket = await gateway.chat()
    await gateway.bot_says(socket.conversation_id, *"abcde")

    async with gateway.events(socket.visitor_token, **options) as events:
        assert (await events.message())["seq"] == first


async def test_the_stream_shows_more_than_one_page(quiet_gateway):
    socket = await quiet_gateway.chat()
    await quiet_gateway.bot_says(socket.conversation_id, *(str(number) for number in range(live.PAGE + 5)))

    async with quiet_gateway.events(socket.visitor_token) as events:
        assert [(await events.message())["seq"] for _ in range(live.PAGE + 5)] == list(range(1, live.PAGE + 6))


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "1e3", "9" * 10, "٣", "", " 1", "NaN"])
async def test_an_after_that_is_no_seq_is_a_400(gateway, after):
    token = (await hello(gateway))["visitor_token"]

    status, content_type, _ = await get_events(gateway, token, params={"after": after})

    assert (status, content_type) == (400, "application/problem+json")


async def test_without_a_good_token_nothing_is_shown(gateway):
    for token in (None, "forged", identity_token()):
        status, content_type, body = await get_events(gateway, token)
        assert (status, content_type) == (401, "application/problem+json")
        assert json.loads(body)["code"] == "unauthorized"


async def test_the_stream_beats_while_nothing_is_said(gateway, monkeypatch):
    monkeypatch.setattr(chat, "HEARTBEAT_SECONDS", 0.02)
    token = (await hello(gateway))["visitor_token"]

    async with gateway.events(token) as events:
        for _ in range(3):
            await events.comment()
        await gateway.post(message("hi"), token)
        assert (await events.message())["text"] == "hi"


async def test_the_stream_says_what_it_is(gateway):
    token = (await hello(gateway))["visitor_token"]
    async with gateway.events(token) as events:
        headers = events.response.headers

    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_the_stream_shows_a_change_of_owner_and_typing(gateway):
    gateway.answerer.may_answer.clear()
    token = (await hello(gateway))["visitor_token"]
    async with gateway.events(token) as events:
        await gateway.post(message("hi"), token)
        assert (await events.message())["seq"] == 1
        assert await events.next() == (None, {"type": "typing", "author": "bot"})
    gateway.answerer.may_answer.set()


async def test_a_stop_ends_the_stream(gateway):
    token = (await hello(gateway))["visitor_token"]
    async with gateway.events(token) as events:
        stopping = asyncio.create_task(gateway.runner.cleanup())
        assert await events.ended()
        await asyncio.wait_for(stopping, 5)


async def test_a_stream_that_cannot_read_ends_for_another_try(gateway):
    ready = await hello(gateway)
    async with gateway.events(ready["visitor_token"]) as events:
        await events.comment()
        gateway.db.error = broken_database()
        await gateway.bot_says(ready["conversation_id"], "hello?")
        assert await events.ended()
    gateway.db.error = None
    async with gateway.events(ready["visitor_token"]) as events:
        assert (await events.message())["text"] == "hello?"


async def test_a_reader_that_is_gone_is_not_written_to_for_ever(gateway, monkeypatch):
    monkeypatch.setattr(chat, "HEARTBEAT_SECONDS", 0.02)
    ready = await hello(gateway)
    async with aiohttp.ClientSession() as session:
        response = await session.get(
            f"{gateway.url}/chat/events", headers={"Authorization": f"Bearer {ready['visitor_token']}"}
        )
        await EventStream(response).comment()
        response.close()
    await gateway.bot_says(ready["conversation_id"], "anybody there?")

    await eventually(lambda: not gateway.app[application.settings.LIVE]._watches)
