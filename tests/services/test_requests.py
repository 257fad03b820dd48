"""What the shop's people have to see to: recorded, numbered, mailed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from bot.core.requests import MAX_OPEN_REQUESTS, MAX_REQUEST_CHARACTERS, RequestKind
from bot.services.requests import record_request
from tests.builders import NOW, a_request, stored_conversation, stored_customer, written
from tests.services.mails import sent_mails


@pytest.fixture
def db(sql_db):
    """The real databases: complaints and reviews become feedback, which is in no other."""
    return sql_db


async def record(db, clock, shop, conversation, kind=RequestKind.COMPLAINT, text="It is chipped.", **options):
    customer = options.pop("customer", None)
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        return await record_request(work, clock, shop, locked, customer, kind, text, **options)


async def open_now(db, conversation):
    async with db.reading() as work:
        return await work.requests.open_in(conversation.id)


async def test_a_request_is_recorded_under_a_number_and_mailed_with_what_was_said(db, clock, shop):
    conversation = await stored_conversation(db)
    await written(db, clock, conversation, "My mug is broken.")

    request = await record(
        db,
        clock,
        shop,
        conversation,
        RequestKind.REPORT_PROBLEM,
        " It is chipped.\x00 ",
        order_number="TC-10002",
        contact="maria@example.com",
        rating=2,
    )

    assert re.fullmatch(r"S-[1-9][0-9]{5}", request.number)
    assert (request.kind, request.conversation_id, request.created_at) == (
        RequestKind.REPORT_PROBLEM,
        conversation.id,
        NOW,
    )
    assert (request.order_number, request.contact, request.rating) == ("TC-10002", "maria@example.com", 2)
    assert (request.customer_id, request.closed_at) == (None, None)
    assert "\x00" not in request.text
    assert await open_now(db, conversation) == [request]
    (mail,) = await sent_mails(db, clock)
    assert (mail.to, mail.reply_to) == ("team@corner.example", None)
    assert mail.subject == f"[Corner Shop] A problem with an order ({request.number}) from a visitor"
    for said in (
        request.number,
        "It is chipped.",
        "Order, as the customer says: TC-10002",
        "Contact, as the customer says: maria@example.com",
        "Rating: 2 of 5",
        "Customer: a visitor without a sign-in",
        "Customer: My mug is broken.",
        conversation.id,
    ):
        assert said in mail.body, said
    assert "http" not in mail.body


async def test_a_proven_customer_is_named_and_can_be_replied_to(db, clock, shop):
    maria = await stored_customer(db, external_id="C-1", email="maria@example.com")
    conversation = await stored_conversation(db)

    request = await record(db, clock, shop, conversation, customer=maria)

    assert request.customer_id == maria.id
    (mail,) = await sent_mails(db, clock)
    assert mail.reply_to == "maria@example.com"
    assert mail.subject.endswith("from Maria Santos")
    assert "Maria Santos (C-1, maria@example.com)" in mail.body


@pytest.mark.parametrize("kind", list(RequestKind))
async def test_every_kind_can_be_recorded_and_put_into_words(db, clock, shop, kind):
    conversation = await stored_conversation(db)

    request = await record(db, clock, shop, conversation, kind)

    assert (await open_now(db, conversation))[0].kind is kind
    assert request.number in (await sent_mails(db, clock))[0].subject


async def test_nobody_can_write_a_line_in_another_name(db, clock, shop):
    conversation = await stored_conversation(db)
    forged = "Hello\n2026-01-05 09:00 UTC  Suki: I promised a refund\nCustomer: Maria Santos"
    await written(db, clock, conversation, forged)

    await record(db, clock, shop, conversation, text=forged, contact="x\nRating: 5 of 5")

    (mail,) = await sent_mails(db, clock)
    lines = mail.body.splitlines()
    assert not any(line.startswith(("2026-01-05 09:00 UTC  Suki", "Customer: Maria", "Rating")) for line in lines)


async def test_long_words_are_cut_and_empty_ones_are_none(db, clock, shop):
    conversation = await stored_conversation(db)

    request = await record(db, clock, shop, conversation, text="x" * 9_000, contact="y" * 900, order_number="z" * 900)
    empty = await record(db, clock, shop, conversation, text=" ", contact=" ", order_number="\n")

    assert (len(request.text), len(request.contact), len(request.order_number)) == (MAX_REQUEST_CHARACTERS, 254, 32)
    assert (empty.text, empty.contact, empty.order_number) == ("", None, None)
    assert set(map(repr, await open_now(db, conversation))) == {repr(request), repr(empty)}


async def test_a_rating_is_one_to_five_stars(db, clock, shop):
    conversation = await stored_conversation(db)

    for rating in (0, 6, -1):
        with pytest.raises(IntegrityError):
            await record(db, clock, shop, conversation, rating=rating)

    assert await open_now(db, conversation) == []
    assert await sent_mails(db, clock) == []


async def test_a_conversation_cannot_flood_the_shop(db, clock, shop):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    recorded = []
    for _ in range(MAX_OPEN_REQUESTS):
        recorded.append(await record(db, clock, shop, conversation))
        clock.advance(timedelta(seconds=1))
    await sent_mails(db, clock)

    again = await record(db, clock, shop, conversation, RequestKind.CALLBACK)

    assert again == recorded[-1]
    assert await open_now(db, conversation) == recorded
    assert await sent_mails(db, clock) == []
    assert await record(db, clock, shop, other) not in recorded


async def test_what_is_done_makes_room(db, clock, shop):
    conversation = await stored_conversation(db)
    async with db.transaction() as work:
        for number in range(MAX_OPEN_REQUESTS):
            await work.requests.add(a_request(conversation, number=f"S-{number}", closed_at=NOW))

    request = await record(db, clock, shop, conversation)

    assert await open_now(db, conversation) == [request]
