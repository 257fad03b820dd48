"""What a person reads who takes a conversation over, after a talk with the real assistant."""

from __future__ import annotations

from bot.core.handoffs import HandoffReason, Step
from tests.dialogue.test_desk import ANA, desk_talk, open_shop

__all__ = ["desk_talk", "open_shop"]


async def test_what_was_asked_agreed_to_and_declined_goes_along(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    await talk.say("where is my order TC-10002?")
    assert "Shall I" in await talk.say("cancel TC-10003")
    await talk.say("no")
    assert "Shall I" in await talk.say("cancel TC-10003")
    await talk.say("yes")

    await talk.say("i want to talk to a real person")

    summary = (await talk.standing()).handoff.summary
    assert (summary["wish"], summary["said"]) == ("Cancel an order", "cancel TC-10003")
    assert summary["agreed"] == summary["declined"] == "Cancel an order (TC-10003)"
    assert "Where is my order?" in summary["tried"]
    assert "unfinished" not in summary


async def test_what_was_in_the_middle_is_unfinished_for_whoever_steps_in(desk_talk, open_shop):
    talk = await desk_talk(open_shop, as_="C-1001")
    assert "Shall I" in await talk.say("cancel TC-10003")

    await talk.step(Step.TAKE_OVER, by=ANA)

    handoff = (await talk.standing()).handoff
    assert handoff.reason is HandoffReason.TAKEN_OVER
    assert (handoff.summary["unfinished"], handoff.summary["order"]) == ("Cancel an order", "TC-10003")


async def test_what_gave_way_to_a_person_is_unfinished_and_not_declined(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("where is my order TC-10002?")

    await talk.say("this is ridiculous, you idiots!")

    handoff = (await talk.standing()).handoff
    assert (handoff.reason, handoff.summary["unfinished"]) == (HandoffReason.ANGER, "Where is my order?")
    assert "declined" not in handoff.summary and handoff.summary["mood"] == "angry (ridiculous, idiots)"


async def test_what_was_not_understood_is_counted(desk_talk, open_shop):
    talk = await desk_talk(open_shop)
    await talk.say("blorp zanni grelk")
    await talk.say("flim flam kazoo wibble")

    handoff = (await talk.standing()).handoff
    assert handoff.reason is HandoffReason.MISUNDERSTOOD
    assert handoff.summary["unclear"] == "2 of the last 2 messages"
