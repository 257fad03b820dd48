"""What a person should know who takes a conversation over: taken from what was said and understood, nothing made up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.core.conversations import Author, Conversation, Message
from bot.core.desk_records import preview
from bot.core.sentiment import Mood, sentiment_of
from bot.core.wishes import TOPICS, WISH_TITLES
from bot.services.ports import UnitOfWork

# So many of the customer's last messages are looked at, among so many lines and so many of the dialogue's own notes.
MESSAGES_LOOKED_AT = 8
LINES_LOOKED_AT = 40
NOTES_LOOKED_AT = 200
WISHES_NAMED = 5
# Details of messages that help a person; codes and the like are nobody's business.
_DETAILS = ("order_number", "product", "email", "phone")
_ORDERS = ("order_number", "named_order", "last_order")
_NOT_UNDERSTOOD = ("action_decline", "action_default_fallback")
_STOPPING = frozenset({"cancel_dialogue", "deny"})
Note = Mapping[str, Any]


async def summary_of(work: UnitOfWork, conversation: Conversation, session: Sequence[Note] = ()) -> dict[str, str]:
    """What was wanted, in which words, which details were named, what came of it, and how the customer feels.

    What is not known is left out. `session` are the dialogue's own notes of its session, while a turn is under way.
    """
    notes = await notes_of(work, conversation, session)
    lines = await work.messages.after(conversation.id, max(conversation.last_seq - LINES_LOOKED_AT, 0), LINES_LOOKED_AT)
    said = [one for one in lines if one.author is Author.CUSTOMER and one.payload is None][-MESSAGES_LOOKED_AT:]
    requests = await work.requests.open_in(conversation.id)
    found = {
        **summary_from(notes),
        "noted": ", ".join(f"{one.number} ({one.kind.value.replace('_', ' ')})" for one in requests),
        "mood": mood_in_words([one.text for one in said]),
    }
    if said and (found.get("said") is None or not _is_noted(said[-1], notes)):
        # What the assistant failed at, or never got to, is what they want now.
        found["said"] = preview(said[-1].text)
    return {name: value for name, value in found.items() if value}


async def notes_of(work: UnitOfWork, conversation: Conversation, session: Sequence[Note] = ()) -> list[Note]:
    """The dialogue's last notes (Rasa's events), oldest first, with those of the turn that is under way."""
    kept = [json.loads(text) for text in await work.tracker_events.recent(conversation.id, NOTES_LOOKED_AT)]
    users = [place for place, note in enumerate(session) if note["event"] == "user"]
    # Where the message is the first of its session, that it has begun is not kept yet either.
    return [*kept, *(session[users[-1] :] if len(users) > 1 else session)]


def latest_wish(notes: Iterable[Note]) -> str | None:
    """What the customer wanted last, before a person."""
    wishes = _wishes([note for note in notes if note["event"] == "user"][-MESSAGES_LOOKED_AT:])
    return str(wishes[-1]["parse_data"]["intent"]["name"]) if wishes else None


def summary_from(notes: Sequence[Note]) -> dict[str, str]:
    """The part of a summary that the dialogue's own notes tell."""
    users = [note for note in notes if note["event"] == "user"][-MESSAGES_LOOKED_AT:]
    wishes = list(reversed(_wishes(users)))
    titles = list(dict.fromkeys(WISH_TITLES[one["parse_data"]["intent"]["name"]] for one in wishes))[:WISHES_NAMED]
    written = next((one for one in wishes if not one["parse_data"].get("picked")), None)
    entities = [one for user in users for one in (user.get("parse_data") or {}).get("entities") or []]
    numbers = [one["value"] for one in entities if one["entity"] == "order_number"]
    read = _Reading(notes)
    unclear = sum(1 for one in users if id(one) in read.unclear)
    found = {
        "wish": titles[0] if titles else None,
        "said": preview(str(written["text"])) if written else None,
        "order": next((read.slots[name] for name in _ORDERS if read.slots.get(name)), numbers[-1] if numbers else None),
        "details": ", ".join(dict.fromkeys(str(one["value"]) for one in entities if one["entity"] in _DETAILS)),
        "tried": ", ".join(titles[1:]),
        "agreed": ", ".join(read.agreed),
        "declined": ", ".join(read.declined),
        "unfinished": WISH_TITLES.get(str(read.slots.get("wish"))) or read.unfinished,
        "unclear": f"{unclear} of the last {len(users)} messages" if unclear else None,
        "rating": _rating(read, users),
        "mood": mood_in_words([str(one.get("text") or "") for one in users if not _is_picked(one)]),
    }
    return {name: str(value) for name, value in found.items() if value}


def mood_in_words(texts: Sequence[str]) -> str | None:
    """The worst of the moods of some messages, with the words that say so; None where none is bad."""
    moods = [sentiment_of(text) for text in texts]
    for mood in (Mood.ANGRY, Mood.UNHAPPY):
        found = next((one for one in reversed(moods) if one.mood is mood), None)
        if found is not None:
            return f"{mood.value} ({', '.join(found.because)})" if found.because else mood.value
    return None


class _Reading:
    """What the notes say about tasks: which the customer agreed to or declined, and what was not understood."""

    def __init__(self, notes: Iterable[Note]) -> None:
        self.slots: dict[str, Any] = {}
        self.agreed: list[str] = []
        self.declined: list[str] = []
        self.unclear: set[int] = set()
        # What was left off within the last message.
        self.unfinished: str | None = None
        self._user: Note | None = None
        for note in notes:
            self._take(note)

    def _take(self, note: Note) -> None:
        match note["event"]:
            case "user":
                self._user, self.unfinished = note, None
            case "session_started":
                # What was going on before is over; what is still known is told again.
                self.slots.clear()
            case "action" if note.get("name") in _NOT_UNDERSTOOD and self._user is not None:
                self.unclear.add(id(self._user))
            case "action" if note.get("name") == "action_drop_task":
                if _intent(self._user) in _STOPPING:
                    self._add(self.declined)
                else:
                    # It gave way to what was wanted instead: a person, mostly.
                    self.unfinished = self._title()
            case "slot":
                self._take_slot(str(note["name"]), note.get("value"))

    def _take_slot(self, name: str, value: Any) -> None:
        # A task has ended. Whether it could be done is in what was said; what the customer answered is known.
        if name == "wish" and value != self.slots.get("wish") and self.slots.get("requested_slot") == "confirmed":
            answers = {"affirm": self.agreed, "deny": self.declined}
            if (answered := answers.get(_intent(self._user))) is not None:
                self._add(answered)
        self.slots[name] = value

    def _title(self) -> str | None:
        return WISH_TITLES.get(str(self.slots.get("wish")))

    def _add(self, tasks: list[str]) -> None:
        title, order = self._title(), self.slots.get("order_number")
        if title is not None:
            said = f"{title} ({order})" if order else title
            tasks[:] = [*(one for one in tasks if one != said), said]


def _wishes(users: Sequence[Note]) -> list[Note]:
    return [one for one in users if _intent(one) in TOPICS]


def _intent(user: Note | None) -> str:
    return str((((user or {}).get("parse_data") or {}).get("intent") or {}).get("name"))


def _is_picked(user: Note) -> bool:
    return bool((user.get("parse_data") or {}).get("picked"))


def _is_noted(message: Message, notes: Sequence[Note]) -> bool:
    return any(one["event"] == "user" and one.get("message_id") == message.id for one in notes)


def _rating(read: _Reading, users: Sequence[Note]) -> str | None:
    """A score that was given in the last message, or for the task at hand."""
    entities = (users[-1].get("parse_data") or {}).get("entities") or [] if users else []
    said = [str(one["value"]) for one in entities if one["entity"] == "rating"]
    value = str(said[-1] if said else read.slots.get("rating"))
    return value if value.isdigit() else None
