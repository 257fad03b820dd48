"""The audit log: who did what to whose data, and who read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.agents import Agent
from bot.core.audit import AuditEntry, redact
from bot.core.customers import CustomerId
from bot.services.ports import Clock, UnitOfWork


async def record_audit(
    work: UnitOfWork,
    clock: Clock,
    *,
    actor: str,
    action: str,
    customer_id: CustomerId | None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note for ever who did what (`export`, `erase`, `merge`, `note`, `goodwill`, `read` …); with the unit of work.

    `actor` is customer, agent:NAME, shop, operator or system. Personal values in the detail are taken out; what has
    changed is told by the names of the fields.
    """
    await work.audit.add(AuditEntry(clock.now(), actor[:200], action, customer_id, redact(detail or {})))


def actor_of(agent: Agent) -> str:
    """Somebody at the desk as the audit log names them: by their address, which nobody else has."""
    return f"agent:{agent.email}"
