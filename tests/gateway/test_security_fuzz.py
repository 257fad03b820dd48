"""Anything at all, sent to whatever reads it: an answer or a refusal, and never a fault of ours."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.updates import read_update
from bot.gateway import tokens
from bot.gateway.tokens import BadToken
from tests.gateway.tokens import IDENTITY_SECRET, SECRET, identity_claims, signed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
CLAIMS = st.sampled_from(
    ["aud", "sub", "iat", "exp", "nbf", "email", "name", "cid", "jti", "order", "code", "feedback"]
)
READERS = [
    tokens.read_invoice_token,
    tokens.read_own_data_token,
    tokens.read_voucher_token,
    tokens.read_unsubscribe_token,
    tokens.read_feedback_token,
    tokens.read_visitor_token,
    tokens.read_identity_token,
]


@given(st.text(st.characters()) | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_no_token(text):
    for read in READERS:
        with pytest.raises(BadToken):
            read(text, SECRET)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(CLAIMS, JSON), st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "zip"]), JSON))
def test_claims_of_any_kind_are_somebodys_or_nobodys(claims, header):
    for changed in (claims, {**identity_claims(), **claims}):
        token = signed(changed, IDENTITY_SECRET, {"alg": "HS256", **header})
        for read in READERS:
            try:
                read(token, IDENTITY_SECRET)
            except BadToken:
                continue


FIELDS = st.sampled_from(
    "update_id message callback_query my_chat_member edited_message chat from text data id photo document caption "
    "entities voice sticker location contact message_id type username first_name new_chat_member status file_id "
    "file_size mime_type reply_markup".split()
)
UPDATES = st.recursive(
    JSON | st.integers(-(2**70), 2**70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=25,
)


@given(UPDATES, st.dictionaries(FIELDS, UPDATES, max_size=6))
@settings(deadline=None, max_examples=60)
def test_any_update_is_read_or_left_alone(update, message):
    for data in (update, {"update_id": 1, "message": message}, {"update_id": 1, "callback_query": message}):
        read_update(data, "tala_coffee_bot")
        read_update(data, None)


ODD_VALUES = ["", " ", "-1", "0", "1e9", "9" * 400, "%00", "\0", "\ud83d".encode("utf-16", "surrogatepass").hex(), "٣"]
ODD_VALUES += ["../..", "<script>", "' OR 1=1 --", "null", "[]", "a" * 4_000, "\r\nSet-Cookie: a=b", "\N{HOT BEVERAGE}"]
PATHS = ["/chat/events", "/chat/messages", "/chat/frame", "/chat/config", "/", "/healthz", "/widget.js"]
NAMES = ["after", "lang", "site", "score", "host", "v", "token", "q"]


async def test_any_query_is_no_fault_of_ours(quiet_gateway, caplog):
    visitor = await quiet_gateway.chat()
    headers = {"Authorization": f"Bearer {visitor.visitor_token}", "Last-Event-ID": "x"}
    for path in PATHS:
        for name in NAMES:
            for value in ODD_VALUES:
                if path == "/chat/events" and value == "0":
                    continue  # a good one, and the stream has no end
                async with quiet_gateway.session.get(
                    quiet_gateway.url + path, params={name: value}, headers=headers
                ) as answer:
                    assert answer.status < 500 and answer.status != 101, (path, name, value)
                    assert "Set-Cookie" not in answer.headers
    assert "a request failed" not in caplog.text


async def test_rubbish_on_every_route_is_no_fault_of_ours(quiet_gateway, caplog):
    draw = random.Random(7)
    visitor = await quiet_gateway.chat()
    bodies = [b"", b"null", b"[]", b"{}", b'{"type":[]}', b"\xff\xfe", b"[" * 5_000, b'"' + b"x" * 20_000 + b'"']
    bodies += [draw.randbytes(200) for _ in range(4)]
    for route in quiet_gateway.app.router.routes():
        if route.resource is None or route.method in ("GET", "HEAD", "OPTIONS"):
            continue
        path = route.resource.canonical
        for part in ("<script>", "%00", "..%2f..", "x" * 500, "\N{HOT BEVERAGE}"):
            filled = path
            while "{" in filled:
                filled = filled[: filled.index("{")] + part + filled[filled.index("}") + 1 :]
            for body in bodies:
                key = visitor.visitor_token if path.startswith("/chat") else "key-of-the-shop"
                async with quiet_gateway.session.request(
                    route.method,
                    quiet_gateway.url + filled,
                    data=body,
                    headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
                ) as answer:
                    assert answer.status < 500, (route.method, filled[:80], body[:80])
            if "{" not in path:
                break
    assert "a request failed" not in caplog.text


async def test_frames_of_rubbish_in_any_order_leave_the_socket_or_close_it(quiet_gateway):
    draw = random.Random(11)
    kinds = ["hello", "message", "choice", "typing", "read", "end", "helpful", "details", "dance", None, 5, []]
    values = [None, "", "x", 1, -1, 2**40, True, [], {}, "\0", "\ud83d", "a" * 500, 1e300]
    names = ["client_id", "text", "payload", "seq", "last_seq", "visitor_token", "identity_token", "helpful", "answers"]
    for _ in range(15):
        socket = await quiet_gateway.connect()
        for _ in range(20):
            frame = {name: draw.choice(values) for name in draw.sample(names, 4)}
            await socket.send(json.dumps({"type": draw.choice(kinds), **frame}))
        await socket.close()
    chat = await quiet_gateway.chat()
    assert await chat.say("all is well") == 1
