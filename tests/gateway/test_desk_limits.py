"""How much may be asked of the desk at once: an office behind one address works, and one of them slows nobody else."""

from __future__ import annotations

import pytest

from bot.gateway.desk_endpoints import SESSION_LIMIT
from bot.gateway.settings import ADDRESS_LIMIT
from tests.gateway.desk_fixtures import ana, ben, desk_gateway

__all__ = ["ana", "ben", "desk_gateway"]


def allow(limit, number):
    """So many, and then none for as long as a test takes."""
    limit.__init__(number, 1e-9)


async def test_whoever_has_signed_in_is_not_slowed_down_by_their_office(desk_gateway, ana, ben):
    allow(desk_gateway.app[ADDRESS_LIMIT], 0)

    assert [(await desk.ask("GET", "me"))[0] for desk in (ana, ben) for _ in range(5)] == [200] * 10
    async with ana.at_socket():
        pass
    assert (await ana.post("login", {"email": ana.agent.email, "password": "a guess"}))[0] == 429


async def test_one_who_asks_too_much_slows_down_nobody_else(desk_gateway, ana, ben):
    allow(desk_gateway.app[SESSION_LIMIT], 3)

    assert [(await ana.ask("GET", "me"))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    assert (await ben.ask("GET", "me"))[0] == 200


@pytest.mark.parametrize("cookie", ["kasuki_desk=made-up", "kasuki_desk=", ""])
async def test_whoever_has_not_signed_in_is_counted_by_their_address(desk_gateway, cookie):
    allow(desk_gateway.app[ADDRESS_LIMIT], 2)
    statuses = []
    for _ in range(4):
        async with desk_gateway.session.get(f"{desk_gateway.url}/desk/api/me", headers={"Cookie": cookie}) as response:
            statuses.append(response.status)

    assert statuses == [401, 401, 429, 429]


async def test_a_session_that_is_over_is_counted_by_the_address_again(desk_gateway, ana):
    cookie = {"Cookie": f"kasuki_desk={next(iter(ana.session.cookie_jar)).value}"}
    await ana.post("logout")
    allow(desk_gateway.app[ADDRESS_LIMIT], 1)

    assert [(await ana.ask("GET", "me", headers=cookie))[0] for _ in range(3)] == [401, 401, 429]
