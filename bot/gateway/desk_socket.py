"""The desk's socket: tells an open desk what has changed, and hears what is on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from bot.core.conversations import Conversation, ConversationId, Owner
from bot.errors import BotError
from bot.gateway import settings
from bot.gateway.connections import patience
from bot.gateway.database import database_answers
from bot.gateway.desk_answers import agent_answer, message_answer
from bot.gateway.desk_endpoints import ID, Call, Right, admitted, check_own_origin
from bot.gateway.desk_live import DESK, Screen
from bot.gateway.frames import BadFrame, parse_json
from bot.gateway.limits import RateLimit, RateLimited
from bot.gateway.responses import error_response
from bot.gateway.sockets import open_socket
from bot.services.agents import note_presence, signed_in_agent
from bot.services.desk import show_typing
from bot.services.desk_views import record_read
from bot.services.ports import Hint

MAX_FRAME_BYTES = 4 * 1024
MAX_BAD_FRAMES = 25
# So many windows of one person at once; nobody has a use for more.
MAX_OPEN_DESKS = 30
PAGE = 200
# Whoever types says so now and then; more often nobody needs to know.
TYPING_LIMIT = web.AppKey("typing_limit", RateLimit)

routes = web.RouteTableDef()
log = logging.getLogger(__name__)


@routes.get("/desk/ws")
async def desk_socket(request: web.Request) -> web.StreamResponse:
    """One open desk, until either side leaves or the session ends."""
    try:
        check_own_origin(request)
        with database_answers():
            call = await admitted(request, Right.AGENT)
        with request.app[settings.CONNECTIONS].held_by(f"desk {call.agent.id}", MAX_OPEN_DESKS):
            return await _hold_socket(call)
    except BotError as error:
        request.app[settings.METRICS].refused(error.code)
        response = error_response(error)
        response.headers.pop("WWW-Authenticate", None)
        return response


async def _hold_socket(call: Call) -> web.WebSocketResponse:
    async with open_socket(call.request, MAX_FRAME_BYTES) as socket:
        try:
            with call.request.app[DESK].open(call.agent) as screen:
                await _Session(call, socket, screen).run()
        except ConnectionError:
            log.debug("a desk's socket was lost")
        except Exception:
            log.exception("a desk's session failed")
            await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=b"something went wrong")
    return socket


class _Session:
    """One desk's socket."""

    def __init__(self, call: Call, socket: web.WebSocketResponse, screen: Screen) -> None:
        self._call = call
        self._socket = socket
        self._screen = screen
        self._hub = call.request.app[DESK]
        self._bad_frames = 0

    async def run(self) -> None:
        await self._send({"type": "hello", "agent": agent_answer(self._call.agent)})
        telling = asyncio.create_task(self._tell())
        try:
            async for message in self._socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self._take(message.data)
                if self._bad_frames >= MAX_BAD_FRAMES:
                    await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many bad frames")
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            with contextlib.suppress(Exception):
                await self._watch(None)

    async def _take(self, data: str | bytes) -> None:
        try:
            frame = parse_json(data)
            kind = frame.get("type") if isinstance(frame, dict) else None
            match kind:
                case "watch":
                    await self._watch(_conversation(frame, may_be_none=True))
                case "typing":
                    conversation_id = _conversation(frame)
                    if conversation_id is not None:
                        self._call.request.app[TYPING_LIMIT].spend(f"{self._call.agent.id} {conversation_id}")
                        await show_typing(self._call.db, self._call.agent, conversation_id)
                case "here":
                    await self._here()
                case _:
                    raise BadFrame("A frame needs a type: watch, typing or here.")
        except RateLimited:
            return
        except BotError as error:
            self._bad_frames += isinstance(error, BadFrame)
            await self._send({"type": "error", "code": error.code, "message": error.message})

    async def _watch(self, conversation_id: ConversationId | None) -> None:
        before, self._screen.watched = self._screen.watched, None
        if before is not None and before != conversation_id:
            # Another window of theirs may show it still.
            if not self._hub.is_on_a_screen_of(self._call.agent, before):
                await self._hub.tell_viewing(self._call.agent, before, looks=False)
        if conversation_id is None:
            return
        async with self._call.db.reading() as work:
            conversation = await work.conversations.get(conversation_id)
        if conversation is None:
            raise BadFrame("There is no such conversation.")
        await self._note_read(conversation)
        self._screen.seen_seq = conversation.last_seq
        self._screen.watched = conversation_id
        await self._hub.tell_viewing(self._call.agent, conversation_id, looks=True)

    async def _note_read(self, conversation: Conversation) -> None:
        await record_read(self._call.db, self._call.clock, self._hub.noted_reads, self._call.agent, conversation)

    async def _here(self) -> None:
        """Somebody sits at this desk: note it, and see that they are still signed in."""
        if await self._is_over():
            return
        await note_presence(self._call.db, self._call.clock, self._screen.agent)
        if self._screen.watched is not None:
            await self._hub.tell_viewing(self._call.agent, self._screen.watched, looks=True)

    async def _is_over(self) -> bool:
        agent = await signed_in_agent(self._call.db, self._call.clock, self._call.token)
        if agent is None or agent.must_change_password:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"signed out")
            return True
        self._screen.agent = agent
        return False

    async def _tell(self) -> None:
        screen = self._screen
        try:
            while True:
                await screen.wake.wait()
                screen.wake.clear()
                if screen.check_session:
                    screen.check_session = False
                    if await self._is_over():
                        return
                await self._tell_all()
        except ConnectionError:
            log.debug("a desk's socket was lost")
        except Exception:
            log.exception("could not tell a desk what has changed")
            # It comes back, and looks at everything again.
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"try again")

    async def _tell_all(self) -> None:
        """Everything that has gathered; what comes meanwhile gathers again, so that a slow desk is told less, later."""
        screen = self._screen
        watched, has_news, screen.has_news = screen.watched, screen.has_news, False
        if watched is not None and has_news:
            await self._tell_messages(watched)
        was_read, screen.was_read = screen.was_read, False
        if watched is not None and was_read:
            await self._tell_how_far(watched)
        typing, screen.typing = screen.typing, set()
        for author in typing:
            await self._send({"type": "typing", "conversation_id": watched, "author": author})
        viewers, screen.viewers = screen.viewers, None
        if viewers is not None:
            await self._send({"type": "viewers", "conversation_id": watched, "viewers": viewers})
        offers, screen.offers = screen.offers, {}
        for conversation_id, until in offers.items():
            await self._send({"type": "offer", "conversation_id": conversation_id, "until": until})
        look_at, screen.look_at = screen.look_at, set()
        for changed in [None] if None in look_at else look_at:
            await self._send({"type": "changed", "conversation_id": changed})

    async def _tell_how_far(self, conversation_id: ConversationId) -> None:
        async with self._call.db.reading() as work:
            conversation = await work.conversations.get(conversation_id)
        if conversation is not None:
            await self._send({"type": "read", "conversation_id": conversation_id, "seq": conversation.read_seq})

    async def _tell_messages(self, conversation_id: ConversationId) -> None:
        while True:
            async with self._call.db.reading() as work:
                messages = await work.messages.after(conversation_id, self._screen.seen_seq, PAGE)
                understood = await work.desk.understood(conversation_id) if messages else {}
                conversation = await work.conversations.get(conversation_id) if messages else None
            if conversation is not None:
                # Also while it goes on: the customer may have said meanwhile who they are.
                await self._note_read(conversation)
            for message in messages:
                if self._screen.watched != conversation_id:
                    return
                self._screen.seen_seq = message.seq
                answer = message_answer(message, understood.get(message.id))
                await self._send({"type": "message", "conversation_id": conversation_id, "message": answer})
            if len(messages) < PAGE:
                return

    async def _send(self, frame: dict[str, Any]) -> None:
        with patience(self._call.request):
            await self._socket.send_str(json.dumps(frame))


async def customer_types(app: web.Application, conversation: Conversation) -> None:
    """Let a person who has the conversation see that the customer is writing."""
    db = app[settings.DATABASE]
    async with db.reading() as work:
        current = await work.conversations.get(conversation.id)
    if current is None or current.owner is not Owner.AGENT:
        return
    try:
        app[TYPING_LIMIT].spend(f"customer {conversation.id}")
    except RateLimited:
        return
    async with db.transaction(durable=False) as work:
        work.hint(Hint("customer_typing", conversation.id))


def _conversation(frame: dict[str, Any], *, may_be_none: bool = False) -> ConversationId | None:
    value = frame.get("conversation_id")
    if value is None and may_be_none:
        return None
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise BadFrame("conversation_id must be the id of a conversation.")
    return ConversationId(value)
