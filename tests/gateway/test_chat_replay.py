"""Coming back, and being there twice."""

from __future__ import annotations

import pytest

from bot.gateway import live
from tests.gateway.chat_client import eventually


@pytest.fixture(autouse=True)
def no_polls(monkeypatch):
    """What is shown here is shown without the poll's help."""
    monkeypatch.setattr(live, "POLL_SECONDS", 3_600)


async def test_a_reconnect_shows_what_was_missed_once_and_in_order(gateway):
    chat = await gateway.chat()
    await chat.ask("one")
    await chat.close()
    await gateway.bot_says(chat.conversation_id, "while you were away", "and more")

    again = await gateway.chat(visitor_token=chat.visitor_token, last_seq=2)

    assert again.conversation_id == chat.conversation_id
    assert again.ready["seq"] == 4
    assert [frame["text"] for frame in await again.messages(2)] == ["while you were away", "and more"]
    assert await again.say("back") == 5
    assert [frame["seq"] for frame in await again.messages(2)] == [5, 6]


async def test_a_reconnect_shows_more_than_one_page_once_and_in_order_while_more_is_said(quiet_gateway):
    chat = await quiet_gateway.chat()
    await chat.close()
    count = 2 * live.PAGE + 50
    await quiet_gateway.bot_says(chat.conversation_id, *(f"line {number}" for number in range(count)))

    again = await quiet_gateway.chat(visitor_token=chat.visitor_token, last_seq=7)
    await quiet_gateway.bot_says(chat.conversation_id, "the last line")
    frames = await again.messages(count - 7 + 1)

    assert [frame["seq"] for frame in frames] == list(range(8, count + 2))
    assert frames[-1]["text"] == "the last line"
    assert await again.is_silent()


@pytest.mark.parametrize("seen", [live.PAGE - 1, live.PAGE, live.PAGE + 1])
async def test_a_page_that_is_just_full_is_not_the_end(quiet_gateway, seen):
    chat = await quiet_gateway.chat()
    await quiet_gateway.bot_says(chat.conversation_id, *(str(number) for number in range(2 * live.PAGE)))

    again = await quiet_gateway.chat(visitor_token=chat.visitor_token, last_seq=seen)

    assert [frame["seq"] for frame in await again.messages(2 * live.PAGE - seen)] == list(
        range(seen + 1, 2 * live.PAGE + 1)
    )


async def test_a_last_seq_ahead_of_the_conversation_shows_all_of_it(gateway):
    chat = await gateway.chat()
    await chat.ask("one")

    again = await gateway.chat(visitor_token=chat.visitor_token, last_seq=1_000)

    assert [frame["seq"] for frame in await again.messages(2)] == [1, 2]


async def test_a_message_sent_again_after_a_lost_acknowledgement_is_not_doubled(gateway):
    chat = await gateway.chat()
    client_id = await chat.write("did you get this?")
    await eventually(lambda: gateway.rows("SELECT count(*) FROM messages") != [(0,)])
    chat.vanish()

    again = await gateway.chat(visitor_token=chat.visitor_token)

    assert await again.say("did you get this?", client_id) == 1
    assert [frame["author"] for frame in await again.messages(2)] == ["customer", "bot"]
    assert gateway.rows("SELECT count(*) FROM messages") == [(2,)]


async def test_two_tabs_see_the_same(gateway):
    one = await gateway.chat()
    two = await gateway.chat(visitor_token=one.visitor_token)
    await one.ask("from one")
    await two.ask("from two")
    three = await gateway.chat(visitor_token=one.visitor_token)

    late = await three.messages(4)
    assert [frame["text"] for frame in late] == ["from one", "echo: from one", "from two", "echo: from two"]
    # The first two have read the bot's answers already; what is left to them is the customer's side.
    for tab in (one, two):
        texts = [(await tab.expect("message", author="customer"))["text"] for _ in range(2)]
        assert texts == ["from one", "from two"]
