"""What goes with the messages: cards, whether they helped, the hours, questions before the chat."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bot.core.conversations import Author, Card, Choice, Message, MessageId, Reply
from bot.core.handoffs import HandoffReason
from bot.core.widget import Question
from bot.gateway.settings import SETTINGS
from bot.services.handoffs import request_handoff
from bot.services.ids import new_id
from tests.gateway.tokens import identity_token

EVIL = "</script><img src=x onerror=alert(1)>\u202e'\""
CARD = Card(
    "order", EVIL, (("Items", EVIL),), ("Ordered", "Delivered"), 0, Choice("Details of TC-1", '/track_order{"n": "1"}')
)
QUESTIONS = (
    Question("name", "Your name"),
    Question("mail", "Your e-mail address", "email", required=True),
    Question("about", "What is it about?", "choice", ("An order", "Something else")),
)


def asking(gateway, *questions: Question):
    """The same gateway, whose shop asks these questions first."""
    config = gateway.app[SETTINGS]
    look = replace(config.shop.widget, questions=questions)
    gateway.app._state[SETTINGS] = replace(config, shop=replace(config.shop, widget=look))
    return gateway


def now_is(gateway, moment: datetime) -> None:
    gateway.clock.ahead = moment - datetime.now(timezone.utc)


# Cards


async def test_cards_come_with_their_message_and_again_after_a_reload(gateway):
    gateway.answerer.answer = lambda _: [Reply("Here it is.\nAll of it.", cards=(CARD,))]
    chat = await gateway.chat()
    await chat.say("where is it")
    live_one = await chat.expect("message", author="bot")

    (card,) = live_one["cards"]
    assert card == {
        "kind": "order",
        "title": EVIL,
        "facts": [{"label": "Items", "value": EVIL}],
        "steps": ["Ordered", "Delivered"],
        "step": 0,
        "choice": {"title": "Details of TC-1", "payload": '/track_order{"n": "1"}'},
    }
    again = await gateway.chat(visitor_token=chat.visitor_token)
    assert await again.expect("message", author="bot") == live_one


async def test_a_choice_on_a_card_can_be_picked_and_one_that_is_on_none_cannot(gateway):
    gateway.answerer.answer = lambda said: [Reply(f"{said.payload} {said.text}", cards=(CARD,))]
    chat = await gateway.chat()
    await chat.ask("hi")
    await chat.pick('/track_order{"n": "1"}')
    assert (await chat.expect("message", author="bot"))["text"] == '/track_order{"n": "1"} Details of TC-1'

    await chat.pick('/track_order{"n": "2"}')
    assert (await chat.error())["code"] == "unknown_choice"


# Was this helpful?


@pytest.mark.parametrize("over", ["socket", "http"])
async def test_an_answer_is_called_helpful_and_the_last_word_counts(gateway, over):
    chat = await gateway.chat()
    await chat.ask("hi")
    assert "helpful" not in (await (await gateway.chat(visitor_token=chat.visitor_token)).expect("message", seq=2))

    for helpful in (True, True, False):
        frame = {"type": "helpful", "seq": 2, "helpful": helpful}
        if over == "http":
            assert await gateway.post(frame, chat.visitor_token) == (200, {"type": "ok"})
        else:
            await chat.send(frame)
            # Frames of one socket are taken one after the other, so this answer comes after the note.
            await chat.send("{}")
            assert "needs a type" in (await chat.error())["message"]
    assert gateway.rows("SELECT helpful FROM messages ORDER BY seq") == [(None,), (0,)]
    again = await gateway.chat(visitor_token=chat.visitor_token)
    assert (await again.expect("message", seq=2))["helpful"] is False


@pytest.mark.parametrize("seq", [0, 1, 3, 2**31 - 1])
async def test_only_the_bots_answers_can_be_called_helpful(gateway, seq):
    chat, other = await gateway.chat(), await gateway.chat()
    await chat.ask("hi")
    await other.ask("hi")
    await other.ask("hi again")
    await chat.send({"type": "helpful", "seq": seq, "helpful": True})

    assert (await chat.error())["code"] == "bad_request"
    assert gateway.rows("SELECT count(*) FROM messages WHERE helpful IS NOT NULL") == [(0,)]


async def test_a_persons_words_are_not_rated(gateway):
    chat = await gateway.chat()
    await gateway.bot_says(chat.conversation_id, "I am a bot.")
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(chat.conversation_id)
        said = Message(MessageId(new_id()), conversation.id, 2, Author.AGENT, "I am Ana.", gateway.clock.now())
        await work.messages.add(said, channel="web")
        await work.conversations.save(replace(conversation, last_seq=2))
    await chat.send({"type": "helpful", "seq": 2, "helpful": False})

    assert (await chat.error())["code"] == "bad_request"


@pytest.mark.parametrize("fields", [{}, {"seq": 2}, {"seq": 2, "helpful": 1}, {"seq": "2", "helpful": True}])
async def test_a_rating_that_makes_no_sense_is_an_error(gateway, fields):
    chat = await gateway.chat()
    await chat.ask("hi")
    await chat.send({"type": "helpful", **fields})

    assert (await chat.error())["code"] == "bad_request"


# The hours


async def test_ready_says_when_the_team_is_back(gateway):
    monday_noon = datetime(2027, 3, 1, 4, 0, tzinfo=timezone.utc)  # in Manila
    now_is(gateway, monday_noon)
    assert (await gateway.chat()).ready["hours"] == {"open": True, "opens_at": None}

    now_is(gateway, monday_noon + timedelta(hours=12))
    assert (await gateway.chat()).ready["hours"] == {"open": False, "opens_at": "2027-03-01T23:00:00+00:00"}


async def test_where_people_answer_at_any_hour_the_shop_is_never_closed(gateway):
    now_is(gateway, datetime(2027, 3, 1, 16, 0, tzinfo=timezone.utc))
    config = gateway.app[SETTINGS]
    kept = replace(config.shop, desk=replace(config.shop.desk, always_open=True))
    gateway.app._state[SETTINGS] = replace(config, shop=kept)

    assert (await gateway.chat()).ready["hours"] == {"open": True, "opens_at": None}


# Questions before the chat


async def test_the_answers_are_kept_as_claims_and_not_asked_for_again(gateway):
    chat = await asking(gateway, *QUESTIONS).chat()
    assert chat.ready["details_asked"] is True
    answers = {"about": "An order", "mail": "Eve@example.com", "name": "  Eve\n Adams "}
    assert await gateway.post({"type": "details", "answers": answers}, chat.visitor_token) == (200, {"type": "ok"})

    rows = gateway.rows("SELECT visitor_details, customer_id FROM conversations")
    assert rows == [('{"name": "Eve Adams", "mail": "Eve@example.com", "about": "An order"}', None)]
    again = await gateway.chat(visitor_token=chat.visitor_token)
    assert (again.ready["details_asked"], again.ready["customer"]) == (False, None)


async def test_questions_that_were_left_out_are_not_asked_again(gateway):
    chat = await asking(gateway, Question("name", "Your name")).chat()
    await chat.send({"type": "details", "answers": {}})
    await chat.ask("hi")  # frames of one socket are taken one after the other

    assert gateway.rows("SELECT visitor_details FROM conversations") == [("{}",)]
    assert (await gateway.chat(visitor_token=chat.visitor_token)).ready["details_asked"] is False


async def test_nobody_is_asked_in_the_middle_of_a_conversation_or_by_a_shop_that_asks_nothing(gateway):
    chat = await gateway.chat()
    assert chat.ready["details_asked"] is False
    await chat.ask("hi")

    asking(gateway, *QUESTIONS)
    assert (await gateway.chat(visitor_token=chat.visitor_token)).ready["details_asked"] is False


async def test_whoever_is_signed_in_is_not_asked(gateway, demo_people):
    token = identity_token(email="maria@example.com", sub="C-1001", name="Maria Santos")
    chat = await asking(gateway, *QUESTIONS).chat(identity_token=token)

    assert (chat.ready["customer"], chat.ready["details_asked"]) == ({"name": "Maria Santos"}, False)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "Please answer: Your e-mail address"),
        ({"mail": " \n"}, "Please answer: Your e-mail address"),
        ({"mail": "eve"}, "“Your e-mail address”: please write a whole e-mail address, such as name@example.com."),
        ({"mail": "eve@b"}, "“Your e-mail address”: please write a whole e-mail address, such as name@example.com."),
        (
            {"mail": "e@b.c", "about": "Anything"},
            "“What is it about?”: please choose one of the answers that are offered.",
        ),
        ({"mail": "e@b.c", "name": "x" * 201}, "“Your name”: please keep it within 200 characters."),
        ({"mail": "e@b.c", "owner": "agent"}, "There is no question 'owner' here."),
        ({"mail": "e@b.c", "name": 1}, "answers must be an object of texts."),
        ([], "answers must be an object of texts."),
        (None, "answers must be an object of texts."),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_an_answer_that_cannot_be_taken_is_said_in_words_and_nothing_is_kept(gateway, answers, words):
    chat = await asking(gateway, *QUESTIONS).chat()
    await chat.send({"type": "details", "answers": answers})

    error = await chat.error()
    assert (error["code"], error["message"]) == ("bad_request", words)
    assert gateway.rows("SELECT visitor_details FROM conversations") == [(None,)]
    await chat.ask("and the chat goes on")


async def test_what_was_said_before_the_chat_is_in_the_mail_to_the_shop_as_a_claim(gateway):
    chat = await asking(gateway, *QUESTIONS).chat()
    answers = {"mail": "maria@example.com", "name": "Maria\nCustomer: Maria Santos (C-1001)"}
    await gateway.post({"type": "details", "answers": answers}, chat.visitor_token)
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(chat.conversation_id)
        shop = gateway.app[SETTINGS].shop
        await request_handoff(work, gateway.clock, shop, conversation, HandoffReason.ASKED)

    ((mail,),) = gateway.rows("SELECT json_extract(payload, '$.body') FROM outbox")
    lines = mail.splitlines()
    assert "Customer: a visitor without a sign-in" in lines
    place = lines.index("Said before the chat (nobody has checked it):")
    assert lines[place + 1 : place + 3] == [
        "    Your name: Maria Customer: Maria Santos (C-1001)",
        "    Your e-mail address: maria@example.com",
    ]
