"""Rasa's REST channel, as Rasa's own clients use it."""

from __future__ import annotations

import asyncio
import hmac

import pytest

from bot.core.conversations import Choice, ConversationId, Owner, Reply
from bot.gateway import application, live, rest
from tests.builders import change_owner
from tests.gateway.chat_client import eventually
from tests.gateway.conftest import API_KEY, broken_database

CHOICES = (Choice("Where is it?", "/track_order"), Choice("A person, please", "/person"))


# Keys


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": API_KEY},
        {"Authorization": f"Basic {API_KEY}"},
        {"Authorization": f"Bearer {API_KEY} "[:-2]},
        {"Authorization": f"Bearer {API_KEY}x"},
        {"Authorization": f"Bearer {API_KEY.upper()}"},
        {"Authorization": "Bearer \u00ff\u0100"},
        {"X-Api-Key": API_KEY},
    ],
    ids=str,
)
async def test_without_the_key_nothing_is_taken(gateway, headers):
    async with gateway.session.post(
        f"{gateway.url}/webhooks/rest/webhook", json={"sender": "a", "message": "hi"}, headers=headers
    ) as response:
        assert (response.status, response.content_type) == (401, "application/problem+json")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert (await response.json())["code"] == "unauthorized"
    assert gateway.rows("SELECT count(*) FROM conversations") == [(0,)]


async def test_the_key_is_checked_before_the_body(gateway):
    status, _ = await gateway.webhook(b"{oops", key="wrong")

    assert status == 401


async def test_the_key_is_compared_in_constant_time(gateway, monkeypatch):
    compared = []

    def compare(*keys: bytes) -> bool:
        compared.append(keys)
        return hmac.compare_digest(*keys)

    monkeypatch.setattr(rest, "hmac", type("recorded", (), {"compare_digest": staticmethod(compare)}))

    assert (await gateway.webhook({"sender": "a", "message": "hi"}, key="guess"))[0] == 401
    assert (await gateway.webhook({"sender": "a", "message": "hi"}))[0] == 200
    assert compared == [(b"guess", API_KEY.encode()), (API_KEY.encode(), API_KEY.encode())]


async def test_guessing_keys_is_slowed_down_and_the_right_key_is_not(start_gateway, monkeypatch):
    monkeypatch.setattr(application, "REQUESTS_AT_ONCE", 3)
    monkeypatch.setattr(application, "REQUESTS_PER_SECOND", 0.1)
    gateway = await start_gateway()

    statuses = [(await gateway.webhook({}, key=f"guess {number}"))[0] for number in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    for _ in range(5):
        assert (await gateway.webhook({"sender": "a", "message": "hi"}))[0] == 200


# Answers


async def test_the_answer_is_the_one_that_rasa_gives(gateway):
    gateway.answerer.answer = lambda _: [Reply("Two things."), Reply("Which one?", CHOICES)]

    assert await gateway.webhook({"sender": "user 1", "message": "hi"}) == (
        200,
        [
            {"recipient_id": "user 1", "text": "Two things."},
            {
                "recipient_id": "user 1",
                "text": "Which one?",
                "buttons": [
                    {"title": "Where is it?", "payload": "/track_order"},
                    {"title": "A person, please", "payload": "/person"},
                ],
            },
        ],
    )


async def test_what_rasas_clients_send_besides_is_ignored(gateway):
    body = {"sender": "a", "message": "hi", "metadata": {"a": 1}, "input_channel": "x", "stream": False}

    assert await gateway.webhook(body) == (200, [{"recipient_id": "a", "text": "echo: hi"}])


async def test_a_bot_that_says_nothing_answers_with_an_empty_list(gateway):
    gateway.answerer.answer = lambda _: []

    assert await gateway.webhook({"sender": "a", "message": "hi"}) == (200, [])


async def test_one_sender_is_one_conversation(gateway):
    for sender in ("a", "b", "a"):
        await gateway.webhook({"sender": sender, "message": "hi"})

    assert gateway.rows("SELECT last_seq FROM conversations ORDER BY last_seq") == [(2,), (4,)]


async def test_a_new_sender_twice_at_once_is_one_conversation(gateway):
    answers = await asyncio.gather(*(gateway.webhook({"sender": "a", "message": f"{n}"}) for n in range(6)))

    assert sorted(body[0]["text"] for _, body in answers) == [f"echo: {n}" for n in range(6)]
    assert gateway.rows("SELECT count(*) FROM conversations") == [(1,)]


async def test_the_same_message_id_is_the_same_turn(gateway):
    body = {"sender": "a", "message": "hi", "message_id": "m1"}
    first = await gateway.webhook(body)

    assert await gateway.webhook(body) == first
    assert (gateway.answerer.turns, gateway.rows("SELECT count(*) FROM messages")) == (1, [(2,)])


async def test_the_same_message_id_twice_at_once_is_one_turn(gateway):
    body = {"sender": "a", "message": "hi", "message_id": "m1"}

    answers = await asyncio.gather(*(gateway.webhook(body) for _ in range(5)))

    assert answers == [(200, [{"recipient_id": "a", "text": "echo: hi"}])] * 5
    assert gateway.answerer.turns == 1


async def test_the_same_message_id_with_another_text_is_a_409(gateway):
    await gateway.webhook({"sender": "a", "message": "hi", "message_id": "m1"})

    status, body = await gateway.webhook({"sender": "a", "message": "ho", "message_id": "m1"})

    assert (status, body["code"]) == (409, "duplicate_client_id")


async def test_two_senders_may_use_the_same_message_id(gateway):
    for sender in ("a", "b"):
        assert await gateway.webhook({"sender": sender, "message": sender, "message_id": "m1"}) == (
            200,
            [{"recipient_id": sender, "text": f"echo: {sender}"}],
        )


async def test_messages_without_an_id_are_all_different(gateway):
    for _ in range(2):
        await gateway.webhook({"sender": "a", "message": "hi"})

    assert gateway.answerer.turns == 2


async def test_the_answer_is_waited_for(gateway):
    gateway.answerer.may_answer.clear()
    asking = asyncio.create_task(gateway.webhook({"sender": "a", "message": "hi"}))
    await asyncio.wait_for(gateway.answerer.claimed.wait(), 5)
    assert not asking.done()
    gateway.answerer.may_answer.set()

    assert await asking == (200, [{"recipient_id": "a", "text": "echo: hi"}])


async def test_an_answer_that_takes_too_long_is_a_504_and_the_same_message_id_gets_it(gateway, monkeypatch):
    monkeypatch.setattr(rest, "TURN_SECONDS", 0.05)
    gateway.answerer.may_answer.clear()
    body = {"sender": "a", "message": "hi", "message_id": "m1"}

    status, problem = await gateway.webhook(body)

    assert (status, problem["code"]) == (504, "turn_timeout")
    monkeypatch.undo()
    gateway.answerer.may_answer.set()
    assert await gateway.webhook(body) == (200, [{"recipient_id": "a", "text": "echo: hi"}])
    assert gateway.answerer.turns == 1


async def test_a_lost_wake_up_delays_the_answer_by_a_poll(start_gateway, monkeypatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    gateway = await start_gateway(hints=False)

    assert (await gateway.webhook({"sender": "a", "message": "hi"}))[0] == 200


async def test_a_stop_lets_the_turn_be_answered(gateway):
    gateway.answerer.may_answer.clear()
    asking = asyncio.create_task(gateway.webhook({"sender": "a", "message": "last words"}))
    await asyncio.wait_for(gateway.answerer.claimed.wait(), 5)
    stopping = asyncio.create_task(gateway.runner.cleanup())
    await eventually(gateway.app[application.settings.LIVE].closing.is_set)
    gateway.answerer.may_answer.set()

    assert await asking == (200, [{"recipient_id": "a", "text": "echo: last words"}])
    await asyncio.wait_for(stopping, 5)


# Buttons


async def test_a_buttons_payload_sent_as_text_is_a_choice(gateway):
    gateway.answerer.answer = lambda said: [Reply(f"{said.payload} {said.text}", CHOICES)]
    await gateway.webhook({"sender": "a", "message": "hi"})
    body = {"sender": "a", "message": "/track_order", "message_id": "m2"}

    status, answers = await gateway.webhook(body)

    assert (status, answers[0]["text"]) == (200, "/track_order Where is it?")
    assert await gateway.webhook(body) == (status, answers)


@pytest.mark.parametrize("text", ["/restart", "/track_order", '/track_order{"order_number": "TC-10001"}', "/", "//"])
async def test_a_payload_that_was_not_offered_is_text(gateway, text):
    assert await gateway.webhook({"sender": "a", "message": text}) == (
        200,
        [{"recipient_id": "a", "text": f"echo: {text}"}],
    )
    assert gateway.rows("SELECT payload, text FROM messages WHERE author = 'customer'") == [(None, text)]


async def test_a_payload_offered_to_another_sender_is_text(gateway):
    gateway.answerer.answer = lambda said: [Reply(f"{said.payload}", CHOICES)]
    await gateway.webhook({"sender": "a", "message": "hi"})

    assert (await gateway.webhook({"sender": "b", "message": "/track_order"}))[1][0]["text"] == "None"


async def test_text_sent_before_its_payload_was_offered_stays_the_same_message(gateway):
    gateway.answerer.answer = lambda said: [Reply(f"{said.payload}", CHOICES)]
    body = {"sender": "a", "message": "/person", "message_id": "m1"}
    first = await gateway.webhook(body)

    assert await gateway.webhook(body) == first


# People


async def test_a_conversation_that_a_person_holds_is_recorded_and_not_answered(gateway):
    await gateway.webhook({"sender": "a", "message": "hi"})
    ((conversation_id,),) = gateway.rows("SELECT id FROM conversations")
    await change_owner(gateway.store, gateway.clock, ConversationId(conversation_id), Owner.AGENT)

    assert await gateway.webhook({"sender": "a", "message": "hello, person"}) == (200, [])
    assert ("hello, person", "not_for_bot") in gateway.rows("SELECT text, turn_state FROM messages")


@pytest.mark.parametrize("hints", [True, False], ids=["with wake-ups", "without wake-ups"])
async def test_a_person_who_takes_over_ends_the_waiting(start_gateway, monkeypatch, hints):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    gateway = await start_gateway(hints=hints)
    gateway.answerer.may_answer.clear()
    asking = asyncio.create_task(gateway.webhook({"sender": "a", "message": "hi"}))
    await asyncio.wait_for(gateway.answerer.claimed.wait(), 5)
    ((conversation_id,),) = gateway.rows("SELECT id FROM conversations")
    await change_owner(gateway.store, gateway.clock, ConversationId(conversation_id), Owner.AGENT)
    gateway.answerer.may_answer.set()

    assert await asyncio.wait_for(asking, 5) == (200, [])


# Bodies that are wrong

BAD_BODIES = {
    "nothing": b"",
    "not JSON": b"{oops",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"hi"',
    "nested too deep": b"[" * 60_000,
    "a form": b"sender=a&message=hi",
    "no sender": {"message": "hi"},
    "no message": {"sender": "a"},
    "a sender that is a number": {"sender": 1, "message": "hi"},
    "a sender that is null": {"sender": None, "message": "hi"},
    "a sender that is a list": {"sender": ["a"], "message": "hi"},
    "an empty sender": {"sender": "", "message": "hi"},
    "a sender of spaces": {"sender": " \t ", "message": "hi"},
    "a sender that is too long": {"sender": "a" * 201, "message": "hi"},
    "a sender with a newline": {"sender": "a\nb", "message": "hi"},
    "a sender with a NUL": {"sender": "a\0", "message": "hi"},
    "a sender with half a character": {"sender": "\ud800", "message": "hi"},
    "a message that is null": {"sender": "a", "message": None},
    "a message that is a number": {"sender": "a", "message": 1},
    "a message that is an object": {"sender": "a", "message": {"text": "hi"}},
    "an empty message": {"sender": "a", "message": ""},
    "a message of spaces": {"sender": "a", "message": " \n\t"},
    "a message_id that is a number": {"sender": "a", "message": "hi", "message_id": 1},
    "an empty message_id": {"sender": "a", "message": "hi", "message_id": ""},
    "a message_id that is too long": {"sender": "a", "message": "hi", "message_id": "m" * 201},
    "a message_id with a NUL": {"sender": "a", "message": "hi", "message_id": "m\0"},
}


async def test_every_bad_body_is_a_400_that_says_what_is_wrong(gateway):
    for name, body in BAD_BODIES.items():
        status, problem = await gateway.webhook(body)
        assert (status, problem["code"]) == (400, "bad_request"), name
        assert problem["detail"], name
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]
    assert (await gateway.webhook({"sender": "a", "message": "hi"}))[0] == 200


async def test_2000_characters_are_accepted_and_2001_are_too_long(gateway):
    assert (await gateway.webhook({"sender": "a", "message": "☕" * 2_000}))[0] == 200

    status, problem = await gateway.webhook({"sender": "a", "message": "☕" * 2_001})
    assert (status, problem["code"]) == (413, "too_long")


async def test_an_oversized_body_is_a_413(gateway):
    status, problem = await gateway.webhook({"sender": "a", "message": "x" * application.MAX_BODY_BYTES})

    assert (status, problem["status"]) == (413, 413)


async def test_a_database_that_is_away_is_a_503(gateway):
    gateway.db.error = broken_database()

    status, problem = await gateway.webhook({"sender": "a", "message": "hi", "message_id": "m1"})

    assert (status, problem["code"]) == (503, "unavailable")
    gateway.db.error = None
    assert (await gateway.webhook({"sender": "a", "message": "hi", "message_id": "m1"}))[0] == 200


async def test_a_database_that_takes_too_long_is_not_mistaken_for_a_slow_answer(gateway):
    gateway.db.error = asyncio.TimeoutError()

    assert (await gateway.webhook({"sender": "a", "message": "hi"}))[0] == 503


async def test_a_commit_that_fails_records_nothing(gateway):
    await gateway.webhook({"sender": "a", "message": "hi"})
    gateway.db.commit_error = broken_database()

    assert (await gateway.webhook({"sender": "a", "message": "lost?"}))[0] == 503
    assert gateway.rows("SELECT count(*) FROM messages WHERE text = 'lost?'") == [(0,)]
