"""What makes no sense at the desk is refused in words that say so, and never blamed on the database."""

from __future__ import annotations

import logging

import aiohttp
import pytest

from bot.gateway.application import MAX_BODY_BYTES
from tests.gateway.desk_client import PASSWORD
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting
from tests.gateway.test_desk_permissions import ENDPOINTS, path_in

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]

HALF = "\ud800"
WITH_JSON = {"Content-Type": "application/json"}


async def log_in(gateway, body, **options):
    url = f"{gateway.url}/desk/api/login"
    async with gateway.session.post(url, headers=WITH_JSON, **{"data": body}, **options) as response:
        return response.status, (await response.json(content_type=None))["code"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"email":"' + b"a" * MAX_BODY_BYTES + b'"}', (413, "request_entity_too_large")),
        (b"[" * MAX_BODY_BYTES, (400, "bad_request")),
        (b"[" * 2 * MAX_BODY_BYTES, (413, "request_entity_too_large")),
        (b'{"email":"ana@corner.example","password":"\\ud800"}', (401, "unauthorized")),
        (b'{"email":"\\ud800@corner.example","password":"\\u0000"}', (401, "unauthorized")),
    ],
)
async def test_a_body_that_will_not_do_is_not_blamed_on_the_database(desk_gateway, ana, caplog, body, expected):
    assert await log_in(desk_gateway, body) == expected

    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_database_that_is_away_is_told_as_such(desk_gateway, ana):
    desk_gateway.db.error = ConnectionRefusedError("nobody listens")

    assert await log_in(desk_gateway, b'{"email":"a@b.example","password":"x"}') == (503, "unavailable")


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "http://]", "//"])
async def test_an_origin_that_is_no_address_is_a_foreign_page(desk_gateway, ana, origin):
    status, answer = await ana.ask("PUT", "presence", {"status": "away"}, headers={"Origin": origin})
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await ana.session.ws_connect(f"{desk_gateway.url}/desk/ws", headers={"Origin": origin})

    assert (status, answer["code"], refused.value.status) == (403, "forbidden", 403)


async def test_half_a_character_is_no_password(ana):
    status, answer = await ana.ask("PUT", "password", {"old": PASSWORD, "new": f"another long one {HALF}"})

    assert (status, answer["code"]) == (422, "invalid")


@pytest.mark.parametrize("nonsense", [HALF, "\0", "\x1b\u202e", "'", "%"])
async def test_no_text_of_any_body_breaks_an_endpoint(desk_gateway, ben, helped, nonsense):
    answers = {}
    for (method, pattern), (_, body) in ENDPOINTS.items():
        for name in body or {}:
            if pattern != "/desk/api/login":
                path = path_in(pattern, id=helped.conversation_id).removeprefix("/desk/api/")
                answers[method, pattern, name], _ = await ben.ask(method, path, {**body, name: nonsense})
    conversation = {"question": "Is it vegan?", "conversation_id": nonsense}
    answers["draft"], _ = await ben.post("knowledge", conversation)

    assert answers["draft"] == 404
    assert {key: status for key, status in answers.items() if status >= 500} == {}


@pytest.mark.parametrize("kind", ["watch", "typing"])
@pytest.mark.parametrize("name", [HALF, "\0", "x" * 65, "", "a b", "../x"])
async def test_a_frame_about_what_cannot_be_a_conversation_ends_nothing(ana, helped, kind, name):
    async with ana.at_socket() as frames:
        await frames.send({"type": kind, "conversation_id": name})

        assert (await frames.error())["code"] == "bad_request"
        await frames.send({"type": "watch", "conversation_id": helped.conversation_id})
        await frames.expect("viewers")
