"""The people at the desk from the command line, and those of the demo."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.core.agents import Agent, Role
from bot.core.conversations import clean_text
from bot.errors import AgentRefused
from bot.services.agents import add_agent, reset_password
from bot.services.ports import Clock, Database

DEMO_PASSWORD_BYTES = 12
DEMO_AGENTS = (
    ("agent@example.com", "Ana Cruz", Role.AGENT),
    ("admin@example.com", "Ben Lim", Role.ADMIN),
)


async def run_agent_command(db: Database, clock: Clock, options: Mapping[str, Any]) -> str:
    """Add somebody, list everybody, or make a new password; what to say about it. Raises AgentRefused."""
    match options["action"]:
        case "add":
            name = str(options["name"] or str(options["email"]).partition("@")[0])
            agent, password = await add_agent(
                db, clock, email=str(options["email"]), name=name, role=Role(options["role"])
            )
            return _password_in_words(agent, password)
        case "reset":
            async with db.reading() as work:
                found = await work.agents.by_email(clean_text(str(options["email"])).lower())
            if found is None:
                raise AgentRefused(f"There is nobody with the address {options['email']}: see `agent list`.")
            return _password_in_words(found, await reset_password(db, clock, found.id))
        case _:
            async with db.reading() as work:
                everybody = await work.agents.all()
            return "\n".join(map(_line, everybody)) or "Nobody works at the desk yet: add somebody with `agent add`."


async def load_demo_agents(db: Database, clock: Clock, file: Path) -> Mapping[str, str]:
    """The demo's people, with passwords that the file keeps (a line each: address, password). Safe to repeat.

    Returns the passwords by address. Whoever is there already keeps the password they have.
    """
    kept = _passwords_in(file)
    passwords = {email: kept.get(email) or secrets.token_urlsafe(DEMO_PASSWORD_BYTES) for email, _, _ in DEMO_AGENTS}
    for email, name, role in DEMO_AGENTS:
        async with db.reading() as work:
            known: Agent | None = await work.agents.by_email(email)
        if known is None:
            await add_agent(db, clock, email=email, name=name, role=role, password=passwords[email])
        elif email not in kept:
            # Their password is nobody's business; where it was noted is gone.
            del passwords[email]
    if not passwords.items() <= kept.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{email} {password}\n" for email, password in passwords.items()]
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            opened.writelines(lines)
    return passwords


def _passwords_in(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    words = [line.split() for line in file.read_text().splitlines()]
    return {line[0]: line[1] for line in words if len(line) == 2}


def _password_in_words(agent: Agent, password: str) -> str:
    return f"{agent.name} <{agent.email}> signs in at /desk with this password, and then chooses another:\n{password}"


def _line(agent: Agent) -> str:
    left = ", signs in no more" if agent.disabled_at else ""
    return f"{agent.email}  {agent.name}, {agent.role.value}{left}"
