"""What a customer asked a person who gave the conversation back: the assistant answers it."""

from __future__ import annotations

from bot.core.handoffs import Step
from bot.services.conversations import InboundMessage, end_conversation, receive_message
from bot.services.ids import new_id
from tests.dialogue.test_desk import ANA, desk_talk, open_shop
from tests.services.desk import reply

__all__ = ["desk_talk", "open_shop"]


async def given_back(talk, text):
    """What is said after the customer has written that to Ana, who gives the conversation back."""
    await talk.say("i want to talk to a real person")
    await talk.step(Step.CLAIM, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    inbound = InboundMessage(new_id(), text)
    message = await receive_message(talk.db, talk.clock, talk.talk.conversation.id, inbound, talk.shop)
    await talk.step(Step.RETURN, by=ANA)
    return [one.text for one in await talk.talk.answer(message)]


async def test_a_question_that_a_person_left_is_answered_and_how_it_was_is_asked_still(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    left, how, answer, again = await given_back(talk, "what are your opening hours?")

    assert left.startswith("Ana has left.") and "How happy are you" in how
    assert "Our opening hours" in answer and "from 1 to 5" in again
    assert "you make our day" in await talk.say("5")


async def test_who_only_thanks_is_asked_how_it_was_and_nothing_else(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    left, how = await given_back(talk, "thanks a lot!")

    assert left.startswith("Ana has left.") and "How happy are you" in how
    assert "you make our day" in await talk.say("5")


async def test_what_was_going_on_is_over_once_the_customer_has_ended_the_chat(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    assert "Shall I" in await talk.say("cancel TC-10003")
    await talk.step(Step.TAKE_OVER, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    await end_conversation(talk.db, talk.clock, talk.shop, talk.talk.conversation.id)

    await talk.say("yes")

    async with talk.db.reading() as work:
        assert (await work.orders.by_number("TC-10003")).status.value == "preparing"


async def test_whoever_ended_the_chat_can_say_how_it_was(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    await end_conversation(talk.db, talk.clock, talk.shop, talk.talk.conversation.id)

    assert "you make our day" in await talk.say("5")
