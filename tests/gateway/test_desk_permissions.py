"""Who may use which endpoint of the desk: every one there is, from a list that fails when one is missing from it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest

from bot.core.conversations import Attachment, ConversationId
from tests.gateway.desk_client import Desk, hired
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]

SOON = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
TALK = "/desk/api/conversations/{id}"

# Of every endpoint: who may use it ("anybody", "agent", "admin"), and a body that it takes.
ENDPOINTS = {
    ("POST", "/desk/api/login"): ("anybody", {"email": "x@corner.example", "password": "wrong"}),
    ("POST", "/desk/api/logout"): ("agent", {}),
    ("GET", "/desk/api/me"): ("agent", None),
    ("PUT", "/desk/api/password"): ("agent", {"old": "wrong", "new": "another long password"}),
    ("PUT", "/desk/api/presence"): ("agent", {"status": "online"}),
    ("GET", "/desk/api/conversations"): ("agent", None),
    ("GET", TALK): ("agent", None),
    ("POST", f"{TALK}/claim"): ("agent", {}),
    ("POST", f"{TALK}/pass"): ("agent", {}),
    ("POST", f"{TALK}/takeover"): ("agent", {}),
    ("POST", f"{TALK}/reply"): ("agent", {"text": "Hello", "client_id": str(uuid.uuid4())}),
    ("POST", f"{TALK}/files"): ("agent", {}),
    ("POST", f"{TALK}/note"): ("agent", {"text": "A note"}),
    ("POST", f"{TALK}/return"): ("agent", {}),
    ("POST", f"{TALK}/transfer"): ("agent", {"topic": "returns"}),
    ("POST", f"{TALK}/resolve"): ("agent", {}),
    ("POST", f"{TALK}/called"): ("agent", {}),
    ("POST", f"{TALK}/snooze"): ("agent", {"until": SOON}),
    ("POST", f"{TALK}/labels"): ("agent", {"add": ["vip"]}),
    ("POST", f"{TALK}/block"): ("agent", {}),
    ("POST", f"{TALK}/goodwill"): ("agent", {"points": 5, "reason": "Kind"}),
    ("POST", f"{TALK}/customer"): ("agent", {"address": "7 Mango Avenue"}),
    ("POST", f"{TALK}/merge"): ("agent", {"other": "C-1002"}),
    ("POST", f"{TALK}/typing"): ("agent", {}),
    ("POST", f"{TALK}/read"): ("agent", {"seq": 1}),
    ("POST", "/desk/api/messages/{id}/{seq}/teach"): ("agent", {"intent": "track_order"}),
    ("GET", "/desk/api/intents"): ("agent", None),
    ("GET", "/desk/api/teaching"): ("admin", None),
    ("GET", "/desk/api/teaching/export"): ("admin", None),
    ("DELETE", "/desk/api/teaching/{id}/{seq}"): ("admin", {}),
    ("POST", "/desk/api/knowledge"): ("agent", {"question": "Is it vegan?"}),
    ("GET", "/desk/api/knowledge"): ("agent", None),
    ("DELETE", "/desk/api/knowledge/{id}"): ("admin", {}),
    ("GET", "/desk/api/canned"): ("agent", None),
    ("PUT", "/desk/api/canned/{shortcut}"): ("agent", {"text": "Hello"}),
    ("DELETE", "/desk/api/canned/{shortcut}"): ("agent", {}),
    ("GET", "/desk/api/agents"): ("agent", None),
    ("POST", "/desk/api/agents"): ("admin", {"email": "new@corner.example", "name": "New", "role": "agent"}),
    ("PATCH", "/desk/api/agents/{id}"): ("admin", {"capacity": 4}),
    ("POST", "/desk/api/agents/{id}/reset"): ("admin", {}),
    ("GET", "/desk/api/files/{id}"): ("agent", None),
    ("GET", "/desk/api/reports"): ("agent", None),
    ("GET", "/desk/api/reports.csv"): ("agent", None),
    ("GET", "/desk/ws"): ("agent", None),
}
PAGES = {("GET", "/desk"), ("GET", "/desk/")}
# What may be done with a one-time password.
BEFORE_ONES_OWN_PASSWORD = {
    ("POST", "/desk/api/login"),
    ("POST", "/desk/api/logout"),
    ("GET", "/desk/api/me"),
    ("PUT", "/desk/api/password"),
}


def path_in(pattern, **names):
    values = {"id": "nothing", "seq": "1", "shortcut": "hello", **names}
    return pattern.format(**{name: value for name, value in values.items()})


async def ask(session, gateway, method, path, body, **headers):
    sent = {} if body is None else {"json": body}
    async with session.request(method, gateway.url + path, headers=headers, **sent) as response:
        return response.status


async def test_every_endpoint_of_the_desk_is_in_the_list(desk_gateway):
    there = {
        (route.method, route.resource.canonical)
        for route in desk_gateway.app.router.routes()
        if route.resource.canonical.startswith("/desk") and route.method != "HEAD"
    }

    assert there == ENDPOINTS.keys() | PAGES


async def test_nobody_gets_in_without_a_session(desk_gateway):
    answers = {}
    for (method, pattern), (who, body) in ENDPOINTS.items():
        if who != "anybody":
            answers[method, pattern] = await ask(
                desk_gateway.session, desk_gateway, method, path_in(pattern), body, **{"X-CSRF-Token": "made-up"}
            )

    assert answers and set(answers.values()) == {401}, answers


async def test_nobody_gets_in_with_a_session_that_is_made_up(desk_gateway, ana):
    for cookie in ("kasuki_desk=made-up", "kasuki_desk=", f"kasuki_desk={'x' * 3_000}"):
        answers = {
            (method, pattern): await ask(
                *(desk_gateway.session, desk_gateway, method, path_in(pattern), body), **{"Cookie": cookie}
            )
            for (method, pattern), (who, body) in ENDPOINTS.items()
            if who != "anybody"
        }
        assert set(answers.values()) == {401}, answers


async def test_nothing_is_changed_without_the_pages_own_token(desk_gateway, ben):
    answers = {}
    for (method, pattern), (who, body) in ENDPOINTS.items():
        if method != "GET" and who != "anybody":
            for token in ({}, {"X-CSRF-Token": "made-up"}, {"X-CSRF-Token": "é"}):
                status = await ask(ben.session, desk_gateway, method, path_in(pattern), body, **token)
                answers[method, pattern, str(token)] = status

    assert answers and set(answers.values()) == {403}, answers
    assert (await ben.ask("GET", "me"))[0] == 200


async def test_the_token_of_somebody_else_is_not_ones_own(desk_gateway, ana, ben):
    status, _ = await ana.ask("PUT", "presence", {"status": "away"}, csrf=ben.csrf)

    assert status == 403


async def test_what_is_for_admins_is_for_nobody_else(desk_gateway, ana):
    answers = {
        (method, pattern): await ask(
            *(ana.session, desk_gateway, method, path_in(pattern, id=ana.agent.id), body), **{"X-CSRF-Token": ana.csrf}
        )
        for (method, pattern), (who, body) in ENDPOINTS.items()
        if who == "admin"
    }

    assert answers and set(answers.values()) == {403}, answers


@pytest.mark.parametrize("person", ["ana", "ben"])
async def test_whoever_may_gets_through(desk_gateway, ana, ben, helped, person):
    desk = {"ana": ana, "ben": ben}[person]
    async with desk_gateway.store.transaction() as work:
        talk = await work.conversations.get(ConversationId(helped.conversation_id))
        file = Attachment("f" * 32, "a.txt", "text/plain", 1)
        await _keep(work, talk.id, file)
    other, _ = await hired(desk_gateway, "cara@corner.example", "Cara")
    answers = {}
    for (method, pattern), (who, body) in ENDPOINTS.items():
        if who == "admin" and person == "ana":
            continue
        if pattern.endswith(("/logout", "/ws", "/login")):
            continue
        ids = {"/agents/": other.id, "/files/": file.id}
        name = next((value for part, value in ids.items() if part in pattern), helped.conversation_id)
        headers = {"X-CSRF-Token": desk.csrf}
        status = await ask(desk.session, desk_gateway, method, path_in(pattern, id=name), body, **headers)
        answers[method, pattern] = status

    # Whatever else is wrong with what is asked for, it is not who asks.
    assert not {401, 403} & set(answers.values()) - {answers["PUT", "/desk/api/password"]}, answers
    assert not {status for status in answers.values() if status >= 500}, answers
    assert {answers[key] for key in answers if key[0] == "GET"} == {200}, answers
    async with desk.at_socket():
        pass


async def test_a_one_time_password_is_replaced_before_anything_else(desk_gateway):
    agent, password = await hired(desk_gateway, "dana@corner.example", "Dana", password=None)
    dana = Desk(desk_gateway, agent)
    try:
        assert (await dana.sign_in(password))["agent"]["must_change_password"]
        blocked = {}
        for (method, pattern), (who, body) in ENDPOINTS.items():
            if (method, pattern) not in BEFORE_ONES_OWN_PASSWORD and who != "admin":
                blocked[method, pattern] = await ask(
                    *(dana.session, desk_gateway, method, path_in(pattern), body), **{"X-CSRF-Token": dana.csrf}
                )
        assert blocked and set(blocked.values()) == {403}, blocked

        status, _ = await dana.ask("PUT", "password", {"old": password, "new": "my very own words"})

        assert status == 200
        assert (await dana.ask("GET", "conversations"))[0] == 200
    finally:
        await dana.session.close()


async def _keep(work, conversation_id, file):
    from sqlalchemy import insert

    from bot.storage import tables

    row = {**vars(file), "conversation_id": conversation_id, "content": b"x", "created_at": datetime.now(timezone.utc)}
    await work.customers._connection.execute(insert(tables.attachments).values(row))
