"""People in conversations over REST, which hears of them with the sender's next message: on both databases."""

from __future__ import annotations

import pytest

from bot.core.conversations import Choice, Reply
from bot.gateway.rest import CHANNEL
from bot.services.conversations import open_channel_conversation
from bot.services.handoff_words import BACK_TO_BOT, WAIT_ON
from tests.gateway.desk_client import wants_a_person
from tests.gateway.desk_fixtures import ana, desk_gateway

__all__ = ["ana", "desk_gateway"]

CHOICES = (Choice("Go on waiting", WAIT_ON), Choice("Back to the assistant", BACK_TO_BOT))


@pytest.fixture
async def say(desk_gateway):
    """What "a" hears who writes something."""

    async def say(text, message_id=None):
        body = {"sender": "a", "message": text, **({"message_id": message_id} if message_id else {})}
        status, answers = await desk_gateway.webhook(body)
        assert status == 200, answers
        return [one["text"] for one in answers]

    return say


@pytest.fixture
async def in_line(desk_gateway, ana, say):
    """The conversation of "a", who has asked for a person."""
    answer, desk_gateway.answerer.answer = desk_gateway.answerer.answer, lambda _: [Reply("Wait?", CHOICES)]
    assert await say("a person, please") == ["Wait?"]
    desk_gateway.answerer.answer = answer
    gateway = desk_gateway
    talk = await open_channel_conversation(gateway.store, gateway.clock, channel=CHANNEL, external_id="a")
    await wants_a_person(gateway, talk.id)
    return talk.id


async def test_what_people_say_comes_with_the_next_message_and_once(ana, in_line, say):
    await ana.do(in_line, "claim")
    await ana.reply(in_line, "Hello")
    await ana.reply(in_line, "How can I help?")

    heard = await say("anybody?", "m1")

    joined = "Ana Cruz has joined the conversation."
    assert heard == [joined, "Ana Cruz: Hello", "Ana Cruz: How can I help?"]
    assert await say("it is broken", "m2") == []
    # The same message is answered in the same way.
    assert await say("anybody?", "m1") == heard
    assert await say("it is broken", "m2") == []


async def test_after_a_person_the_bot_answers_below_what_was_said_meanwhile(ana, in_line, say):
    await ana.do(in_line, "claim")
    await say("hello?")
    await ana.reply(in_line, "It is on its way.")
    await ana.do(in_line, "return")

    heard = await say("thanks")

    assert heard[0] == "Ana Cruz: It is on its way."
    assert heard[1].startswith("Ana Cruz has left.")
    assert heard[-1] == "echo: thanks"
    assert await say("bye") == ["echo: bye"]


@pytest.mark.parametrize(
    ("choice", "said"), [(WAIT_ON, "All right, you keep your place."), (BACK_TO_BOT, "You have left the line.")]
)
async def test_what_somebody_chooses_who_waits_is_answered_at_once_and_once(in_line, say, choice, said):
    heard = await say(choice, "m1")

    assert len(heard) == 1 and heard[0].startswith(said)
    assert await say(choice, "m1") == heard
    assert all(said not in text for text in await say("and now?"))
