"""Whatever Telegram sends is understood or left alone, and never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.updates import RemoteFile, Update, read_update
from bot.services.channel_inbox import Arrived, LoggedOut, Picked, Said, Stopped
from bot.services.channel_inbox import Sent as SentThere
from tests.fakes.telegram import FakeTelegram, Sent

telegram = FakeTelegram()


LINK = "cNn-4_x" * 6 + "_"


def event_of(update):
    return read_update(update, "tala_coffee_bot").event


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("Where is my order?", Said("1001", "Where is my order?")),
        ("/start", Said("1001", "hello")),
        ("/help", Said("1001", "what can you do?")),
        ("/human", Said("1001", "I want to talk to a person")),
        ("/human@tala_coffee_bot", Said("1001", "I want to talk to a person")),
        ("/logout", LoggedOut("1001")),
        (f"/start {LINK}", Arrived("1001", LINK)),
        (f"/start@tala_coffee_bot {LINK} ", Arrived("1001", LINK)),
        ("/start from-the-flyer", Said("1001", "hello")),
        (f"/start {LINK}x", Said("1001", "hello")),
        ("/start  ", Said("1001", "hello")),
        ("/help me", Said("1001", "what can you do?")),
        ("/stop", Stopped("1001")),
        ("/STOP", Stopped("1001")),
        ("/unknown thing", Said("1001", "/unknown thing")),
        ("/", Said("1001", "/")),
        ('/affirm{"question": "erase"}', Said("1001", '/affirm{"question": "erase"}')),
    ],
)
def test_texts_and_commands(text, event):
    assert event_of(telegram.message(text)) == event


SMALL = {"file_id": "s", "file_unique_id": "1", "width": 90, "height": 60, "file_size": 1_000}
LARGE = {"file_id": "l", "file_unique_id": "2", "width": 1280, "height": 853, "file_size": 90_000}


@pytest.mark.parametrize(
    ("fields", "what", "file"),
    [
        ({"photo": [SMALL, LARGE]}, "a picture", RemoteFile("l", "photo", 90_000)),
        ({"photo": [LARGE, SMALL]}, "a picture", RemoteFile("l", "photo", 90_000)),
        ({"photo": [{"file_id": "x"}]}, "a picture", RemoteFile("x", "photo", None)),
        ({"photo": "x"}, "a picture", None),
        ({"photo": [{"file_id": 7, "width": "x"}, None]}, "a picture", None),
        ({"document": {"file_id": "d", "file_name": "x.pdf"}}, "a file", RemoteFile("d", "x.pdf", None)),
        ({"document": {"file_id": "d", "file_name": 7}}, "a file", RemoteFile("d", "file", None)),
        ({"document": {"file_id": "d" * 5_000}}, "a file", None),
        ({"document": None}, "a file", None),
        # A film comes as a document as well.
        ({"animation": {"file_id": "a"}, "document": {"file_id": "a"}}, "an animation", None),
        ({"voice": {"file_id": "v", "duration": 3}}, "a voice message", None),
        ({"sticker": {"file_id": "s", "emoji": "x"}}, "a sticker", None),
        ({"location": {"latitude": 1, "longitude": 2}}, "a place on the map", None),
        ({"contact": {"phone_number": "123"}}, "a contact", None),
    ],
)
def test_what_is_no_text_is_told_in_words_and_fetched_where_it_may_be_kept(fields, what, file):
    update = read_update(telegram.message(None, **fields))

    assert (update.event, update.file) == (SentThere("1001", what), file)
    assert event_of(telegram.message(None, caption=" ", **fields)) == SentThere("1001", what)
    assert event_of(telegram.message(None, caption="broken", **fields)) == SentThere("1001", what, "broken")
    assert SentThere("1001", what).in_words() == f"[{what}]"


def test_a_button_is_a_pick_whose_keyboard_is_known():
    telegram.sent.append(Sent("1001", 5, "Shall I?", [[{"text": "Yes", "callback_data": "token"}]]))
    update = read_update(telegram.pick("Yes"))

    assert (update.event, update.keyboard) == (Picked("1001", "token"), ("1001", 5))
    assert update.callback_id.startswith("q")


@pytest.mark.parametrize("data", ["", "/affirm", "a b", "\x00", "\ud800", "x" * 65, "ü"])
def test_data_that_no_button_of_ours_has_is_no_pick_and_still_answered(data):
    update = read_update(telegram.press(data, 5))

    assert update.event is None and update.callback_id is not None


def test_a_block_is_an_opt_out():
    assert event_of(telegram.block()) == Stopped("1001")


@pytest.mark.parametrize("kind", ["group", "supergroup"])
def test_in_groups_the_bot_hears_only_what_is_said_to_it(kind):
    chat = {"id": -100, "type": kind, "title": "Friends of coffee"}
    spoken_to = telegram.message("hey @Tala_Coffee_Bot, where is my order?", group=chat)
    overheard = telegram.message("where is my order?", group=chat)

    assert (read_update(spoken_to, "tala_coffee_bot").event, read_update(spoken_to, "tala_coffee_bot").in_group) == (
        None,
        "-100",
    )
    assert read_update(overheard, "tala_coffee_bot") == Update(str(overheard["update_id"]))


@pytest.mark.parametrize(
    "name", ["edited_message", "channel_post", "inline_query", "poll", "message_reaction", "a_kind_of_tomorrow"]
)
def test_other_kinds_are_left_alone(name):
    assert read_update({"update_id": 1, name: {"text": "x"}}) == Update("1")


@pytest.mark.parametrize(
    "data", [None, [], "x", 7, {}, {"update_id": None}, {"update_id": "1"}, {"update_id": True}, {"update_id": 10**30}]
)
def test_what_is_no_update_is_none(data):
    assert read_update(data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
NAMES = ["chat", "text", "from", "data", "id", "type", "message", "message_id", "new_chat_member", "status", "photo"]
SHAPES = st.recursive(
    JSON, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner | st.just("private"), max_size=6), max_leaves=12
)


@given(st.sampled_from(["message", "callback_query", "my_chat_member"]), SHAPES)
def test_an_update_of_any_shape_is_read_without_an_error(name, shape):
    update = read_update({"update_id": 1, name: shape}, "tala_coffee_bot")

    assert isinstance(update, Update)


@pytest.mark.parametrize(
    ("code", "language"), [("es", "es"), ("pt-br", "pt"), ("tl", "fil"), ("?", None), (5, None), (None, None)]
)
def test_the_language_of_the_app_is_told(code, language):
    said, picked = telegram.message("Hola"), telegram.press("token", 5)
    for update, place in ((said, said["message"]), (picked, picked["callback_query"])):
        place["from"]["language_code"] = code
        assert read_update(update).language == language


@pytest.mark.parametrize("sender", [None, "Maria", {}])
def test_without_a_sender_there_is_no_language(sender):
    update = telegram.message("Hola")
    update["message"]["from"] = sender

    assert read_update(update).language is None
