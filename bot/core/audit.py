"""What the audit log says: who did what to whose data, without the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.core.customers import CustomerId

REDACTED = "[redacted]"
# Whatever stands under these names is about a person. Numbers of orders, kinds and counts are not.
PERSONAL = frozenset(
    {
        *("name", "preferred_name", "email", "phone", "address", "shipping_address", "postcode", "birthday"),
        *("birthday_month", "birthday_day", "language", "text", "note", "contact", "value", "external_id", "query"),
    }
)


@dataclass(frozen=True)
class AuditEntry:
    """One thing that was done. `actor` is customer, agent:NAME, shop, operator or system."""

    at: datetime
    actor: str
    action: str
    customer_id: CustomerId | None
    detail: Mapping[str, Any] = field(default_factory=dict)


def redact(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The detail with every personal value taken out; which fields they were can still be seen."""
    return {name: _redact(name, value) for name, value in detail.items()}


def _redact(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _redact(inner, part) for inner, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(name, part) for part in value]
    # An address is one wherever it stands.
    if value is not None and (name in PERSONAL or (isinstance(value, str) and "@" in value)):
        return REDACTED
    return value


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What differs, as {field: {before, after}}, to be recorded (and redacted) as a detail."""
    return {
        name: {"before": before.get(name), "after": after[name]} for name in after if before.get(name) != after[name]
    }
