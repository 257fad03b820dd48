"""The website chat: a WebSocket, and the same conversation over plain HTTP where sockets are blocked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

from aiohttp import WSCloseCode, WSMsgType, web

from bot.core.conversations import Conversation
from bot.errors import BotError
from bot.gateway import frames, settings
from bot.gateway.connections import leave_soon, patience
from bot.gateway.database import database_answers
from bot.gateway.limits import client_address
from bot.gateway.responses import STATUS, error_response
from bot.gateway.sockets import HEARTBEAT_SECONDS, open_socket
from bot.gateway.tokens import BadToken, bearer_token, read_visitor_token
from bot.gateway.visitors import open_chat, ready, take_frame
from bot.services.conversations import visible_conversation

HELLO_SECONDS = 15.0
# After this many frames that make no sense, the other side is not a chat.
MAX_BAD_FRAMES = 25

routes = web.RouteTableDef()
log = logging.getLogger(__name__)


class ForeignOrigin(BotError):
    """A page that is not the shop's."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__("This page may not open the chat: add its address to widget.origins in business.yml.")


def check_origin(request: web.Request) -> None:
    """Browsers say which page is asking. Raises 403 for a page that is not the shop's."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in request.app[settings.SETTINGS].allowed_origins:
        request.app[settings.METRICS].refused("foreign_origin")
        raise web.HTTPForbidden(text=ForeignOrigin().message)


@routes.get("/chat/ws")
async def chat_socket(request: web.Request) -> web.StreamResponse:
    """One customer's socket: hello, then messages both ways until either side leaves."""
    check_origin(request)
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    with request.app[settings.CONNECTIONS].held_by(client_address(request)):
        return await _hold_socket(request)


async def _hold_socket(request: web.Request) -> web.WebSocketResponse:
    async with open_socket(request, frames.MAX_FRAME_BYTES) as socket:
        session = _Session(request, socket)
        try:
            await session.run()
        except Exception:
            # Not for the middlewares: a socket that is open cannot be answered with a page any more.
            log.exception("a socket's session failed")
            await session.close(WSCloseCode.INTERNAL_ERROR, b"something went wrong")
    return socket


class _Session:
    """What one socket has said so far."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._app = request.app
        self._request = request
        self._socket = socket
        self._bad_frames = 0
        self._feeding: asyncio.Task[None] | None = None
        self._conversation: Conversation | None = None

    async def run(self) -> None:
        try:
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(self._stop_feeding)
                while (message := await self._receive()) is not None:
                    await self._take(message)
                    if self._bad_frames >= MAX_BAD_FRAMES:
                        await self.close(WSCloseCode.POLICY_VIOLATION, b"too many bad frames")
        except ConnectionError:  # the other side is gone; it will come back and ask from where it was
            log.debug("a socket was lost")

    async def _receive(self) -> str | bytes | None:
        while True:
            try:
                # Only hello is waited for with a limit; a customer may be silent for as long as they like.
                timeout = HELLO_SECONDS if self._conversation is None else None
                message = await self._socket.receive(timeout)
            except asyncio.TimeoutError:
                await self.close(WSCloseCode.POLICY_VIOLATION, b"no hello")
                return None
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data: str | bytes = message.data
                return data
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return None

    async def _take(self, data: str | bytes) -> None:
        client_id = None
        try:
            if isinstance(data, bytes):
                raise frames.BadFrame("A frame is text, not binary data.")
            frame = frames.parse_frame(data)
            client_id = frame.client_id if isinstance(frame, frames.Send) else None
            if isinstance(frame, frames.Hello):
                await self._hello(frame)
            elif self._conversation is None:
                raise frames.BadFrame("Say hello first.", client_id)
            elif (answer := await take_frame(self._app, self._conversation, frame)) is not None:
                await self._send(answer)
        except BotError as error:
            self._bad_frames += isinstance(error, frames.BadFrame)
            self._app[settings.METRICS].refused(error.code)
            await self._send(frames.error_frame(error, client_id))

    async def _hello(self, hello: frames.Hello) -> None:
        if self._conversation is not None:
            raise frames.BadFrame("Hello was said already. Open a new socket to begin anew.")
        conversation, customer, refused = await open_chat(self._app, hello, client_address(self._request))
        if refused is not None:
            await self._send(frames.error_frame(refused))
        self._conversation = conversation
        answer = await ready(self._app, conversation, customer)
        await self._send(answer)
        self._feeding = asyncio.create_task(self._feed(conversation, hello.last_seq, answer["position"]))

    async def _feed(self, conversation: Conversation, last_seq: int, position: int | None) -> None:
        try:
            async for frame in self._app[settings.LIVE].feed(conversation, last_seq, position):
                await self._send(frame)
            if not self._app[settings.LIVE].closing.is_set():
                # It may not be seen any more, nor written to.
                await self.close(WSCloseCode.OK, b"signed out")
        except ConnectionError:
            log.debug("a socket was lost")
        except Exception:
            log.exception("could not show new messages", extra={"conversation_id": conversation.id})
            # The client reconnects and asks from where it was.
            await self.close(WSCloseCode.TRY_AGAIN_LATER, b"try again")

    async def _stop_feeding(self) -> None:
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)

    async def _send(self, frame: frames.Frame) -> None:
        with patience(self._request):
            await self._socket.send_str(json.dumps(frame))

    async def close(self, code: WSCloseCode, reason: bytes) -> None:
        """Close it, whether or not the other side still reads."""
        with patience(self._request):
            await self._socket.close(code=code, message=reason)


@routes.post("/chat/messages")
async def chat_messages(request: web.Request) -> web.Response:
    """The socket's frames, one a request: hello is answered by ready, a message by its acknowledgement."""
    check_origin(request)
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    client_id = None
    try:
        frame = frames.parse_frame(await request.read())
        client_id = frame.client_id if isinstance(frame, frames.Send) else None
        if isinstance(frame, frames.Hello):
            conversation, customer, _ = await open_chat(request.app, frame, client_address(request))
            return web.json_response(await ready(request.app, conversation, customer))
        answer = await take_frame(request.app, await visitors_conversation(request), frame)
    except BotError as error:
        request.app[settings.METRICS].refused(error.code)
        return web.json_response(frames.error_frame(error, client_id), status=STATUS.get(error.code, 400))
    return web.json_response(answer or {"type": "ok"})


@routes.get("/chat/events")
async def chat_events(request: web.Request) -> web.StreamResponse:
    """The conversation as server-sent events: every message after `after`, then live."""
    check_origin(request)
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    try:
        after = seen_until(request)
        conversation = await visitors_conversation(request)
    except BotError as error:
        return error_response(error)
    with request.app[settings.CONNECTIONS].held_by(client_address(request)):
        return await _hold_stream(request, conversation, after)


async def _hold_stream(request: web.Request, conversation: Conversation, after: int) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "X-Content-Type-Options": "nosniff",
        }
    )
    await response.prepare(request)
    beating = asyncio.create_task(_heartbeat(request, response))
    try:
        async for frame in request.app[settings.LIVE].feed(conversation, after):
            event_id = f"id: {frame['seq']}\n" if frame["type"] == "message" else ""
            with patience(request):
                await response.write(f"{event_id}data: {json.dumps(frame)}\n\n".encode())
    except ConnectionError:
        log.debug("an event stream was lost")
    except Exception:
        # Not for the middlewares: the answer has begun. The stream ends, and the client asks again from where it was.
        log.exception("could not show new messages", extra={"conversation_id": conversation.id})
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        leave_soon(request.transport)
    return response


async def _heartbeat(request: web.Request, response: web.StreamResponse) -> None:
    # Proxies cut a silent stream; a comment is nothing to the client.
    with contextlib.suppress(ConnectionError):
        while True:
            with patience(request):
                await response.write(b":\n\n")
            await asyncio.sleep(HEARTBEAT_SECONDS)


def seen_until(request: web.Request) -> int:
    """The seq after which a client wants the messages. Raises BadFrame."""
    after = request.query.get("after", request.headers.get("Last-Event-ID", "0"))
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise frames.BadFrame("after must be a whole number from 0.")
    return int(after)


async def visitors_conversation(request: web.Request) -> Conversation:
    """The conversation that the request's visitor token opens. Raises BadToken."""
    conversation_id = read_visitor_token(bearer_token(request), request.app[settings.SETTINGS].secret_key)
    with database_answers(conversation_id):
        found = await visible_conversation(request.app[settings.DATABASE], request.app[settings.CLOCK], conversation_id)
    if found is None:
        raise BadToken
    return found
