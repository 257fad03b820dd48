"""What comes in from messaging channels is taken in once, in the right conversation, and as what it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.attachments import MAX_FILES_A_DAY, IncomingFile
from bot.core.channels import TELEGRAM
from bot.core.conversations import MAX_TEXT_CHARACTERS, Author, Choice, Owner, TurnState
from bot.core.handoffs import Stage, Step
from bot.services import channel_inbox
from bot.services.account_links import issue_link
from bot.services.attachments import FILE_ANSWER, check_file, read_file
from bot.services.channel_inbox import (
    ONLY_WORDS,
    UPDATES_KEPT,
    Arrived,
    Picked,
    Said,
    Sent,
    Stopped,
    Taken,
    forget_updates,
    take_in,
)
from bot.services.conversations import channel_conversation, open_channel_conversation
from bot.services.sign_out import sign_out
from tests.builders import conversation_now, events_now, stored_customer
from tests.sample_files import TAKEN
from tests.services.desk import ANA, add_agents, ask, open_always, stage, standing_now, step
from tests.services.test_courier import CAPABILITIES, say

WITH_BUTTONS = CAPABILITIES
WITHOUT_BUTTONS = replace(CAPABILITIES, buttons=0)
YES_OR_NO = (Choice("Yes", '/affirm{"question": "erase"}'), Choice("No", "/deny"))


@pytest.fixture
def take(sql_db, clock):
    async def take(update_id, event, capabilities=WITH_BUTTONS, **more):
        return await take_in(sql_db, clock, TELEGRAM, capabilities, update_id, event, **more)

    return take


async def talk_with(db, clock, address="1001"):
    return await open_channel_conversation(db, clock, channel=TELEGRAM, external_id=address)


async def said_in(db, clock, address="1001"):
    talk = await talk_with(db, clock, address)
    async with db.reading() as work:
        return await work.messages.after(talk.id, 0)


@pytest.fixture
async def in_line(sql_db, clock, shop, take):
    """Somebody who waits for a person, Ana being there."""
    shop = open_always(shop)
    await add_agents(sql_db, ANA)
    await take("1", Said("1001", "Hello"))
    conversation = await talk_with(sql_db, clock)
    await ask(sql_db, clock, shop, conversation)
    return shop, conversation


async def test_who_stops_us_waits_for_nobody(sql_db, clock, take, in_line):
    _, conversation = in_line

    assert await take("2", Stopped("1001")) is Taken.STOPPED

    assert await stage(sql_db, conversation) is Stage.RESOLVED
    steps = [event.detail["step"] for event in await events_now(sql_db, conversation.id, "handoff_step")]
    assert steps == ["ask", "stop"]
    # Who comes back is answered.
    await take("3", Said("1001", "I am back"))
    assert await stage(sql_db, conversation) is Stage.BOT


async def test_a_person_who_has_somebody_that_stops_us_reads_so_at_the_desk(sql_db, clock, take, in_line):
    shop, conversation = in_line
    await step(sql_db, clock, shop, conversation, Step.CLAIM, by=ANA)
    sql_db.hints.clear()

    await take("2", Stopped("1001"))

    standing = await standing_now(sql_db, conversation)
    assert (standing.stage, standing.handoff.agent_id) == (Stage.AGENT, ANA.id)
    last = (await events_now(sql_db, conversation.id, "handoff_step"))[-1]
    assert last.detail["step"] == "stop"
    assert "desk" in {hint.topic for hint in sql_db.hints}


async def test_who_stops_us_is_called_back_all_the_same(sql_db, clock, take, in_line):
    shop, conversation = in_line
    await step(sql_db, clock, shop, conversation, Step.LEAVE_MESSAGE)

    await take("2", Stopped("1001"))

    assert await stage(sql_db, conversation) is Stage.CALLBACK


async def test_a_message_is_recorded_and_waits_for_its_turn(sql_db, clock, take):
    assert await take("1", Said("1001", " Where is my order? ")) is Taken.RECORDED

    (message,) = await said_in(sql_db, clock)
    assert (message.author, message.text) == (Author.CUSTOMER, "Where is my order?")
    assert (message.external_id, message.turn_state) == ("telegram:1", TurnState.PENDING)
    assert {hint.topic for hint in sql_db.hints} == {"inbound", "echo"}


async def test_the_same_update_is_taken_in_once_however_often_and_at_once(sql_db, clock, take):
    found = await asyncio.gather(*(take("1", Said("1001", "hello")) for _ in range(20)))
    again = await take("1", Said("1001", "something else"))

    assert sorted(found).count(Taken.RECORDED) == 1 and again is Taken.REPEATED
    assert [message.text for message in await said_in(sql_db, clock)] == ["hello"]


async def test_two_accounts_have_two_conversations(sql_db, clock, take):
    await take("1", Said("1001", "I am Maria"))
    await take("2", Said("2002", "I am John"))

    assert [message.text for message in await said_in(sql_db, clock)] == ["I am Maria"]
    assert [message.text for message in await said_in(sql_db, clock, "2002")] == ["I am John"]


async def test_a_text_longer_than_a_message_is_kept_whole_in_several(sql_db, clock, take):
    words = "word " * 900
    await take("1", Said("1001", words))

    said = await said_in(sql_db, clock)
    assert [message.external_id for message in said] == ["telegram:1", "telegram:1:1", "telegram:1:2"]
    assert all(len(message.text) <= MAX_TEXT_CHARACTERS for message in said)
    assert " ".join(message.text for message in said).split() == words.split()


@pytest.mark.parametrize("text", ["", "  \n", "\x00"])
async def test_a_text_without_words_is_no_message_or_a_sign_for_what_was_there(sql_db, clock, take, text):
    taken = await take("1", Said("1001", text))

    assert taken is (Taken.RECORDED if text == "\x00" else Taken.EMPTY)


async def test_a_button_is_the_choice_that_it_stands_for(sql_db, clock, take):
    talk = await talk_with(sql_db, clock)
    await say(sql_db, talk, "Shall I?", choices=YES_OR_NO)
    async with sql_db.transaction() as work:
        yes, _ = await work.deliveries.tokens_of(talk.id, 1, YES_OR_NO)

    assert await take("1", Picked("1001", yes)) is Taken.RECORDED
    message = (await said_in(sql_db, clock))[-1]
    assert (message.text, message.payload) == ("Yes", YES_OR_NO[0].payload)


@pytest.mark.parametrize("token", ["", "made-up", YES_OR_NO[0].payload, "/affirm", "x" * 64])
async def test_nobody_picks_what_they_were_not_offered(sql_db, clock, take, token):
    talk = await talk_with(sql_db, clock)
    await say(sql_db, talk, "Shall I?", choices=YES_OR_NO)

    assert await take("1", Picked("1001", token)) is Taken.UNKNOWN_BUTTON
    assert len(await said_in(sql_db, clock)) == 1


async def test_nobody_presses_a_button_of_another_conversation(sql_db, clock, take):
    talk = await talk_with(sql_db, clock)
    await say(sql_db, talk, "Shall I?", choices=YES_OR_NO)
    async with sql_db.transaction() as work:
        yes, _ = await work.deliveries.tokens_of(talk.id, 1, YES_OR_NO)

    assert await take("1", Picked("2002", yes)) is Taken.UNKNOWN_BUTTON
    assert await said_in(sql_db, clock, "2002") == []


@pytest.mark.parametrize(("text", "picked"), [("2", "/deny"), (" 1. ", YES_OR_NO[0].payload), ("(2)", "/deny")])
async def test_a_number_is_the_choice_of_that_number(sql_db, clock, take, text, picked):
    await say(sql_db, await talk_with(sql_db, clock), "Shall I?", choices=YES_OR_NO)
    await take("1", Said("1001", text), WITHOUT_BUTTONS)

    assert (await said_in(sql_db, clock))[-1].payload == picked


@pytest.mark.parametrize("text", ["3", "0", "10002", "2 mugs"])
async def test_any_other_number_is_a_number(sql_db, clock, take, text):
    await say(sql_db, await talk_with(sql_db, clock), "Shall I?", choices=YES_OR_NO)
    await take("1", Said("1001", text), WITHOUT_BUTTONS)

    message = (await said_in(sql_db, clock))[-1]
    assert (message.text, message.payload) == (text, None)


@pytest.mark.parametrize(("text", "picked"), [("9", "/score9"), ("0", "/score0"), ("10", "/score10"), ("11", None)])
async def test_a_score_is_the_score_and_not_a_place_in_the_list(sql_db, clock, take, text, picked):
    scores = (*(Choice(f"{score}", f"/score{score}") for score in range(10, -1, -1)), Choice("Not now", "/deny"))
    await say(sql_db, await talk_with(sql_db, clock), "How likely?", choices=scores)
    await take("1", Said("1001", text), WITHOUT_BUTTONS)

    assert (await said_in(sql_db, clock))[-1].payload == picked


async def test_an_album_is_answered_once(sql_db, clock, take):
    for number in range(4):
        await take(f"{number}", Sent("1001", "a picture"))
    await take("9", Said("1001", "look at these"))

    said = [message.text for message in await said_in(sql_db, clock)]
    assert said == ["[a picture]", ONLY_WORDS, "[a picture]", "[a picture]", "[a picture]", "look at these"]


async def test_where_choices_are_buttons_a_number_is_a_number(sql_db, clock, take):
    await say(sql_db, await talk_with(sql_db, clock), "How many? Or all?", choices=YES_OR_NO)
    await take("1", Said("1001", "2"))

    assert (await said_in(sql_db, clock))[-1].payload is None


async def test_whoever_stopped_us_hears_nothing_until_they_write_again(sql_db, clock, take):
    talk = await talk_with(sql_db, clock)
    await say(sql_db, talk, "hello")
    assert await take("1", Stopped("1001")) is Taken.STOPPED
    await say(sql_db, talk, "are you there?")
    now = clock.now()
    async with sql_db.transaction() as work:
        assert await work.deliveries.claim_due([TELEGRAM], now, now) is None

    await take("2", Said("1001", "I am back"))
    await say(sql_db, talk, "welcome back")
    async with sql_db.transaction() as work:
        delivery = await work.deliveries.claim_due([TELEGRAM], now, now)
    # What was said meanwhile is not told afterwards.
    assert (delivery.seq, delivery.stopped_at) == (2, None)


async def test_somebody_of_whom_nothing_is_known_may_stop_us(sql_db, clock, take):
    assert await take("1", Stopped("3003")) is Taken.STOPPED
    await say(sql_db, await talk_with(sql_db, clock, "3003"), "hello")

    async with sql_db.transaction() as work:
        assert await work.deliveries.claim_due([TELEGRAM], clock.now(), clock.now()) is None


async def test_a_picture_without_words_is_kept_and_answered_that_words_are_needed(sql_db, clock, take):
    assert await take("1", Sent("1001", "a picture")) is Taken.RECORDED
    await take("2", Said("1001", "my mug is broken"))

    picture, answer, words = await said_in(sql_db, clock)
    assert (picture.text, picture.turn_state) == ("[a picture]", TurnState.NOT_FOR_BOT)
    assert (answer.author, answer.text, answer.reply_to_seq) == (Author.BOT, ONLY_WORDS, 1)
    assert [choice.title for choice in answer.choices] == ["Talk to a person"]
    assert (words.seq, words.turn_state) == (3, TurnState.PENDING)
    async with sql_db.transaction() as work:
        assert await work.deliveries.claim_due([TELEGRAM], clock.now(), clock.now()) is not None


async def test_a_picture_in_the_middle_of_a_question_leaves_it_open(sql_db, clock, take):
    await say(sql_db, await talk_with(sql_db, clock), "Shall I cancel it?", choices=YES_OR_NO)
    await take("1", Sent("1001", "a picture"))

    assert (await said_in(sql_db, clock))[-1].choices == YES_OR_NO


async def test_pictures_long_after_each_other_are_each_answered(sql_db, clock, take):
    await take("1", Sent("1001", "a picture"))
    clock.advance(timedelta(hours=1))
    await take("2", Sent("1001", "a picture"))

    assert [message.text for message in await said_in(sql_db, clock)] == ["[a picture]", ONLY_WORDS] * 2


async def test_a_file_is_kept_with_its_message_and_answered(sql_db, clock, take):
    file = check_file(IncomingFile("mug.jpg", TAKEN["image/jpeg"]))
    await take("1", Sent("1001", "a picture", file=file))
    await take("1", Sent("1001", "a picture", file=file))

    message, answer = await said_in(sql_db, clock)
    assert (message.text, message.attachment) == ("[photo: mug.jpg]", file.attachment)
    assert (message.turn_state, answer.text) == (TurnState.NOT_FOR_BOT, FILE_ANSWER)
    stored = await read_file(sql_db, message.conversation_id, file.attachment.id)
    assert stored.content == TAKEN["image/jpeg"]


async def test_a_caption_is_a_message_that_the_bot_answers_with_the_file_beside_it(sql_db, clock, take):
    file = check_file(IncomingFile("mug.jpg", TAKEN["image/jpeg"]))
    await take("1", Sent("1001", "a picture", " My mug is broken ", file))
    await take("2", Sent("1001", "a video", "Look at this", trouble="too large to be kept"))

    first, second = await said_in(sql_db, clock)
    assert (first.text, first.attachment, first.turn_state) == ("My mug is broken", file.attachment, TurnState.PENDING)
    assert (second.text, second.attachment) == ("[a video, too large to be kept] Look at this", None)


async def test_what_is_too_much_for_a_day_is_told_in_words(sql_db, clock, take):
    for number in range(MAX_FILES_A_DAY + 1):
        file = check_file(IncomingFile(f"{number}.jpg", TAKEN["image/jpeg"]))
        await take(f"{number}", Sent("1001", "a picture", file=file))

    said = await said_in(sql_db, clock)
    assert sum(message.attachment is not None for message in said) == MAX_FILES_A_DAY
    assert said[-2].text == "[a picture, more than is kept in a day]" and said[-1].text == ONLY_WORDS


async def test_a_person_sees_a_picture_without_the_bots_remarks(sql_db, clock, take):
    talk = await talk_with(sql_db, clock)
    async with sql_db.transaction() as work:
        conversation = await work.conversations.lock(talk.id)
        await work.conversations.save(replace(conversation, owner=Owner.AGENT))
    await take("1", Sent("1001", "a picture"))

    assert [message.text for message in await said_in(sql_db, clock)] == ["[a picture]"]


async def test_updates_are_forgotten_once_nobody_repeats_them(sql_db, clock, take):
    await take("1", Said("1001", "hello"))
    clock.advance(seconds=UPDATES_KEPT.total_seconds() + 1)
    await take("2", Said("1001", "hello again"))

    assert await forget_updates(sql_db, clock) == 1
    assert await take("2", Said("1001", "hello again")) is Taken.REPEATED


async def test_the_same_number_from_another_account_or_with_other_words_is_news(sql_db, clock, take):
    await take("1", Said("1001", "hello"))
    clock.advance(seconds=UPDATES_KEPT.total_seconds() + 1)
    assert await forget_updates(sql_db, clock) == 1

    assert await take("1", Said("2002", "hello")) is Taken.RECORDED
    await take("2", Said("1001", "where is my order?"))
    clock.advance(seconds=UPDATES_KEPT.total_seconds() + 1)
    assert await forget_updates(sql_db, clock) == 2
    assert await take("1", Said("1001", "something else")) is Taken.RECORDED

    said = await said_in(sql_db, clock)
    assert [message.text for message in said] == ["hello", "where is my order?", "something else"]
    assert [message.text for message in await said_in(sql_db, clock, "2002")] == ["hello"]
    assert said[0].external_id == "telegram:1" and said[2].external_id.startswith("telegram:1~")
    assert said[2].turn_state is TurnState.PENDING
    assert await take("1", Said("1001", "something else")) is Taken.REPEATED


@pytest.mark.parametrize(
    "event",
    [
        Said("1001", "word " * 900),
        Said("1001", "2"),
        Sent("1001", "a picture"),
        Sent("1001", "a picture", "My mug"),
        Sent("1001", "a picture", file=check_file(IncomingFile("mug.jpg", TAKEN["image/jpeg"]))),
        Sent("1001", "a picture", "My mug", check_file(IncomingFile("mug.jpg", TAKEN["image/jpeg"]))),
        Arrived("1001", "A" * 43),
    ],
)
async def test_whatever_is_told_again_after_it_was_forgotten_is_no_news(sql_db, clock, take, event):
    await say(sql_db, await talk_with(sql_db, clock), "Shall I?", choices=YES_OR_NO)
    assert await take("1", event, WITHOUT_BUTTONS) is Taken.RECORDED
    clock.advance(seconds=UPDATES_KEPT.total_seconds() + 1)
    await forget_updates(sql_db, clock)
    before = await said_in(sql_db, clock)

    assert await take("1", event, WITHOUT_BUTTONS) is Taken.REPEATED
    if isinstance(event, Sent):
        # A file that is there already is not fetched again.
        clock.advance(seconds=UPDATES_KEPT.total_seconds() + 1)
        await forget_updates(sql_db, clock)
        assert await take("1", replace(event, file=None), WITHOUT_BUTTONS) is Taken.REPEATED
    assert await said_in(sql_db, clock) == before


async def test_whoever_stops_us_with_a_number_that_was_there_before_has_stopped_us(sql_db, clock, take):
    await take("1", Said("1001", "hello"))
    clock.advance(seconds=UPDATES_KEPT.total_seconds() + 1)
    await forget_updates(sql_db, clock)

    assert await take("1", Stopped("1001")) is Taken.STOPPED


@pytest.mark.parametrize("arrives", [False, True])
async def test_what_comes_while_somebody_logs_out_begins_another_conversation(
    sql_db, clock, take, monkeypatch, arrives
):
    maria = await stored_customer(sql_db)
    chosen = await talk_with(sql_db, clock)
    async with sql_db.transaction() as work:
        token = await issue_link(work, clock, maria.id, TELEGRAM)
        await sign_out(work, clock, await work.conversations.lock(chosen.id))

    answers = [chosen]

    async def choose(work, clock, **account):
        # As it was before the log-out was committed.
        return answers.pop() if answers else await channel_conversation(work, clock, **account)

    monkeypatch.setattr(channel_inbox, "channel_conversation", choose)
    await take("1", Arrived("1001", token) if arrives else Said("1001", "hello"))

    assert (await conversation_now(sql_db, chosen.id)).last_seq == 0 and not answers
    now = await talk_with(sql_db, clock)
    assert now.id != chosen.id and now.last_seq == 1
    assert now.verified_customer(clock.now()) == (maria.id if arrives else None)


async def test_the_language_of_the_app_is_kept_with_what_it_brings(sql_db, clock, take):
    assert await take("1", Said("1001", "Hola"), language="es") is Taken.RECORDED
    assert (await talk_with(sql_db, clock)).language == "es"

    await take("2", Said("1001", "Hello"))
    assert (await talk_with(sql_db, clock)).language == "es"
    await take("3", Sent("1001", "a picture"), language="fil")

    talk = await talk_with(sql_db, clock)
    assert (talk.language, talk.last_seq) == ("fil", 4)
