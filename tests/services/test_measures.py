"""The shop's measures over its own records: what counts, when, and of how many."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from bot.core.conversations import Author
from bot.core.credit_notes import CreditNote
from bot.core.ledger import EntryKind
from bot.core.measure_list import GROUPS
from bot.core.measures import Window
from bot.core.orders import OrderStatus
from bot.services.ids import new_id
from bot.services.import_ports import Writes
from bot.services.ledger import award_points, expire_points, redeem_points, take_back_points, undo_redemption
from bot.services.measures import MeasureTerms, take_measures
from bot.storage.tables import feedback
from tests.builders import (
    a_handoff,
    a_message,
    a_refund,
    a_shop,
    an_order,
    stored_conversation,
    stored_customer,
)
from tests.fakes import MONDAY_MORNING, FakeClock

MANILA = ZoneInfo("Asia/Manila")
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
# A week of which all is past, in the shop's days: MONDAY_MORNING is the 17th hour of 5 January there.
WEEK = Window(date(2026, 1, 5), date(2026, 1, 11), MANILA)
NOW = MONDAY_MORNING + 30 * DAY


async def measure(db, window=WEEK, *, now=NOW, shop=None, **terms):
    return await take_measures(db, shop or a_shop(), window, now, MeasureTerms(**terms))


async def order(db, customer, at=MONDAY_MORNING, total_minor=1_000, **changes):
    number = changes.pop("number", f"TC-{new_id()[:8].upper()}")
    one = an_order(
        number=number, customer_id=customer and customer.id, placed_at=at, total_minor=total_minor, lines=(), **changes
    )
    async with db.transaction() as work:
        await work.orders.add(one)
    return one


async def refund(db, order, amount_minor, **changes):
    async with db.transaction() as work:
        await work.refunds.add(a_refund(order_number=order.number, amount_minor=amount_minor, **changes))


async def credit(db, customer, amount_minor, *, at=MONDAY_MORNING, currency="USD", order_number=None):
    note = CreditNote(f"CN-{new_id()[:8].upper()}", customer and customer.id, amount_minor, currency, at, order_number)
    async with db.transaction() as work:
        await work.imports.write(Writes(credit_notes=[note]), at)


async def write(db, conversation, *lines: tuple[datetime, Author]):
    """Lines of the conversation; the assistant replies to the line before."""
    async with db.transaction() as work:
        for seq, (at, author) in enumerate(lines, conversation.last_seq + 1):
            bot = author is Author.BOT
            line = a_message(conversation, seq=seq, at=at, author=author, reply_to_seq=seq - 1 if bot else None)
            await work.messages.add(line, channel=conversation.channel)


async def visit(db, conversation, at, *, seq=1):
    """A question and its answer."""
    async with db.transaction() as work:
        asked = a_message(conversation, seq=seq, at=at)
        answer = a_message(conversation, seq=seq + 1, at=at + MINUTE, author=Author.BOT, reply_to_seq=seq)
        await work.messages.add(asked, answer, channel=conversation.channel)


async def answered(db, kind, *scores, at=MONDAY_MORNING, **values):
    async with db.transaction() as work:
        for score in scores:
            row = {"id": new_id(), "kind": kind, "key": new_id(), "asked_at": at, "answered_at": at, "score": score}
            await work.measures._connection.execute(insert(feedback).values({**row, **values}))


# Nothing at all


async def test_of_an_empty_shop_sums_are_zero_and_everything_else_is_not_available(sql_db):
    measures = await measure(sql_db)

    assert list(measures) == [definition.key for group in GROUPS.values() for definition in group]
    for one in measures.values():
        if one.definition.denominator is None:
            assert one.value == 0, one.definition.key
        else:
            assert (one.denominator, one.value, one.in_words("USD")) == (0, None, "n/a"), one.definition.key


# Sales


async def test_revenue_is_what_orders_brought_less_their_refunds_whenever_those_were(sql_db):
    maria = await stored_customer(sql_db)
    kept = await order(sql_db, maria, total_minor=3_000)
    await refund(sql_db, kept, 500, requested_at=MONDAY_MORNING + 20 * DAY)
    await refund(sql_db, kept, 250, paid_at=MONDAY_MORNING + 21 * DAY)
    await order(sql_db, None, total_minor=1_000)

    measures = await measure(sql_db)

    assert measures["revenue"].value == 3_250
    assert measures["orders"].value == 2
    assert measures["average_order"].value == 1_625


async def test_a_credit_note_for_an_order_is_taken_off_what_the_order_brought(sql_db):
    maria = await stored_customer(sql_db)
    kept = await order(sql_db, maria, total_minor=3_000)
    await credit(sql_db, maria, 400, order_number=kept.number, at=MONDAY_MORNING + 20 * DAY)
    await refund(sql_db, kept, 500)
    cancelled = await order(sql_db, maria, status=OrderStatus.CANCELLED, cancelled_at=MONDAY_MORNING)
    await credit(sql_db, maria, 1_000, order_number=cancelled.number)

    measures = await measure(sql_db)

    assert (measures["revenue"].value, measures["lifetime_value"].value) == (2_100, 2_100)


async def test_what_is_on_record_as_a_refund_and_as_a_credit_note_leaves_an_order_with_nothing_not_less(sql_db):
    maria = await stored_customer(sql_db)
    sent_back = await order(sql_db, maria, total_minor=1_000)
    await refund(sql_db, sent_back, 1_000)
    await credit(sql_db, maria, 1_000, order_number=sent_back.number)

    assert (await measure(sql_db))["revenue"].value == 0


async def test_a_credit_note_for_no_order_is_taken_off_the_days_it_was_issued_in_and_off_its_customer(sql_db):
    maria, john = await stored_customer(sql_db), await stored_customer(sql_db)
    await order(sql_db, maria, MONDAY_MORNING - 30 * DAY, total_minor=9_000)
    await order(sql_db, maria, total_minor=3_000)
    await credit(sql_db, maria, 2_000, at=MONDAY_MORNING - 20 * DAY)
    await credit(sql_db, maria, 500)
    await credit(sql_db, maria, 70, at=WEEK.ends_at)
    await credit(sql_db, maria, 70, currency="PHP")
    # Bought before there were records.
    await credit(sql_db, john, 100)

    measures = await measure(sql_db)

    assert measures["revenue"].value == 3_000 - 500 - 100
    assert (measures["lifetime_value"].value, measures["lifetime_value"].denominator) == (9_500, 1)


async def test_unpaid_and_cancelled_orders_and_their_refunds_do_not_count(sql_db):
    maria = await stored_customer(sql_db)
    await order(sql_db, maria, status=OrderStatus.PENDING)
    for status in (OrderStatus.CANCELLED, OrderStatus.REFUNDED):
        cancelled = await order(sql_db, maria, status=status, cancelled_at=MONDAY_MORNING)
        await refund(sql_db, cancelled, 1_000)

    measures = await measure(sql_db)

    assert [measures[key].value for key in ("revenue", "orders", "buyers", "repeat_rate")] == [0, 0, 0, None]


async def test_an_order_that_was_refunded_without_a_record_brought_nothing_and_was_still_an_order(sql_db):
    await order(sql_db, await stored_customer(sql_db), status=OrderStatus.REFUNDED)

    measures = await measure(sql_db)

    assert (measures["revenue"].value, measures["orders"].value, measures["buyers"].value) == (0, 1, 1)


async def test_orders_in_another_currency_are_left_out(sql_db):
    maria = await stored_customer(sql_db)
    await order(sql_db, maria, total_minor=700)
    await order(sql_db, maria, total_minor=99_000, currency="PHP")

    measures = await measure(sql_db)
    async with sql_db.reading() as work:
        sales = await work.measures.sales(WEEK, "USD")

    assert (measures["revenue"].value, measures["repeat_rate"].value, sales.in_other_currencies) == (700, 0, 1)


async def test_the_days_of_a_window_are_the_shops(sql_db):
    maria = await stored_customer(sql_db)
    # In Manila it is 5 January from 16:00 UTC on the 4th until 16:00 UTC on the 5th.
    first, last = WEEK.starts_at, WEEK.ends_at - timedelta(microseconds=1)
    for at in (first - timedelta(microseconds=1), first, last, WEEK.ends_at):
        await order(sql_db, maria, at)

    assert (await measure(sql_db))["orders"].value == 2
    assert (await measure(sql_db, Window(date(2026, 1, 5), date(2026, 1, 5), MANILA)))["orders"].value == 1
    utc = ZoneInfo("UTC")
    assert (await measure(sql_db, Window(date(2026, 1, 5), date(2026, 1, 11), utc)))["orders"].value == 2


# Customers


async def test_who_bought_twice_in_the_window_bought_again(sql_db):
    maria, john, aiko = [await stored_customer(sql_db) for _ in range(3)]
    for customer, at in (
        (maria, MONDAY_MORNING), (maria, MONDAY_MORNING + DAY), (john, MONDAY_MORNING),
        (john, MONDAY_MORNING - 30 * DAY), (aiko, MONDAY_MORNING - 30 * DAY),
    ):  # fmt: skip
        await order(sql_db, customer, at)

    measures = await measure(sql_db)

    assert (measures["buyers"].value, measures["new_buyers"].value) == (2, 1)
    again = measures["repeat_rate"]
    assert (again.numerator, again.denominator, again.value) == (1, 2, 0.5)


async def test_retention_is_of_those_who_were_customers_at_the_start(sql_db):
    stays, leaves, comes, returns = [await stored_customer(sql_db) for _ in range(4)]
    before, within, long_ago = MONDAY_MORNING - 3 * DAY, MONDAY_MORNING + 2 * DAY, MONDAY_MORNING - 300 * DAY
    for customer, at in (
        (stays, before), (stays, within), (leaves, before), (comes, within), (returns, long_ago), (returns, within)
    ):  # fmt: skip
        await order(sql_db, customer, at)

    measures = await measure(sql_db, activity_days=7)

    retention, churn = measures["retention"], measures["churn"]
    assert (retention.numerator, retention.denominator, retention.value) == (1, 2, 0.5)
    assert (churn.numerator, churn.denominator, churn.value) == (1, 2, 0.5)
    assert retention.over == "7 days before 2026-01-05, and 7 days up to 2026-01-11"


async def test_the_activity_window_decides_who_is_a_customer(sql_db):
    maria = await stored_customer(sql_db)
    # 20 days before the window's start, so 27 before its end.
    await order(sql_db, maria, WEEK.starts_at - 20 * DAY)

    values = {days: (await measure(sql_db, activity_days=days))["retention"].value for days in (10, 20, 26, 27, 28)}

    assert values == {10: None, 20: 0, 26: 0, 27: 1, 28: 1}


async def test_lifetime_value_is_the_margin_of_all_orders_less_refunds_per_customer(sql_db):
    maria, john, _never = [await stored_customer(sql_db) for _ in range(3)]
    first = await order(sql_db, maria, MONDAY_MORNING - 400 * DAY, total_minor=5_000)
    await refund(sql_db, first, 1_000)
    await order(sql_db, maria, total_minor=2_000)
    await order(sql_db, john, total_minor=2_000)
    await order(sql_db, john, WEEK.ends_at, total_minor=90_000)
    await order(sql_db, None, total_minor=90_000)

    value = (await measure(sql_db, margin=0.25))["lifetime_value"]

    assert (value.numerator, value.denominator, value.value) == (2_000, 2, 1_000)
    assert value.over == "up to 2026-01-11"
    assert value.in_words("USD") == "$10.00"


@pytest.mark.parametrize("terms", [{"activity_days": 0}, {"margin": 1.5}, {"margin": -0.1}])
def test_terms_without_sense_are_refused(terms):
    with pytest.raises(ValueError, match="at least 1"):
        MeasureTerms(**terms)


# Surveys


async def test_answers_count_on_the_day_they_were_given(sql_db):
    await answered(sql_db, "csat", 5, 4, 3, 1)
    await answered(sql_db, "csat", 1, 1, at=WEEK.ends_at)
    await answered(sql_db, "nps", 10, 9, 7, 0)
    await answered(sql_db, "ces", 7, 4)
    await answered(sql_db, "review", 1)
    await answered(sql_db, "csat", None, answered_at=None)

    measures = await measure(sql_db)

    shown = {key: (measures[key].denominator, measures[key].value) for key in ("csat", "nps", "ces", "response_rate")}
    assert shown == {"csat": (4, 0.5), "nps": (4, 25), "ces": (2, 5.5), "response_rate": (11, 10 / 11)}


# Visits


async def test_a_pause_of_an_hour_begins_another_visit_of_the_same_conversation(sql_db):
    chat = await stored_conversation(sql_db)
    await visit(sql_db, chat, MONDAY_MORNING)
    await visit(sql_db, chat, MONDAY_MORNING + 59 * MINUTE, seq=3)
    await visit(sql_db, chat, MONDAY_MORNING + 3 * HOUR, seq=5)

    containment = (await measure(sql_db))["containment"]

    assert (containment.numerator, containment.denominator, containment.value) == (2, 2, 1)


async def test_a_visit_belongs_to_the_window_in_which_it_began(sql_db):
    chat = await stored_conversation(sql_db)
    for number, at in enumerate((WEEK.starts_at - 30 * MINUTE, WEEK.starts_at + 20 * MINUTE)):
        await visit(sql_db, chat, at, seq=1 + 2 * number)
    other = await stored_conversation(sql_db)
    for number, at in enumerate((WEEK.ends_at - 30 * MINUTE, WEEK.ends_at + 20 * MINUTE)):
        await visit(sql_db, other, at, seq=1 + 2 * number)

    assert (await measure(sql_db))["containment"].denominator == 1


async def test_what_the_assistant_did_not_answer_is_no_visit_of_its(sql_db):
    chat, silent = await stored_conversation(sql_db), await stored_conversation(sql_db)
    await visit(sql_db, chat, MONDAY_MORNING)
    await write(sql_db, silent, (MONDAY_MORNING, Author.CUSTOMER), (MONDAY_MORNING + MINUTE, Author.AGENT))

    assert (await measure(sql_db))["containment"].denominator == 1


async def test_a_visit_with_a_handoff_is_not_contained_and_those_before_and_after_it_are(sql_db):
    chat = await stored_conversation(sql_db)
    for number in range(3):
        await visit(sql_db, chat, MONDAY_MORNING + 2 * number * DAY, seq=1 + 2 * number)
    async with sql_db.transaction() as work:
        await work.handoffs.add(a_handoff(chat, requested_at=MONDAY_MORNING + 2 * DAY + MINUTE))

    measures = await measure(sql_db)

    shown = {key: (measures[key].numerator, measures[key].denominator) for key in ("containment", "handoff_rate")}
    assert shown == {"containment": (2, 3), "handoff_rate": (1, 3)}
    assert (measures["resolved_containment"].numerator, measures["resolved_containment"].denominator) == (2, 3)


async def test_answers_that_were_judged_are_counted_on_the_day_of_the_answer(sql_db):
    assert (await measure(sql_db))["found_helpful"].value is None
    chat = await stored_conversation(sql_db)
    said = [(WEEK.starts_at - MINUTE, True), (WEEK.starts_at, True), (MONDAY_MORNING, False), (MONDAY_MORNING, None)]
    said += [(MONDAY_MORNING + DAY, True), (WEEK.ends_at, True)]
    async with sql_db.transaction() as work:
        messages = [
            a_message(chat, seq=seq, author=Author.BOT, at=at, helpful=helpful)
            for seq, (at, helpful) in enumerate(said, 1)
        ]
        await work.messages.add(*messages, channel=chat.channel)

    found = (await measure(sql_db))["found_helpful"]

    assert (found.numerator, found.denominator) == (2, 3)


async def test_whoever_comes_back_within_a_day_was_not_helped_unless_they_say_so(sql_db):
    async def visited_twice(after: timedelta, score: int | None = None) -> None:
        chat = await stored_conversation(sql_db)
        await visit(sql_db, chat, MONDAY_MORNING)
        await visit(sql_db, chat, MONDAY_MORNING + after, seq=3)
        if score is not None:
            await answered(sql_db, "csat", score, at=MONDAY_MORNING + HOUR, conversation_id=chat.id)

    await visited_twice(5 * HOUR)
    await visited_twice(5 * HOUR, score=3)
    await visited_twice(5 * HOUR, score=4)
    await visited_twice(30 * HOUR)

    measures = await measure(sql_db)

    # The second visit of each was the last, and nobody came back after that.
    assert (measures["resolved_containment"].numerator, measures["resolved_containment"].denominator) == (6, 8)
    assert measures["containment"].value == 1


async def test_a_customer_who_comes_back_in_another_chat_has_come_back(sql_db):
    maria = await stored_customer(sql_db)
    here, there = [await stored_conversation(sql_db, customer_id=maria.id) for _ in range(2)]
    await visit(sql_db, here, MONDAY_MORNING)
    await visit(sql_db, there, MONDAY_MORNING + 5 * HOUR)

    resolved = (await measure(sql_db))["resolved_containment"]

    assert (resolved.numerator, resolved.denominator) == (1, 2)


async def test_a_visit_of_a_moment_ago_is_not_judged_yet(sql_db):
    await visit(sql_db, await stored_conversation(sql_db), MONDAY_MORNING)

    measures = await measure(sql_db, now=MONDAY_MORNING + HOUR)

    assert (measures["containment"].denominator, measures["resolved_containment"].denominator) == (1, 0)
    assert measures["resolved_containment"].value is None


# Hand-offs


async def test_response_times_run_from_the_request_to_a_persons_first_reply(sql_db):
    chats = [await stored_conversation(sql_db) for _ in range(3)]
    # 17:00 and 19:30 in Manila; the shop closes at 20:00 and opens at 8:00.
    for chat, at in zip(chats, (MONDAY_MORNING, MONDAY_MORNING + 150 * MINUTE, MONDAY_MORNING), strict=True):
        closed_at = at + 15 * HOUR if chat is not chats[2] else None
        async with sql_db.transaction() as work:
            await work.handoffs.add(a_handoff(chat, requested_at=at, closed_at=closed_at))
    await write(sql_db, chats[0], (MONDAY_MORNING - HOUR, Author.AGENT), (MONDAY_MORNING + 10 * MINUTE, Author.AGENT),
                (MONDAY_MORNING + HOUR, Author.AGENT))  # fmt: skip
    await write(sql_db, chats[1], (MONDAY_MORNING + 150 * MINUTE + 13 * HOUR, Author.AGENT))
    await write(sql_db, chats[2], (MONDAY_MORNING + MINUTE, Author.BOT))

    measures = await measure(sql_db)

    assert (measures["answered_handoffs"].numerator, measures["answered_handoffs"].denominator) == (2, 3)
    seconds = {key: measures[key].value for key in measures if key.startswith(("first_response", "resolution"))}
    minutes = {key: value / 60 for key, value in seconds.items()}
    assert minutes == pytest.approx(
        {
            "first_response_median": (10 + 780) / 2,
            "first_response_p90": 10 + 0.9 * 770,
            # Half an hour before closing, and half an hour after opening.
            "first_response_open_median": (10 + 60) / 2,
            "first_response_open_p90": 10 + 0.9 * 50,
            "resolution_median": 900,
            "resolution_p90": 900,
            # 17:00 to 8:00, and 19:30 to 10:30.
            "resolution_open_median": 180,
            "resolution_open_p90": 180,
        }
    )
    assert {measures[key].denominator for key in seconds} == {2}


# Points


async def test_points_that_came_and_went_add_up_to_those_outstanding(sql_db):
    maria, clock = await stored_customer(sql_db), FakeClock(MONDAY_MORNING - 30 * DAY)

    async def do(action, *arguments, **more):
        async with sql_db.transaction() as work:
            return await action(work, clock, *arguments, **more)

    await do(award_points, maria.id, EntryKind.OPENING, 100, key="before", expires_at=MONDAY_MORNING + DAY)
    clock.advance(30 * DAY)
    bought = await do(award_points, maria.id, EntryKind.ORDER, 50, key="order")
    await do(award_points, maria.id, EntryKind.GOODWILL, 30, key="goodwill")
    await do(redeem_points, maria.id, 40, key="redeem")
    undone = await do(redeem_points, maria.id, 10, key="redeem again")
    await do(undo_redemption, undone.id, key="undo")
    await do(take_back_points, bought.id, 20, key="refund")
    clock.advance(3 * DAY)
    await do(expire_points, maria.id)

    measures = await measure(sql_db)

    shown = {key.removeprefix("points_"): measures[key].value for key in measures if "points" in key}
    assert shown == {"issued": 80, "spent": 40, "expired": 60, "taken_back": 20, "outstanding": 60}
    assert measures["redemption_rate"].value == 0.5
    before = await measure(sql_db, Window(date(2025, 12, 1), date(2026, 1, 4), MANILA))
    assert [before[f"points_{key}"].value for key in ("issued", "spent", "outstanding")] == [100, 0, 100]
    assert before["redemption_rate"].value == 0


async def test_points_that_ran_out_have_expired_before_the_ledger_notes_it(sql_db):
    maria, clock = await stored_customer(sql_db), FakeClock(MONDAY_MORNING)
    async with sql_db.transaction() as work:
        await award_points(
            work, clock, maria.id, EntryKind.ORDER, 100, key="order", expires_at=MONDAY_MORNING + 2 * DAY
        )

    async def expired_and_outstanding(now):
        measures = await measure(sql_db, now=now)
        return measures["points_expired"].value, measures["points_outstanding"].value

    assert await expired_and_outstanding(MONDAY_MORNING + DAY) == (0, 100)
    assert await expired_and_outstanding(MONDAY_MORNING + 3 * DAY) == (100, 0)
    later = await measure(sql_db, Window(date(2026, 1, 12), date(2026, 1, 18), MANILA))
    assert (later["points_expired"].value, later["points_outstanding"].value) == (0, 0)


# The bare facts


async def test_purchases_are_the_orders_that_count_oldest_first(sql_db):
    maria = await stored_customer(sql_db)
    second = await order(sql_db, maria, MONDAY_MORNING + DAY, total_minor=2_000)
    await refund(sql_db, second, 300)
    await order(sql_db, None, MONDAY_MORNING, total_minor=500)
    await order(sql_db, maria, MONDAY_MORNING + 2 * DAY, status=OrderStatus.CANCELLED)
    await order(sql_db, maria, WEEK.ends_at)

    async with sql_db.reading() as work:
        found = await work.measures.purchases(WEEK.ends_at, "USD")

    assert [(one.customer_id, one.placed_at, one.net_minor) for one in found] == [
        (None, MONDAY_MORNING, 500),
        (maria.id, MONDAY_MORNING + DAY, 1_700),
    ]


async def test_credits_are_the_credit_notes_that_name_no_order_oldest_first(sql_db):
    maria = await stored_customer(sql_db)
    one = await order(sql_db, maria)
    await credit(sql_db, maria, 300, at=MONDAY_MORNING + DAY)
    await credit(sql_db, None, 200)
    await credit(sql_db, maria, 100, order_number=one.number)
    await credit(sql_db, maria, 100, currency="PHP")
    await credit(sql_db, maria, 100, at=WEEK.ends_at)

    async with sql_db.reading() as work:
        found = await work.measures.credits(WEEK.ends_at, "USD")

    assert [(one.customer_id, one.issued_at, one.amount_minor) for one in found] == [
        (None, MONDAY_MORNING, 200),
        (maria.id, MONDAY_MORNING + DAY, 300),
    ]
