"""The group `widget:` of business.yml: where the chat may appear, how it looks and what it says."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import Field, StrictBool, root_validator, validator

from bot.core.colours import DEFAULT_BRAND, READABLE, contrast, full_form, is_colour, readable_shade
from bot.core.languages import is_language_code
from bot.core.widget import Position, Question, QuestionKind, Theme
from bot.web_addresses import as_origin
from bot.yaml_files import Part

_MAX_STARTERS, _MAX_QUESTIONS, _MAX_CHOICES = 4, 5, 12
_WELCOME_CHARACTERS, _STARTER_CHARACTERS, _LABEL_CHARACTERS = 600, 80, 160
_WELCOME_NAMES = ("name", "assistant", "shop")
Some = TypeVar("Some")


class QuestionText(Part):
    """A question before the chat, as it is written in the file."""

    id: str
    label: str
    kind: QuestionKind = "text"
    choices: list[str] = Field(default_factory=list)
    required: StrictBool = False

    @validator("id")
    def _id_is_a_word(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", value):
            raise ValueError(f"{value!r} is not a short word of small letters, digits, _ and -, such as order_number")
        return value

    @validator("label")
    def _label_is_short(cls, value: str) -> str:
        return _at_most(value, _LABEL_CHARACTERS)

    @validator("kind", pre=True)
    def _kind_is_known(cls, value: object) -> object:
        return _one_of(value, ("text", "email", "choice"))

    @validator("choices", each_item=True)
    def _choices_are_short(cls, value: str) -> str:
        return _at_most(value, _STARTER_CHARACTERS)

    @root_validator(skip_on_failure=True)
    def _choices_belong_to_a_choice(cls, values: dict[str, Any]) -> dict[str, Any]:
        choices = values["choices"]
        if values["kind"] != "choice" and choices:
            raise ValueError("has choices, which only a question of the kind choice may have")
        if values["kind"] == "choice" and not 2 <= len(set(choices)) == len(choices) <= _MAX_CHOICES:
            raise ValueError(f"needs 2 to {_MAX_CHOICES} choices, each another")
        return values

    def to_question(self) -> Question:
        """The question as the chat asks it."""
        return Question(self.id, self.label, self.kind, tuple(self.choices), self.required)


class Widget(Part):
    """Where the chat may be embedded, beside PUBLIC_URL, and what it is like there."""

    origins: list[str] = Field(default_factory=list)
    colour: str = DEFAULT_BRAND
    position: Position = "right"
    theme: Theme = "auto"
    language: str = "en"
    avatar: str | None = None
    welcome: str | None = None
    starters: list[str] = Field(default_factory=list)
    sound: StrictBool = False
    questions: list[QuestionText] = Field(default_factory=list)

    @validator("origins", each_item=True)
    def _origins_are_origins(cls, value: str) -> str:
        origin = as_origin(value)
        if origin is None:
            raise ValueError(f"{value!r} is not an origin such as https://www.example.com, without a path or a *")
        return origin

    @validator("colour")
    def _white_can_be_read_on_the_colour(cls, value: str) -> str:
        if not is_colour(value):
            raise ValueError(f'{value!r} is not a colour such as "#0d5547", in quotes')
        colour = full_form(value)
        # Cut, not rounded: 4.49 must not be told as 4.5.
        reached = int(contrast(colour, "#ffffff") * 100) / 100
        if reached < READABLE:
            raise ValueError(
                f"{value} is too light: the chat writes in white on it, which has a contrast of {reached:g} to 1 and "
                f'needs {READABLE:g} to 1 to be read. "{readable_shade(colour)}" is the nearest darker shade that does'
            )
        return colour

    @validator("position", pre=True)
    def _position_is_known(cls, value: object) -> object:
        return _one_of(value, ("right", "left"))

    @validator("theme", pre=True)
    def _theme_is_known(cls, value: object) -> object:
        return _one_of(value, ("auto", "light", "dark"))

    @validator("language")
    def _language_is_a_code(cls, value: str) -> str:
        if value != "auto" and not is_language_code(value):
            raise ValueError(f"{value!r} is neither a language's code such as en, es or pt-BR, nor auto")
        return value

    @validator("avatar")
    def _avatar_is_beside_this_file(cls, value: str | None) -> str | None:
        if value is not None and (value.startswith(("/", "\\")) or re.search(r"(?:^|[/\\])\.\.(?:[/\\]|$)|:", value)):
            raise ValueError(f"{value!r} is not the name of a file beside business.yml, such as avatar.png")
        return value

    @validator("welcome")
    def _welcome_has_known_names(cls, value: str | None) -> str | None:
        if value is None:
            return None
        unknown = [name for name in re.findall(r"\{([^{}]*)\}", value) if name not in _WELCOME_NAMES]
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in _WELCOME_NAMES)
            raise ValueError(f"{{{unknown[0]}}} is nothing that the chat can fill in (there are: {known})")
        return _at_most(value, _WELCOME_CHARACTERS)

    @validator("starters", each_item=True)
    def _starters_are_short(cls, value: str) -> str:
        return _at_most(value, _STARTER_CHARACTERS)

    @validator("starters")
    def _starters_are_few(cls, value: list[str]) -> list[str]:
        return _at_most_so_many(value, _MAX_STARTERS, "suggestions")

    @validator("questions")
    def _questions_are_few_and_each_its_own(cls, value: list[QuestionText]) -> list[QuestionText]:
        names = [question.id for question in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the id {twice[0]} is there twice")
        return _at_most_so_many(value, _MAX_QUESTIONS, "questions")


def _one_of(value: object, allowed: tuple[str, ...]) -> object:
    if value not in allowed:
        raise ValueError(f"{value!r} is not {', '.join(allowed[:-1])} or {allowed[-1]}")
    return value


def _at_most(value: str, characters: int) -> str:
    if len(value) > characters:
        raise ValueError(f"has {len(value)} characters; there is room for {characters}")
    return value


def _at_most_so_many(value: list[Some], most: int, what: str) -> list[Some]:
    if len(value) > most:
        raise ValueError(f"has {len(value)} {what}; there is room for {most}")
    return value
