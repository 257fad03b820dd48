"""Asking for a person where people work at a desk: what the customer hears, and what the bot knows afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bot.core.agents import Agent, AgentId, Presence, Role
from bot.core.conversations import Author, Owner
from bot.core.handoffs import HandoffReason, Stage, Step
from bot.core.opening_hours import Interval, OpeningHours
from bot.metrics import TurnMetrics
from bot.services.conversations import InboundMessage, receive_message
from bot.services.handoffs import take_step
from bot.services.ids import new_id
from bot.services.standings import standing_of
from tests.services.desk import reply

NOW = datetime.now(timezone.utc)
ANA = Agent(AgentId("ana"), "ana@talacoffee.example", "Ana", Role.AGENT, "hash", NOW, NOW)
NEVER = tuple(() for _ in range(7))


@pytest.fixture
def open_shop(shop):
    return replace(shop, desk=replace(shop.desk, always_open=True))


@pytest.fixture
def closed_shop(shop, clock):
    """A shop that opens in about a day."""
    zone = shop.hours.zone
    tomorrow = (clock.now().astimezone(zone) + timedelta(days=1)).weekday()
    week = [(Interval.parse("00:00-24:00"),) if day == tomorrow else () for day in range(7)]
    return replace(shop, hours=OpeningHours(zone, tuple(week)))


class DeskTalk:
    """A customer's conversation in one of these shops, with Ana at the desk, or not."""

    def __init__(self, talk, shop) -> None:
        self.talk, self.shop, self.db, self.clock = talk, shop, talk.db, talk.clock

    async def say(self, text: str) -> str:
        """Write something, or pick a choice, and return what is said then by anybody."""
        payload = self.talk.choices[text[1:-1]] if text.startswith("[") else None
        inbound = InboundMessage(new_id(), text, payload)
        message = await receive_message(self.db, self.clock, self.talk.conversation.id, inbound, self.shop)
        return "\n".join(one.text for one in await self.talk.answer(message))

    async def step(self, what: Step, *, by: Agent | None = None) -> None:
        async with self.db.transaction() as work:
            locked = await work.conversations.lock(self.talk.conversation.id)
            await take_step(work, self.clock, self.shop, locked, what, by=by)
        async with self.db.reading() as work:
            offered = await work.messages.last_offer(self.talk.conversation.id)
        self.talk.choices.update({choice.title: choice.payload for choice in offered})

    async def standing(self):
        async with self.db.reading() as work:
            return await standing_of(work, await work.conversations.get(self.talk.conversation.id))

    async def stage(self) -> Stage:
        return (await self.standing()).stage


@pytest.fixture
def desk_talk(assistant, demo_db, clock, content, links, talk_as):
    async def begin(shop, *, as_: str | None = None, presence: Presence | None = Presence.ONLINE) -> DeskTalk:
        from bot.dialogue.worker import Worker

        if presence is not None:
            async with demo_db.transaction() as work:
                seen = clock.now() if presence is Presence.ONLINE else None
                await work.agents.add(replace(ANA, presence=presence, seen_at=seen))
        talk = await talk_as(as_)
        talk.worker = Worker("worker-desk", assistant, demo_db, clock, shop, content, links, TurnMetrics())
        return DeskTalk(talk, shop)

    return begin


# Before anybody waits


async def test_open_and_somebody_there(desk_talk, open_shop):
    talk = await desk_talk(open_shop)

    said = await talk.say("i want to talk to a real person")

    assert "You are next in line. Somebody of our team is free" in said
    assert talk.talk.offered == ["Leave a message", "Back to the assistant"]
    standing = await talk.standing()
    assert (standing.stage, standing.conversation.owner) == (Stage.QUEUE, Owner.QUEUE)
    assert await talk.say("hello?") == ""


async def test_open_and_nobody_there_is_said_before_the_customer_waits(desk_talk, open_shop):
    talk = await desk_talk(open_shop, presence=Presence.AWAY)

    said = await talk.say("talk to a human please")

    assert "We are open, but nobody of our team is at the desk right now" in said
    assert await talk.stage() is Stage.QUEUE


async def test_closed_the_customer_hears_until_when_and_says_how_to_be_reached(desk_talk, closed_shop):
    talk = await desk_talk(closed_shop)

    said = await talk.say("talk to a human please")

    assert "Nobody of our team is here now; we are here again tomorrow at 00:00." in said
    assert "by tomorrow at 04:00." in said
    assert "How can we reach you: an e-mail address, or a telephone number?" in said
    # It is noted already, whatever comes of the question.
    assert await talk.stage() is Stage.CALLBACK
    said = await talk.say("jo@mail.example")
    assert "a person will get in touch at jo@mail.example by tomorrow at 04:00." in said
    assert (await talk.standing()).handoff.contact == "jo@mail.example"
    # And the bot goes on.
    assert "opening hours" in (await talk.say("when are you open")).lower()


async def test_closed_a_known_customer_is_not_asked_how_to_be_reached(desk_talk, closed_shop):
    talk = await desk_talk(closed_shop, as_="C-1001")

    said = await talk.say("talk to a human please")

    assert "a person will get in touch at maria@example.com by tomorrow at 04:00." in said
    assert "How can we reach you" not in said


async def test_who_would_rather_not_say_is_answered_in_the_chat(desk_talk, closed_shop):
    talk = await desk_talk(closed_shop)
    await talk.say("talk to a human please")

    assert "A person will answer here in the chat" in await talk.say("[I'd rather not say]")
    assert await talk.stage() is Stage.CALLBACK


async def test_asking_again_while_closed_says_what_is_promised(desk_talk, closed_shop):
    talk = await desk_talk(closed_shop, as_="C-1001")
    await talk.say("talk to a human please")

    assert "by tomorrow at 04:00" in await talk.say("get me a human")
    async with talk.db.reading() as work:
        events = await work.conversations.events(talk.talk.conversation.id)
    assert [event.detail["step"] for event in events if event.kind == "handoff_step"] == ["ask_closed"]


async def test_without_a_desk_it_goes_on_by_mail_and_with_the_bot(desk_talk, open_shop):
    talk = await desk_talk(open_shop, presence=None)

    said = await talk.say("talk to a human please")

    assert "passed your request and this conversation on to our team" in said
    assert (await talk.standing()).conversation.owner is Owner.BOT


# In line


async def test_who_goes_back_to_the_assistant_is_answered_by_it(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")

    assert "You have left the line. Suki, the assistant, goes on from here." in await talk.say(
        "[Back to the assistant]"
    )
    assert "opening hours" in (await talk.say("when are you open")).lower()


async def test_who_leaves_a_message_says_how_to_be_reached(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")

    said = await talk.say("[Leave a message]")
    assert "How can we reach you" in said
    said = await talk.say("0917 123 4567")

    contact = (await talk.standing()).handoff.contact
    assert "9171234567" in contact.replace(" ", "")
    assert f"a person will get in touch at {contact} by" in said


# Afterwards


async def test_after_a_return_the_bot_works_again_and_a_second_request_does_too(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    assert await talk.say("where is my order TC-10002?") == ""
    await talk.step(Step.RETURN, by=ANA)

    assert "opening hours" in (await talk.say("what are your opening hours?")).lower()
    assert "next in line" in await talk.say("i want a person again")
    assert (await talk.standing()).handoff.wanted_agent_id == ANA.id


async def test_after_a_return_the_bot_knows_which_order_was_spoken_of(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    await talk.say("where is my order TC-10002?")
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await talk.say("it is about my other one, 10003")
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA, "I see, and nobody has TC-99999. One moment.")
    await talk.step(Step.RETURN, by=ANA)

    assert "Order TC-10003 is being prepared" in await talk.say("ok, then where is it?")
    assert "Order TC-10003 is being prepared" in await talk.say("where is it")
    assert "I can cancel order TC-10003" in await talk.say("cancel it")


async def test_an_order_that_a_stranger_spoke_of_with_people_is_still_to_be_proven(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("where is TC-10010, postcode 6000")
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA, "And TC-10003?")
    await talk.step(Step.RETURN, by=ANA)

    said = await talk.say("ok, then where is it?")

    assert "e-mail address" in said and "being prepared" not in said and "I find no order" not in said


async def test_where_the_shop_is_may_be_asked_after_an_order_too(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    await talk.say("where is my order TC-10003?")

    assert "Order TC-10003 is being prepared" in await talk.say("where is it?")
    await talk.say("and when does your shop open?")
    assert "Mabini Street" in await talk.say("where is it?")


async def test_after_a_return_the_bot_knows_what_was_said_last(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await talk.step(Step.RETURN, by=ANA)

    assert "Ana has left. Suki, the assistant, goes on from here." in await talk.say("can you repeat that?")


async def test_what_was_going_on_before_a_person_came_is_over(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    assert "Shall I" in await talk.say("cancel TC-10003")
    await talk.step(Step.TAKE_OVER, by=ANA)
    await talk.step(Step.RETURN, by=ANA)

    await talk.say("yes")

    async with talk.db.reading() as work:
        assert (await work.orders.by_number("TC-10003")).status.value == "preparing"


async def test_how_it_was_is_asked_once_and_answered_with_a_number(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    await talk.step(Step.RESOLVE, by=ANA)

    said = await talk.say("5")

    assert "you make our day" in said
    async with talk.db.reading() as work:
        standing = await standing_of(work, await work.conversations.get(talk.talk.conversation.id))
        handoff = await work.handoffs.last_of(talk.talk.conversation.id)
        answered = await work.feedback.by_key(f"csat:handoff:{handoff.id}")
    assert (answered.score, standing.stage) == (5, Stage.BOT)
    assert "How happy are you" not in await talk.say("thanks, bye")


async def test_a_picked_score_does_not_open_what_was_resolved(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    await talk.step(Step.RESOLVE, by=ANA)

    assert "helps us to get better" in await talk.say("[4]")
    assert await talk.stage() is Stage.RESOLVED


async def test_how_it_was_is_answered_where_the_bot_has_never_spoken(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.step(Step.TAKE_OVER, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    await talk.step(Step.RESOLVE, by=ANA)

    assert "helps us to get better" in await talk.say("[4]")


async def test_nobody_is_asked_how_it_was_where_no_person_wrote(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await talk.step(Step.RETURN, by=ANA)

    async with talk.db.reading() as work:
        assert await work.messages.last_offer(talk.talk.conversation.id) == ()


async def test_a_low_rating_brings_a_person(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    await reply(talk.db, talk.clock, talk.talk.conversation, ANA)
    await talk.step(Step.RETURN, by=ANA)
    await talk.say("1")

    said = await talk.say("nobody read what I wrote")

    assert "next in line" in said
    assert (await talk.standing()).handoff.reason is HandoffReason.LOW_RATING
    assert (await talk.standing()).handoff.priority == 1


# Without having been asked for


@pytest.mark.parametrize("text", ["this is the worst service ever, you lied to me!!", "you will hear from my lawyer"])
async def test_anger_and_threats_bring_a_person_first(desk_talk, open_shop, text):
    talk = await desk_talk(open_shop)

    said = await talk.say(text)

    assert "I'm sorry that we have let you down." in said and "next in line" in said
    handoff = (await talk.standing()).handoff
    assert (handoff.reason, handoff.priority) == (HandoffReason.ANGER, 1)


async def test_who_left_the_line_is_not_put_back_for_being_angry(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.say("[Back to the assistant]")

    await talk.say("this is the worst service ever")

    assert (await talk.standing()).conversation.owner is Owner.BOT


async def test_who_left_a_message_is_not_put_back_in_line_for_being_angry(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.say("[Leave a message]")
    await talk.say("jo@mail.example")

    await talk.say("this is the worst service ever")

    assert await talk.stage() is Stage.CALLBACK
    # For a while: later on it is a new matter.
    talk.clock.ahead += timedelta(hours=1)
    assert "next in line" in await talk.say("this is the worst service ever")


@pytest.mark.parametrize("text", ["you stupid idiots", "you will hear from my lawyer"])
async def test_anger_and_threats_while_nobody_can_come_are_noted_for_a_call_back(desk_talk, closed_shop, text):
    talk = await desk_talk(closed_shop)

    said = await talk.say(text)

    assert "I'm sorry that we have let you down. Nobody of our team is here now" in said
    assert "How can we reach you" in said
    standing = await talk.standing()
    assert (standing.stage, standing.handoff.reason) == (Stage.CALLBACK, HandoffReason.ANGER)


async def test_who_is_to_be_called_back_already_is_answered_however_they_feel(desk_talk, closed_shop):
    talk = await desk_talk(closed_shop, as_="C-1001")
    await talk.say("you will hear from my lawyer")

    said = await talk.say("you idiots, where is my order TC-10002?")

    assert "let you down" not in said and "TC-10002 is on its way" in said


async def test_what_is_not_understood_twice_brings_a_person(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("blorp zanni grelk")

    said = await talk.say("flim flam kazoo wibble")

    assert "I do not understand it" in said and "next in line" in said
    assert (await talk.standing()).handoff.reason is HandoffReason.MISUNDERSTOOD


async def test_after_people_had_it_understanding_begins_anew(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("blorp zanni grelk")
    await talk.step(Step.TAKE_OVER, by=ANA)
    await talk.step(Step.RETURN, by=ANA)

    await talk.say("flim flam kazoo wibble")

    assert (await talk.standing()).conversation.owner is Owner.BOT


async def test_a_wish_that_the_shop_gives_to_people_goes_to_them(desk_talk, open_shop):
    shop = replace(open_shop, desk=replace(open_shop.desk, for_people=frozenset({"return_item"})))
    talk = await desk_talk(shop, as_="C-1002")

    said = await talk.say("i want to send my order back")

    assert "Our team sees to that in person." in said and "next in line" in said
    handoff = (await talk.standing()).handoff
    assert (handoff.reason, handoff.topic) == (HandoffReason.FOR_PEOPLE, "returns")


async def test_what_goes_along_is_what_was_said(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    await talk.say("where is my order TC-10002")
    await talk.say("it is late")
    await talk.say("human please")

    handoff = (await talk.standing()).handoff
    assert handoff.summary["order"] == "TC-10002"
    assert "Where is my order?" in (handoff.summary["wish"], handoff.summary.get("tried"))
    assert handoff.summary["mood"].startswith("unhappy")


async def test_a_call_back_that_was_asked_for_is_work_for_agents(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    for text in ("can someone call me pls", "0917 123 4567", "my order came without filters"):
        await talk.say(text)
    await talk.say("yes")

    standing = await talk.standing()
    assert standing.stage is Stage.CALLBACK
    assert standing.handoff.reason is HandoffReason.CALLBACK and standing.handoff.due_at is not None


async def test_the_bot_says_nothing_to_a_conversation_that_is_not_its_own(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("talk to a human please")
    await talk.step(Step.CLAIM, by=ANA)
    for text in ("hello", "where is my order", "bye"):
        assert await talk.say(text) == ""

    async with talk.db.reading() as work:
        said = await work.messages.after(talk.talk.conversation.id, 0)
    claimed = next(one.seq for one in said if one.text == "Ana has joined the conversation.")
    assert not [one for one in said if one.seq > claimed and one.author is Author.BOT]
