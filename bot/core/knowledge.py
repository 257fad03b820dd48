"""Questions with fixed answers, as the shop's owner writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A page to point to."""

    title: str
    url: str


@dataclass(frozen=True)
class KnowledgeEntry:
    """One question and its answer, the shop's facts filled in. `intent` names the wish that this is the answer to."""

    id: str
    title: str
    ask: tuple[str, ...]
    answer: str
    links: tuple[Link, ...] = ()
    intent: str | None = None


class Knowledge:
    """All entries. Immutable: an edited file makes a new one."""

    def __init__(self, entries: Sequence[KnowledgeEntry] = ()) -> None:
        self.entries = tuple(entries)
        self._by_id = {entry.id: entry for entry in self.entries}
        self._by_intent = {entry.intent: entry for entry in reversed(self.entries) if entry.intent}

    def entry(self, entry_id: str) -> KnowledgeEntry | None:
        """The entry with that id."""
        return self._by_id.get(entry_id)

    def answer_to(self, intent: str) -> KnowledgeEntry | None:
        """The entry that answers a wish."""
        return self._by_intent.get(intent)
