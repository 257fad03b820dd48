"""Signing in at the desk and out again, one's own password, and whether one takes conversations."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web

from bot.core.agents import SESSION_LENGTH, Agent, Presence
from bot.gateway import settings
from bot.gateway.api_requests import Model
from bot.gateway.desk_answers import agent_answer
from bot.gateway.desk_endpoints import COOKIE, Answer, Call, DeskEndpoints, Right, csrf_token
from bot.gateway.desk_values import Password, Typed
from bot.gateway.limits import RateLimit, client_address
from bot.services.agents import change_password, set_presence, sign_in, sign_out
from bot.services.wrong_passwords import WrongPasswords

# A whole office may sign in from one address in the morning; whoever guesses passwords is slowed down.
SIGN_INS_AT_ONCE, SIGN_INS_PER_SECOND = 30, 0.5
SIGN_IN_LIMIT = web.AppKey("sign_in_limit", RateLimit)
WRONG_PASSWORDS = web.AppKey("wrong_passwords", WrongPasswords)

endpoints = DeskEndpoints()


class LoginBody(Model):
    """Who somebody says they are."""

    email: Typed
    password: Typed


class PasswordBody(Model):
    """One's password, and the one to come."""

    old: Typed
    new: Password


class PresenceBody(Model):
    """Whether one takes conversations."""

    status: Literal["online", "away"]


@endpoints.add("POST", "/login", Right.ANYBODY)
async def login(call: Call) -> Answer:
    """Begin a session: the cookie is for the browser alone, the token for the page to send along."""
    call.request.app[SIGN_IN_LIMIT].spend(client_address(call.request))
    body = await call.body(LoginBody)
    wrong, address = call.request.app[WRONG_PASSWORDS], client_address(call.request)
    signed = await sign_in(call.db, call.clock, email=body.email, password=body.password, address=address, wrong=wrong)
    response = web.json_response(_me(call, signed.agent, signed.token))
    response.set_cookie(
        COOKIE,
        signed.token,
        max_age=int(SESSION_LENGTH.total_seconds()),
        path="/desk",
        httponly=True,
        samesite="Strict",
        secure=call.request.app[settings.SETTINGS].public_url.startswith("https:"),
    )
    return response


@endpoints.add("POST", "/logout", Right.SIGNED_IN)
async def logout(call: Call) -> Answer:
    """End the session."""
    await sign_out(call.db, call.clock, call.token)
    response = web.json_response({})
    response.del_cookie(COOKIE, path="/desk", httponly=True, samesite="Strict")
    return response


@endpoints.add("GET", "/me", Right.SIGNED_IN)
async def me(call: Call) -> Answer:
    """Who is signed in here."""
    return _me(call, call.agent, call.token)


@endpoints.add("PUT", "/password", Right.SIGNED_IN)
async def put_password(call: Call) -> Answer:
    """Replace one's own password; one's other sessions end."""
    body = await call.body(PasswordBody)
    call.request.app[SIGN_IN_LIMIT].spend(f"password {call.agent.id}")
    shop_name = call.shop.name
    await change_password(call.db, call.agent.id, call.token, old=body.old, new=body.new, shop_name=shop_name)
    return {}


@endpoints.add("PUT", "/presence")
async def put_presence(call: Call) -> Answer:
    """Take conversations from now on, or no more."""
    body = await call.body(PresenceBody)
    await set_presence(call.db, call.clock, call.agent.id, Presence(body.status))
    return {"status": body.status}


def _me(call: Call, agent: Agent, token: str) -> dict[str, Any]:
    return {"agent": agent_answer(agent), "csrf": csrf_token(call.request.app, token)}
