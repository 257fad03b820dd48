"""What was said and done in the messages before this one."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker

from actions.wording import Button


def turns_in_a_row(tracker: Tracker, action: str) -> int:
    """How many of the customer's messages just before this one were answered by the action."""
    times, answered = 0, False
    # The latest message first: what it has led to so far does not count.
    events = iter(reversed(tracker.events))
    for event in events:
        if event["event"] == "user":
            break
    for event in events:
        if event["event"] == "action" and event["name"] == action:
            answered = True
        elif event["event"] == "user":
            if not answered:
                break
            times, answered = times + 1, False
    return times


def said_before_this(tracker: Tracker) -> list[dict[str, Any]]:
    """What the bot said in answer to the message before this one, in order."""
    said: list[dict[str, Any]] = []
    users = 0
    for event in reversed(tracker.events):
        if event["event"] == "user":
            users += 1
            if users == 2:
                break
        elif event["event"] == "bot" and users == 1 and event.get("text"):
            said.insert(0, event)
    return said


def choices_before_this(tracker: Tracker) -> list[Button]:
    """What the bot offered last."""
    said = said_before_this(tracker)
    return (said[-1].get("data") or {}).get("buttons") or [] if said else []


def last_said(tracker: Tracker) -> list[str]:
    """The texts that the bot said in answer to the message before this one."""
    return [str(event["text"]) for event in said_before_this(tracker)]


def said_in_this_form(tracker: Tracker, text: str) -> bool:
    """Whether the bot has said exactly this since the form began."""
    for event in reversed(tracker.events):
        if event["event"] == "active_loop":
            return False
        if event["event"] == "bot" and event.get("text") == text:
            return True
    return False
