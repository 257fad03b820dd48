"""The feedback group of the business file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.business import load_business
from bot.core.feedback import FeedbackPolicy, Survey
from bot.core.themes import find_themes
from tests.test_business import faults, load

ROOT = Path(__file__).parents[1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "business.yml"


def test_a_shop_that_says_nothing_asks_nothing(file):
    assert load(file).to_shop().feedback == FeedbackPolicy()
    assert FeedbackPolicy().surveys == frozenset()


def test_the_rules_get_what_the_shop_decided(file):
    shop = load(
        file,
        "feedback:\n  surveys: [csat, order]\n  days_after_delivery: 5\n  days_between_questions: 14\n"
        "  themes: {taste: [crema], oat milk: [oat milk, oat*]}\n",
    ).to_shop()

    assert shop.feedback == FeedbackPolicy(
        surveys=frozenset({Survey.CSAT, Survey.ORDER}),
        days_after_delivery=5,
        days_between_questions=14,
        themes={"taste": ("crema",), "oat milk": ("oat milk", "oat*")},
    )


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("surveys: [csat, stars]", "feedback.surveys.1: 'stars' is not one of csat, ces, nps, order"),
        ("surveys: csat", "feedback.surveys: is not a list, such as [one, two]"),
        ("days_after_delivery: -1", "feedback.days_after_delivery: ensure this value is greater than or equal to 0"),
        ("days_after_delivery: soon", "feedback.days_after_delivery: is not a whole number"),
        (
            "days_between_questions: 366",
            "feedback.days_between_questions: ensure this value is less than or equal to 365",
        ),
        ("survey: [csat]", "feedback.survey: is not a setting; did you mean surveys?"),
        (
            "themes: {Taste!: [crema]}",
            "feedback.themes: 'Taste!' is not the name of a theme: small letters, at most 40 of them",
        ),
        ("themes: {taste: []}", "feedback.themes.taste: has no words"),
        ("themes: {taste: crema}", "feedback.themes.taste: is not a list, such as [one, two]"),
        (
            "themes: {taste: [cre*ma]}",
            "feedback.themes.taste: 'cre*ma' is not a word, or words, such as oat milk or grind*",
        ),
        ("themes: {taste: ['']}", "feedback.themes.taste.0: is empty"),
    ],
)
def test_a_fault_is_named(file, setting, fault):
    assert faults(file, f"feedback:\n  {setting}\n") == [fault]


def test_the_demo_shop_s_own_words_work():
    themes = load_business(ROOT / "business.yml").to_shop().feedback.themes

    assert {found.theme for found in find_themes("the grinder is too loud, and the crema is thin", themes)} >= {
        *("grinding", "taste"),
    }
