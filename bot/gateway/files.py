"""Files of the website chat: sent in as a form, and handed out to whoever may see their conversation."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from bot.core.channels import WEB
from bot.core.conversations import Attachment, Conversation
from bot.errors import BotError, FileRefused
from bot.gateway import frames, settings, uploads
from bot.gateway.chat import check_origin, visitors_conversation
from bot.gateway.database import database_answers
from bot.gateway.limits import client_address
from bot.gateway.responses import STATUS
from bot.gateway.transfers import Pace, Transfers, send_in_pieces
from bot.services.attachments import StoredFile, read_file, receive_file

# So many files may be on their way out at once: to everybody, and to one of them. Whoever asks for more waits a little.
DOWNLOADS_AT_ONCE = 16
DOWNLOADS_OF_ONE = 6
TURN_SECONDS = 10.0
DOWNLOAD_SECONDS = 60.0
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

UPLOADS = web.AppKey("uploads", Transfers)
DOWNLOADS = web.AppKey("downloads", Transfers)


def prepare(app: web.Application) -> None:
    """Give the application what files need."""
    app[UPLOADS] = Transfers()
    app[DOWNLOADS] = Transfers()
    uploads.prepare(app)


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
    form = uploads.Form()
    try:
        conversation = await visitors_conversation(request)
        request.app[settings.MESSAGE_LIMIT].spend(conversation.id)
        with uploads.one_more_upload(request.app[UPLOADS], client_address(request)):
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

    async def find() -> StoredFile | None:
        with database_answers(conversation.id):
            return await read_file(request.app[settings.DATABASE], conversation.id, request.match_info["id"])

    return await hand_out(request, request.app[DOWNLOADS], address, find)


async def hand_out(
    request: web.Request, downloads: Transfers, who: str, find: Callable[[], Awaitable[StoredFile | None]]
) -> web.StreamResponse:
    """The file that `find` finds, in its turn and at a pace. Raises NoSuchFile, FileGone or RateLimited."""
    async with downloads.in_turn(who, DOWNLOADS_AT_ONCE, DOWNLOADS_OF_ONE, TURN_SECONDS):
        found = await find()
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


async def _take_in(request: web.Request, conversation: Conversation, form: uploads.Form) -> frames.Frame:
    client_id, file = await uploads.read_form(request, form)
    began = time.perf_counter()
    with database_answers(conversation.id):
        external_id = f"{conversation.identity_id}:{client_id}"
        db, clock = request.app[settings.DATABASE], request.app[settings.CLOCK]
        with uploads.room_of_the_day(request.app, client_address(request), len(file.content)):
            message = await receive_file(db, clock, conversation.id, external_id, file)
    request.app[settings.METRICS].received(WEB, time.perf_counter() - began)
    return frames.ack_frame(client_id, message)
