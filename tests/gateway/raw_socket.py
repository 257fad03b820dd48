"""A WebSocket client of a few lines, which may do what no library lets it do."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

TEXT, CLOSE, PING = 1, 8, 9


class RawSocket:
    """An open socket, on which nothing is read unless a test asks for it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, payload: bytes, opcode: int = TEXT, *, first_byte: int | None = None) -> None:
        """A masked frame; `first_byte` for flags that no honest client sets."""
        mask = os.urandom(4)
        length = len(payload)
        head = bytes([0x80 | opcode if first_byte is None else first_byte])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65_536:
            head += bytes([0xFE]) + length.to_bytes(2, "big")
        else:
            head += bytes([0xFF]) + length.to_bytes(8, "big")
        body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        self.writer.write(head + mask + body)

    def say(self, frame: Any) -> None:
        self.send(json.dumps(frame).encode())

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. Raises EOFError at the end."""
        head = await asyncio.wait_for(self.reader.readexactly(2), 10)
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return head[0] & 0x0F, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """The code with which the other side closes it."""
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")


@contextlib.asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of which little is buffered on this side."""
    address = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=made, limit=2_048)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def raw_socket(url: str, **headers: str) -> AsyncIterator[RawSocket]:
    """A socket on which nothing has been said."""
    async with raw_connection(url) as (reader, writer):
        key = base64.b64encode(os.urandom(16)).decode()
        asked = {
            "Host": urlsplit(url).netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        writer.write(f"GET /chat/ws HTTP/1.1\r\n{lines}\r\n".encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        yield RawSocket(reader, writer)
