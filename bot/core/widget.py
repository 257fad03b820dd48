"""How the website chat looks, what it says, and what it asks first, as the shop's owner wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.colours import DEFAULT_BRAND
from bot.core.languages import Language

Position = Literal["right", "left"]
Theme = Literal["auto", "light", "dark"]
QuestionKind = Literal["text", "email", "choice"]


@dataclass(frozen=True)
class Avatar:
    """The assistant's picture."""

    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Question:
    """Something that a visitor is asked before the chat begins."""

    id: str
    label: str
    kind: QuestionKind = "text"
    choices: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class WidgetLook:
    """What the owner decided about the website chat."""

    # Dark enough for white text.
    colour: str = DEFAULT_BRAND
    # In languages that are written from right to left the sides change places.
    position: Position = "right"
    theme: Theme = "auto"
    # A language's code, or "auto": the browser's, where there is one.
    language: str = "en"
    # Languages that the shop has added, and sentences of ours that it has reworded.
    languages: Mapping[str, Language] = field(default_factory=dict)
    avatar: Avatar | None = None
    # The shop's own greeting, which may have {name} and the like; None: ours, in the customer's language.
    welcome: str | None = None
    # The shop's own suggestions; none: ours.
    starters: tuple[str, ...] = ()
    # Whether new messages make a sound until the customer decides otherwise.
    sound: bool = False
    questions: tuple[Question, ...] = ()
