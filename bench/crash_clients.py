"""Customers for the crash benchmark: they connect again, and send again what was not acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

ACK_SECONDS = 10.0
CONNECT_SECONDS = 5.0
BACKOFF_SECONDS, BACKOFF_SECONDS_AT_MOST = 0.1, 2.0
THINK_SECONDS_AT_MOST = 0.25


class Instalments:
    """How many messages may be sent by now, by all customers together."""

    def __init__(self) -> None:
        self.released = 0
        self.taken = 0
        self._more = asyncio.Event()

    def release(self, count: int) -> None:
        """Allow that many more."""
        self.released += count
        self._more.set()

    async def take(self) -> None:
        """Wait for the permission to send one."""
        while self.taken >= self.released:
            self._more.clear()
            await self._more.wait()
        self.taken += 1


@dataclass
class Seen:
    """What one customer has sent and seen: the evidence."""

    sent: list[str] = field(default_factory=list)
    resent: int = 0
    connections: int = 0
    acks: dict[str, int] = field(default_factory=dict)
    shown: list[int] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)


class Customer:
    """Sends its messages one after the other, each when the one before is acknowledged, answered or not."""

    def __init__(self, url: str, texts: Sequence[str], instalments: Instalments, seed: str) -> None:
        self._url = url
        self._texts = list(texts)
        self._instalments = instalments
        self._random = random.Random(seed)
        self._token: str | None = None
        self._acked = asyncio.Event()
        self.is_connected = False
        self._waiting: tuple[str, str] | None = None  # client_id and text, from the first try until acknowledged
        self.conversation_id: str | None = None
        self.seen = Seen()

    @property
    def in_flight(self) -> bool:
        """Whether a message was sent over the connection there is, and is not acknowledged yet."""
        return self.is_connected and self._waiting is not None and self._waiting[0] in self.seen.sent

    @property
    def is_done(self) -> bool:
        """Whether everything is acknowledged."""
        return len(self.seen.acks) == len(self._texts)

    @property
    def last_seq(self) -> int:
        """The last message that was shown."""
        return self.seen.shown[-1] if self.seen.shown else 0

    async def run(self) -> None:
        """Chat until cancelled, connecting again whenever the connection is lost."""
        backoff = BACKOFF_SECONDS
        async with aiohttp.ClientSession() as session:
            while True:
                connected = self.seen.connections
                try:
                    await self._connect(session)
                except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
                    pass
                backoff = BACKOFF_SECONDS if self.seen.connections > connected else backoff * 2
                await asyncio.sleep(min(backoff, BACKOFF_SECONDS_AT_MOST) * self._random.uniform(0.5, 1))

    async def _connect(self, session: aiohttp.ClientSession) -> None:
        connecting = session.ws_connect(self._url, heartbeat=10)
        async with await asyncio.wait_for(connecting, CONNECT_SECONDS) as socket:
            hello = {"type": "hello", "visitor_token": self._token, "identity_token": None, "last_seq": self.last_seq}
            await socket.send_json(hello)
            ready = await asyncio.wait_for(self._until_ready(socket), CONNECT_SECONDS)
            self._take_ready(ready)
            self.is_connected = True
            reading = asyncio.create_task(self._read(socket))
            sending = asyncio.create_task(self._send_all(socket))
            try:
                await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.is_connected = False
                reading.cancel()
                sending.cancel()
                ended = await asyncio.gather(reading, sending, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _until_ready(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> dict[str, Any]:
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise aiohttp.ClientError("the connection ended before it was ready")
            frame: dict[str, Any] = json.loads(message.data)
            if frame["type"] == "ready":
                return frame
            self._contradict(f"instead of ready came {frame['type']} {frame.get('code', '')}")

    def _take_ready(self, frame: dict[str, Any]) -> None:
        self.seen.connections += 1
        self._token = frame["visitor_token"]
        if self.conversation_id not in (None, frame["conversation_id"]):
            self._contradict("the visitor token led to another conversation")
        self.conversation_id = frame["conversation_id"]

    async def _send_all(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        while True:
            if self._waiting is None:
                if len(self.seen.acks) == len(self._texts):
                    await asyncio.Event().wait()
                await self._instalments.take()
                self._waiting = (str(uuid.UUID(int=self._random.getrandbits(128), version=4)), self._next_text())
                await asyncio.sleep(self._random.uniform(0, THINK_SECONDS_AT_MOST))
            client_id, text = self._waiting
            if client_id in self.seen.sent:
                self.seen.resent += 1
            else:
                self.seen.sent.append(client_id)
            self._acked.clear()
            await socket.send_json({"type": "message", "client_id": client_id, "text": text})
            # Without an answer in time the connection counts as lost.
            await asyncio.wait_for(self._acked.wait(), ACK_SECONDS)

    def _next_text(self) -> str:
        return self._texts[len(self.seen.acks)]

    async def _read(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            match frame["type"]:
                case "ack":
                    self._take_ack(frame["client_id"], frame["seq"])
                case "message":
                    if frame["seq"] != self.last_seq + 1:
                        self._contradict(f"message {frame['seq']} was shown after {self.last_seq}")
                    self.seen.shown.append(frame["seq"])
                case "error":
                    await self._take_error(frame)

    def _take_ack(self, client_id: str, seq: int) -> None:
        if self.seen.acks.setdefault(client_id, seq) != seq:
            self._contradict(f"a message was acknowledged as {self.seen.acks[client_id]} and as {seq}")
        if self._waiting is not None and self._waiting[0] == client_id:
            self._waiting = None
            self._acked.set()

    async def _take_error(self, frame: dict[str, Any]) -> None:
        # Both mean "not now": the message is sent again over a new connection.
        if frame["code"] not in ("rate_limited", "unavailable"):
            self._contradict(f"error {frame['code']}")
        await asyncio.sleep(frame.get("retry_after", 1))
        raise aiohttp.ClientError(frame["code"])

    def _contradict(self, what: str) -> None:
        self.seen.contradictions.append(what)
