"""Rasa's test stories, run through the worker: understood as written, and done as written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

STORIES = YAML(typ="safe").load(Path(__file__).parent / "test_stories.yml")["stories"]
# What Rasa does by itself around every turn.
ITS_OWN = {"action_listen", "action_session_start", "action_extract_slots"}
ANNOTATION = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def expected_turns(steps: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """The story as turns: text, intent, actions."""
    turns: list[tuple[str, str, list[str]]] = []
    for step in steps:
        if "user" in step:
            turns.append((ANNOTATION.sub(r"\1", step["user"]).strip(), step["intent"], []))
        elif "action" in step:
            turns[-1][2].append(step["action"])
    return turns


@pytest.mark.parametrize("story", STORIES, ids=[story["story"] for story in STORIES])
async def test_story(story: dict[str, Any], talk_as, demo_db) -> None:
    talk = await talk_as()
    expected = expected_turns(story["steps"])
    for text, _, _ in expected:
        assert await talk.say(text)
    async with demo_db.reading() as work:
        events = [json.loads(event) for event in (await work.tracker_events.current_session(talk.conversation.id))[0]]
    turns: list[tuple[str, str, list[str]]] = []
    for event in events:
        if event["event"] == "user":
            turns.append((event["text"], event["parse_data"]["intent"]["name"], []))
        elif event["event"] == "action" and turns and event["name"] not in ITS_OWN:
            turns[-1][2].append(event["name"])
    assert turns == expected
