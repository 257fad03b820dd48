"""Files at the desk: agents send them to customers and look at theirs, and nobody else does either."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import select

from bot.core.attachments import MAX_FILE_BYTES, MAX_FILES_A_DAY, IncomingFile
from bot.core.conversations import ConversationId
from bot.gateway import files, uploads
from bot.gateway.desk_files import DOWNLOADS, UPLOADS
from bot.gateway.settings import MESSAGE_LIMIT
from bot.services.attachments import forget_files, receive_file
from bot.services.ids import new_id
from bot.storage import tables
from tests.gateway.chat_client import eventually
from tests.gateway.desk_client import Desk, hired, wants_a_person
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting
from tests.gateway.test_telegram import client, seen, shop_on_telegram, telegram
from tests.sample_files import NOT_TAKEN, PDF, TAKEN, a_png

__all__ = ["ana", "ben", "client", "desk_gateway", "helped", "shop_on_telegram", "telegram", "waiting"]

MUG = a_png()


async def attach(desk, chat, content=MUG, name="mug.png", client_id=None, csrf=None, talk=None):
    """A file sent as the desk's page sends it; status and answer."""
    form = aiohttp.FormData()
    form.add_field("client_id", client_id or str(uuid.uuid4()))
    form.add_field("file", content, filename=name)
    url = f"{desk.gateway.url}/desk/api/conversations/{talk or chat.conversation_id}/files"
    headers = {"X-CSRF-Token": desk.csrf if csrf is None else csrf}
    async with desk.session.post(url, data=form, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def opened(desk, file_id):
    """A file as somebody at the desk gets it."""
    async with desk.session.get(f"{desk.gateway.url}/desk/api/files/{file_id}") as response:
        return response, await response.read()


async def said(gateway, chat):
    async with gateway.store.reading() as work:
        return await work.messages.after(ConversationId(chat.conversation_id), 0, 100)


async def kept(gateway):
    """The names of all files that are kept."""
    async with gateway.store.reading() as work:
        rows = await work.customers._connection.execute(select(tables.attachments.c.name))
        return sorted(rows.scalars())


async def audited(gateway, action="read_file"):
    c = tables.audit_log.c
    async with gateway.store.reading() as work:
        rows = await work.customers._connection.execute(select(c.actor, c.detail).where(c.action == action))
        return [(row.actor, row.detail) for row in rows]


async def from_customer(gateway, chat, content=MUG, name="mine.png"):
    """A file that the customer sends; the message that it is."""
    file = IncomingFile(name, content)
    return await receive_file(gateway.store, gateway.clock, ConversationId(chat.conversation_id), new_id(), file)


# Sending


async def test_what_an_agent_attaches_the_customer_sees_and_saves(desk_gateway, ana, helped):
    client_id = str(uuid.uuid4())
    status, answer = await attach(ana, helped, client_id=client_id)

    assert status == 200
    shown = await helped.expect("message", author="agent")
    assert (shown["name"], shown["text"], shown["seq"]) == ("Ana Cruz", "[photo: mug.png]", answer["seq"])
    assert {**shown["file"], "deleted": False} == answer["file"]
    assert (answer["file"]["media_type"], answer["file"]["size"]) == ("image/png", len(MUG))
    assert "client_id" not in shown
    address = f"{desk_gateway.url}/chat/files/{shown['file']['id']}"
    async with desk_gateway.session.get(
        address, headers={"Authorization": f"Bearer {helped.visitor_token}"}
    ) as response:
        assert (response.status, await response.read()) == (200, MUG)


async def test_it_is_a_first_answer_and_nobody_waits_for_one_any_more(desk_gateway, ana, helped):
    await attach(ana, helped)

    async with desk_gateway.store.reading() as work:
        handoff = await work.handoffs.open_for(ConversationId(helped.conversation_id))
    assert handoff.first_reply_at is not None
    (row,) = (await ana.get("conversations", mine="1"))["conversations"]
    assert (row["last"]["author"], row["last"]["text"], row["unread"]) == ("agent", "[photo: mug.png]", 0)


async def test_a_file_sent_again_is_one_message_also_at_the_same_moment(desk_gateway, ana, helped):
    client_id = str(uuid.uuid4())
    together = await asyncio.gather(*(attach(ana, helped, client_id=client_id) for _ in range(3)))
    once_more = await attach(ana, helped, client_id=client_id.upper())

    assert {(status, answer["seq"]) for status, answer in [*together, once_more]} == {(200, together[0][1]["seq"])}
    assert await kept(desk_gateway) == ["mug.png"]
    assert [message.text for message in await said(desk_gateway, helped)].count("[photo: mug.png]") == 1


async def test_an_id_that_was_used_for_something_else_is_refused(desk_gateway, ana, ben, helped):
    client_id = str(uuid.uuid4())
    await attach(ana, helped, client_id=client_id)
    other_file = await attach(ana, helped, PDF, "mug.pdf", client_id)
    same_words = await ana.post(
        f"conversations/{helped.conversation_id}/reply", {"text": "[photo: mug.png]", "client_id": client_id}
    )
    of_words = str(uuid.uuid4())
    await ana.reply(helped.conversation_id, "Hello", of_words)
    file_for_words = await attach(ana, helped, client_id=of_words)
    somebody_else = await attach(ben, helped, client_id=client_id)

    for status, answer in (other_file, same_words, file_for_words, somebody_else):
        assert (status, answer["code"]) == (409, "duplicate_client_id")
    assert await kept(desk_gateway) == ["mug.png"]


async def test_only_whoever_has_the_conversation_can_attach(desk_gateway, ana, ben, helped):
    colleague = await attach(ben, helped)
    await ana.do(helped.conversation_id, "return")
    no_more = await attach(ana, helped)
    unknown = await attach(ana, helped, talk="nothing")

    assert [(status, answer["code"], answer.get("reason")) for status, answer in (colleague, no_more)] == [
        (409, "conflict", "agent"),
        (409, "conflict", "bot"),
    ]
    assert unknown[0] == 404
    assert await kept(desk_gateway) == []


async def test_in_the_line_nobody_attaches_before_it_is_theirs(desk_gateway, ana, waiting):
    status, answer = await attach(ana, waiting)

    assert (status, answer["reason"], await kept(desk_gateway)) == (409, "queue", [])


async def test_of_a_file_and_a_transfer_at_once_no_file_comes_after_it(desk_gateway, ana, ben, helped):
    async def pass_on():
        return await ana.do(helped.conversation_id, "transfer", agent_id=ben.agent.id)

    (status, answer), _ = await asyncio.gather(attach(ana, helped), pass_on())

    messages = await said(desk_gateway, helped)
    passed_on = max(message.seq for message in messages if message.author.value == "system")
    if status == 200:
        assert answer["seq"] < passed_on and await kept(desk_gateway) == ["mug.png"]
    else:
        assert (status, answer["code"], await kept(desk_gateway)) == (409, "conflict", [])


@pytest.mark.parametrize("csrf", ["", "made-up"])
async def test_another_page_cannot_send_a_file(desk_gateway, ana, helped, csrf):
    status, _ = await attach(ana, helped, csrf=csrf)

    assert (status, await kept(desk_gateway)) == (403, [])


@pytest.mark.parametrize("name", ["html", "svg", "exe", "zip", "text_with_nul"])
async def test_a_file_that_lies_is_refused_in_words(desk_gateway, ana, helped, name):
    words, content = NOT_TAKEN[name]
    status, answer = await attach(ana, helped, content, "photo.jpg")

    assert (status, answer["code"], answer["reason"]) == (422, "file_refused", "kind")
    assert (words or "Files of this kind") in answer["detail"]
    assert await kept(desk_gateway) == []


async def test_one_that_is_empty_or_too_large_is_refused(desk_gateway, ana, helped):
    empty = await attach(ana, helped, b"")
    large = await attach(ana, helped, PDF.ljust(MAX_FILE_BYTES + 1, b"%"), "large.pdf")

    assert (empty[0], empty[1]["reason"]) == (422, "empty")
    assert (large[0], large[1]["code"]) == (413, "file_too_large")
    assert await kept(desk_gateway) == []


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"--x--\r\n", b'--x\r\nContent-Disposition: form-data; name="file"']
)
async def test_what_is_no_form_with_a_file_is_refused_in_words(desk_gateway, ana, helped, body):
    url = f"{desk_gateway.url}/desk/api/conversations/{helped.conversation_id}/files"
    headers = {"X-CSRF-Token": ana.csrf, "Content-Type": "multipart/form-data; boundary=x"}
    async with ana.session.post(url, data=body, headers=headers) as response:
        answer = await response.json(content_type=None)

    assert (response.status, answer["code"]) == (400, "bad_request")
    assert answer["detail"].endswith(".")


async def test_a_conversation_has_room_for_so_many_a_day_whoever_sends_them(desk_gateway, ana, helped):
    for _ in range(MAX_FILES_A_DAY - 1):
        await from_customer(desk_gateway, helped)
    last, too_many = await attach(ana, helped), await attach(ana, helped)

    assert last[0] == 200
    assert (too_many[0], too_many[1]["reason"]) == (422, "too_many")
    assert len(await kept(desk_gateway)) == MAX_FILES_A_DAY


async def test_files_count_as_replies_do(desk_gateway, ana, helped, monkeypatch):
    monkeypatch.setattr(desk_gateway.app[MESSAGE_LIMIT], "_burst", 2)
    monkeypatch.setattr(desk_gateway.app[MESSAGE_LIMIT], "_per_second", 0.001)
    await ana.reply(helped.conversation_id, "Hello")

    assert [(await attach(ana, helped))[0] for _ in range(2)] == [200, 429]


async def test_one_agent_has_so_many_bytes_a_day(desk_gateway, ana, helped, monkeypatch):
    monkeypatch.setattr(desk_gateway.app[uploads.DAYS_BYTES], "_burst", 2 * uploads.LEAST_COUNTED_BYTES)
    monkeypatch.setattr(desk_gateway.app[uploads.DAYS_BYTES], "_per_second", 0.001)
    # What is not kept counts for nothing.
    assert (await attach(ana, helped, b"MZ" + bytes(100)))[0] == 422

    assert [(await attach(ana, helped))[0] for _ in range(3)] == [200, 200, 422]


async def test_customers_who_send_much_hold_up_nobody_at_the_desk(desk_gateway, ana, helped):
    busy = desk_gateway.app[files.UPLOADS]
    with contextlib.ExitStack() as under_way:
        for number in range(uploads.UPLOADS_AT_ONCE):
            under_way.enter_context(uploads.one_more_upload(busy, f"192.0.2.{number}"))
        assert (await attach(ana, helped))[0] == 200
    desks = desk_gateway.app[UPLOADS]
    assert desks.by_address == {}
    with contextlib.ExitStack() as under_way:
        for _ in range(uploads.UPLOADS_OF_ONE):
            under_way.enter_context(uploads.one_more_upload(desks, f"desk {ana.agent.id}"))
        status, answer = await attach(ana, helped)
    assert (status, answer["code"]) == (429, "rate_limited")


async def test_on_telegram_a_picture_is_a_picture_and_a_file_a_file(shop_on_telegram, telegram, quick_hashes):
    await telegram.tell(telegram.message("hello"))
    await seen(telegram, "echo: hello")
    ((talk,),) = shop_on_telegram.rows("SELECT id FROM conversations")
    await wants_a_person(shop_on_telegram, talk)
    agent, _ = await hired(shop_on_telegram, "ana@corner.example", "Ana Cruz")
    desk = Desk(shop_on_telegram, agent)
    try:
        await desk.sign_in()
        await desk.online()
        await desk.do(talk, "claim")
        assert (await attach(desk, None, talk=talk))[0] == 200
        assert (await attach(desk, None, PDF, "invoice.pdf", talk=talk))[0] == 200
        await eventually(lambda: telegram.sent[-1].document is not None)
    finally:
        await desk.session.close()

    assert [(one.text, one.photo, one.document) for one in telegram.sent[-2:]] == [
        ("Ana Cruz", MUG, None),
        ("Ana Cruz", None, ("invoice.pdf", PDF)),
    ]


# Looking


async def test_what_a_customer_sent_is_handed_out_to_be_saved_and_noted(desk_gateway, ana, helped):
    message = await from_customer(desk_gateway, helped)
    response, content = await opened(ana, message.attachment.id)

    assert (response.status, content, response.content_type) == (200, MUG, "image/png")
    assert response.headers["Content-Disposition"] == "attachment; filename=\"mine.png\"; filename*=UTF-8''mine.png"
    for name, value in files.HEADERS.items():
        assert response.headers[name] == value
    expected = {"conversation": helped.conversation_id, "file": message.attachment.id}
    assert await audited(desk_gateway) == [("agent:ana@corner.example", expected)]
    await eventually(lambda: desk_gateway.app[DOWNLOADS].by_address == {})


@pytest.mark.parametrize("media_type", TAKEN)
async def test_whatever_it_is_it_is_saved_and_never_shown(desk_gateway, ana, helped, media_type):
    message = await from_customer(desk_gateway, helped, TAKEN[media_type], 'x".html\r\nX-Bad: 1')
    response, content = await opened(ana, message.attachment.id)

    assert (response.content_type, content) == (media_type, TAKEN[media_type])
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Bad" not in response.headers


async def test_nobody_without_a_session_gets_one(desk_gateway, ana, helped):
    message = await from_customer(desk_gateway, helped)
    url = f"{desk_gateway.url}/desk/api/files/{message.attachment.id}"
    for headers in ({}, {"Authorization": f"Bearer {helped.visitor_token}"}):
        async with desk_gateway.session.get(url, headers=headers) as response:
            assert response.status == 401

    assert await audited(desk_gateway) == []


@pytest.mark.parametrize("file_id", ["nothing", "0" * 32, "%00", "x" * 65, "..%2F..%2Fetc", "%F0%9F%98%80"])
async def test_what_is_no_file_is_not_found(desk_gateway, ana, file_id):
    response, content = await opened(ana, file_id)

    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert b"MUG" not in content and await audited(desk_gateway) == []


async def test_a_deleted_file_is_said_to_be_and_its_name_stays(desk_gateway, ana, helped):
    message = await from_customer(desk_gateway, helped)
    desk_gateway.clock.ahead = timedelta(days=desk_gateway.shop.files_keep_days + 1)
    later = await from_customer(desk_gateway, helped, PDF, "later.pdf")
    await forget_files(desk_gateway.store, desk_gateway.clock, desk_gateway.shop)
    desk_gateway.clock.ahead = timedelta()
    response, content = await opened(ana, message.attachment.id)
    view = await ana.get(f"conversations/{helped.conversation_id}")

    assert response.status == 410 and b"deleted" in content
    shown = {one["seq"]: one["file"] for one in view["messages"] if "file" in one}
    assert (shown[message.seq]["name"], shown[message.seq]["deleted"]) == ("mine.png", True)
    assert (shown[later.seq]["name"], shown[later.seq]["deleted"]) == ("later.pdf", False)
    assert await audited(desk_gateway) == []


async def test_many_pictures_at_once_come_one_after_the_other(desk_gateway, ana, helped):
    sent = [await from_customer(desk_gateway, helped, a_png(4, number + 1)) for number in range(12)]
    answers = await asyncio.gather(*(opened(ana, message.attachment.id) for message in sent))

    assert [response.status for response, _ in answers] == [200] * 12
    assert len({content for _, content in answers}) == 12


# What else is in a transcript


async def test_the_desk_hears_of_a_file_and_what_was_thought_of_an_answer(desk_gateway, ana, helped):
    async with ana.at_socket() as socket:
        await socket.send({"type": "watch", "conversation_id": helped.conversation_id})
        await socket.expect("viewers")
        message = await from_customer(desk_gateway, helped)
        told = await socket.expect("message")
        assert told["message"]["file"] == {**vars(message.attachment), "deleted": False}

        answer = next(one for one in await said(desk_gateway, helped) if one.author.value == "bot")
        await helped.send({"type": "helpful", "seq": answer.seq, "helpful": False})
        # The file is news, too, and may be told of once more before that.
        thought = None
        while thought is None:
            await socket.expect("changed", conversation_id=helped.conversation_id)
            view = await ana.get(f"conversations/{helped.conversation_id}")
            (thought,) = [one.get("helpful") for one in view["messages"] if one["seq"] == answer.seq]

    assert thought is False
