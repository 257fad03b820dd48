"""How the desk is doing: figures over a stretch of days, by day, hour, reason and person, and what each one means."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bot.core.agents import AgentId
from bot.core.durations import Span, clock_seconds, open_seconds, percentile
from bot.core.handoffs import Stage, is_left
from bot.core.measures import Window
from bot.core.opening_hours import OpeningHours
from bot.core.visits import Visit, count_visits

# In the order in which people read them.
DEFINITIONS: Mapping[str, str] = {
    "volume": "Visits that the assistant answered. A visit is what a customer writes in one conversation without a "
    "pause of an hour.",
    "containment": "Of these visits, the share without a hand-off to a person.",
    "resolved_containment": "Of the visits that can be judged by now, the share without a hand-off and with a sign "
    "that it helped: a satisfaction of 4 or 5, or no other visit by the same person within 24 hours.",
    "handoff_rate": "Of these visits, the share that was handed to a person.",
    "handoffs": "Requests for a person that began in these days, and why.",
    "waiting": "Each time that somebody waited in line: from joining it until a person took the conversation.",
    "left": "How often somebody joined the line and no person took the conversation: they went back to the "
    "assistant, left a message, or nobody came.",
    "first_response": "From the request for a person to that person's first reply. The assistant's time before the "
    "request is left out.",
    "resolution": "From the request for a person until the request was closed. Requests from which the customer went "
    "before anybody had taken care of them are left out.",
    "open": "Times 'in the opening hours' leave out the time in which the shop is closed.",
    "median": "Half of the times are at most so long; nine in ten are at most as long as the second figure.",
    "csat_bot": "The mean of the scores from 1 to 5 that customers gave after the assistant's help.",
    "csat_agent": "The mean of the scores from 1 to 5 that customers gave after a person's help.",
    "agents": "For each person: conversations that they took or were given, replies that they wrote, the time from "
    "taking a conversation to the first reply, and the scores of the requests that they closed.",
}


@dataclass(frozen=True)
class Step:
    """A conversation went from one stage to another; by whom and to whom, where somebody at the desk was part of it."""

    conversation_id: str
    at: datetime
    begins: str
    ends: str
    agent_id: AgentId | None = None
    to_agent_id: AgentId | None = None


@dataclass(frozen=True)
class Request:
    """A request for a person, and what became of it."""

    requested_at: datetime
    reason: str
    agent_id: AgentId | None = None
    claimed_at: datetime | None = None
    first_reply_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class Rating:
    """A score from 1 to 5, after a person's help or after the assistant's alone."""

    at: datetime
    score: int
    by_person: bool
    agent_id: AgentId | None = None


@dataclass(frozen=True)
class DeskFacts:
    """What a report is made of."""

    visits: Sequence[Visit]
    steps: Sequence[Step]
    requests: Sequence[Request]
    ratings: Sequence[Rating]
    replies: Mapping[AgentId, int]
    names: Mapping[AgentId, str]


def desk_figures(facts: DeskFacts, window: Window, hours: OpeningHours, now: datetime) -> dict[str, Any]:
    """The report's figures: totals, days, reasons, hours and agents. Times are in seconds, shares from 0 to 1.

    What there is nothing to say about is None, never 0.
    """
    waits, left = waits_of(facts.steps, window)
    return {
        "totals": _totals(facts, waits, left, hours, now),
        "days": _days(facts, waits, window, now),
        "reasons": [
            {"reason": reason, "count": number}
            for reason, number in Counter(one.reason for one in facts.requests).most_common()
        ],
        "hours": [
            {"hour": hour, "volume": number}
            for hour, number in sorted(
                Counter(visit.began_at.astimezone(window.zone).hour for visit in facts.visits).items()
            )
        ],
        "agents": _agents(facts, window),
    }


def waits_of(steps: Iterable[Step], window: Window) -> tuple[list[Span], int]:
    """How long each wait in line was that began in the window and ended with a person; and how many ended otherwise."""
    joined: dict[str, datetime] = {}
    waits: list[Span] = []
    left = 0
    for step in steps:
        began = joined.pop(step.conversation_id, None)
        if step.ends == Stage.QUEUE.value:
            joined[step.conversation_id] = began or step.at
        elif began is not None and window.starts_at <= began < window.ends_at:
            if step.ends == Stage.AGENT.value:
                waits.append((began, step.at))
            else:
                left += 1
    return waits, left


def _totals(facts: DeskFacts, waits: Sequence[Span], left: int, hours: OpeningHours, now: datetime) -> dict[str, Any]:
    first = [(one.requested_at, one.first_reply_at) for one in facts.requests if one.first_reply_at]
    settled = [one for one in facts.requests if not is_left(one.outcome, one.agent_id)]
    closed = [(one.requested_at, one.closed_at) for one in settled if one.closed_at]
    return {
        **_of_visits(facts.visits, now),
        "handoffs": len(facts.requests),
        "left": left,
        **_times("waiting", waits, hours),
        **_times("first_response", first, hours),
        **_times("resolution", closed, hours),
        "csat_bot": _scores(one for one in facts.ratings if not one.by_person),
        "csat_agent": _scores(one for one in facts.ratings if one.by_person),
    }


def _days(facts: DeskFacts, waits: Sequence[Span], window: Window, now: datetime) -> list[dict[str, Any]]:
    def by_day(things: Iterable[tuple[datetime, Any]]) -> dict[date, list[Any]]:
        found: defaultdict[date, list[Any]] = defaultdict(list)
        for at, thing in things:
            found[at.astimezone(window.zone).date()].append(thing)
        return found

    visits = by_day((visit.began_at, visit) for visit in facts.visits)
    requests = by_day((one.requested_at, one) for one in facts.requests)
    waited = by_day((wait[0], wait) for wait in waits)
    ratings = by_day((one.at, one) for one in facts.ratings)
    days = []
    for number in range(window.days):
        day = window.first_day + timedelta(days=number)
        seconds = clock_seconds(waited.get(day, []))
        scores = ratings.get(day, [])
        days.append(
            {
                "day": day.isoformat(),
                **_of_visits(visits.get(day, []), now),
                "handoffs": len(requests.get(day, [])),
                "waiting_median": percentile(seconds, 50),
                "waiting_p90": percentile(seconds, 90),
                "csat_bot": _scores(one for one in scores if not one.by_person)["mean"],
                "csat_agent": _scores(one for one in scores if one.by_person)["mean"],
            }
        )
    return days


def _agents(facts: DeskFacts, window: Window) -> list[dict[str, Any]]:
    taken: Counter[AgentId] = Counter()
    for step in facts.steps:
        who = step.to_agent_id or step.agent_id
        # The steps go on for a while after the last day, for the waits that began on it.
        if step.ends == Stage.AGENT.value and who is not None and window.starts_at <= step.at < window.ends_at:
            taken[who] += 1
    rows = []
    for agent_id, name in sorted(facts.names.items(), key=lambda one: one[1]):
        first = [
            (one.claimed_at, one.first_reply_at)
            for one in facts.requests
            if one.agent_id == agent_id
            and one.claimed_at
            and one.first_reply_at
            and one.first_reply_at > one.claimed_at
        ]
        rows.append(
            {
                "id": agent_id,
                "name": name,
                "conversations": taken[agent_id],
                "replies": facts.replies.get(agent_id, 0),
                "first_response": _middle(clock_seconds(first)),
                "csat": _scores(one for one in facts.ratings if one.agent_id == agent_id),
            }
        )
    return rows


def _of_visits(visits: Sequence[Visit], now: datetime) -> dict[str, Any]:
    counts = count_visits(visits, now)
    return {
        "volume": counts.visits,
        "containment": _share(counts.visits - counts.handed_off, counts.visits),
        "resolved_containment": _share(counts.resolved, counts.judged),
        "handoff_rate": _share(counts.handed_off, counts.visits),
    }


def _times(name: str, spans: Sequence[Span], hours: OpeningHours) -> dict[str, Any]:
    return {name: _middle(clock_seconds(spans)), f"{name}_open": _middle(open_seconds(hours, spans))}


def _middle(seconds: Sequence[float]) -> dict[str, Any]:
    return {"median": percentile(seconds, 50), "p90": percentile(seconds, 90), "count": len(seconds)}


def _scores(ratings: Iterable[Rating]) -> dict[str, Any]:
    scores = [rating.score for rating in ratings]
    return {"mean": round(statistics.fmean(scores), 3) if scores else None, "count": len(scores)}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
