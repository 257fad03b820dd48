"""Asking by mail how an order was: a few days after it arrived, once, and only whoever may be written to."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from bot.core.feedback import FeedbackPolicy, Survey
from bot.core.orders import OrderStatus
from bot.core.requests import RequestKind
from bot.gateway.links import SignedLinks
from bot.gateway.tokens import issue_feedback_token
from bot.services import feedback_mail
from bot.services.consents import record_consent
from bot.services.feedback_mail import ask_after_delivery
from bot.services.requests import record_request
from bot.services.timers import all_jobs, run_timers
from tests.builders import NOW, a_shop, an_order, stored_conversation, stored_customer, written
from tests.services.mails import sent_mails

DAY = timedelta(days=1)
SECRET = "s" * 40
LINKS = SignedLinks("https://chat.example", SECRET, 24)
POLICY = FeedbackPolicy(surveys=frozenset({Survey.ORDER}), days_after_delivery=3, days_between_questions=30)


@pytest.fixture
def shop():
    return a_shop(feedback=POLICY)


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db, email="maria@example.com")


async def delivered(db, customer, number="TC-10001", at=NOW, **changes):
    order = an_order(
        **{
            "number": number,
            "customer_id": customer.id if customer else None,
            "status": OrderStatus.DELIVERED,
            "delivered_at": at,
            **changes,
        }
    )
    async with db.transaction() as work:
        await work.orders.add(order)
    return order


async def run(db, clock, shop):
    return await ask_after_delivery(db, clock, shop, LINKS)


async def asked_about(db, order):
    async with db.reading() as work:
        return await work.feedback.by_key(f"csat:order:{order.number}")


async def test_an_order_is_asked_about_three_days_after_it_arrived(sql_db, clock, shop, maria):
    order = await delivered(sql_db, maria)

    clock.advance(3 * DAY - timedelta(seconds=1))
    assert await run(sql_db, clock, shop) == 0
    clock.advance(seconds=1)
    assert await run(sql_db, clock, shop) == 1

    feedback = await asked_about(sql_db, order)
    assert (feedback.customer_id, feedback.order_number, feedback.asked_at) == (maria.id, "TC-10001", clock.now())
    (mail,) = await sent_mails(sql_db, clock)
    assert (mail.to, mail.subject) == (maria.email, "[Corner Shop] How was your order TC-10001?")
    assert mail.reply_to == shop.contact_email
    assert "Hello Maria," in mail.body
    assert "How happy are you with your order TC-10001?" in mail.body


async def test_the_scheduler_asks(sql_db, clock, shop, maria):
    await delivered(sql_db, maria, at=NOW - 4 * DAY)

    assert (await run_timers(sql_db, clock, shop, all_jobs(LINKS)))["questions about orders"] == 1

    assert [mail.to for mail in await sent_mails(sql_db, clock)] == [maria.email]


async def test_the_mail_has_a_link_for_every_score_and_one_to_say_no(sql_db, clock, shop, maria):
    order = await delivered(sql_db, maria, at=NOW - 3 * DAY)
    await run(sql_db, clock, shop)

    (mail,) = await sent_mails(sql_db, clock)

    feedback = await asked_about(sql_db, order)
    url = f"https://chat.example/feedback/{issue_feedback_token(feedback.id, SECRET, clock.now())}"
    assert re.findall(r"^(\d[^:]*): (\S+)$", mail.body, re.M) == [
        ("1 – very unhappy", f"{url}?score=1"),
        ("2", f"{url}?score=2"),
        ("3", f"{url}?score=3"),
        ("4", f"{url}?score=4"),
        ("5 – very happy", f"{url}?score=5"),
    ]
    assert mail.unsubscribe_url == LINKS.unsubscribe(maria.email, "feedback", clock.now())
    assert mail.unsubscribe_url in mail.body


async def test_it_is_asked_once_however_often_and_by_however_many_it_is_run(sql_db, clock, shop):
    for number in range(6):
        await delivered(sql_db, await stored_customer(sql_db), f"TC-{number}", NOW - 4 * DAY)

    counts = await asyncio.gather(*(run(sql_db, clock, shop) for _ in range(4)))

    assert sum(counts) == 6
    assert await run(sql_db, clock, shop) == 0
    assert len(await sent_mails(sql_db, clock)) == 6


async def test_more_orders_than_are_looked_at_at_once_are_all_asked_about(sql_db, clock, shop, monkeypatch):
    monkeypatch.setattr(feedback_mail, "ORDERS_AT_ONCE", 2)
    orders = []
    for number in range(7):
        # Some at the same moment; the third one may not be asked.
        email = None if number == 2 else f"{number}@example.com"
        customer = await stored_customer(sql_db, email=email)
        at = NOW - 4 * DAY + number // 3 * timedelta(hours=1)
        orders.append(await delivered(sql_db, customer, f"TC-{number}", at))

    assert await run(sql_db, clock, shop) == 6

    assert [await asked_about(sql_db, order) is not None for order in orders] == [True, True, False, *[True] * 4]


async def test_several_orders_of_one_person_are_one_question(sql_db, clock, shop, maria):
    orders = [await delivered(sql_db, maria, f"TC-{number}", NOW - (3 + number) * DAY) for number in range(3)]

    assert await run(sql_db, clock, shop) == 1

    assert [await asked_about(sql_db, order) is not None for order in orders] == [False, False, True]


async def test_an_order_that_arrived_long_ago_is_not_asked_about(sql_db, clock, shop, maria):
    await delivered(sql_db, maria, at=NOW - 10 * DAY)

    assert await run(sql_db, clock, shop) == 0


@pytest.mark.parametrize("status", [status for status in OrderStatus if status is not OrderStatus.DELIVERED])
async def test_only_delivered_orders_are_asked_about(sql_db, clock, shop, maria, status):
    await delivered(sql_db, maria, at=NOW - 4 * DAY, status=status)

    assert await run(sql_db, clock, shop) == 0


async def test_a_guest_is_not_asked(sql_db, clock, shop):
    await delivered(sql_db, None, at=NOW - 4 * DAY, email="guest@example.com")

    assert await run(sql_db, clock, shop) == 0
    assert await sent_mails(sql_db, clock) == []


async def test_a_shop_that_does_not_ask_writes_nobody(sql_db, clock, maria):
    await delivered(sql_db, maria, at=NOW - 4 * DAY)

    assert await run(sql_db, clock, a_shop()) == 0
    assert await run(sql_db, clock, a_shop(feedback=FeedbackPolicy(surveys=frozenset({Survey.CSAT})))) == 0
    assert await sent_mails(sql_db, clock) == []


async def test_who_said_no_is_not_written_to(sql_db, clock, shop, maria):
    await delivered(sql_db, maria, at=NOW - 4 * DAY)
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

    assert await run(sql_db, clock, shop) == 0
    assert await sent_mails(sql_db, clock) == []


@pytest.mark.parametrize("changes", [{"email": None}, {"erased_at": NOW, "email": None}, {"erased_at": NOW}], ids=repr)
async def test_who_cannot_be_written_to_is_not_asked(sql_db, clock, shop, changes):
    order = await delivered(sql_db, await stored_customer(sql_db, **changes), at=NOW - 4 * DAY)

    assert await run(sql_db, clock, shop) == 0
    assert await asked_about(sql_db, order) is None


async def test_who_complained_is_not_asked_and_neither_later(sql_db, clock, shop, maria):
    await delivered(sql_db, maria, at=NOW - 3 * DAY)
    conversation = await stored_conversation(sql_db, customer_id=maria.id)
    async with sql_db.transaction() as work:
        await record_request(work, clock, shop, conversation, maria, RequestKind.COMPLAINT, "It is chipped.")

    for _ in range(10):
        assert await run(sql_db, clock, shop) == 0
        clock.advance(DAY)


async def test_who_was_angry_yesterday_is_asked_tomorrow(sql_db, clock, shop, maria):
    await delivered(sql_db, maria, at=NOW - 3 * DAY)
    conversation = await stored_conversation(sql_db, customer_id=maria.id)
    await written(sql_db, clock, conversation, "This is ridiculous!")

    assert await run(sql_db, clock, shop) == 0
    clock.advance(DAY)
    assert await run(sql_db, clock, shop) == 1


async def test_an_order_that_went_back_meanwhile_is_not_asked_about(sql_db, clock, shop, maria, monkeypatch):
    order = await delivered(sql_db, maria, at=NOW - 4 * DAY)
    ask = feedback_mail._ask

    async def go_back(work, *args):
        await work.orders.save(an_order(**{**vars(order), "status": OrderStatus.RETURNED}))
        return await ask(work, *args)

    monkeypatch.setattr(feedback_mail, "_ask", go_back)

    assert await run(sql_db, clock, shop) == 0
    assert await asked_about(sql_db, order) is None


async def test_an_order_that_fails_holds_no_other_up(sql_db, clock, shop, maria, monkeypatch):
    monkeypatch.setattr(feedback_mail, "ORDERS_AT_ONCE", 1)
    other = await stored_customer(sql_db)
    orders = [await delivered(sql_db, who, f"TC-1000{number}") for number, who in enumerate((maria, other))]
    clock.advance(days=3)
    ask_about_order = feedback_mail.ask_about_order

    async def fails_for_the_first(work, clock, shop, order, customer):
        if order.number == orders[0].number:
            raise OSError
        return await ask_about_order(work, clock, shop, order, customer)

    with monkeypatch.context() as patch:
        patch.setattr(feedback_mail, "ask_about_order", fails_for_the_first)
        assert await run(sql_db, clock, shop) == 1
    assert await run(sql_db, clock, shop) == 1
