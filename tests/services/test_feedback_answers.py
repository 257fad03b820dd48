"""Answers: kept once, put right for an hour, passed on to a person when they are low."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.feedback import (
    MAX_FEEDBACK_CHARACTERS,
    SCALES,
    Feedback,
    FeedbackId,
    FeedbackKind,
    FeedbackPolicy,
    Invitation,
    Survey,
)
from bot.core.loyalty import FeedbackPoints, Program, ReferralRules
from bot.core.requests import MAX_OPEN_REQUESTS, RequestKind
from bot.errors import FeedbackRefused
from bot.services.feedback_answers import decline_question, record_answer
from bot.services.ids import new_id
from bot.services.ledger import balance_of
from bot.services.requests import record_request
from tests.builders import NOW, a_shop, stored_conversation, stored_customer
from tests.services.mails import sent_mails

HOUR = timedelta(hours=1)
POLICY = FeedbackPolicy(surveys=frozenset(Survey), themes={"grinding": ("grind*",)})
REFERRAL = ReferralRules(referrer_points=100, referee_points=50)


@pytest.fixture
def shop():
    return a_shop(feedback=POLICY)


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db, email="maria@example.com")


@pytest.fixture
async def conversation(sql_db, maria):
    return await stored_conversation(sql_db, customer_id=maria.id)


async def asked(db, *, kind=FeedbackKind.CSAT, customer=None, conversation=None, order_number=None):
    """A question that somebody was asked."""
    feedback = Feedback(
        id=FeedbackId(new_id()),
        kind=kind,
        key=new_id(),
        customer_id=customer.id if customer else None,
        conversation_id=conversation.id if conversation else None,
        order_number=order_number,
        asked_at=NOW,
    )
    async with db.transaction() as work:
        assert await work.feedback.add(feedback)
    return feedback


async def answer(db, clock, shop, question, score=None, text=None):
    async with db.transaction() as work:
        return await record_answer(work, clock, shop, question.id, score=score, text=text)


async def now(db, question):
    async with db.reading() as work:
        return await work.feedback.get(question.id)


async def themes(db, question):
    async with db.reading() as work:
        return {found.theme: found.because for found in await work.feedback.themes_of(question.id)}


async def requests(db, conversation):
    async with db.reading() as work:
        return await work.requests.open_in(conversation.id)


async def test_an_answer_is_kept_with_what_it_is_about(sql_db, clock, shop, maria, conversation):
    question = await asked(sql_db, customer=maria, conversation=conversation)

    answered = await answer(sql_db, clock, shop, question, 4, " The box was crushed, and the Grinder is loud. ")

    assert answered.is_new
    assert answered.feedback == await now(sql_db, question)
    assert (answered.feedback.score, answered.feedback.answered_at) == (4, clock.now())
    assert answered.feedback.text == "The box was crushed, and the Grinder is loud."
    assert await themes(sql_db, question) == {"packaging": "box, crushed", "grinding": "Grinder"}
    assert await sent_mails(sql_db, clock) == []
    assert await requests(sql_db, conversation) == []


async def test_the_same_answer_again_changes_nothing(sql_db, clock, shop, maria, conversation):
    question = await asked(sql_db, customer=maria, conversation=conversation)
    first = await answer(sql_db, clock, shop, question, 2, "Late.")
    clock.advance(minutes=5)

    again = await answer(sql_db, clock, shop, question, 2, "Late.")

    assert not again.is_new
    assert again.feedback == first.feedback
    assert again.reply == first.reply
    assert len(await requests(sql_db, conversation)) == 1
    assert len(await sent_mails(sql_db, clock)) == 1


async def test_the_score_and_the_words_may_come_apart(sql_db, clock, shop, conversation):
    question = await asked(sql_db, conversation=conversation)

    await answer(sql_db, clock, shop, question, 4)
    clock.advance(20 * HOUR)
    answered = await answer(sql_db, clock, shop, question, text="A bit pricey.")

    assert (answered.feedback.score, answered.feedback.text) == (4, "A bit pricey.")
    assert answered.feedback.answered_at == NOW
    assert await themes(sql_db, question) == {"price": "pricey"}


async def test_words_come_before_the_score_as_well(sql_db, clock, shop, conversation):
    question = await asked(sql_db, conversation=conversation)

    await answer(sql_db, clock, shop, question, text="Fine.")
    clock.advance(20 * HOUR)
    answered = await answer(sql_db, clock, shop, question, 3)

    assert (answered.feedback.score, answered.feedback.text) == (3, "Fine.")


async def test_an_answer_can_be_put_right_for_an_hour(sql_db, clock, shop, conversation):
    question = await asked(sql_db, conversation=conversation)
    await answer(sql_db, clock, shop, question, 4, "Late.")
    clock.advance(HOUR - timedelta(seconds=1))

    answered = await answer(sql_db, clock, shop, question, 5, "On time, sorry. Delicious!")

    assert (answered.is_new, answered.feedback.score, answered.feedback.answered_at) == (True, 5, NOW)
    assert await themes(sql_db, question) == {"delivery": "On time", "taste": "Delicious"}
    clock.advance(seconds=1)
    too_late = await answer(sql_db, clock, shop, question, 1, "Terrible.")
    assert (too_late.is_new, too_late.feedback) == (False, answered.feedback)
    assert await sent_mails(sql_db, clock) == []


@pytest.mark.parametrize("kind", list(SCALES))
async def test_every_score_can_be_given_and_low_ones_reach_a_person(sql_db, clock, shop, maria, kind):
    for score in SCALES[kind].scores:
        conversation = await stored_conversation(sql_db, customer_id=maria.id)
        question = await asked(sql_db, kind=kind, customer=maria, conversation=conversation)

        answered = await answer(sql_db, clock, shop, question, score)

        is_low = score <= SCALES[kind].low
        assert [one.number for one in await requests(sql_db, conversation)] == (
            [answered.feedback.request_number] if is_low else []
        )
        assert ("What can we do" in answered.reply) == is_low


@pytest.mark.parametrize("kind", list(FeedbackKind))
async def test_a_score_beside_the_scale_is_refused(sql_db, clock, shop, kind):
    question = await asked(sql_db, kind=kind)
    scale = SCALES.get(kind)

    for score in (-1, 11, 99, *([scale.least - 1, scale.most + 1] if scale else [1, 5])):
        with pytest.raises(FeedbackRefused) as refused:
            await answer(sql_db, clock, shop, question, score, "Words.")
        assert refused.value.reason == "bad_score"
    assert await now(sql_db, question) == question


@pytest.mark.parametrize("text", [None, "", " \n\t "])
async def test_no_answer_is_none(sql_db, clock, shop, text):
    question = await asked(sql_db)

    with pytest.raises(FeedbackRefused) as refused:
        await answer(sql_db, clock, shop, question, text=text)

    assert refused.value.reason == "no_answer"
    assert await now(sql_db, question) == question


async def test_only_what_was_asked_can_be_answered(sql_db, clock, shop, maria, conversation):
    async with sql_db.transaction() as work:
        request = await record_request(work, clock, shop, conversation, maria, RequestKind.COMPLAINT, "Late.")
        complaint = await work.feedback.by_key(f"request:{request.number}")

    for feedback_id in (complaint.id, FeedbackId("nothing")):
        async with sql_db.transaction() as work:
            with pytest.raises(FeedbackRefused) as refused:
                await record_answer(work, clock, shop, feedback_id, text="More.")
        assert refused.value.reason == "unknown"


async def test_an_erased_customer_s_question_is_over(sql_db, clock, shop):
    gone = await stored_customer(sql_db, email=None, erased_at=NOW)
    question = await asked(sql_db, customer=gone)

    with pytest.raises(FeedbackRefused) as refused:
        await answer(sql_db, clock, shop, question, 1, "Late.")

    assert refused.value.reason == "over"
    assert await now(sql_db, question) == question
    assert await sent_mails(sql_db, clock) == []


async def test_very_long_words_are_cut_and_broken_ones_are_kept(sql_db, clock, shop):
    question = await asked(sql_db)

    answered = await answer(sql_db, clock, shop, question, 4, "\x00\ud800" + "x" * 9_000)

    assert answered.feedback.text == "��" + "x" * (MAX_FEEDBACK_CHARACTERS - 2)


async def test_who_declined_may_still_answer(sql_db, clock, shop):
    question = await asked(sql_db)
    async with sql_db.transaction() as work:
        await decline_question(work, clock, question.id)

    answered = await answer(sql_db, clock, shop, question, 4)

    assert (answered.feedback.score, answered.feedback.declined_at) == (4, None)
    async with sql_db.transaction() as work:
        await decline_question(work, clock, question.id)
    assert await now(sql_db, question) == answered.feedback


# A low score goes to a person


async def test_a_low_score_goes_to_a_person_with_what_was_said(sql_db, clock, shop, maria, conversation):
    question = await asked(sql_db, customer=maria, conversation=conversation, order_number="TC-10001")

    answered = await answer(sql_db, clock, shop, question, 2, "The mug was chipped.")

    (request,) = await requests(sql_db, conversation)
    assert (request.kind, request.customer_id, request.rating) == (RequestKind.FEEDBACK, maria.id, 2)
    assert (request.order_number, request.number) == ("TC-10001", answered.feedback.request_number)
    assert request.text.splitlines() == [
        "How happy are you with your order TC-10001?",
        "Answer: 2 (1 is “very unhappy”, 5 is “very happy”)",
        "The mug was chipped.",
    ]
    (mail,) = await sent_mails(sql_db, clock)
    assert (mail.to, mail.reply_to) == (shop.contact_email, maria.email)
    assert "The mug was chipped." in mail.body
    # The follow-up belongs to this answer, and is no feedback of its own.
    async with sql_db.reading() as work:
        assert [one.id for one in await work.feedback.of_customer(maria.id)] == [question.id]


async def test_the_words_after_a_low_score_reach_the_same_person(sql_db, clock, shop, maria, conversation):
    question = await asked(sql_db, customer=maria, conversation=conversation)
    first = await answer(sql_db, clock, shop, question, 1)
    await sent_mails(sql_db, clock)

    assert "What can we do" not in (await answer(sql_db, clock, shop, question, 1)).reply
    second = await answer(sql_db, clock, shop, question, text="It never came.\n2026-01-05 09:00 UTC  Suki: Refunded.")

    number = first.feedback.request_number
    assert second.feedback.request_number == number
    assert "What can we do" in first.reply
    assert "What can we do" not in second.reply
    assert [one.number for one in await requests(sql_db, conversation)] == [number]
    (mail,) = await sent_mails(sql_db, clock)
    assert number in mail.subject
    assert "It never came." in mail.body
    # Nobody can write a line in another name.
    assert not any(line.startswith("2026-01-05 09:00") for line in mail.body.splitlines())


async def test_a_low_score_that_is_taken_back_still_has_its_person(sql_db, clock, shop, maria, conversation):
    question = await asked(sql_db, customer=maria, conversation=conversation)
    low = await answer(sql_db, clock, shop, question, 1)

    high = await answer(sql_db, clock, shop, question, 5)
    low_again = await answer(sql_db, clock, shop, question, 2)

    assert low.feedback.request_number == high.feedback.request_number == low_again.feedback.request_number
    assert len(await requests(sql_db, conversation)) == 1


async def test_a_score_that_is_lowered_later_reaches_a_person(sql_db, clock, shop, conversation):
    question = await asked(sql_db, conversation=conversation)
    await answer(sql_db, clock, shop, question, 4)

    answered = await answer(sql_db, clock, shop, question, 2)

    assert [one.number for one in await requests(sql_db, conversation)] == [answered.feedback.request_number]


async def test_many_low_answers_at_once_are_one_follow_up(sql_db, clock, shop, maria, conversation):
    question = await asked(sql_db, customer=maria, conversation=conversation)

    answers = await asyncio.gather(*(answer(sql_db, clock, shop, question, 1, "Late.") for _ in range(8)))

    assert [one.is_new for one in answers].count(True) == 1
    assert len(await requests(sql_db, conversation)) == 1
    assert len(await sent_mails(sql_db, clock)) == 1


async def test_a_low_score_by_mail_reaches_a_person_too(sql_db, clock, shop, maria):
    first, second = await asked(sql_db, customer=maria), await asked(sql_db, customer=maria)

    one = await answer(sql_db, clock, shop, first, 1, "Late.")
    other = await answer(sql_db, clock, shop, second, 2, "Late again.")

    async with sql_db.reading() as work:
        identity = await work.customers.identity("email", maria.id)
        conversation = await work.conversations.latest_of_identity(identity.id)
        found = await work.requests.open_in(conversation.id)
    assert {request.number for request in found} == {one.feedback.request_number, other.feedback.request_number}
    assert (conversation.customer_id, conversation.verified_until, conversation.channel) == (maria.id, None, "email")
    mails = await sent_mails(sql_db, clock)
    assert [mail.reply_to for mail in mails] == [maria.email] * 2


# What somebody very happy is asked for


@pytest.mark.parametrize(
    ("kind", "score", "with_friends", "invitation"),
    [
        (FeedbackKind.CSAT, 5, True, Invitation.REVIEW),
        (FeedbackKind.CSAT, 5, False, Invitation.REVIEW),
        (FeedbackKind.CSAT, 4, True, None),
        (FeedbackKind.NPS, 10, True, Invitation.REFERRAL),
        (FeedbackKind.NPS, 9, False, Invitation.REVIEW),
        (FeedbackKind.NPS, 8, True, None),
        (FeedbackKind.CES, 7, True, None),
        (FeedbackKind.CSAT, 1, True, None),
    ],
    ids=str,
)
async def test_a_promoter_is_asked_for_more(sql_db, clock, maria, kind, score, with_friends, invitation):
    program = Program("Club", referral=REFERRAL if with_friends else None)
    question = await asked(sql_db, kind=kind, customer=maria)

    answered = await answer(sql_db, clock, a_shop(loyalty=program), question, score)

    assert answered.invitation is invitation


async def test_a_visitor_is_not_asked_to_bring_friends(sql_db, clock, conversation):
    question = await asked(sql_db, kind=FeedbackKind.NPS, conversation=conversation)

    answered = await answer(sql_db, clock, a_shop(loyalty=Program("Club", referral=REFERRAL)), question, 10)

    assert answered.invitation is Invitation.REVIEW


async def test_who_wrote_a_review_lately_is_not_asked_for_another(sql_db, clock, shop, maria, conversation):
    async with sql_db.transaction() as work:
        await record_request(work, clock, shop, conversation, maria, RequestKind.REVIEW, "Lovely.", rating=5)
    first, second = await asked(sql_db, customer=maria), await asked(sql_db, customer=maria)

    assert (await answer(sql_db, clock, shop, first, 5)).invitation is None
    clock.advance(timedelta(days=91))
    assert (await answer(sql_db, clock, shop, second, 5)).invitation is Invitation.REVIEW


# Points


def rewarding(**points):
    return a_shop(feedback=POLICY, loyalty=Program("Club", feedback=FeedbackPoints(points)))


async def balance(db, clock, customer):
    async with db.reading() as work:
        return (await balance_of(work, clock, customer.id)).total


async def test_an_answer_earns_its_points_once(sql_db, clock, maria):
    shop = rewarding(csat=5)
    question = await asked(sql_db, customer=maria)

    assert (await answer(sql_db, clock, shop, question, text="Fine.")).points == 0
    assert (await answer(sql_db, clock, shop, question, 4)).points == 5
    assert (await answer(sql_db, clock, shop, question, 1)).points == 5
    assert await balance(sql_db, clock, maria) == 5


async def test_what_the_shop_does_not_reward_earns_nothing(sql_db, clock, maria, conversation):
    shop = rewarding(nps=5)

    mine, a_visitors = await asked(sql_db, customer=maria), await asked(sql_db, conversation=conversation)

    assert (await answer(sql_db, clock, shop, mine, 4)).points == 0
    assert (await answer(sql_db, clock, rewarding(csat=5), a_visitors, 4)).points == 0
    assert await balance(sql_db, clock, maria) == 0


async def test_reviews_one_after_the_other_earn_once(sql_db, clock, maria, conversation):
    shop = rewarding(review=15)

    async def review(**options):
        async with sql_db.transaction() as work:
            await record_request(work, clock, shop, conversation, maria, RequestKind.REVIEW, "Lovely.", **options)

    await asyncio.gather(*(review(rating=5) for _ in range(3)))
    clock.advance(timedelta(days=1))
    await review(rating=5)
    assert await balance(sql_db, clock, maria) == 15
    clock.advance(timedelta(days=91))
    await review(rating=1)
    assert await balance(sql_db, clock, maria) == 30
    clock.advance(timedelta(days=91))
    await review()
    assert await balance(sql_db, clock, maria) == 30


# What is said in the chat without being asked


@pytest.mark.parametrize(
    ("kind", "feedback_kind"),
    [
        (RequestKind.COMPLAINT, FeedbackKind.COMPLAINT),
        (RequestKind.REVIEW, FeedbackKind.REVIEW),
        (RequestKind.FEEDBACK, FeedbackKind.COMMENT),
    ],
)
async def test_what_is_said_in_the_chat_is_feedback_too(sql_db, clock, shop, maria, conversation, kind, feedback_kind):
    async with sql_db.transaction() as work:
        request = await record_request(
            work, clock, shop, conversation, maria, kind, "The parcel was late.", order_number="TC-10001", rating=2
        )

    async with sql_db.reading() as work:
        (feedback,) = await work.feedback.of_customer(maria.id)
        found = await work.feedback.themes_of(feedback.id)
    assert (feedback.kind, feedback.text, feedback.order_number) == (feedback_kind, "The parcel was late.", "TC-10001")
    assert (feedback.request_number, feedback.conversation_id) == (request.number, conversation.id)
    assert (feedback.asked_at, feedback.answered_at) == (None, clock.now())
    assert feedback.score == (2 if kind is RequestKind.REVIEW else None)
    assert {one.theme: one.because for one in found} == {"delivery": "parcel, late"}
    # The request itself is the follow-up: there is no second one.
    assert [one.number for one in await requests(sql_db, conversation)] == [request.number]
    assert len(await sent_mails(sql_db, clock)) == 1


@pytest.mark.parametrize(
    "kind",
    [kind for kind in RequestKind if kind not in (RequestKind.COMPLAINT, RequestKind.REVIEW, RequestKind.FEEDBACK)],
)
async def test_other_requests_are_no_feedback(sql_db, clock, shop, maria, conversation, kind):
    async with sql_db.transaction() as work:
        await record_request(work, clock, shop, conversation, maria, kind, "The parcel was late.")

    async with sql_db.reading() as work:
        assert await work.feedback.of_customer(maria.id) == []


async def test_a_flood_of_complaints_is_no_flood_of_feedback(sql_db, clock, shop, maria, conversation):
    for _ in range(MAX_OPEN_REQUESTS + 5):
        async with sql_db.transaction() as work:
            await record_request(work, clock, shop, conversation, maria, RequestKind.COMPLAINT, "Late.")

    async with sql_db.reading() as work:
        assert len(await work.feedback.of_customer(maria.id)) == MAX_OPEN_REQUESTS


async def test_what_fails_leaves_neither_request_nor_feedback(sql_db, clock, shop, maria, conversation):
    with pytest.raises(RuntimeError):
        async with sql_db.transaction() as work:
            await record_request(work, clock, shop, conversation, maria, RequestKind.COMPLAINT, "Late.")
            raise RuntimeError

    assert await requests(sql_db, conversation) == []
    async with sql_db.reading() as work:
        assert await work.feedback.of_customer(maria.id) == []


# In any order


steps = st.lists(
    st.tuples(st.integers(1, 5) | st.none(), st.sampled_from(["Late.", "Great.", None]), st.integers(0, 50)), max_size=6
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_any_sequence_of_answers_is_one_answer_and_at_most_one_follow_up(sql_db, clock, shop, steps):
    conversation = await stored_conversation(sql_db)
    question = await asked(sql_db, conversation=conversation)
    kept = []
    for score, text, minutes in steps:
        if score is not None or text is not None:
            kept.append((await answer(sql_db, clock, shop, question, score, text)).feedback)
        clock.advance(minutes=minutes)

    assert len({one.answered_at for one in kept}) <= 1
    was_low = any(one.is_low for one in kept)
    assert len(await requests(sql_db, conversation)) == was_low
    if kept:
        assert kept[-1] == await now(sql_db, question)
        assert (kept[-1].request_number is not None) == was_low
