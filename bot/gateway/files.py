"""Files of the website chat: sent in as a form, and handed out to whoever may see their conversation."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import warnings
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from aiohttp import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    BodyPartReader,
    MultipartReader,
    hdrs,
    web,
)
from aiohttp.http_exceptions import HttpProcessingError

from bot.core.attachments import MAX_FILE_BYTES, IncomingFile
from bot.core.channels import WEB
from bot.core.conversations import Attachment, Conversation
from bot.errors import BotError, FileRefused, FileTooLarge
from bot.gateway import frames, settings
from bot.gateway.chat import check_origin, visitors_conversation
from bot.gateway.database import database_answers
from bot.gateway.limits import RateLimit, RateLimited, client_address
from bot.gateway.responses import STATUS
from bot.gateway.transfers import PIECE_BYTES, Pace, Transfers, send_in_pieces
from bot.services.attachments import read_file, receive_file

# A form is a little longer than what is in it.
FORM_BYTES = 16 * 1024
CLIENT_ID_BYTES = 64
# A form that is sent more slowly than this is cut off, in seconds: from one piece to the next, and as a whole, where
# what has come gives it more time (see Pace). So nobody keeps a place for long with a byte now and then.
PIECE_SECONDS = 20.0
FORM_SECONDS = 60.0
# So many files may be on their way in at once, because each is in memory: from everybody, and from one address.
UPLOADS_AT_ONCE = 8
UPLOADS_OF_ONE = 4
# And on their way out. Whoever asks for more waits a little for their turn.
DOWNLOADS_AT_ONCE = 16
DOWNLOADS_OF_ONE = 6
TURN_SECONDS = 10.0
DOWNLOAD_SECONDS = 60.0
# What one address may send in a day, and for how much a small file counts: however many conversations it begins, it
# fills neither the disk nor the day that all share (see bot/core/attachments.py).
BYTES_A_DAY_OF_ONE = 100 * 2**20
LEAST_COUNTED_BYTES = 64 * 1024
DAY_SECONDS = 24 * 60 * 60
FIELDS = ("client_id", "file")
# How the content of a part may be said to be packed: not at all.
_PLAIN = frozenset({"binary", "8bit", "7bit"})
_NOT_ASCII_NAME = re.compile(r"[^A-Za-z0-9 ._()-]")
# A browser is to save it, whatever it is, and if it shows it all the same, as nothing that can do anything.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

routes = web.RouteTableDef()

Answer = TypeVar("Answer")


UPLOADS = web.AppKey("uploads", Transfers)
DOWNLOADS = web.AppKey("downloads", Transfers)
DAYS_BYTES = web.AppKey("days_bytes", RateLimit)


def prepare(app: web.Application) -> None:
    """Give the application what files need."""
    app[UPLOADS] = Transfers()
    app[DOWNLOADS] = Transfers()
    app[DAYS_BYTES] = RateLimit(BYTES_A_DAY_OF_ONE, BYTES_A_DAY_OF_ONE / DAY_SECONDS)
    # Python remembers every warning that it has shown, and these show what anybody sends.
    for warning in (BadContentDispositionHeader, BadContentDispositionParam):
        warnings.simplefilter("ignore", warning)


class BadForm(BotError):
    """A form that is not one with a client_id and a file."""

    code = "bad_request"


class TooSlow(BotError):
    """A form that did not come to its end in time."""

    code = "too_slow"

    def __init__(self) -> None:
        super().__init__("The file took too long to come. Try again, perhaps with a smaller one.")


class NoSuchFile(BotError):
    """A file that is not there, or not for this visitor."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such file here.")


class FileGone(BotError):
    """A file that was there."""

    code = "gone"

    def __init__(self) -> None:
        super().__init__("This file was deleted: files are kept for a time only.")


@routes.post("/chat/files")
async def send_file(request: web.Request) -> web.Response:
    """A file as a form with client_id and file; answered as a message is, by its acknowledgement."""
    check_origin(request)
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    form = _Form()
    try:
        conversation = await visitors_conversation(request)
        request.app[settings.MESSAGE_LIMIT].spend(conversation.id)
        with request.app[UPLOADS].one_more(client_address(request), UPLOADS_AT_ONCE, UPLOADS_OF_ONE):
            answer = await _take_in(request, conversation, form)
    except BotError as error:
        request.app[settings.METRICS].refused(error.code)
        answer = frames.error_frame(error, form.client_id)
        if isinstance(error, FileRefused):
            answer["reason"] = error.reason
        return web.json_response(answer, status=STATUS.get(error.code, 400))
    return web.json_response(answer)


@routes.get("/chat/files/{id}")
async def hand_out_file(request: web.Request) -> web.StreamResponse:
    """A file of the visitor's own conversation, to be saved."""
    check_origin(request)
    address = client_address(request)
    request.app[settings.ADDRESS_LIMIT].spend(address)
    conversation = await visitors_conversation(request)
    turn = request.app[DOWNLOADS].in_turn(address, DOWNLOADS_AT_ONCE, DOWNLOADS_OF_ONE, TURN_SECONDS)
    async with turn:
        with database_answers(conversation.id):
            found = await read_file(request.app[settings.DATABASE], conversation.id, request.match_info["id"])
        if found is None:
            raise NoSuchFile
        if found.content is None:
            raise FileGone
        response = file_response(found.attachment)
        return await send_in_pieces(request, response, found.content, Pace(DOWNLOAD_SECONDS))


def file_response(attachment: Attachment) -> web.StreamResponse:
    """The answer, still without the file, that a browser saves, and in which nothing runs."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Disposition": disposition(attachment.name)})
    response.content_type = attachment.media_type
    if attachment.media_type.startswith("text/"):
        response.charset = "utf-8"
    return response


def disposition(name: str) -> str:
    """The header that names a file (RFC 6266): once for old programs, and once as it is."""
    plain = _NOT_ASCII_NAME.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@dataclass
class _Form:
    """What has come of a form so far."""

    client_id: str | None = None
    file: IncomingFile | None = None
    pace: Pace = field(default_factory=lambda: Pace(FORM_SECONDS))


async def _take_in(request: web.Request, conversation: Conversation, form: _Form) -> frames.Frame:
    await _read_form(request, form)
    client_id, file = form.client_id, form.file
    if client_id is None or file is None:
        raise BadForm("A form has a client_id and a file.")
    began = time.perf_counter()
    with database_answers(conversation.id):
        external_id = f"{conversation.identity_id}:{client_id}"
        clock = request.app[settings.CLOCK]
        with _room_of_the_day(request, len(file.content)):
            message = await receive_file(request.app[settings.DATABASE], clock, conversation.id, external_id, file)
    request.app[settings.METRICS].received(WEB, time.perf_counter() - began)
    return frames.ack_frame(client_id, message)


@contextlib.contextmanager
def _room_of_the_day(request: web.Request, size: int) -> Iterator[None]:
    """Count a file for where it comes from, unless it comes to nothing. Raises FileRefused when it is too much."""
    address, counted = client_address(request), max(size, LEAST_COUNTED_BYTES)
    try:
        request.app[DAYS_BYTES].spend(address, counted)
    except RateLimited:
        raise FileRefused("too_many") from None
    try:
        yield
    except BaseException:
        request.app[DAYS_BYTES].give_back(address, counted)
        raise


async def _read_form(request: web.Request, form: _Form) -> None:
    """Read a form to its end, and never more of it than a file may have. Raises BadForm, TooSlow or FileTooLarge."""
    if request.content_type != "multipart/form-data":
        raise BadForm("Send a form: multipart/form-data, with a client_id and a file.")
    if (request.content_length or 0) > MAX_FILE_BYTES + FORM_BYTES:
        raise FileTooLarge
    try:
        await _read_parts(await request.multipart(), form)
    except asyncio.TimeoutError:
        raise TooSlow from None
    except (web.RequestPayloadError, HttpProcessingError, ValueError, AssertionError, RuntimeError) as error:
        # Whatever the parser says of a form that is none: cut off, without its boundary, with headers that never end.
        raise BadForm("The form cannot be read: it is cut off, or not put together as forms are.") from error


async def _read_parts(reader: MultipartReader, form: _Form) -> None:
    seen: set[str] = set()
    while (part := await _soon(reader.next(), form.pace)) is not None:
        if not isinstance(part, BodyPartReader):
            raise BadForm("A form within a form cannot be taken.")
        name = part.name or ""
        if name not in FIELDS or name in seen:
            raise BadForm("A form has one client_id and one file, and nothing else.")
        if part.headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "binary").strip().lower() not in _PLAIN:
            raise BadForm("The parts of a form come as they are, and not packed.")
        seen.add(name)
        if name == "client_id":
            client_id = await _read(part, CLIENT_ID_BYTES, form.pace)
            form.client_id = frames.checked_client_id(client_id.decode("utf-8", "replace"))
        else:
            form.file = IncomingFile(_file_name(part), await _read(part, MAX_FILE_BYTES, form.pace))


def _file_name(part: BodyPartReader) -> str:
    """The name as it was given; browsers write three characters of it in their own way.

    https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    """
    return (part.filename or "").replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


async def _read(part: BodyPartReader, at_most: int, pace: Pace) -> bytes:
    content = bytearray()
    while piece := await _soon(part.read_chunk(PIECE_BYTES), pace):
        content += piece
        pace.moved(len(piece))
        if len(content) > at_most:
            if at_most == MAX_FILE_BYTES:
                raise FileTooLarge
            raise BadForm("client_id must be a UUID, new for each file.")
    return bytes(content)


async def _soon(step: Awaitable[Answer], pace: Pace) -> Answer:
    return await asyncio.wait_for(step, min(PIECE_SECONDS, pace.left()))
