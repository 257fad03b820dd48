"""Who works at the desk: seen by everybody there, managed by admins."""

from __future__ import annotations

from typing import Literal

from bot.core.agents import AgentId, Role
from bot.gateway.api_requests import Model
from bot.gateway.desk_answers import agent_answer
from bot.gateway.desk_endpoints import Answer, Call, DeskEndpoints, Right
from bot.gateway.desk_values import Capacity, Short
from bot.services.agent_changes import AgentChange, change_agent
from bot.services.agents import add_agent, reset_password

endpoints = DeskEndpoints()


class AgentBody(Model):
    """Somebody new."""

    email: Short
    name: Short
    role: Literal["agent", "admin"] = "agent"


class AgentPatch(Model):
    """What is to be changed; what is left out stays."""

    name: Short | None = None
    role: Literal["agent", "admin"] | None = None
    capacity: Capacity | None = None
    skills: list[Short] | None = None
    languages: list[Short] | None = None
    disabled: bool | None = None


@endpoints.add("GET", "/agents")
async def get_agents(call: Call) -> Answer:
    """Everybody at the desk, and whether they are there."""
    async with call.db.reading() as work:
        everybody = await work.agents.all()
    now = call.clock.now()
    return {"agents": [agent_answer(agent, now) for agent in everybody]}


@endpoints.add("POST", "/agents", Right.ADMIN)
async def post_agent(call: Call) -> Answer:
    """Let somebody work at the desk; their one-time password is shown once."""
    body = await call.body(AgentBody)
    agent, password = await add_agent(
        call.db, call.clock, email=body.email, name=body.name, role=Role(body.role), by=call.agent
    )
    return {"agent": agent_answer(agent), "password": password}


@endpoints.add("PATCH", "/agents/{id}", Right.ADMIN)
async def patch_agent(call: Call) -> Answer:
    """Change what somebody is called, may do, and takes."""
    body = await call.body(AgentPatch)
    change = AgentChange(
        name=body.name,
        role=Role(body.role) if body.role else None,
        capacity=body.capacity,
        skills=tuple(body.skills) if body.skills is not None else None,
        languages=tuple(body.languages) if body.languages is not None else None,
        disabled=body.disabled,
    )
    return {
        "agent": agent_answer(await change_agent(call.db, call.clock, AgentId(call.name("id")), change, by=call.agent))
    }


@endpoints.add("POST", "/agents/{id}/reset", Right.ADMIN)
async def reset_agent(call: Call) -> Answer:
    """A new one-time password for somebody who forgot theirs; their sessions end."""
    return {"password": await reset_password(call.db, call.clock, AgentId(call.name("id")), by=call.agent)}
