"""A customer's side of the chat: sends anything, keeps what comes back, and never waits for ever."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import aiohttp

SECONDS = 10.0

Frame = dict[str, Any]


def message(text: Any, **changes: Any) -> Frame:
    """A message as a client sends it, with a client id of its own."""
    return {"type": "message", "client_id": str(uuid.uuid4()), "text": text, **changes}


class ChatClosed(Exception):
    """The other side closed the socket."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"closed with {code} {reason!r}")
        self.code = code
        self.reason = reason


class Chat:
    """One socket. Frames that a test did not ask for stay unread, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.ready: Frame = {}
        self._unread: list[Frame] = []

    async def hello(
        self, visitor_token: str | None = None, identity_token: str | None = None, last_seq: int = 0, **more: Any
    ) -> Frame:
        """Introduce oneself; the ready frame."""
        hello = {"type": "hello", "visitor_token": visitor_token, "identity_token": identity_token}
        await self.send({**hello, "last_seq": last_seq, **more})
        self.ready = await self.expect("ready")
        return self.ready

    @property
    def conversation_id(self) -> str:
        return self.ready["conversation_id"]

    @property
    def visitor_token(self) -> str:
        return self.ready["visitor_token"]

    async def send(self, frame: Frame | str | bytes) -> None:
        """A frame, or raw data that is none."""
        if isinstance(frame, bytes):
            await self.socket.send_bytes(frame)
        else:
            await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def write(self, text: str, client_id: str | None = None) -> str:
        """Send a message without waiting; its client id."""
        client_id = client_id or str(uuid.uuid4())
        await self.send({"type": "message", "client_id": client_id, "text": text})
        return client_id

    async def say(self, text: str, client_id: str | None = None) -> int:
        """Send a message and wait for its acknowledgement; its seq."""
        client_id = await self.write(text, client_id)
        return (await self.expect("ack", client_id=client_id))["seq"]

    async def ask(self, text: str) -> str:
        """Send a message and wait for the bot's answer."""
        seq = await self.say(text)
        while True:
            answer = await self.expect("message", author="bot")
            if answer["seq"] > seq:
                return answer["text"]

    async def pick(self, payload: str, client_id: str | None = None) -> str:
        """Send a choice without waiting; its client id."""
        client_id = client_id or str(uuid.uuid4())
        await self.send({"type": "choice", "client_id": client_id, "payload": payload})
        return client_id

    async def expect(self, kind: str, **match: Any) -> Frame:
        """The next frame of that type with those values; what came before it stays unread."""
        passed: list[Frame] = []
        try:
            while True:
                frame = self._unread.pop(0) if self._unread else await self._receive()
                if frame["type"] == kind and all(frame.get(name) == value for name, value in match.items()):
                    return frame
                passed.append(frame)
        except asyncio.TimeoutError:
            raise AssertionError(f"no {kind} {match} came, but {passed}") from None
        finally:
            self._unread[:0] = passed

    async def error(self) -> Frame:
        """The next error frame."""
        return await self.expect("error")

    async def messages(self, count: int) -> list[Frame]:
        """The next so many message frames."""
        return [await self.expect("message") for _ in range(count)]

    async def closed(self) -> ChatClosed:
        """Wait until the other side closes the socket; how it did."""
        try:
            while True:
                self._unread.append(await self._receive())
        except ChatClosed as closed:
            return closed

    async def is_silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a moment."""
        if self._unread:
            return False
        try:
            self._unread.append(await self._receive(seconds))
        except asyncio.TimeoutError:
            return True
        return False

    async def close(self) -> None:
        await self.socket.close()

    def vanish(self) -> None:
        """Lose the connection, as a phone in a tunnel does: no goodbye."""
        connection = self.socket._response.connection
        assert connection is not None and connection.transport is not None
        connection.transport.abort()

    async def _receive(self, seconds: float = SECONDS) -> Frame:
        message = await self.socket.receive(seconds)
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        if message.type is aiohttp.WSMsgType.CLOSE:
            raise ChatClosed(message.data, message.extra or "")
        raise ChatClosed(self.socket.close_code, "")


class EventStream:
    """Server-sent events, read one at a time."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0

    async def next(self) -> tuple[str | None, Frame]:
        """The next event's id and data; comments are counted and passed over."""
        event_id: str | None = None
        data: Frame | None = None
        while True:
            line = (await asyncio.wait_for(self.response.content.readline(), SECONDS)).decode()
            if not line:
                raise EOFError("the stream ended")
            line = line.rstrip("\n")
            if line.startswith(":"):
                self.comments += 1
            elif line.startswith("id: "):
                event_id = line.removeprefix("id: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
            elif not line and data is not None:
                return event_id, data

    async def message(self) -> Frame:
        """The next message frame."""
        while True:
            _, frame = await self.next()
            if frame["type"] == "message":
                return frame

    async def comment(self) -> None:
        """Wait for a comment."""
        line = b""
        while not line.startswith(b":"):
            line = await asyncio.wait_for(self.response.content.readline(), SECONDS)
            assert line, "the stream ended"

    async def ended(self) -> bool:
        """Wait for the stream's end."""
        try:
            while True:
                await self.next()
        except EOFError:
            return True


async def eventually(condition: Any, seconds: float = SECONDS) -> None:
    """Wait until a condition (a function, which may be a coroutine function) holds."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        result = condition()
        if await result if asyncio.iscoroutine(result) else result:
            return
        if asyncio.get_running_loop().time() > end:
            raise AssertionError("it did not come true in time")
        await asyncio.sleep(0.005)
