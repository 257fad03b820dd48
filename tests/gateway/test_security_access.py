"""Nobody reads or writes another's conversation, by whatever way, and no other page acts in a customer's name."""

from __future__ import annotations

import json

import pytest

from bot.gateway.settings import ADDRESS_LIMIT
from bot.gateway.tokens import issue_feedback_token, issue_unsubscribe_token, issue_voucher_token
from tests.gateway.chat_client import message
from tests.gateway.test_identity import bad_visitor_tokens
from tests.gateway.tokens import SECRET, identity_token

EVIL = "https://evil.example"


async def test_each_way_shows_ones_own_conversation_only(gateway):
    victim, stranger = await gateway.chat(), await gateway.chat()
    await victim.ask("my secret is 4711")

    seen = [await stranger.is_silent()]
    async with gateway.events(stranger.visitor_token) as events:
        await gateway.post(message("mine"), stranger.visitor_token)
        seen += [await events.message(), await events.message()]
    headers = {"Authorization": f"Bearer {stranger.visitor_token}"}
    for after in ("0", "1", "999"):
        async with gateway.session.get(
            f"{gateway.url}/chat/messages", params={"after": after, "conversation_id": victim.conversation_id},
            headers=headers,
        ) as answer:  # fmt: skip
            seen.append(await answer.json())
    # Naming another's conversation in a frame names nothing.
    named = {**message("hi"), "conversation_id": victim.conversation_id, "visitor_token": victim.visitor_token}
    await gateway.post(named, stranger.visitor_token)

    assert "4711" not in json.dumps(seen)
    rows = gateway.rows("SELECT text FROM messages WHERE conversation_id = ?", victim.conversation_id)
    assert [text for (text,) in rows] == ["my secret is 4711", "echo: my secret is 4711"]


@pytest.mark.parametrize("name", bad_visitor_tokens())
async def test_no_way_opens_for_a_bad_token(gateway, name):
    token = bad_visitor_tokens()[name]
    if not token.isascii() or "\0" in token or len(token) > 8_000:
        pytest.skip("no header can hold it")
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/chat/events", "/chat/messages", "/chat/files/x"):
        async with gateway.session.get(gateway.url + path, headers=headers) as answer:
            assert answer.status == 401, path
    for body in (message("hi"), {"type": "read", "seq": 1}, {"type": "end"}):
        status, _ = await gateway.post(body, headers=headers)
        assert status == 401
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_link_of_one_kind_opens_nothing_of_another(gateway):
    now = gateway.clock.now()
    kinds = {
        "feedback": issue_feedback_token("x", SECRET, now),
        "unsubscribe": issue_unsubscribe_token("hash", "marketing", SECRET, now),
        "vouchers": issue_voucher_token("CODE", SECRET, now),
        "identity": identity_token(),
        "visitor": (await gateway.chat()).visitor_token,
    }
    for place in ("invoices", "unsubscribe", "feedback", "my-data"):
        for kind, token in kinds.items():
            if kind == place:
                continue
            async with gateway.session.get(f"{gateway.url}/{place}/{token}") as answer:
                assert answer.status == 404, (place, kind)


async def test_no_answer_sets_a_cookie_and_no_cookie_opens_anything(gateway):
    chat = await gateway.chat()
    cookies = {"Cookie": f"token={chat.visitor_token}; session={chat.visitor_token}"}
    paths = ["/", "/chat/frame", "/widget.js", "/healthz", "/chat/messages", "/static/frame.js"]
    for path in paths:
        async with gateway.session.get(gateway.url + path, headers=cookies) as answer:
            assert "Set-Cookie" not in answer.headers, path
            if path == "/chat/messages":
                assert answer.status == 401
    status, _ = await gateway.post(message("hi"), headers=cookies)
    assert status == 401


@pytest.mark.parametrize("origin", [EVIL, "null", "http://shop.example", "https://shop.example.evil.example"])
async def test_another_page_can_neither_write_nor_read(gateway, origin):
    chat = await gateway.chat()
    headers = {"Authorization": f"Bearer {chat.visitor_token}", "Origin": origin}

    status, _ = await gateway.post(message("hi"), chat.visitor_token, headers={"Origin": origin})
    assert status == 403
    for path in ("/chat/messages", "/chat/events"):
        async with gateway.session.get(gateway.url + path, headers=headers) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
    async with gateway.session.options(
        f"{gateway.url}/chat/messages", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    ) as preflight:
        assert "Access-Control-Allow-Origin" not in preflight.headers
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_flood_from_one_address_starves_nobody_at_another(quiet_gateway):
    quiet_gateway.app[ADDRESS_LIMIT]._burst, quiet_gateway.app[ADDRESS_LIMIT]._per_second = 5, 0.01
    flooding = [
        await quiet_gateway.post({"type": "dance"}, headers={"X-Forwarded-For": "192.0.2.66"}) for _ in "1234567"
    ]
    assert [status for status, _ in flooding] == [400] * 5 + [429] * 2

    other = await quiet_gateway.connect(headers={"X-Forwarded-For": "192.0.2.7"})
    await other.hello()
    assert await other.say("only me") == 1
