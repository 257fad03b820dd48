"""Requests for a person: why, when, and what the person should know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType

from bot.core.conversations import ConversationId

HandoffId = NewType("HandoffId", str)


class HandoffReason(str, Enum):
    """Why a person is wanted."""

    ASKED = "asked"
    TURN_FAILED = "turn_failed"
    MISUNDERSTOOD = "misunderstood"
    COMPLAINT = "complaint"
    REPORT_PROBLEM = "report_problem"
    CALLBACK = "callback"
    ABUSE = "abuse"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Handoff:
    """One request for a person. Open until somebody has taken care of it."""

    id: HandoffId
    conversation_id: ConversationId
    reason: HandoffReason
    requested_at: datetime
    closed_at: datetime | None = None
