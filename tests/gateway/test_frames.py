"""What a frame may be: whatever is sent, the parser answers with a frame or a BadFrame."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.gateway.frames import BadFrame, Send, error_frame, parse_frame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
TYPES = st.sampled_from(["hello", "message", "choice", "typing", "read", "end", "dance"]) | JSON
FIELDS = ["client_id", "text", "payload", "seq", "last_seq", "visitor_token", "identity_token"]


def parsed(data: str | bytes) -> object:
    try:
        return parse_frame(data)
    except BadFrame as error:
        # What the client is told must itself be JSON.
        assert json.loads(json.dumps(error_frame(error)))["code"] == "bad_request"
        return error


@given(st.binary() | st.text(st.characters()))
def test_any_data_is_a_frame_or_a_bad_frame(data):
    parsed(data)


@given(JSON)
def test_any_json_is_a_frame_or_a_bad_frame(value):
    parsed(json.dumps(value))


@given(TYPES, st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_fields_of_any_type_are_a_frame_or_a_bad_frame(kind, fields):
    parsed(json.dumps({"type": kind, **fields}))


@given(st.uuids(), st.text(st.characters(), max_size=200))
def test_a_message_is_read_as_it_was_written(client_id, text):
    frame = parse_frame(json.dumps({"type": "message", "client_id": str(client_id), "text": text, "more": 1}))

    assert frame == Send(str(client_id), text, None)
