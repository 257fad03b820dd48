"""Wake-ups between processes: LISTEN/NOTIFY on PostgreSQL, datagrams on a local socket beside SQLite.

A wake-up is only a hint. One that is lost, doubled or late costs a poll interval and nothing else, so sending never
fails and never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import make_url

from bot.services.ports import Hint

CHANNEL = "kasuki"
RECONNECT_SECONDS = 2.0
LAST_SEND_SECONDS = 1.0
MAX_HINT_BYTES = 1_024

log = logging.getLogger(__name__)

Receiver = Callable[[Hint], None]


class Wakeups(Protocol):
    """Sends hints to every process that listens on the same database."""

    def send(self, hint: Hint) -> None:
        """Tell everybody; never fails, never waits."""
        ...

    def listening(self, receiver: Receiver) -> contextlib.AbstractAsyncContextManager[None]:
        """While this is open, every hint that arrives is handed to the receiver."""
        ...


def create_wakeups(database_url: str) -> Wakeups:
    """The wake-ups that fit the database."""
    if make_url(database_url).get_backend_name() == "sqlite":
        return LocalWakeups.beside(make_url(database_url).database or ":memory:")
    return PostgresWakeups(database_url)


def _decode(data: str | bytes) -> Hint | None:
    try:
        hint = Hint(**json.loads(data))
    except (ValueError, TypeError, RecursionError):
        hint = None
    if hint is None or not isinstance(hint.topic, str) or not isinstance(hint.conversation_id, str):
        log.warning("ignored a wake-up that is not one of ours")
        return None
    return hint


class LocalWakeups:
    """Datagram sockets in one folder: each listener binds one, and a sender writes to all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def beside(cls, database: str) -> LocalWakeups:
        """The folder for a SQLite file. In the temporary folder, because a socket's path may have 100 bytes at most."""
        digest = hashlib.sha256(str(Path(database).resolve()).encode()).hexdigest()[:16]
        return cls(Path(tempfile.gettempdir()) / f"kasuki-{os.getuid()}-{digest}")

    def send(self, hint: Hint) -> None:
        data = json.dumps(asdict(hint)).encode()
        with contextlib.suppress(FileNotFoundError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for path in self._folder.iterdir():
                try:
                    sender.sendto(data, str(path))
                except ConnectionRefusedError:  # its process is gone
                    path.unlink(missing_ok=True)
                except OSError as error:  # full, or just closed: it will poll
                    log.debug("a wake-up was not delivered: %s", error)

    @contextlib.asynccontextmanager
    async def listening(self, receiver: Receiver) -> AsyncIterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.setblocking(False)
            listener.bind(str(path))
            # Not create_datagram_endpoint: uvloop's knows no local sockets.
            loop.add_reader(listener, _receive, listener, receiver)
            try:
                yield
            finally:
                loop.remove_reader(listener)
                path.unlink(missing_ok=True)


def _receive(listener: socket.socket, receiver: Receiver) -> None:
    with contextlib.suppress(BlockingIOError):
        if (hint := _decode(listener.recv(MAX_HINT_BYTES))) is not None:
            receiver(hint)


class PostgresWakeups:
    """LISTEN on a connection of its own. Hints that belong to a commit are sent in its transaction (unit_of_work)."""

    def __init__(self, database_url: str) -> None:
        self._dsn = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: asyncpg.Connection[Any] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        # The driver refuses a second query on a connection that is busy with the first.
        self._one_at_a_time = asyncio.Lock()

    def send(self, hint: Hint) -> None:
        if self._connection is None or self._connection.is_closed():
            return
        task = asyncio.get_running_loop().create_task(self._notify(json.dumps(asdict(hint))))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _notify(self, payload: str) -> None:
        connection = self._connection
        try:
            if connection is not None:
                async with self._one_at_a_time:
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.debug("a wake-up was not delivered: %s", error)

    @contextlib.asynccontextmanager
    async def listening(self, receiver: Receiver) -> AsyncIterator[None]:
        connected = asyncio.Event()
        task = asyncio.create_task(self._keep_listening(receiver, connected))
        try:
            await connected.wait()
            yield
        finally:
            if self._sending:
                # What was sent a moment ago needs the connection for a moment more.
                await asyncio.wait(self._sending, timeout=LAST_SEND_SECONDS)
            for each in (task, *self._sending):
                each.cancel()
            await asyncio.gather(task, *self._sending, return_exceptions=True)

    async def _keep_listening(self, receiver: Receiver, connected: asyncio.Event) -> None:
        def received(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
            if (hint := _decode(str(payload))) is not None:
                receiver(hint)

        while True:
            lost = asyncio.Event()
            # Held here as well: the driver cuts a connection that nobody holds, and another listener may come after.
            connection: asyncpg.Connection[Any] | None = None
            try:
                connection = self._connection = await asyncpg.connect(self._dsn)
                connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
                await connection.add_listener(CHANNEL, received)
                connected.set()
                await lost.wait()
                log.warning("lost the connection that listens for wake-ups; polling until it is back")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("cannot listen for wake-ups, polling instead: %s", error)
                connected.set()
            finally:
                if connection is not None and not lost.is_set():
                    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                        await asyncio.shield(connection.close(timeout=1))
            await asyncio.sleep(RECONNECT_SECONDS)
