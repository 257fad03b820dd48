"""What is taught at the desk can be looked through: what is wrong is dropped, and what teaches nothing left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
import yaml

from bot.core.conversations import Attachment, ConversationId
from bot.core.desk_records import TeachingMark
from bot.services.teaching import as_examples
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]


def marked(text):
    return TeachingMark(ConversationId("c"), 1, text, None, "track_order", "a", datetime.now(timezone.utc))


async def test_a_wrong_mark_is_dropped_from_the_list_and_the_export(ana, ben, helped):
    wrong, right = await helped.say("Hello"), await helped.say("Where is my parcel?")
    for seq in (wrong, right):
        await ana.post(f"messages/{helped.conversation_id}/{seq}/teach", {"intent": "track_order"})

    for _ in range(2):
        assert await ben.ask("DELETE", f"teaching/{helped.conversation_id}/{wrong}") == (200, {})

    assert [mark["seq"] for mark in (await ben.get("teaching"))["teaching"]] == [right]
    assert "Hello" not in await ben.get("teaching/export")
    view = await ana.get(f"conversations/{helped.conversation_id}")
    assert {one["seq"]: one.get("taught") for one in view["messages"]}[wrong] is None


async def test_a_question_that_has_its_answer_is_dropped(ana, ben):
    kept, gone = [(await ana.post("knowledge", {"question": text}))[1]["id"] for text in ("Vegan?", "Open?")]

    for _ in range(2):
        assert await ben.ask("DELETE", f"knowledge/{gone}") == (200, {})

    assert [one["id"] for one in (await ben.get("knowledge"))["knowledge"]] == [kept]


@pytest.mark.parametrize("path", ["teaching/nothing/0", "teaching/nothing/x", "teaching/a%20b/1", "knowledge/%22"])
async def test_what_cannot_be_in_a_list_cannot_be_dropped_from_it(ben, path):
    assert (await ben.ask("DELETE", path))[0] == 404


async def test_a_file_teaches_nothing(desk_gateway, ana, helped):
    seq = await helped.say("Where is my parcel?")
    async with desk_gateway.store.transaction() as work:
        (said,) = await work.messages.after(ConversationId(helped.conversation_id), seq - 1, 1)
        file = Attachment("f" * 32, "parcel.png", "image/png", 5)
        talk = await work.conversations.lock(said.conversation_id)
        sent = replace(said, id="file", client_id=None, external_id="file", seq=talk.last_seq + 1, attachment=file)
        await work.messages.add(sent, channel=talk.channel)
        await work.conversations.save(replace(talk, last_seq=talk.last_seq + 1))

    path = f"messages/{helped.conversation_id}/{talk.last_seq + 1}/teach"
    status, answer = await ana.post(path, {"intent": "track_order"})

    assert (status, answer["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where \u202eis\u202c my parcel", "where is my parcel"),
        ("where\ufffdis\x07 it\x00", "where is it"),
        ("soft\u00adware \ufeffupdate", "software update"),
        ("مرحبا\u200c بك 👩\u200d💻", "مرحبا\u200c بك 👩\u200d💻"),
        ("\u202e\ufffd", None),
    ],
)
def test_what_nobody_sees_is_not_learned(text, expected):
    exported = yaml.safe_load(as_examples([marked(text)]))["nlu"]

    assert exported == ([{"intent": "track_order", "examples": f"- {expected}\n"}] if expected else [])
