"""The desk's lists: as many queries for a long page as for a short one, every conversation once, and found by words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from bot.core.conversations import Author, MessageId, Owner
from bot.core.desk_records import ListQuery
from bot.services.ids import new_id
from bot.storage import desk_search
from tests.builders import NOW, a_handoff, a_message, stored_conversation, stored_customer
from tests.services.desk import ANA, add_agents

MINUTE = timedelta(minutes=1)


async def said(db, text, *, minutes, waits=False, **changes):
    """A conversation in which this was said so many minutes after now; with a request for a person, if it waits."""
    owner = Owner.QUEUE if waits else Owner.BOT
    conversation = await stored_conversation(db, last_seq=1, owner=owner, **changes)
    at = NOW + minutes * MINUTE
    line = a_message(conversation, id=MessageId(new_id()), seq=1, text=text, at=at, author=Author.CUSTOMER)
    async with db.transaction() as work:
        await work.messages.add(line, channel="web")
        if waits:
            await work.handoffs.add(a_handoff(conversation, requested_at=at, waiting_since=at))
    return conversation


async def ids(db, query):
    async with db.reading() as work:
        return [one.conversation.id for one in await work.desk.page(query)]


async def queries_of(db, query):
    asked = []

    def note(conn, cursor, statement, parameters, context, executemany):
        if statement.lstrip().startswith("SELECT"):
            asked.append(statement)

    async with db.reading() as work:
        connection = work.desk._connection
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        found = await work.desk.page(query)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
    return len(asked), len(found)


@pytest.mark.parametrize("query", [ListQuery(owner="queue"), ListQuery(), ListQuery(text="hello")])
async def test_a_long_list_asks_the_database_no_more_often_than_a_short_one(sql_db, query):
    await said(sql_db, "Hello", minutes=0, waits=True)
    short, found = await queries_of(sql_db, query)
    assert found == 1

    for number in range(1, 12):
        await said(sql_db, "Hello", minutes=number, waits=True)

    assert await queries_of(sql_db, query) == (short, 12)


@pytest.mark.parametrize(
    "query", [ListQuery(), ListQuery(owner="bot"), ListQuery(label="vip"), ListQuery(text="hello")], ids=str
)
async def test_page_after_page_shows_every_conversation_once_the_newest_first(sql_db, query):
    # Two of them at one moment.
    made = [await said(sql_db, "Hello", minutes=minutes) for minutes in (0, 1, 1, 2, 3)]
    async with sql_db.transaction() as work:
        for one in made:
            await work.desk.label(one.id, ["vip"], [])

    seen, before = [], None
    while True:
        async with sql_db.reading() as work:
            page = await work.desk.page(replace(query, before=before, limit=2))
        if not page:
            break
        seen += [one.conversation.id for one in page]
        before = page[-1].place

    assert len(seen) == 5 and set(seen) == {one.id for one in made}
    assert [seen[0], seen[1], seen[4]] == [made[4].id, made[3].id, made[0].id]


async def test_what_was_settled_last_comes_first(sql_db):
    first = await said(sql_db, "Hello", minutes=9, resolved_at=NOW)
    second = await said(sql_db, "Hello", minutes=1, resolved_at=NOW + MINUTE)

    assert await ids(sql_db, ListQuery(owner="resolved")) == [second.id, first.id]


async def test_a_request_that_is_closed_is_nobodys_any_more(sql_db):
    await add_agents(sql_db, ANA)
    conversation = await said(sql_db, "Hello", minutes=0)
    async with sql_db.transaction() as work:
        await work.handoffs.add(a_handoff(conversation, agent_id=ANA.id, closed_at=NOW))

    assert await ids(sql_db, ListQuery(agent_id=ANA.id)) == []
    assert await ids(sql_db, ListQuery(owner="bot")) == [conversation.id]


async def test_words_are_found_in_the_newest_messages_and_people_however_long_ago_they_wrote(sql_db, monkeypatch):
    monkeypatch.setattr(desk_search, "MESSAGES_SEARCHED", 2)
    customer = await stored_customer(sql_db, name="Maria Papaya")
    old = await said(sql_db, "A mango, please", minutes=0, customer_id=customer.id)
    # So that not all of them are looked through anyway.
    monkeypatch.setattr("bot.storage.desk_lists.LOOKED_THROUGH", 1)
    new = await said(sql_db, "Another mango", minutes=1)
    await said(sql_db, "A pear", minutes=2)

    assert await ids(sql_db, ListQuery(text="MANGO")) == [new.id]
    assert await ids(sql_db, ListQuery(text="papaya")) == [old.id]


async def test_what_visitors_say_of_themselves_is_found_in_their_own_letters(sql_db):
    one = await said(sql_db, "Hello", minutes=0, visitor_details={"name": "Zoë Müller"})

    assert await ids(sql_db, ListQuery(text="müller")) == [one.id]
