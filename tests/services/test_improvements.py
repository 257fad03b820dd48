"""You asked, we did: who asked for it is told, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.feedback import Feedback, FeedbackId, FeedbackKind
from bot.core.themes import FoundTheme
from bot.gateway.links import SignedLinks
from bot.services import improvements
from bot.services.consents import record_consent
from bot.services.ids import new_id
from bot.services.improvements import tell_improvement, themes_between
from tests.builders import NOW, stored_conversation, stored_customer
from tests.services.mails import sent_mails

DAY = timedelta(days=1)
LINKS = SignedLinks("https://chat.example", "s" * 40, 24)
DONE = "Our parcels now travel in stronger boxes."


async def said(db, customer, kind=FeedbackKind.COMPLAINT, theme="packaging", *, because="box", at=NOW, **changes):
    feedback = Feedback(
        **{
            "id": FeedbackId(new_id()),
            "kind": kind,
            "key": new_id(),
            "customer_id": customer.id if customer else None,
            "answered_at": at,
            "text": "The box was crushed.",
            **changes,
        }
    )
    async with db.transaction() as work:
        await work.feedback.add(feedback)
        await work.feedback.set_themes(feedback.id, [FoundTheme(theme, because)])
    return feedback


async def tell(db, clock, shop, text=DONE, theme="packaging", **options):
    return await tell_improvement(
        db, clock, shop, LINKS, theme, text, **{"author": "Ana", "since": NOW - 365 * DAY, **options}
    )


async def improvement_now(db, text=DONE):
    async with db.reading() as work:
        return await work.feedback.improvement("packaging", text)


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db, email="maria@example.com")


async def test_who_asked_is_told_in_their_own_words_and_ours(sql_db, clock, shop, maria):
    await said(sql_db, maria, at=NOW - DAY, text="The box\nwas crushed.")

    assert await tell(sql_db, clock, shop, f"  {DONE}\n") == 1

    (mail,) = await sent_mails(sql_db, clock)
    assert (mail.to, mail.reply_to) == (maria.email, shop.contact_email)
    assert "Hello Maria," in mail.body
    assert "on 4 January 2026 you told us:\n\n    The box\n    was crushed.\n" in mail.body
    assert DONE in mail.body
    assert mail.unsubscribe_url == LINKS.unsubscribe(maria.email, "feedback", clock.now())
    improvement = await improvement_now(sql_db)
    assert (improvement.author, improvement.created_at, improvement.told) == ("Ana", clock.now(), 1)


@pytest.mark.parametrize(
    ("kind", "score", "is_told"),
    [
        (FeedbackKind.COMPLAINT, None, True),
        (FeedbackKind.COMMENT, None, True),
        (FeedbackKind.CSAT, 2, True),
        (FeedbackKind.CSAT, 3, False),
        (FeedbackKind.REVIEW, 1, True),
        (FeedbackKind.REVIEW, 5, False),
        (FeedbackKind.NPS, 6, True),
        (FeedbackKind.NPS, 9, False),
        (FeedbackKind.CES, 3, True),
        (FeedbackKind.CES, 4, False),
    ],
    ids=str,
)
async def test_only_who_wished_for_something_better_is_told(sql_db, clock, shop, maria, kind, score, is_told):
    await said(sql_db, maria, kind, score=score)

    assert await tell(sql_db, clock, shop) == is_told


async def test_nobody_is_told_twice_in_the_same_words(sql_db, clock, shop, maria):
    await said(sql_db, maria)
    await said(sql_db, maria, at=NOW - DAY)

    assert await tell(sql_db, clock, shop) == 1
    assert await tell(sql_db, clock, shop) == 0
    await said(sql_db, maria)
    assert await tell(sql_db, clock, shop) == 0

    assert len(await sent_mails(sql_db, clock)) == 1
    assert (await improvement_now(sql_db)).told == 1
    # Something else is something else.
    assert await tell(sql_db, clock, shop, "And the boxes are recycled.") == 1


async def test_many_who_tell_at_once_tell_each_person_once(sql_db, clock, shop):
    for _ in range(5):
        await said(sql_db, await stored_customer(sql_db))

    told = await asyncio.gather(*(tell(sql_db, clock, shop) for _ in range(4)))

    assert sum(told) == 5
    assert len(await sent_mails(sql_db, clock)) == 5
    assert (await improvement_now(sql_db)).told == 5


async def test_more_people_than_are_looked_at_at_once_are_all_told(sql_db, clock, shop, monkeypatch):
    monkeypatch.setattr(improvements, "TOLD_AT_ONCE", 2)
    for _ in range(5):
        await said(sql_db, await stored_customer(sql_db))

    assert await tell(sql_db, clock, shop, dry_run=True) == 5
    assert await tell(sql_db, clock, shop) == 5


async def test_what_was_interrupted_goes_on(sql_db, clock, shop, monkeypatch):
    for _ in range(4):
        await said(sql_db, await stored_customer(sql_db))
    mail, made = improvements._mail, []

    def breaks_at_the_third(*args):
        if len(made) == 2:
            raise OSError
        made.append(args)
        return mail(*args)

    monkeypatch.setattr(improvements, "_mail", breaks_at_the_third)
    with pytest.raises(OSError):
        await tell(sql_db, clock, shop)
    monkeypatch.setattr(improvements, "_mail", mail)

    assert await tell(sql_db, clock, shop) == 2
    assert len(await sent_mails(sql_db, clock)) == 4
    assert (await improvement_now(sql_db)).told == 4


async def test_a_dry_run_says_how_many_and_does_nothing(sql_db, clock, shop, maria):
    await said(sql_db, maria)

    assert await tell(sql_db, clock, shop, dry_run=True) == 1

    assert await improvement_now(sql_db) is None
    assert await sent_mails(sql_db, clock) == []
    await tell(sql_db, clock, shop)
    assert await tell(sql_db, clock, shop, dry_run=True) == 0


async def test_who_may_not_be_written_to_is_not_told(sql_db, clock, shop, maria):
    await said(sql_db, maria)
    for changes in ({"email": None}, {"erased_at": NOW}, {"merged_into_id": maria.id}):
        await said(sql_db, await stored_customer(sql_db, **changes))
    await said(sql_db, None, conversation_id=(await stored_conversation(sql_db)).id)
    async with sql_db.transaction() as work:
        await record_consent(
            work,
            clock,
            channel="email",
            address=maria.email,
            purpose="feedback",
            granted=False,
            wording="No.",
            source="link",
        )

    assert await tell(sql_db, clock, shop, dry_run=True) == 0
    assert await tell(sql_db, clock, shop) == 0
    assert await sent_mails(sql_db, clock) == []


async def test_only_the_theme_and_the_time_that_are_meant(sql_db, clock, shop, maria):
    await said(sql_db, maria, theme="taste")
    await said(sql_db, maria, at=NOW - 10 * DAY)

    assert await tell(sql_db, clock, shop, since=NOW - 9 * DAY) == 0
    assert await tell(sql_db, clock, shop, since=NOW - 10 * DAY) == 1


async def test_without_words_the_mail_is_whole_too(sql_db, clock, shop, maria):
    await said(sql_db, maria, FeedbackKind.CSAT, score=1, text=None)

    await tell(sql_db, clock, shop)

    (mail,) = await sent_mails(sql_db, clock)
    assert "None" not in mail.body
    assert "you told us what you would like to be better." in mail.body


async def test_long_words_are_quoted_in_part(sql_db, clock, shop, maria):
    await said(sql_db, maria, text="x" * 2_000)

    await tell(sql_db, clock, shop)

    (mail,) = await sent_mails(sql_db, clock)
    assert f"    {'x' * 300} …" in mail.body


# The table of themes


async def test_themes_are_counted_with_low_scores_and_words(sql_db, maria):
    await said(sql_db, maria, FeedbackKind.CSAT, score=1, because="box, crushed")
    await said(sql_db, maria, FeedbackKind.CSAT, score=5, because="Box")
    await said(sql_db, maria, because="packaging")
    await said(sql_db, maria, FeedbackKind.NPS, "price", score=6, because="pricey")
    await said(sql_db, maria, FeedbackKind.COMMENT, "taste", because="bitter")

    lines = await themes_between(sql_db, NOW - DAY, NOW + DAY)

    assert [(one.count.theme, one.count.answers, one.count.complaints, one.count.low_share) for one in lines] == [
        ("packaging", 3, 1, 0.5),
        ("price", 1, 0, 1.0),
        ("taste", 1, 0, None),
    ]
    assert lines[0].examples[0] == "box"
    assert set(lines[0].examples) == {"box", "crushed", "packaging"}


async def test_only_what_was_said_in_the_window_is_counted(sql_db, maria):
    await said(sql_db, maria, at=NOW)

    assert len(await themes_between(sql_db, NOW, NOW + DAY)) == 1
    assert await themes_between(sql_db, NOW - DAY, NOW) == []
    assert await themes_between(sql_db, NOW + DAY, NOW + 2 * DAY) == []
