"""Asking: once about each thing, seldom, and never somebody who is angry, waits for a person, or has said no."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.conversations import Owner
from bot.core.feedback import FeedbackKind, FeedbackPolicy, Survey, WhyNot
from bot.core.handoffs import HandoffReason
from bot.core.requests import RequestKind
from bot.services.consents import record_consent
from bot.services.feedback import ask_about_order, next_question, waiting_question, why_not
from bot.services.feedback_answers import decline_question, record_answer
from bot.services.handoffs import request_handoff
from bot.services.requests import record_request
from tests.builders import (
    NOW,
    a_handoff,
    a_request,
    a_shop,
    an_order,
    conversation_now,
    stored_conversation,
    stored_customer,
    stored_order,
    written,
)
from tests.fakes import FakeClock
from tests.storage.databases import in_processes, open_database

DAY = timedelta(days=1)
POLICY = FeedbackPolicy(surveys=frozenset(Survey), days_between_questions=30)


@pytest.fixture
def shop():
    return a_shop(feedback=POLICY)


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db, email="maria@example.com")


@pytest.fixture
async def conversation(sql_db, maria):
    return await stored_conversation(sql_db, customer_id=maria.id, verified_until=NOW + DAY)


async def ask_next(db, clock, shop, conversation, customer):
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        return await next_question(work, clock, shop, locked, customer)


async def ask_order(db, clock, shop, order, customer):
    async with db.transaction() as work:
        return await ask_about_order(work, clock, shop, order, customer)


async def answer(db, clock, shop, question, score=5, text=None):
    async with db.transaction() as work:
        return await record_answer(work, clock, shop, question.feedback_id, score=score, text=text)


async def obstacle(db, clock, shop, customer, conversation=None, survey=Survey.CSAT):
    async with db.reading() as work:
        return await why_not(work, clock, shop, survey, customer, conversation)


async def feedback_now(db, question):
    async with db.reading() as work:
        return await work.feedback.get(question.feedback_id)


async def test_after_a_resolved_conversation_there_is_a_question(sql_db, clock, shop, maria, conversation):
    question = await ask_next(sql_db, clock, shop, conversation, maria)

    assert question.kind is FeedbackKind.CSAT
    asked = await feedback_now(sql_db, question)
    assert (asked.customer_id, asked.conversation_id, asked.asked_at) == (maria.id, conversation.id, clock.now())
    assert (asked.answered_at, asked.key) == (None, f"csat:{conversation.id}:1")


async def test_a_visitor_is_asked_without_being_known(sql_db, clock, shop):
    visitors = await stored_conversation(sql_db)

    question = await ask_next(sql_db, clock, shop, visitors, None)

    assert (await feedback_now(sql_db, question)).customer_id is None
    clock.advance(29 * DAY)
    assert await ask_next(sql_db, clock, shop, visitors, None) is None
    clock.advance(DAY)
    again = await ask_next(sql_db, clock, shop, visitors, None)
    # Not whether they would recommend the shop: that is asked of those whom the shop knows.
    assert again.kind is FeedbackKind.CES


async def test_nobody_is_asked_again_before_the_shop_s_number_of_days(sql_db, clock, shop, maria, conversation):
    assert await ask_next(sql_db, clock, shop, conversation, maria)
    other = await stored_conversation(sql_db, customer_id=maria.id)
    order = await stored_order(sql_db, customer_id=maria.id)

    clock.advance(30 * DAY - timedelta(microseconds=1))
    assert await ask_next(sql_db, clock, shop, conversation, maria) is None
    assert await ask_next(sql_db, clock, shop, other, maria) is None
    assert await ask_order(sql_db, clock, shop, order, maria) is None
    clock.advance(timedelta(microseconds=1))
    assert await ask_next(sql_db, clock, shop, other, maria)


async def test_the_surveys_alternate_and_recommending_is_asked_once_a_quarter(sql_db, clock, maria, conversation):
    shop = a_shop(feedback=replace(POLICY, days_between_questions=10))
    asked = []
    for _ in range(8):
        question = await ask_next(sql_db, clock, shop, conversation, maria)
        asked.append(question.kind.value)
        clock.advance(10 * DAY)

    # From 5 January on, every ten days: the next quarter begins before the tenth one.
    assert asked == ["csat", "nps", "ces", "csat", "ces", "csat", "ces", "csat"]
    clock.advance(30 * DAY)
    assert (await ask_next(sql_db, clock, shop, conversation, maria)).kind is FeedbackKind.NPS


async def test_only_what_is_switched_on_is_asked(sql_db, clock, maria, conversation):
    order = await stored_order(sql_db, customer_id=maria.id)
    nothing, nps = a_shop(), a_shop(feedback=FeedbackPolicy(surveys=frozenset({Survey.NPS})))

    assert await ask_next(sql_db, clock, nothing, conversation, maria) is None
    assert await ask_order(sql_db, clock, nothing, order, maria) is None
    assert await ask_order(sql_db, clock, nps, order, maria) is None
    assert (await ask_next(sql_db, clock, nps, conversation, maria)).kind is FeedbackKind.NPS


async def test_an_order_is_asked_about_once_for_ever(sql_db, clock, shop, maria):
    order = await stored_order(sql_db, customer_id=maria.id)

    question = await ask_order(sql_db, clock, shop, order, maria)

    assert order.number in question.text
    clock.advance(1_000 * DAY)
    assert await ask_order(sql_db, clock, shop, order, maria) is None


async def test_an_order_is_asked_about_once_by_many_at_once(sql_db, clock, maria):
    shop = a_shop(feedback=replace(POLICY, days_between_questions=0))
    order = await stored_order(sql_db, customer_id=maria.id)

    asked = await asyncio.gather(*(ask_order(sql_db, clock, shop, order, maria) for _ in range(8)))

    assert len([question for question in asked if question]) == 1


async def test_one_person_in_many_places_at_once_is_asked_once(sql_db, clock, shop, maria):
    conversations = [await stored_conversation(sql_db, customer_id=maria.id) for _ in range(4)]
    orders = [await stored_order(sql_db, customer_id=maria.id, number=f"TC-{number}") for number in range(1, 5)]

    asked = await asyncio.gather(
        *(ask_next(sql_db, clock, shop, one, maria) for one in conversations),
        *(ask_order(sql_db, clock, shop, one, maria) for one in orders),
    )

    assert len([question for question in asked if question]) == 1


async def _ask_order_elsewhere(url, customer, order):
    db = open_database(url)
    try:
        return await ask_order(db, FakeClock(), a_shop(feedback=POLICY), order, customer)
    finally:
        await db.close()


async def test_an_order_is_asked_about_once_by_many_processes(sql_db, sql_url, maria):
    order = await stored_order(sql_db, customer_id=maria.id)

    asked = await asyncio.to_thread(in_processes, 4, _ask_order_elsewhere, sql_url, maria, order)

    assert len([question for question in asked if question]) == 1


# Never while something is wrong


@pytest.mark.parametrize("text", ["This is ridiculous!", "you idiots", "I am so angry, worst shop ever"])
async def test_nobody_is_asked_while_they_are_angry(sql_db, clock, shop, maria, conversation, text):
    await written(sql_db, clock, conversation, text, "Where is it?")

    assert await obstacle(sql_db, clock, shop, maria, conversation) is WhyNot.ANGRY
    # Neither somewhere else.
    assert await obstacle(sql_db, clock, shop, maria, survey=Survey.ORDER) is WhyNot.ANGRY
    assert await ask_next(sql_db, clock, shop, conversation, maria) is None
    clock.advance(DAY)
    assert await ask_next(sql_db, clock, shop, conversation, maria)


async def test_anger_is_over_after_some_calm_messages(sql_db, clock, shop, maria, conversation):
    await written(sql_db, clock, conversation, "This is ridiculous!", *["Thank you, that helps"] * 4)
    assert await obstacle(sql_db, clock, shop, maria, conversation) is WhyNot.ANGRY

    await written(sql_db, clock, conversation, "And the other one?")

    assert await obstacle(sql_db, clock, shop, maria, conversation) is None


async def test_what_somebody_else_wrote_angers_nobody(sql_db, clock, shop, maria, conversation):
    other = await stored_conversation(sql_db)
    await written(sql_db, clock, other, "you idiots")

    assert await obstacle(sql_db, clock, shop, maria, conversation) is None
    assert await obstacle(sql_db, clock, shop, None, other) is WhyNot.ANGRY


async def test_who_waits_for_a_person_is_not_asked(sql_db, clock, shop, maria, conversation):
    async with sql_db.transaction() as work:
        await request_handoff(work, clock, shop, conversation, HandoffReason.ASKED)

    assert await obstacle(sql_db, clock, shop, maria, conversation) is WhyNot.OPEN_TROUBLE
    assert await obstacle(sql_db, clock, shop, maria) is WhyNot.OPEN_TROUBLE
    clock.advance(31 * DAY)
    assert await obstacle(sql_db, clock, shop, maria, conversation) is None


async def test_who_was_helped_by_a_person_may_be_asked(sql_db, clock, shop, maria, conversation):
    async with sql_db.transaction() as work:
        await work.handoffs.add(a_handoff(conversation, closed_at=NOW))
        await work.requests.add(a_request(conversation, kind=RequestKind.REPORT_PROBLEM, closed_at=NOW))

    assert await ask_next(sql_db, clock, shop, conversation, maria)


@pytest.mark.parametrize("owner", [Owner.QUEUE, Owner.AGENT])
async def test_nobody_is_asked_while_a_person_has_the_conversation(sql_db, clock, shop, maria, owner):
    conversation = await stored_conversation(sql_db, customer_id=maria.id, owner=owner)

    assert await ask_next(sql_db, clock, shop, conversation, maria) is None


@pytest.mark.parametrize(
    ("kind", "is_trouble"),
    [(RequestKind.COMPLAINT, True), (RequestKind.REPORT_PROBLEM, True), (RequestKind.CALLBACK, False)],
)
async def test_who_has_an_open_complaint_is_not_asked(sql_db, clock, shop, maria, conversation, kind, is_trouble):
    elsewhere = await stored_conversation(sql_db)
    async with sql_db.transaction() as work:
        await work.requests.add(a_request(elsewhere, kind=kind, customer_id=maria.id))

    found = await obstacle(sql_db, clock, shop, maria, conversation)

    assert (found is WhyNot.OPEN_TROUBLE) == is_trouble
    assert (await ask_next(sql_db, clock, shop, conversation, maria) is None) == is_trouble


async def test_who_just_gave_few_stars_is_not_asked(sql_db, clock, shop, maria, conversation):
    async with sql_db.transaction() as work:
        await record_request(work, clock, shop, conversation, maria, RequestKind.REVIEW, "Meh.", rating=2)

    assert await obstacle(sql_db, clock, shop, maria) is WhyNot.UNHAPPY
    clock.advance(7 * DAY)
    assert await ask_next(sql_db, clock, shop, conversation, maria)


async def test_who_just_gave_many_stars_may_be_asked(sql_db, clock, shop, maria, conversation):
    async with sql_db.transaction() as work:
        await record_request(work, clock, shop, conversation, maria, RequestKind.REVIEW, "Lovely.", rating=4)

    assert await ask_next(sql_db, clock, shop, conversation, maria)


async def test_who_answered_with_a_low_score_is_left_in_peace_whatever_the_days_between(sql_db, clock, maria):
    shop = a_shop(feedback=replace(POLICY, days_between_questions=0))
    conversation = await stored_conversation(sql_db, customer_id=maria.id)
    await answer(sql_db, clock, shop, await ask_next(sql_db, clock, shop, conversation, maria), 1)

    assert await ask_next(sql_db, clock, shop, conversation, maria) is None
    clock.advance(7 * DAY)
    assert await ask_next(sql_db, clock, shop, conversation, maria)


# Who has said no


@pytest.mark.parametrize(("purpose", "is_asked"), [("feedback", False), ("marketing", True)])
async def test_who_withdrew_the_consent_is_not_asked_anywhere(
    sql_db, clock, shop, maria, conversation, purpose, is_asked
):
    async with sql_db.transaction() as work:
        await record_consent(
            work,
            clock,
            channel="email",
            address=maria.email,
            purpose=purpose,
            granted=False,
            wording="No, thank you.",
            source="chat",
        )
    order = an_order(customer_id=maria.id)

    assert (await ask_order(sql_db, clock, shop, order, maria) is not None) == is_asked
    clock.advance(30 * DAY)
    assert (await ask_next(sql_db, clock, shop, conversation, maria) is not None) == is_asked


async def test_an_erased_customer_is_not_asked(sql_db, clock, shop):
    nobody = await stored_customer(sql_db, erased_at=NOW, email=None)

    assert await obstacle(sql_db, clock, shop, nobody) is WhyNot.ERASED
    assert await ask_order(sql_db, clock, shop, an_order(), nobody) is None


async def test_whose_proof_has_run_out_is_still_left_in_peace(sql_db, clock, shop, maria, conversation):
    assert await ask_next(sql_db, clock, shop, conversation, maria)
    other = await stored_conversation(sql_db, customer_id=maria.id)

    assert await ask_next(sql_db, clock, shop, other, None) is None


# Waiting for the answer


async def test_a_question_waits_for_its_answer_for_a_day(sql_db, clock, shop, maria, conversation):
    question = await ask_next(sql_db, clock, shop, conversation, maria)

    async def waiting():
        async with sql_db.reading() as work:
            return await waiting_question(work, clock, shop, await conversation_now(sql_db, conversation.id))

    assert await waiting() == question
    clock.advance(DAY + timedelta(seconds=1))
    assert await waiting() is None


async def test_what_was_answered_or_declined_does_not_wait(sql_db, clock, maria):
    shop = a_shop(feedback=replace(POLICY, days_between_questions=0))
    conversation = await stored_conversation(sql_db, customer_id=maria.id)

    async def waiting():
        async with sql_db.reading() as work:
            return await waiting_question(work, clock, shop, conversation)

    first = await ask_next(sql_db, clock, shop, conversation, maria)
    await answer(sql_db, clock, shop, first)
    assert await waiting() is None
    clock.advance(DAY)
    second = await ask_next(sql_db, clock, shop, conversation, maria)
    assert await waiting() == second
    for _ in range(2):
        async with sql_db.transaction() as work:
            await decline_question(work, clock, second.feedback_id)
        clock.advance(seconds=1)
    assert await waiting() is None
    assert (await feedback_now(sql_db, second)).declined_at == NOW + DAY
