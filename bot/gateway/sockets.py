"""Opening a WebSocket, and leaving it: the same for the chat and for the desk."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from bot.gateway import settings
from bot.gateway.connections import WRITTEN_AHEAD_BYTES, leave_soon

HEARTBEAT_SECONDS = 20.0


@contextlib.asynccontextmanager
async def open_socket(request: web.Request, max_frame_bytes: int) -> AsyncIterator[web.WebSocketResponse]:
    """A socket that is told when the gateway stops. Raises HTTPBadRequest where it is not asked for as sockets are."""
    socket = web.WebSocketResponse(
        # One more, because aiohttp refuses what reaches its limit.
        max_msg_size=max_frame_bytes + 1,
        heartbeat=HEARTBEAT_SECONDS,
        # Frames are small, and what packs and unpacks them would take ten times the memory of all the rest.
        compress=False,
        writer_limit=WRITTEN_AHEAD_BYTES,
    )
    try:
        await socket.prepare(request)
    except ValueError as error:  # letters in the handshake's key that no such key has
        raise web.HTTPBadRequest(text="This is not how a WebSocket is opened.") from error
    sockets, transport = request.app[settings.SOCKETS], request.transport
    sockets[socket] = request
    try:
        yield socket
    finally:
        sockets.pop(socket, None)
        leave_soon(transport)
