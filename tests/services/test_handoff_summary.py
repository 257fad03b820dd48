"""What goes along to a person: from what was said and understood, for whatever reason one comes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.core.handoffs import HandoffReason, Step
from bot.core.requests import RequestKind
from bot.services.handoff_summary import NOTES_LOOKED_AT, latest_wish, mood_in_words, summary_from, summary_of
from bot.services.handoffs import note_call_back
from bot.services.turns import claim_turn, give_up_turn
from tests.builders import a_request, conversation_now, stored_conversation, written
from tests.services.desk import ANA, add_agents, ask, standing_now, step

Note = dict[str, Any]


@pytest.fixture
async def desk(sql_db):
    await add_agents(sql_db, ANA)


def said(text: str, intent: str, message_id: str = "", picked: bool = False, **entities: str) -> Note:
    """What the dialogue notes of a message."""
    found = [{"entity": name, "value": value} for name, value in entities.items()]
    parsed = {"intent": {"name": intent, "confidence": 0.9}, "entities": found, "picked": picked}
    return {"event": "user", "text": text, "message_id": message_id, "parse_data": parsed}


def slot(name: str, value: Any) -> Note:
    return {"event": "slot", "name": name, "value": value}


def did(name: str) -> Note:
    return {"event": "action", "name": name}


# An order was to be cancelled; the question whether to do so is open.
CANCELLING = [
    said("cancel TC-10003 please", "cancel_order", order_number="TC-10003"),
    slot("wish", "cancel_order"),
    slot("order_number", "TC-10003"),
    slot("requested_slot", "confirmed"),
]
ENDED = [slot("wish", None), slot("last_order", "TC-10003"), slot("order_number", None), slot("requested_slot", None)]


async def noted(db, clock, conversation, *notes: Note) -> None:
    async with db.transaction() as work:
        events = [(json.dumps(note), False) for note in notes]
        await work.tracker_events.append(conversation.id, 0, events, clock.now())


# What the notes tell


def test_of_nothing_there_is_no_summary():
    assert summary_from([]) == {}
    assert latest_wish([]) is None
    assert summary_from([said("hello", "greet")]) == {}


def test_the_wish_in_their_words_with_its_details_and_what_else_was_asked():
    notes = [
        said("when are you open", "opening_hours"),
        said("where is TC-10002? jo@mail.example", "track_order", order_number="TC-10002", email="jo@mail.example"),
        said("/affirm", "affirm", picked=True),
    ]

    assert summary_from(notes) == {
        "wish": "Where is my order?",
        "said": "where is TC-10002? jo@mail.example",
        "order": "TC-10002",
        "details": "TC-10002, jo@mail.example",
        "tried": "Opening hours",
    }
    assert latest_wish(notes) == "track_order"


def test_codes_and_the_like_are_nobodys_business():
    assert "details" not in summary_from([said("482915", "provide_details", code="482915")])


def test_what_was_agreed_to_what_was_declined_and_what_is_unfinished():
    agreed = summary_from([*CANCELLING, said("yes", "affirm"), *ENDED])
    declined = summary_from([*CANCELLING, said("no", "deny"), *ENDED])
    dropped = summary_from([*CANCELLING, said("forget it", "cancel_dialogue"), did("action_drop_task"), *ENDED])

    assert (agreed["agreed"], agreed["order"]) == ("Cancel an order (TC-10003)", "TC-10003")
    assert declined["declined"] == dropped["declined"] == "Cancel an order (TC-10003)"
    assert not {"declined", "unfinished"} & set(agreed) and not {"agreed", "unfinished"} & set(declined)
    assert summary_from(CANCELLING)["unfinished"] == "Cancel an order"


def test_what_gave_way_to_a_person_is_unfinished_and_not_declined():
    asked = [*CANCELLING, said("get me a person", "contact_human_agent"), did("action_drop_task"), *ENDED]

    summary = summary_from(asked)

    assert summary["unfinished"] == "Cancel an order" and "declined" not in summary
    assert "unfinished" not in summary_from([*asked, said("hello again", "greet")])


def test_an_answer_to_something_else_is_no_agreement():
    other_question = [*CANCELLING[:-1], slot("requested_slot", "order_number")]

    assert "agreed" not in summary_from([*other_question, said("yes", "affirm"), *ENDED])


def test_what_was_going_on_before_people_came_is_not_unfinished():
    after = [*CANCELLING, {"event": "session_started"}, slot("last_order", "TC-10003"), said("hi", "greet")]

    summary = summary_from(after)

    assert "unfinished" not in summary and summary["order"] == "TC-10003"


def test_what_was_not_understood_is_counted():
    notes = [
        said("blorp", "out_of_scope"),
        did("action_decline"),
        said("when are you open", "opening_hours"),
        said("zanni", "out_of_scope"),
        did("action_decline"),
    ]

    assert summary_from(notes)["unclear"] == "2 of the last 3 messages"


def test_a_score_goes_along():
    assert summary_from([said("2", "provide_details", rating="2")])["rating"] == "2"
    assert summary_from([said("so so", "provide_details"), slot("rating", 1)])["rating"] == "1"
    assert "rating" not in summary_from([said("skip", "provide_details", rating="skip")])


@pytest.mark.parametrize(
    ("texts", "mood"),
    [
        (["where is it?", "thanks"], None),
        (["it is late", "ok"], "unhappy (late)"),
        (["this is ridiculous!", "it is late"], "angry (ridiculous)"),
    ],
)
def test_the_worst_of_the_last_moods_is_told_with_its_words(texts, mood):
    assert mood_in_words(texts) == mood


# What the database knows


async def test_a_failed_turn_brings_along_what_was_known_and_what_it_failed_at(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    first, _ = await written(sql_db, clock, conversation, "where is TC-10002", "and now this is ridiculous!")
    await noted(sql_db, clock, conversation, said(first.text, "track_order", first.id, order_number="TC-10002"))
    turn = await claim_turn(sql_db, clock, "worker")

    await give_up_turn(sql_db, clock, open_shop, turn)

    handoff = (await standing_now(sql_db, conversation)).handoff
    assert (handoff.reason, handoff.summary) == (
        HandoffReason.TURN_FAILED,
        {
            "wish": "Where is my order?",
            "said": "and now this is ridiculous!",
            "order": "TC-10002",
            "details": "TC-10002",
            "mood": "angry (ridiculous)",
        },
    )


async def test_a_first_message_at_which_the_assistant_failed_is_still_told(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation, "My mug is broken.")

    await give_up_turn(sql_db, clock, open_shop, await claim_turn(sql_db, clock, "worker"))

    summary = (await standing_now(sql_db, conversation)).handoff.summary
    assert summary == {"said": "My mug is broken.", "mood": "unhappy (broken)"}


@pytest.mark.parametrize("reason", [one for one in HandoffReason if one is not HandoffReason.TAKEN_OVER])
async def test_whatever_the_reason_what_is_known_goes_along(sql_db, clock, open_shop, desk, reason):
    conversation = await stored_conversation(sql_db)
    (message,) = await written(sql_db, clock, conversation, "cancel TC-10003 please")
    await noted(sql_db, clock, conversation, {**CANCELLING[0], "message_id": message.id}, *CANCELLING[1:])

    summary = (await ask(sql_db, clock, open_shop, conversation, reason)).handoff.summary

    assert summary == {
        "wish": "Cancel an order",
        "said": "cancel TC-10003 please",
        "order": "TC-10003",
        "details": "TC-10003",
        "unfinished": "Cancel an order",
    }


async def test_what_was_noted_for_the_team_under_a_number_goes_along(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    async with sql_db.transaction() as work:
        request = a_request(conversation, number="S-482915", kind=RequestKind.REPORT_PROBLEM)
        assert await work.requests.add(request)

    assert (await ask(sql_db, clock, open_shop, conversation)).handoff.summary == {"noted": "S-482915 (report problem)"}


async def test_who_steps_in_sees_what_it_is_about(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    (message,) = await written(sql_db, clock, conversation, "cancel TC-10003 please")
    await noted(sql_db, clock, conversation, {**CANCELLING[0], "message_id": message.id}, *CANCELLING[1:])

    taken = await step(sql_db, clock, open_shop, conversation, Step.TAKE_OVER, by=ANA)

    assert taken.handoff.summary["unfinished"] == "Cancel an order"
    assert taken.handoff.summary["order"] == "TC-10003"


async def test_a_call_back_says_what_it_is_about(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation, "call me about my grinder")

    async with sql_db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        await note_call_back(work, clock, open_shop, locked, "0917 123 4567", summary={"wish": "Be called back"})

    handoff = (await standing_now(sql_db, conversation)).handoff
    assert (handoff.reason, handoff.contact) == (HandoffReason.CALLBACK, "0917 123 4567")
    assert handoff.summary == {"wish": "Be called back"}


async def test_of_a_long_conversation_the_end_is_read(sql_db, clock, desk):
    conversation = await stored_conversation(sql_db)
    old = [said("cancel it", "cancel_order"), *[did("action_listen")] * NOTES_LOOKED_AT]
    await noted(sql_db, clock, conversation, *old, said("when are you open", "opening_hours"))

    async with sql_db.reading() as work:
        summary = await summary_of(work, await conversation_now(sql_db, conversation.id))

    assert summary == {"wish": "Opening hours", "said": "when are you open"}


async def test_the_turn_under_way_counts_as_well(sql_db, clock, desk):
    conversation = await stored_conversation(sql_db)
    first, second = await written(sql_db, clock, conversation, "cancel TC-10003 please", "get me a person")
    kept = [{**CANCELLING[0], "message_id": first.id}, *CANCELLING[1:]]
    await noted(sql_db, clock, conversation, *kept)
    now = said("get me a person", "contact_human_agent", second.id)

    async with sql_db.reading() as work:
        same_session = await summary_of(work, conversation, [*kept, now])
        new_session = await summary_of(work, conversation, [{"event": "session_started"}, now])

    assert same_session["said"] == new_session["said"] == "cancel TC-10003 please"
    assert same_session["unfinished"] == "Cancel an order"
    assert new_session["wish"] == "Cancel an order" and "unfinished" not in new_session
