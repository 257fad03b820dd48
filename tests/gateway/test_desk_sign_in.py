"""Signing in at the desk: the cookie, the lock, and who manages whom."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.core.agents import FIRST_LOCK, WRONG_PASSWORDS_ALLOWED
from bot.storage import tables
from tests.gateway.desk_client import PASSWORD, hired
from tests.gateway.desk_fixtures import ana, ben, desk_gateway

__all__ = ["ana", "ben", "desk_gateway"]


async def cookie_of(gateway, email="ana@corner.example"):
    body = {"email": email, "password": PASSWORD}
    async with gateway.session.post(f"{gateway.url}/desk/api/login", json=body) as response:
        assert response.status == 200
        return response.headers["Set-Cookie"]


async def test_the_cookie_is_the_browsers_alone_and_for_the_desk_alone(desk_gateway, ana):
    cookie = await cookie_of(desk_gateway)

    assert cookie.startswith("kasuki_desk=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/desk"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_where_the_shop_is_found_by_https_the_cookie_is_for_https(start_gateway, quick_hashes):
    gateway = await start_gateway(public_url="https://shop.example")
    await hired(gateway, "ana@corner.example", "Ana")

    assert "Secure" in (await cookie_of(gateway)).split("; ")


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(desk_gateway, ana):
    answers = [
        await ana.post("login", {"email": email, "password": "a guess"})
        for email in ("ana@corner.example", "nobody@corner.example")
    ]

    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_an_account_is_locked_after_several_guesses_even_for_the_right_password(desk_gateway, ana):
    for _ in range(WRONG_PASSWORDS_ALLOWED):
        await ana.post("login", {"email": ana.agent.email, "password": "a guess"})

    status, _ = await ana.post("login", {"email": ana.agent.email, "password": PASSWORD})

    assert status == 401
    # Whoever is signed in stays so: a lock keeps nobody from working.
    assert (await ana.ask("GET", "me"))[0] == 200


async def test_whoever_guesses_elsewhere_locks_themselves_out(desk_gateway, ana):
    elsewhere = {"X-Forwarded-For": "198.51.100.7"}
    for _ in range(WRONG_PASSWORDS_ALLOWED):
        guess = {"email": ana.agent.email, "password": "a guess"}
        await ana.ask("POST", "login", guess, headers=elsewhere)
    desk_gateway.clock.ahead += FIRST_LOCK
    await ana.ask("POST", "login", guess, headers=elsewhere)

    right = {"email": ana.agent.email, "password": PASSWORD}
    assert (await ana.ask("POST", "login", right, headers=elsewhere))[0] == 401
    assert (await ana.post("login", right))[0] == 200


async def test_what_an_admin_does_to_accounts_is_in_the_audit_log(desk_gateway, ana, ben):
    await ben.post("agents", {"email": "new@corner.example", "name": "Nina", "role": "agent"})
    await ben.ask("PATCH", f"agents/{ana.agent.id}", {"role": "admin"})
    await ben.post(f"agents/{ana.agent.id}/reset")

    c = tables.audit_log.c
    async with desk_gateway.store.reading() as work:
        rows = await work.customers._connection.execute(select(c.action).where(c.actor.like("agent:ben@%")))
        assert [*rows.scalars()] == ["agent_added", "agent_changed", "password_reset"]


async def test_a_password_that_names_the_shop_is_refused(desk_gateway, ana):
    new = f"{desk_gateway.shop.name} 2026!"
    status, answer = await ana.ask("PUT", "password", {"old": PASSWORD, "new": new})

    assert (status, "name of the shop" in answer["detail"]) == (422, True)


async def test_guessing_is_slowed_down_for_each_address(start_gateway, quick_hashes):
    gateway = await start_gateway()
    statuses = []
    for number in range(40):
        body = {"email": f"{number}@corner.example", "password": "a guess"}
        async with gateway.session.post(f"{gateway.url}/desk/api/login", json=body) as response:
            statuses.append(response.status)

    assert set(statuses) == {401, 429}


async def test_after_signing_out_the_session_is_nobodys(desk_gateway, ana):
    cookies = {cookie.key: cookie.value for cookie in ana.session.cookie_jar}
    await ana.post("logout")

    status, _ = await ana.ask("GET", "me", headers={"Cookie": f"kasuki_desk={cookies['kasuki_desk']}"})

    assert status == 401


async def test_an_admin_adds_somebody_who_chooses_their_own_password(desk_gateway, ben):
    status, answer = await ben.post("agents", {"email": "New@corner.example", "name": "Nina", "role": "agent"})
    assert (status, answer["agent"]["must_change_password"]) == (200, True)

    status, signed = await ben.post("login", {"email": "new@corner.example", "password": answer["password"]})

    assert (status, signed["agent"]["name"]) == (200, "Nina")


async def test_an_admin_changes_and_disables_somebody(desk_gateway, ana, ben):
    status, answer = await ben.ask("PATCH", f"agents/{ana.agent.id}", {"capacity": 5, "skills": ["returns"]})
    assert (status, answer["agent"]["capacity"], answer["agent"]["skills"]) == (200, 5, ["returns"])

    await ben.ask("PATCH", f"agents/{ana.agent.id}", {"disabled": True})

    assert (await ana.ask("GET", "me"))[0] == 401
    everybody = {one["email"]: one["disabled"] for one in (await ben.get("agents"))["agents"]}
    assert everybody == {"ana@corner.example": True, "ben@corner.example": False}


async def test_no_password_or_hash_is_ever_listed(desk_gateway, ben):
    assert "argon2" not in str(await ben.get("agents"))
    assert "hash" not in str(await ben.get("agents"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"email":1}', b'{"email":"x"}', b"\xff"])
async def test_a_body_that_makes_no_sense_is_refused(desk_gateway, body):
    headers = {"Content-Type": "application/json"}
    url = f"{desk_gateway.url}/desk/api/login"
    async with desk_gateway.session.post(url, data=body, headers=headers) as response:
        assert response.status in (400, 422)


async def test_the_desk_is_never_kept_by_caches(desk_gateway, ana):
    async with ana.session.get(f"{desk_gateway.url}/desk/api/me") as response:
        assert response.headers["Cache-Control"] == "no-store"
