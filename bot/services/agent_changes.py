"""What is changed about somebody at the desk: what they may do, know and take, and whether they may come in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.agents import Agent, AgentId, Role, agent_fault
from bot.core.conversations import clean_text
from bot.core.languages import named_language
from bot.errors import AgentRefused
from bot.services.agents import as_away, record_account
from bot.services.ports import Clock, Database, Hint

# How many conversations somebody may take at once.
MOST_AT_ONCE = (1, 50)


@dataclass(frozen=True)
class AgentChange:
    """What is to be changed about somebody at the desk; None leaves it as it is."""

    name: str | None = None
    role: Role | None = None
    capacity: int | None = None
    skills: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    disabled: bool | None = None


async def change_agent(
    db: Database, clock: Clock, agent_id: AgentId, change: AgentChange, *, by: Agent | None = None
) -> Agent:
    """Change what somebody is called, may do and takes; whoever is disabled is signed out. Safe to repeat.

    `by` is the admin who does it; None: whoever runs the service.
    Raises AgentRefused for nobody, for values that will not do, and where no admin would be left.
    """
    async with db.transaction() as work:
        await work.agents.lock_line()
        agent = await work.agents.lock(agent_id)
        if agent is None:
            raise AgentRefused("There is no such agent.")
        changed = _changed(agent, change, clock)
        if (fault := agent_fault(changed.email, changed.name)) is not None:
            raise AgentRefused(fault)
        if not MOST_AT_ONCE[0] <= changed.capacity <= MOST_AT_ONCE[1]:
            raise AgentRefused(f"Somebody takes {MOST_AT_ONCE[0]} to {MOST_AT_ONCE[1]} conversations at once.")
        if _is_admin(agent) and not _is_admin(changed):
            others = [one for one in await work.agents.all() if one.id != agent_id and _is_admin(one)]
            if not others:
                raise AgentRefused("Somebody has to be an admin: make another one first.")
        await work.agents.save(changed)
        if changed.disabled_at is not None:
            await work.agents.end_sessions(agent_id)
        if changed != agent:
            named = sorted(name for name in vars(agent) if getattr(agent, name) != getattr(changed, name))
            disabled = changed.disabled_at is not None
            detail = {"changed": named, "role": changed.role.value, "disabled": disabled}
            await record_account(work, clock, by, "agent_changed", agent, **detail)
        work.hint(Hint("desk", agent_id))
        return changed


def _changed(agent: Agent, change: AgentChange, clock: Clock) -> Agent:
    words = {name: value for name, value in vars(change).items() if value is not None and name != "disabled"}
    if "name" in words:
        words["name"] = clean_text(words["name"])
    if "skills" in words:
        words["skills"] = tuple(dict.fromkeys(filter(None, (clean_text(one).lower()[:40] for one in words["skills"]))))
    if "languages" in words:
        words["languages"] = tuple(dict.fromkeys(_language(one) for one in words["languages"] if clean_text(one)))
    if change.disabled is not None:
        words["disabled_at"] = (agent.disabled_at or clock.now()) if change.disabled else None
    changed = replace(agent, **words)
    # Whoever is let in again is not there before they say so.
    return as_away(changed, clock.now()) if changed.disabled_at is not None else changed


def _language(text: str) -> str:
    code = named_language(clean_text(text))
    if code is None:
        raise AgentRefused(f"{clean_text(text)[:40]!r} is no language we know: write its code, such as en, fil or es.")
    return code


def _is_admin(agent: Agent) -> bool:
    return agent.role is Role.ADMIN and agent.disabled_at is None
