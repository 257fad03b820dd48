"""The desk group of the business file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.business import load_business
from bot.config import load_config
from bot.core.desk import Assignment, DeskPolicy, Signal
from bot.core.wishes import TOPICS, WISH_TITLES, WISHES
from bot.desk_settings import Desk
from tests.test_business import faults, load
from tests.test_config import PRODUCTION, root

__all__ = ["root"]

ROOT = Path(__file__).parents[1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "business.yml"


def test_a_shop_that_says_nothing_gets_what_most_want(file):
    assert load(file).to_shop().desk == DeskPolicy()


def test_the_demo_shop_says_the_same_in_words():
    assert load_business(ROOT / "business.yml").to_shop().desk == DeskPolicy()


def test_the_rules_get_what_the_shop_decided(file):
    desk = load(
        file,
        "desk:\n  assignment: manual\n  offer_seconds: 20\n  ask_after_minutes: 2\n  give_up_after_minutes: 10\n"
        "  agent_gone_after_seconds: 90\n  customer_gone_after_minutes: 15\n  call_back_within_hours: 2\n"
        "  same_agent_within_days: 7\n  for_people: [complaint]\n  call_for: [anger]\n  urgent: [payment_issue]\n",
    ).to_shop()

    assert desk.desk == DeskPolicy(
        assignment=Assignment.MANUAL,
        offer_time=timedelta(seconds=20),
        ask_after=timedelta(minutes=2),
        give_up_after=timedelta(minutes=10),
        agent_grace=timedelta(seconds=90),
        customer_grace=timedelta(minutes=15),
        call_back_within=timedelta(hours=2),
        same_agent_within=timedelta(days=7),
        for_people=frozenset({"complaint"}),
        call_for=frozenset({Signal.ANGER}),
        urgent=frozenset({"payment_issue"}),
    )


_WISHES = ", ".join(sorted(WISHES))


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("assignment: robin", "desk.assignment: 'robin' is not one of offer, manual"),
        ("for_people: [world peace]", f"desk.for_people.0: 'world peace' is not one of {_WISHES}"),
        ("call_for: [rain]", "desk.call_for.0: 'rain' is not one of misunderstood, anger, low_rating"),
        (
            "urgent: [everything]",
            f"desk.urgent.0: 'everything' is not one of misunderstood, anger, low_rating, {_WISHES}",
        ),
        ("offer_seconds: 0", "desk.offer_seconds: ensure this value is greater than or equal to 5"),
        (
            "give_up_after_minutes: 2",
            "desk.give_up_after_minutes: is 2, and ask_after_minutes is 3: nobody would be asked before it is over",
        ),
        ("agent_grace: 3", f"desk.agent_grace: is not a setting (there are: {', '.join(Desk.__fields__)})"),
    ],
)
def test_a_fault_is_named(file, setting, fault):
    assert faults(file, f"desk:\n  {setting}\n") == [fault]


def test_every_wish_that_can_be_given_to_people_is_one_that_customers_can_pick():
    # Nobody is needed for the others: they ask for a person, or are done by the assistant itself.
    others = {"contact_human_agent", "ask_capabilities", "sign_out", "connect_messenger"}
    assert set(WISH_TITLES) - WISHES == others
    assert WISHES <= set(WISH_TITLES)


def test_the_documentation_lists_the_wishes_of_every_topic():
    lines = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    listed = {wish.strip("`"): topic.strip("`") for topic, wishes, *_ in cells for wish in wishes.split(", ")}

    assert {wish: topic for wish, topic in listed.items() if wish in WISHES} == TOPICS


@pytest.mark.parametrize(("setting", "always"), [("business", False), ("always", True)])
def test_the_environment_may_keep_the_desk_open(root, setting, always):
    config = load_config({**PRODUCTION, "DESK_HOURS": setting}, root=root)

    assert config.business.to_shop().desk.always_open is always
