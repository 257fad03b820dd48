"""Files of the website chat: whatever is sent, the answer is clear, and what is kept is what it says it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import uuid
from datetime import timedelta
from urllib.parse import quote, unquote

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.attachments import EXTENSIONS, MAX_FILE_BYTES, MAX_FILES_A_DAY, media_type_of
from bot.gateway import connections, files, transfers, uploads
from bot.gateway.files import DOWNLOADS, UPLOADS, disposition
from bot.gateway.settings import ADDRESS_LIMIT, MESSAGE_LIMIT
from bot.gateway.uploads import DAYS_BYTES
from bot.services.attachments import FILE_ANSWER, forget_files
from tests.gateway.chat_client import eventually
from tests.gateway.conftest import broken_database
from tests.gateway.tokens import identity_token
from tests.sample_files import NOT_TAKEN, PDF, TAKEN, a_png

BOUNDARY = b"----boundary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"
MUG = a_png()


def part(name: str, content: bytes, *, filename: str | None = None, headers: bytes = b"") -> bytes:
    file = b'; filename="' + filename.encode() + b'"' if filename is not None else b""
    disposition = b'Content-Disposition: form-data; name="' + name.encode() + b'"' + file
    return b"--" + BOUNDARY + b"\r\n" + disposition + b"\r\n" + headers + b"\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def upload(content: bytes = MUG, filename: str = "mug.png", client_id: str | None = None) -> bytes:
    client_id = client_id or str(uuid.uuid4())
    return form(part("client_id", client_id.encode()), part("file", content, filename=filename))


async def post(gateway, token, body, content_type=CONTENT_TYPE, **headers):
    """A body sent as a file; status and answer."""
    sent = {"Content-Type": content_type, "Authorization": f"Bearer {token}", **headers}
    async with gateway.session.post(f"{gateway.url}/chat/files", data=body, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(gateway, token, file_id, **headers):
    async with gateway.session.get(
        f"{gateway.url}/chat/files/{file_id}", headers={"Authorization": f"Bearer {token}", **headers}
    ) as answer:
        return answer, await answer.read()


def kept(gateway):
    """What is in the database: names, types and contents."""
    return gateway.rows("SELECT name, media_type, content FROM attachments ORDER BY created_at")


def the_file(gateway):
    ((file_id,),) = gateway.rows("SELECT id FROM attachments")
    return file_id


@pytest.fixture
async def token(gateway):
    """The visitor token of a conversation that has begun."""
    _, ready = await gateway.post({"type": "hello"})
    return ready["visitor_token"]


async def test_a_file_is_acknowledged_shown_answered_and_handed_out(gateway):
    chat = await gateway.chat()
    client_id = str(uuid.uuid4())
    status, ack = await post(gateway, chat.visitor_token, upload(client_id=client_id))
    assert (status, ack) == (200, {"type": "ack", "client_id": client_id, "seq": 1})

    shown, answer = await chat.expect("message"), await chat.expect("message")
    assert (shown["text"], shown["client_id"]) == ("[photo: mug.png]", client_id)
    assert shown["file"] == {"id": the_file(gateway), "name": "mug.png", "media_type": "image/png", "size": len(MUG)}
    assert answer["text"] == FILE_ANSWER

    response, content = await get(gateway, chat.visitor_token, shown["file"]["id"])
    assert (response.status, content) == (200, MUG)
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"] == "attachment; filename=\"mug.png\"; filename*=UTF-8''mug.png"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_file_that_is_sent_again_gets_the_same_acknowledgement(gateway, token):
    body = upload()
    answers = [await post(gateway, token, body) for _ in range(3)]

    assert len({json.dumps(answer) for answer in answers}) == 1 and answers[0][0] == 200
    assert len(kept(gateway)) == 1


async def test_a_file_whose_id_was_used_is_refused(gateway, token):
    client_id = str(uuid.uuid4())
    await post(gateway, token, upload(client_id=client_id))
    status, answer = await post(gateway, token, upload(PDF, "a.pdf", client_id))

    assert (status, answer["code"], answer["client_id"]) == (409, "duplicate_client_id", client_id)


@pytest.mark.parametrize("media_type", TAKEN)
async def test_the_type_is_what_is_in_the_file_and_not_what_is_said(gateway, token, media_type):
    lie = part("file", TAKEN[media_type], filename="x.html", headers=b"Content-Type: text/html\r\n")
    status, _ = await post(gateway, token, form(part("client_id", str(uuid.uuid4()).encode()), lie))
    assert status == 200
    response, content = await get(gateway, token, the_file(gateway))

    assert (response.content_type, content) == (media_type, TAKEN[media_type])
    assert f"x.html{EXTENSIONS[media_type][0]}" in response.headers["Content-Disposition"]


@pytest.mark.parametrize("name", NOT_TAKEN)
async def test_a_file_that_lies_is_refused_in_words(gateway, token, name):
    words, content = NOT_TAKEN[name]
    status, answer = await post(gateway, token, upload(content, "photo.jpg"))

    assert (status, answer["code"], answer["reason"]) == (422, "file_refused", "kind")
    assert (words or "Files of this kind") in answer["message"]
    assert kept(gateway) == [] and gateway.rows("SELECT * FROM messages") == []


async def test_a_file_may_be_as_large_as_the_limit(gateway, token):
    largest = PDF.ljust(MAX_FILE_BYTES, b"%")
    assert (await post(gateway, token, upload(largest, "large.pdf")))[0] == 200
    _, content = await get(gateway, token, the_file(gateway))

    assert content == largest


async def test_one_that_is_larger_is_refused_whether_it_says_so_or_not(gateway, token):
    body = upload(PDF.ljust(MAX_FILE_BYTES + 1, b"%"), "large.pdf")

    async def in_chunks():
        for start in range(0, len(body), 2**18):
            yield body[start : start + 2**18]

    for sent in (body, in_chunks()):
        status, answer = await post(gateway, token, sent)
        assert (status, answer["code"]) == (413, "file_too_large")
    assert kept(gateway) == []


async def test_of_one_that_never_ends_no_more_is_read_than_may_be(gateway, token, monkeypatch):
    most = 0
    read = uploads._read

    async def measured(part, at_most, pace):
        nonlocal most
        original = part.read_chunk

        async def counted(size):
            nonlocal most
            piece = await original(size)
            most += len(piece)
            return piece

        part.read_chunk = counted
        return await read(part, at_most, pace)

    monkeypatch.setattr(uploads, "_read", measured)

    async def endless():
        yield part("client_id", str(uuid.uuid4()).encode()) + part("file", PDF, filename="x.pdf")[:-2]
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                yield b"%" * 2**18

    with contextlib.suppress(aiohttp.ClientError):
        status, _ = await post(gateway, token, endless())
        assert status == 413
    assert most < MAX_FILE_BYTES + 2**18
    assert kept(gateway) == []


CLIENT_ID = part("client_id", b"3f2b8c1e-0d4a-4b6f-9a59-1c2d3e4f5a6b")
FILE = part("file", MUG, filename="mug.png")
NO_FORM = {
    "empty": b"",
    "no_parts": form(),
    "no_file": form(CLIENT_ID),
    "no_client_id": form(FILE),
    "two_files": form(CLIENT_ID, FILE, FILE),
    "two_client_ids": form(CLIENT_ID, CLIENT_ID, FILE),
    "another_field": form(CLIENT_ID, part("text", b"hello"), FILE),
    "field_without_a_name": form(CLIENT_ID, FILE.replace(b' name="file";', b"")),
    "client_id_of_nothing": form(part("client_id", b""), FILE),
    "client_id_of_words": form(part("client_id", b"mine"), FILE),
    "client_id_that_is_long": form(part("client_id", b"3" * 100_000), FILE),
    "client_id_that_is_no_text": form(part("client_id", b"\xff\xfe"), FILE),
    "cut_off_in_the_file": (CLIENT_ID + FILE)[:-20],
    "cut_off_before_the_end": CLIENT_ID + FILE,
    "cut_off_in_the_headers": CLIENT_ID + FILE[:40],
    "another_boundary": form(CLIENT_ID, FILE).replace(BOUNDARY, b"----another"),
    "headers_that_are_huge": form(CLIENT_ID, part("file", MUG, headers=b"X-Long: " + b"x" * 100_000 + b"\r\n")),
    "headers_that_are_many": form(CLIENT_ID, part("file", MUG, headers=b"X-Many: x\r\n" * 5_000)),
    "header_without_a_colon": form(CLIENT_ID, part("file", MUG, headers=b"nonsense\r\n")),
    "packed_part": form(CLIENT_ID, part("file", MUG, headers=b"Content-Transfer-Encoding: base64\r\n")),
    "form_in_a_form": form(CLIENT_ID, part("file", form(FILE), headers=b"Content-Type: multipart/x; boundary=y\r\n")),
    "form_in_a_form_of_no_boundary": form(CLIENT_ID, part("file", MUG, headers=b"Content-Type: multipart/mixed\r\n")),
    "charset_of_nonsense": form(part("_charset_", b"x" * 100), CLIENT_ID, FILE),
    "lines_without_an_end": b"x" * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("name", NO_FORM)
async def test_what_is_no_form_with_a_file_is_refused_in_words(gateway, token, name):
    status, answer = await post(gateway, token, NO_FORM[name])

    assert (status, answer["type"], answer["code"]) == (400, "error", "bad_request")
    assert answer["message"].endswith(".") and kept(gateway) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=" + "x" * 200,
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=----boundary",
        "application/json",
        "text/plain; boundary=----boundary",
        "application/x-www-form-urlencoded",
    ],
)
async def test_what_does_not_say_that_it_is_a_form_is_refused(gateway, token, content_type):
    status, answer = await post(gateway, token, upload(), content_type)

    assert (status, answer["code"]) == (400, "bad_request") and kept(gateway) == []


async def test_a_packed_form_is_refused_before_it_is_unpacked(gateway, token):
    import zlib

    bomb = zlib.compress(upload(b"%PDF-1.7" + bytes(50 * 2**20), "x.pdf"))
    status, answer = await post(gateway, token, bomb, **{"Content-Encoding": "deflate"})

    assert (status, answer["code"]) == (415, "unsupported_media_type")
    assert kept(gateway) == []


async def raw(gateway, head: str, body: bytes, *, close: bool = False) -> bytes:
    """A request of our own making, and the first line of its answer; empty where there is none."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    await writer.drain()
    if close:
        writer.write_eof()
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return answer


def head_of(token: str, length: int) -> str:
    return (
        f"POST /chat/files HTTP/1.1\nHost: x\nAuthorization: Bearer {token}\nContent-Type: {CONTENT_TYPE}\n"
        f"Content-Length: {length}"
    )


async def test_a_length_that_is_too_short_or_too_long_is_no_file(gateway, token, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE_SECONDS", 0.2)
    body = upload()

    assert b" 400 " in await raw(gateway, head_of(token, len(body) - 30), body)
    assert b" 408 " in await raw(gateway, head_of(token, len(body) + 30), body[:-10])
    assert b" 413 " in await raw(gateway, head_of(token, 50 * 2**20), body)
    # Gone in the middle: nobody is there to be answered.
    await raw(gateway, head_of(token, len(body) + 30), body[:-60], close=True)
    assert kept(gateway) == [] and gateway.app[UPLOADS].by_address == {}


async def test_a_form_that_comes_too_slowly_is_cut_off(gateway, token, monkeypatch):
    monkeypatch.setattr(uploads, "FORM_SECONDS", 0.3)
    body = upload()

    async def slowly():
        with contextlib.suppress(asyncio.CancelledError):
            for byte in body:
                yield bytes([byte])
                await asyncio.sleep(0.01)

    with contextlib.suppress(aiohttp.ClientError):
        status, answer = await post(gateway, token, slowly())
        assert (status, answer["code"]) == (408, "too_slow")
    assert kept(gateway) == []


async def test_a_byte_now_and_then_keeps_no_place_for_long(gateway, token, monkeypatch):
    monkeypatch.setattr(uploads, "FORM_SECONDS", 0.5)
    # Each of them comes soon after the last.
    trickling = upload(PDF.ljust(100, b"%"), "a.pdf")
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head_of(token, 2**20).replace("\n", "\r\n").encode() + b"\r\n\r\n" + trickling[:-60])

    async def trickle():
        while True:
            writer.write(b"%")
            await asyncio.sleep(0.02)

    task = asyncio.create_task(trickle())
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
    task.cancel()
    writer.close()
    assert gateway.app[UPLOADS].by_address == {} and kept(gateway) == []


async def test_a_form_that_keeps_pace_may_take_longer(gateway, token, monkeypatch):
    monkeypatch.setattr(uploads, "FORM_SECONDS", 0.4)
    content = PDF.ljust(2**18, b"%")
    body = upload(content, "a.pdf")

    async def steadily():
        # Longer than a form may take that brings nothing, and at many times the pace that is asked.
        for start in range(0, len(body), 2**15):
            yield body[start : start + 2**15]
            await asyncio.sleep(0.1)

    assert (await post(gateway, token, steadily()))[0] == 200
    assert kept(gateway)[0][2] == content


async def test_only_so_many_come_in_at_once(gateway, token, monkeypatch):
    monkeypatch.setattr(uploads, "UPLOADS_OF_ONE", 2)
    wait = asyncio.Event()

    async def held():
        yield upload()[:50]
        await wait.wait()

    waiting = [asyncio.create_task(post(gateway, token, held())) for _ in range(2)]
    await eventually(lambda: sum(gateway.app[UPLOADS].by_address.values()) == 2)
    status, answer = await post(gateway, token, upload())
    assert (status, answer["code"]) == (429, "rate_limited") and answer["retry_after"] > 0
    wait.set()
    await asyncio.gather(*waiting)

    assert gateway.app[UPLOADS].by_address == {}
    assert (await post(gateway, token, upload()))[0] == 200


async def test_files_count_as_messages_do(gateway, token):
    for _ in range(20):
        gateway.app[MESSAGE_LIMIT].spend(gateway.rows("SELECT id FROM conversations")[0][0])
    status, answer = await post(gateway, token, upload())

    assert (status, answer["code"]) == (429, "rate_limited")


async def test_a_day_has_room_for_so_many(start_gateway):
    gateway = await start_gateway(limited=False)
    _, ready = await gateway.post({"type": "hello"})
    for _ in range(MAX_FILES_A_DAY):
        assert (await post(gateway, ready["visitor_token"], upload()))[0] == 200
    status, answer = await post(gateway, ready["visitor_token"], upload())

    assert (status, answer["reason"]) == (422, "too_many") and "tomorrow" in answer["message"]


async def test_one_address_has_so_many_bytes_a_day_in_however_many_conversations(gateway, monkeypatch):
    monkeypatch.setattr(gateway.app[DAYS_BYTES], "_burst", 3 * uploads.LEAST_COUNTED_BYTES)
    monkeypatch.setattr(gateway.app[DAYS_BYTES], "_per_second", 0.001)
    tokens = [(await gateway.post({"type": "hello"}))[1]["visitor_token"] for _ in range(4)]
    # What is not kept counts for nothing.
    for _ in range(5):
        assert (await post(gateway, tokens[0], upload(b"MZ" + bytes(100), "x.png")))[0] == 422
    gateway.db.commit_error = broken_database()
    assert (await post(gateway, tokens[0], upload()))[0] == 503
    gateway.db.commit_error = None
    answers = [await post(gateway, token, upload()) for token in tokens]

    assert [status for status, _ in answers] == [200, 200, 200, 422]
    assert answers[-1][1]["reason"] == "too_many" and "tomorrow" in answers[-1][1]["message"]
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert (await post(gateway, tokens[3], upload(), **elsewhere))[0] == 200


async def ask_and_not_read(gateway, token, file_id):
    """A connection whose owner asks for a file, and reads none of it."""
    host, port = gateway.url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
    connection.send(f"GET /chat/files/{file_id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return connection


async def test_files_that_nobody_reads_are_few_and_are_cut_off(gateway, token, monkeypatch):
    monkeypatch.setattr(transfers, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(files, "TURN_SECONDS", 0.2)
    largest = PDF.ljust(MAX_FILE_BYTES, b"%")
    assert (await post(gateway, token, upload(largest, "large.pdf")))[0] == 200
    out, most = gateway.app[DOWNLOADS].by_address, 0
    held = [await ask_and_not_read(gateway, token, the_file(gateway)) for _ in range(20)]

    def all_are_gone():
        nonlocal most
        most = max(most, sum(out.values()))
        return most and not out

    await eventually(all_are_gone)
    assert most <= files.DOWNLOADS_OF_ONE
    for connection in held:
        connection.close()
    assert (await get(gateway, token, the_file(gateway)))[1] == largest


async def test_a_page_that_asks_for_many_files_at_once_gets_them_in_turn(gateway, token):
    large = PDF.ljust(2**20, b"%")
    assert (await post(gateway, token, upload(large, "large.pdf")))[0] == 200
    found = await asyncio.gather(*(get(gateway, token, the_file(gateway)) for _ in range(30)))

    assert [(response.status, content == large) for response, content in found] == [(200, True)] * 30
    assert gateway.app[DOWNLOADS].by_address == {}


async def test_whoever_waits_too_long_for_their_turn_is_told_when_to_ask_again(gateway, token, monkeypatch):
    monkeypatch.setattr(files, "TURN_SECONDS", 0.1)
    await post(gateway, token, upload())
    with contextlib.ExitStack() as others:
        for number in range(files.DOWNLOADS_AT_ONCE):
            others.enter_context(gateway.app[DOWNLOADS].one_more(f"{number}", 100, 100))
        response, _ = await get(gateway, token, the_file(gateway))

    assert response.status == 429 and int(response.headers["Retry-After"]) > 0
    assert (await get(gateway, token, the_file(gateway)))[0].status == 200


async def test_what_a_file_is_may_be_asked_without_it(gateway, token):
    await post(gateway, token, upload())
    async with gateway.session.head(
        f"{gateway.url}/chat/files/{the_file(gateway)}", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(MUG)))
        assert await answer.read() == b""


@pytest.mark.parametrize("bad", ["", "nonsense", "a.b.c"])
async def test_without_a_visitors_token_nothing_is_taken_and_nothing_given(gateway, token, bad):
    await post(gateway, token, upload())
    status, answer = await post(gateway, bad, upload())
    response, _ = await get(gateway, bad, the_file(gateway))

    assert (status, answer["code"]) == (401, "unauthorized") and response.status == 401
    assert len(kept(gateway)) == 1


async def test_a_foreign_page_may_neither_send_nor_fetch(gateway, token):
    await post(gateway, token, upload())
    status, _ = await post(gateway, token, upload(), Origin="https://evil.example")
    response, _ = await get(gateway, token, the_file(gateway), Origin="https://evil.example")

    assert (status, response.status) == (403, 403) and len(kept(gateway)) == 1


async def test_nobody_gets_a_file_of_another_conversation(gateway, token):
    await post(gateway, token, upload())
    _, ready = await gateway.post({"type": "hello"})
    response, body = await get(gateway, ready["visitor_token"], the_file(gateway))

    assert response.status == 404 and MUG not in body


async def test_a_signed_in_customers_file_is_theirs_while_their_proof_holds(gateway, demo_people):
    _, ready = await gateway.post({"type": "hello", "identity_token": identity_token()})
    await post(gateway, ready["visitor_token"], upload())
    assert (await get(gateway, ready["visitor_token"], the_file(gateway)))[0].status == 200

    gateway.clock.ahead = timedelta(hours=2)
    assert (await get(gateway, ready["visitor_token"], the_file(gateway)))[0].status == 401
    assert (await post(gateway, ready["visitor_token"], upload()))[0] == 401


@pytest.mark.parametrize(
    "file_id", ["0" * 32, "1", "..%2f..%2fetc%2fpasswd", "%00", "%ff", "' OR 1=1 --", "x" * 5_000, "mug.png"]
)
async def test_a_guessed_id_is_no_file(gateway, token, file_id):
    await post(gateway, token, upload())
    response, body = await get(gateway, token, file_id)

    assert response.status == 404 and MUG not in body


async def test_a_file_that_was_deleted_is_gone_and_says_so(gateway, token):
    await post(gateway, token, upload())
    gateway.clock.ahead = timedelta(days=366)
    await forget_files(gateway.store, gateway.clock, gateway.shop)
    gateway.clock.ahead = timedelta()
    response, body = await get(gateway, token, the_file(gateway))

    assert response.status == 410 and json.loads(body)["code"] == "gone"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ('mug"; filename="evil.html', "mug_; filename=_evil.html.png"),
        ("mug\r\nX-Injected: 1.png", "mugX-Injected_ 1.png"),
        ("../../../etc/passwd", "passwd.png"),
        ("..\\..\\mug.png", "mug.png"),
        ("مج\u202egnp.exe", "مجgnp.exe.png"),
        ("🫖 café's 100%.png", "🫖 café's 100%.png"),
        ("a;b=c.png", "a;b=c.png"),
        ("x" * 500, "x" * 116 + ".png"),
    ],
)
@pytest.mark.parametrize("encoded", [False, True])
async def test_no_name_makes_headers_of_its_own(gateway, token, name, stored, encoded):
    if encoded:
        file = part("file", MUG).replace(b'"file"', b"\"file\"; filename*=UTF-8''" + quote(name, safe="").encode())
    else:  # as browsers do
        browsers = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\\", "\\\\")
        file = part("file", MUG, filename=browsers)
    status, _ = await post(gateway, token, form(CLIENT_ID, file))
    assert status == 200
    response, content = await get(gateway, token, the_file(gateway))

    header = response.headers["Content-Disposition"]
    assert content == MUG and "X-Injected" not in response.headers
    assert header.isascii() and header.count('"') == 2
    assert kept(gateway)[0][0] == stored == unquote(header.rpartition("''")[2])


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=50))
def test_a_disposition_is_one_header_of_plain_letters(name):
    header = disposition(name)

    assert header.isascii() and header.isprintable() and header.count('"') == 2


async def test_when_the_database_is_away_the_file_is_to_be_sent_again(gateway, token):
    body = upload()
    gateway.db.commit_error = broken_database()
    status, answer = await post(gateway, token, body)
    assert (status, answer["code"]) == (503, "unavailable")
    gateway.db.commit_error = None

    assert (await post(gateway, token, body))[0] == 200
    assert len(kept(gateway)) == 1


PIECES = st.sampled_from(
    [
        *(b"--" + BOUNDARY, BOUNDARY, b"--", b"\r\n", b"\n", b"\r\n\r\n", b"\x00", b"<script>", b'"', b";", b"="),
        *(b'Content-Disposition: form-data; name="file"; filename="a.png"', b"Content-Type: multipart/mixed", MUG, PDF),
        *(b'Content-Disposition: form-data; name="client_id"', b"Content-Length: 3", b"Content-Encoding: gzip"),
    ]
)  # fmt: skip
CONTENTS = [*TAKEN.values(), *(content for _, content in NOT_TAKEN.values())]
HOSTILE_BODIES = st.one_of(
    st.binary(max_size=400),
    st.lists(st.one_of(PIECES, st.binary(max_size=30)), max_size=12).map(b"".join),
    # A good form, of which some bytes are others.
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6).map(
        lambda changes: _changed(upload(), changes)
    ),
    # A good form around any content at all.
    st.tuples(st.sampled_from(CONTENTS), st.binary(max_size=60)).map(lambda found: upload(b"".join(found), "x.jpg")),
    st.binary(max_size=200).map(lambda content: upload(content, "x.png")),
)  # fmt: skip


def _changed(body: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for place, noise in changes:
        body = body[:place] + noise + body[place + len(noise) :]
    return body


@pytest.fixture
async def gateway_for_all(start_gateway, monkeypatch):
    """A gateway without limits, and the token of a conversation."""
    monkeypatch.setattr("bot.services.attachments.MAX_FILES_A_DAY", 1_000_000)
    gateway = await start_gateway(limited=False, answering=False)
    monkeypatch.setattr(gateway.app[ADDRESS_LIMIT], "spend", lambda key: None)
    _, ready = await gateway.post({"type": "hello"})
    return gateway, ready["visitor_token"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=HOSTILE_BODIES)
async def test_whatever_comes_the_answer_is_clear_and_what_is_kept_is_what_it_says(gateway_for_all, body):
    gateway, token = gateway_for_all
    status, answer = await post(gateway, token, body)

    if status == 200:
        name, media_type, content = kept(gateway)[-1]
        assert answer["type"] == "ack" and media_type_of(content) == media_type
        assert name.endswith(EXTENSIONS[media_type]) and content in body
    else:
        assert 400 <= status < 500 and answer["type"] == "error" and answer["message"]
