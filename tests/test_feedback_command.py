"""The command `feedback`, on a database of its own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.core.feedback import Feedback, FeedbackId, FeedbackKind, FeedbackPolicy
from bot.core.themes import BUILT_IN, FoundTheme
from bot.feedback_command import FeedbackCommandRefused, FeedbackRequest, run_feedback
from bot.gateway.links import SignedLinks
from bot.services.ids import new_id
from tests.builders import NOW, a_shop, stored_customer
from tests.services.mails import sent_mails

DAY = timedelta(days=1)
LINKS = SignedLinks("https://chat.example", "s" * 40, 24)
TODAY = date(2026, 1, 5)
SHOP = a_shop(feedback=FeedbackPolicy(themes={"grinding": ("grind*",)}))


async def command(db, clock, action, **options):
    said: list[str] = []
    await run_feedback(db, clock, SHOP, LINKS, FeedbackRequest(action, **options), said.append)
    return "\n".join(said)


async def said(db, *, theme="delivery", because="late", at=NOW, kind=FeedbackKind.COMPLAINT, score=None):
    customer = await stored_customer(db)
    feedback = Feedback(FeedbackId(new_id()), kind, new_id(), customer.id, answered_at=at, score=score, text="Late.")
    async with db.transaction() as work:
        await work.feedback.add(feedback)
        await work.feedback.set_themes(feedback.id, [FoundTheme(theme, because)])


async def test_themes_are_a_table(sql_db, clock):
    await said(sql_db)
    await said(sql_db, kind=FeedbackKind.CSAT, score=1, because="late, parcel", at=NOW - DAY)
    await said(sql_db, kind=FeedbackKind.CSAT, score=4, because="on time", at=NOW - 2 * DAY)
    await said(sql_db, theme="grinding", because="grinder")

    assert await command(sql_db, clock, "themes") == "\n".join(
        [
            "What customers spoke of from 2025-10-08 to 2026-01-05:",
            "",
            "Theme     Said  Complaints  Scores  Low  Share  In words such as",
            "delivery     3           1       2    1    50%  late, parcel, on time",
            "grinding     1           1       0    0      –  grinder",
        ]
    )


async def test_days_are_the_shop_s_and_both_count(sql_db, clock):
    # Half past midnight on the sixth, in Manila.
    await said(sql_db, at=NOW.replace(hour=16, minute=30))

    assert "nothing" in await command(sql_db, clock, "themes", first=TODAY, last=TODAY)
    assert "delivery" in await command(sql_db, clock, "themes", first=TODAY + DAY, last=TODAY + DAY)


async def test_who_spoke_of_it_is_told_once(sql_db, clock):
    await said(sql_db)
    await said(sql_db, at=NOW - 400 * DAY)

    dry = await command(sql_db, clock, "tell", theme="Delivery ", text="Faster now.", dry_run=True)
    assert "1 person" in dry
    assert "Nothing was sent" in dry
    assert await sent_mails(sql_db, clock) == []
    assert "Told 1 person" in await command(sql_db, clock, "tell", theme="delivery", text="Faster now.", author="Ana")
    assert "Told 0 people" in await command(sql_db, clock, "tell", theme="delivery", text="Faster now.")
    assert "Told 1 person" in await command(
        sql_db, clock, "tell", theme="delivery", text="Faster now.", first=TODAY - 500 * DAY
    )
    assert len(await sent_mails(sql_db, clock)) == 2
    async with sql_db.reading() as work:
        improvement = await work.feedback.improvement("delivery", "Faster now.")
    assert (improvement.author, improvement.told) == ("Ana", 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"action": "themes", "theme": "delivery"}, "--from and --to"),
        ({"action": "themes", "text": "x"}, "--from and --to"),
        ({"action": "themes", "first": TODAY, "last": TODAY - DAY}, "is after"),
        ({"action": "themes", "first": TODAY + DAY}, "is after"),
        ({"action": "tell"}, "which theme"),
        ({"action": "tell", "theme": "delivery"}, "which theme"),
        ({"action": "tell", "theme": "delivery", "text": " \n"}, "which theme"),
        ({"action": "tell", "theme": "delivery", "text": "x", "last": TODAY}, "leave out --to"),
        ({"action": "tell", "theme": "delivry", "text": "x"}, "Did you mean delivery?"),
        ({"action": "tell", "theme": "grindng", "text": "x"}, "Did you mean grinding?"),
        ({"action": "tell", "theme": "zzz", "text": "x"}, ", ".join([*BUILT_IN, "grinding"])),
    ],
    ids=repr,
)
async def test_a_command_that_makes_no_sense_says_what_to_do(sql_db, clock, options, says):
    with pytest.raises(FeedbackCommandRefused) as refused:
        await command(sql_db, clock, **options)

    assert says in refused.value.message
    assert await sent_mails(sql_db, clock) == []
