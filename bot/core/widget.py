"""How the website chat looks and what it says, as the shop's owner wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.languages import Language


@dataclass(frozen=True)
class WidgetLook:
    """What the owner decided about the website chat."""

    # A language's code, or "auto": the browser's, where there is one.
    language: str = "en"
    # Languages that the shop has added, and sentences of ours that it has reworded.
    languages: Mapping[str, Language] = field(default_factory=dict)
