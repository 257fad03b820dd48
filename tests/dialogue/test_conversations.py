"""Whole conversations, written down as data, with the real model, actions and database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from sqlalchemy import func, select

from bot.storage import tables

FOLDER = Path(__file__).parent / "conversations"
COUNTED = {
    "handoffs": select(func.count()).select_from(tables.handoffs),
    "mails": select(func.count()).select_from(tables.outbox).where(tables.outbox.c.kind == "mail"),
    "failed_attempts": select(func.count()).where(tables.verification_attempts.c.succeeded.is_(False)),
}


def conversations() -> list[Any]:
    return [
        pytest.param(conversation, id=f"{path.stem}: {conversation['name']}")
        for path in sorted(FOLDER.glob("*.yml"))
        for conversation in YAML(typ="safe").load(path)
    ]


@pytest.mark.parametrize("conversation", conversations())
async def test_conversation(conversation: dict[str, Any], talk_as, demo_db) -> None:
    talk = await talk_as(conversation.get("as"))
    for step in conversation["steps"]:
        answer = await talk.text(step["say"])
        assert answer, f"no answer to {step['say']!r}"
        assert "something went wrong on my side" not in answer
        if "has" in step:
            assert re.search(step["has"], answer, re.IGNORECASE), f"{step['say']!r} was answered: {answer}"
        if "not" in step:
            assert not re.search(step["not"], answer, re.IGNORECASE), f"{step['say']!r} was answered: {answer}"
    async with demo_db.reading() as work:
        connection = work.conversations._connection
        for name, expected in conversation.get("then", {}).items():
            assert await connection.scalar(COUNTED[name]) == expected, name
