"""Which order was spoken of with people: a customer's own, however it is named, and for strangers nothing is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.conversations import Author, TurnState
from bot.services.orders_spoken_of import order_spoken_of
from tests.builders import NOW, a_message, stored_conversation, stored_customer, stored_order


@pytest.fixture
async def spoken_of(sql_db, clock, shop):
    """The order of a conversation in which somebody with the orders TC-10002 and 536365 said that; or a stranger."""
    maria, other = await stored_customer(sql_db), await stored_customer(sql_db)
    for number, customer in (("TC-10002", maria), ("536365", maria), ("TC-10009", other)):
        await stored_order(sql_db, number=number, customer_id=customer.id)

    async def find(*texts, proven=True, turn_state=TurnState.NOT_FOR_BOT):
        until = NOW + timedelta(hours=1) if proven else None
        talk = await stored_conversation(sql_db, customer_id=maria.id, verified_until=until)
        authors = [(Author.AGENT, None), (Author.CUSTOMER, turn_state)]
        said = [
            a_message(talk, seq=seq, author=authors[seq % 2][0], text=text, turn_state=authors[seq % 2][1])
            for seq, text in enumerate(texts, 1)
        ]
        async with sql_db.reading() as work:
            return await order_spoken_of(work, clock, shop, talk, said)

    return find


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["It is TC-10002."], "TC-10002"),
        (["my order tc 10002 please"], "TC-10002"),
        (["order no 10002"], "TC-10002"),
        (["536365, from your old shop"], "536365"),
        (["TC-10002", "And 536365?", "That one."], "536365"),
        (["TC-10002, not TC-10009"], "TC-10002"),
        (["TC-10009"], None),
        (["call me on 0917 123 4567, before 2026-10-02"], None),
        ([], None),
    ],
    ids=str,
)
async def test_of_a_customer_it_is_one_of_their_own(spoken_of, texts, order):
    assert await spoken_of(*texts) == order


async def test_of_a_stranger_it_is_what_was_written_whether_or_not_there_is_such_an_order(spoken_of):
    assert await spoken_of("tc 10009", proven=False) == "TC-10009"
    assert await spoken_of("TC-77777", proven=False) == "TC-77777"
    assert await spoken_of("536365, or AB-12345", proven=False) is None


async def test_what_waits_for_the_assistant_is_not_read_twice(spoken_of):
    assert await spoken_of("TC-10002", turn_state=TurnState.PENDING) is None
    assert await spoken_of("TC-10002", turn_state=TurnState.NOT_FOR_BOT) == "TC-10002"
