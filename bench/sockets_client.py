"""The customers of `bench.sockets`, in a process of their own: some hold a socket open, some write on theirs."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from typing import Any

import aiohttp

OPENING_AT_ONCE = 20
ANSWER_SECONDS = 30.0
PAUSE_SECONDS = (1.05, 1.25)  # a conversation may have a message a second


class Customer:
    """One socket, read all the time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._socket = socket
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def arrive(cls, session: aiohttp.ClientSession, url: str, number: int) -> Customer:
        """Open a socket and say hello, as a browser does."""
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        socket = await session.ws_connect(
            f"{url}/chat/ws", headers={"X-Forwarded-For": address}, compress=15, autoping=True
        )
        await socket.send_json({"type": "hello", "visitor_token": None, "identity_token": None, "last_seq": 0})
        while (await socket.receive_json(timeout=ANSWER_SECONDS))["type"] != "ready":
            pass
        return cls(socket)

    async def _read(self) -> None:
        async for message in self._socket:
            now = time.perf_counter()
            frame = json.loads(message.data)
            if frame["type"] == "ack" and (waiting := self._waiting.pop(frame["client_id"], None)) is not None:
                waiting.set_result(now)

    async def say(self, text: str) -> float:
        """The seconds from sending a message to its acknowledgement."""
        client_id = str(uuid.uuid4())
        waiting = self._waiting[client_id] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self._socket.send_str(json.dumps({"type": "message", "client_id": client_id, "text": text}))
        answered: float = await asyncio.wait_for(waiting, ANSWER_SECONDS)
        return answered - began

    async def leave(self) -> None:
        """Close the socket."""
        await self._socket.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


class Crowd:
    """All customers of one run."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._arrived = 0
        self._idle: list[Customer] = []

    async def wait_idly(self, count: int) -> dict[str, Any]:
        """So many more who only hold their socket open."""
        began = time.perf_counter()
        self._idle += await self._arrive(count)
        return {"seconds": time.perf_counter() - began}

    async def talk(self, count: int, seconds: float) -> dict[str, Any]:
        """So many who write a message a second; the milliseconds until each acknowledgement, and how many had none."""
        customers = await self._arrive(count)
        until = time.perf_counter() + seconds
        took: list[float] = []
        lost = 0

        async def go_on(customer: Customer) -> None:
            nonlocal lost
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS[1]))
            while time.perf_counter() < until:
                try:
                    took.append(await customer.say("Where is my order TC-10002? It should have come."))
                except asyncio.TimeoutError:
                    lost += 1
                await asyncio.sleep(random.uniform(*PAUSE_SECONDS))

        await asyncio.gather(*map(go_on, customers))
        await asyncio.gather(*(customer.leave() for customer in customers))
        return {"milliseconds": [one * 1_000 for one in took], "lost": lost}

    async def leave(self) -> dict[str, Any]:
        """Close all sockets."""
        await asyncio.gather(*(customer.leave() for customer in self._idle))
        self._idle.clear()
        return {}

    async def _arrive(self, count: int) -> list[Customer]:
        gate = asyncio.Semaphore(OPENING_AT_ONCE)

        async def arrive(number: int) -> Customer:
            async with gate:
                return await Customer.arrive(self._session, self._url, number)

        first, self._arrived = self._arrived, self._arrived + count
        return await asyncio.gather(*(arrive(first + number) for number in range(count)))


async def serve_orders(url: str) -> None:
    """Carry out what comes on standard input, a line of JSON each, and answer on standard output."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        crowd = Crowd(session, url)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, *arguments = json.loads(line)
            answer = await getattr(crowd, name)(*arguments)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(serve_orders(sys.argv[1]))
