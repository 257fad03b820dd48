"""The feedback group in business.yml: what the shop asks, when, and its own words for what feedback is about."""

from __future__ import annotations

import re

from pydantic import Field, conint, validator

from bot.core.feedback import FeedbackPolicy, Survey
from bot.core.themes import MAX_THEME_CHARACTERS, is_theme_word
from bot.yaml_files import Part

_DEFAULTS = FeedbackPolicy()
_THEME = re.compile(r"[a-z0-9]+(?:[ _-][a-z0-9]+)*")


class Feedback(Part):
    """Which questions are asked, and when. Nothing is asked that is not listed in `surveys`."""

    surveys: list[str] = Field(default_factory=list)
    days_after_delivery: conint(strict=True, ge=0, le=90) = _DEFAULTS.days_after_delivery  # type: ignore[valid-type]
    days_between_questions: conint(  # type: ignore[valid-type]
        strict=True, ge=0, le=365
    ) = _DEFAULTS.days_between_questions
    themes: dict[str, list[str]] = Field(default_factory=dict)

    @validator("surveys", each_item=True)
    def _surveys_exist(cls, value: str) -> str:
        names = [survey.value for survey in Survey]
        if value not in names:
            raise ValueError(f"{value!r} is not one of {', '.join(names)}")
        return value

    @validator("themes", pre=True)
    def _themes_have_names(cls, value: object) -> object:
        for name in value if isinstance(value, dict) else ():
            if not isinstance(name, str) or len(name) > MAX_THEME_CHARACTERS or not _THEME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is not the name of a theme: small letters, at most {MAX_THEME_CHARACTERS} of them"
                )
        return value

    @validator("themes", each_item=True)
    def _themes_have_words(cls, words: list[str]) -> list[str]:
        if not words:
            raise ValueError("has no words")
        for word in words:
            if not is_theme_word(word):
                raise ValueError(f"{word!r} is not a word, or words, such as oat milk or grind*")
        return words

    def to_policy(self) -> FeedbackPolicy:
        """What the assistant's rules work with."""
        return FeedbackPolicy(
            surveys=frozenset(map(Survey, self.surveys)),
            days_after_delivery=self.days_after_delivery,
            days_between_questions=self.days_between_questions,
            themes={theme: tuple(words) for theme, words in self.themes.items()},
        )
