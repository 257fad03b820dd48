"""Files on their way in: a form with a client_id and a file, read to its end and never further than it may go."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

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
from bot.errors import BotError, FileRefused, FileTooLarge
from bot.gateway import frames
from bot.gateway.limits import RateLimit, RateLimited
from bot.gateway.transfers import PIECE_BYTES, Pace, Transfers
from bot.waits import finish_within

# A form is a little longer than what is in it.
FORM_BYTES = 16 * 1024
CLIENT_ID_BYTES = 64
# A form that is sent more slowly than this is cut off, in seconds: from one piece to the next, and as a whole, where
# what has come gives it more time (see Pace). So nobody keeps a place for long with a byte now and then.
PIECE_SECONDS = 20.0
FORM_SECONDS = 60.0
# So many files may be on their way in at once, because each is in memory: from everybody, and from one of them.
UPLOADS_AT_ONCE = 8
UPLOADS_OF_ONE = 4
# What one of them may send in a day, and for how much a small file counts: however many conversations it is in, that
# fills neither the disk nor the day that all share (see bot/core/attachments.py).
BYTES_A_DAY_OF_ONE = 100 * 2**20
LEAST_COUNTED_BYTES = 64 * 1024
DAY_SECONDS = 24 * 60 * 60
FIELDS = ("client_id", "file")
# How the content of a part may be said to be packed: not at all.
_PLAIN = frozenset({"binary", "8bit", "7bit"})

Answer = TypeVar("Answer")

DAYS_BYTES = web.AppKey("days_bytes", RateLimit)


def prepare(app: web.Application) -> None:
    """Give the application what forms need."""
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


@dataclass
class Form:
    """What has come of a form so far."""

    client_id: str | None = None
    file: IncomingFile | None = None
    pace: Pace = field(default_factory=lambda: Pace(FORM_SECONDS))


async def read_form(request: web.Request, form: Form) -> tuple[str, IncomingFile]:
    """Read a form to its end, and never more of it than a file may have: its client_id and its file.

    What has come is in `form` also when it fails. Raises BadForm, frames.BadFrame, TooSlow or FileTooLarge.
    """
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
    if form.client_id is None or form.file is None:
        raise BadForm("A form has a client_id and a file.")
    return form.client_id, form.file


def one_more_upload(uploads: Transfers, who: str) -> contextlib.AbstractContextManager[None]:
    """Room for one form on its way in, from an address or a person. Raises RateLimited while there is none."""
    return uploads.one_more(who, UPLOADS_AT_ONCE, UPLOADS_OF_ONE)


@contextlib.contextmanager
def room_of_the_day(app: web.Application, who: str, size: int) -> Iterator[None]:
    """Count a file for whoever sends it, unless it comes to nothing. Raises FileRefused when it is too much."""
    counted = max(size, LEAST_COUNTED_BYTES)
    try:
        app[DAYS_BYTES].spend(who, counted)
    except RateLimited:
        raise FileRefused("too_many") from None
    try:
        yield
    except BaseException:
        app[DAYS_BYTES].give_back(who, counted)
        raise


async def _read_parts(reader: MultipartReader, form: Form) -> None:
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
    return await finish_within(step, min(PIECE_SECONDS, pace.left()))
