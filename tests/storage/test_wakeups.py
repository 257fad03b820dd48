"""Wake-ups reach everybody who listens, and nothing that goes wrong with them reaches anybody."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from bot.services.ports import Hint
from bot.storage import wakeups
from bot.storage.wakeups import CHANNEL, LocalWakeups, PostgresWakeups, create_wakeups

ROOT = Path(__file__).parents[2]
HINT = Hint("inbound", "conversation-1")
# Listens, says so, sends what it hears back under another topic.
ECHO = """
import asyncio, sys
from bot.services.ports import Hint
from bot.storage.wakeups import create_wakeups

async def main():
    wakeups, heard = create_wakeups(sys.argv[1]), asyncio.Queue()
    async with wakeups.listening(heard.put_nowait):
        print("listening", flush=True)
        while (hint := await heard.get()).topic != "inbound":
            pass
        wakeups.send(Hint("outbound", hint.conversation_id))

asyncio.run(main())
"""


class Heard(asyncio.Queue):
    """Receives hints, and waits for the next one."""

    def __call__(self, hint: Hint) -> None:
        self.put_nowait(hint)

    async def next(self) -> Hint:
        return await asyncio.wait_for(self.get(), 10)


@pytest.fixture
def folder():
    # Short, because a socket's path has a limit that pytest's folders may pass.
    path = Path(tempfile.mkdtemp(prefix="ks-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def senders(sql_url):
    return create_wakeups(sql_url)


def postgres_dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


# Both kinds


async def test_every_listener_hears_every_hint(senders, sql_url):
    one, two = Heard(), Heard()
    async with senders.listening(one), create_wakeups(sql_url).listening(two):
        senders.send(HINT)
        senders.send(Hint("outbox"))

        for heard in (one, two):
            assert {await heard.next(), await heard.next()} == {HINT, Hint("outbox")}


async def test_several_listeners_of_one_sender_all_go_on_hearing(senders, caplog):
    one, two = Heard(), Heard()
    async with senders.listening(one), senders.listening(two):
        # A connection that nobody holds is cut when the garbage is collected.
        gc.collect()
        senders.send(HINT)

        assert (await one.next(), await two.next()) == (HINT, HINT)
    assert "lost the connection" not in caplog.text


async def test_hints_pass_between_processes_both_ways(senders, sql_url):
    heard = Heard()
    async with senders.listening(heard):
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", ECHO, sql_url, stdout=-1, cwd=ROOT)
        assert await asyncio.wait_for(other.stdout.readline(), 20) == b"listening\n"
        senders.send(HINT)

        while (hint := await heard.next()).topic != "outbound":
            assert hint == HINT
        assert hint.conversation_id == HINT.conversation_id
        assert await asyncio.wait_for(other.wait(), 10) == 0


async def test_sending_to_nobody_is_no_error(senders):
    senders.send(HINT)


# Local sockets


async def test_the_socket_of_a_dead_process_is_cleared_away(folder):
    heard = Heard()
    dead = folder / "0-dead"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(dead))

    async with LocalWakeups(folder).listening(heard):
        LocalWakeups(folder).send(HINT)
        assert await heard.next() == HINT

    assert list(folder.iterdir()) == []


async def test_a_listener_that_does_not_read_holds_up_nobody(folder):
    heard = Heard()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(folder / "0-deaf"))
        async with LocalWakeups(folder).listening(heard):
            for _ in range(600):
                LocalWakeups(folder).send(HINT)

            assert await heard.next() == HINT
        assert (folder / "0-deaf").exists()


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"inbound"',
        b"{}",
        b'{"topic": "inbound", "rank": 1}',
        b'{"topic": ["inbound"], "conversation_id": {}}',
        b"[" * 1_024,
        b'{"topic": "' + b"x" * 5_000 + b'"}',
    ],
)
async def test_a_datagram_that_is_no_hint_is_ignored(folder, junk, caplog):
    heard = Heard()
    async with LocalWakeups(folder).listening(heard):
        (path,) = folder.iterdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(junk, str(path))
        LocalWakeups(folder).send(HINT)

        assert await heard.next() == HINT
    assert heard.empty()
    assert [record.message for record in caplog.records] == ["ignored a wake-up that is not one of ours"]


async def test_a_folder_that_is_gone_is_no_error(folder):
    LocalWakeups(folder / "gone").send(HINT)


def test_one_database_has_one_folder_however_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert LocalWakeups.beside("kasuki.db")._folder == LocalWakeups.beside(f"{tmp_path}/x/../kasuki.db")._folder
    assert LocalWakeups.beside("kasuki.db")._folder != LocalWakeups.beside("other.db")._folder


async def test_only_its_user_may_use_the_folder(folder):
    async with LocalWakeups(folder / "new").listening(Heard()):
        assert (folder / "new").stat().st_mode & 0o777 == 0o700


# PostgreSQL


@pytest.fixture
async def postgres(postgres_url):
    connection = await asyncpg.connect(postgres_dsn(postgres_url))
    yield connection
    await connection.close()


async def notify(connection, payload):
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)


async def test_a_listener_comes_back_after_its_connection_was_cut(postgres, postgres_url, monkeypatch, caplog):
    monkeypatch.setattr(wakeups, "RECONNECT_SECONDS", 0.01)
    heard = Heard()
    async with PostgresWakeups(postgres_url).listening(heard):
        cut = await postgres.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        assert len(cut) == 1

        # Nothing is heard in between; that is what polling is for.
        for attempt in range(200):
            await notify(postgres, json.dumps({"topic": "inbound", "conversation_id": str(attempt)}))
            try:
                hint = await asyncio.wait_for(heard.get(), 0.05)
                break
            except asyncio.TimeoutError:
                continue

    assert hint.topic == "inbound"
    assert "lost the connection that listens for wake-ups; polling until it is back" in caplog.text


async def test_a_notification_that_is_no_hint_is_ignored(postgres, postgres_url):
    heard = Heard()
    async with PostgresWakeups(postgres_url).listening(heard):
        for junk in ("", "not json", "null", "{}", '{"topic": ["inbound"]}', "[" * 5_000):
            await notify(postgres, junk)
        await notify(postgres, '{"topic": "inbound", "conversation_id": "conversation-1"}')

        assert await heard.next() == HINT
    assert heard.empty()


async def test_without_a_server_there_is_polling_and_no_error(tmp_path, caplog):
    away = PostgresWakeups(f"postgresql://nobody@/kasuki?host={tmp_path}")

    async with away.listening(Heard()):
        away.send(HINT)

    assert "cannot listen for wake-ups, polling instead" in caplog.text


async def test_listening_ends_without_leaving_a_connection(postgres, postgres_url):
    async with PostgresWakeups(postgres_url).listening(Heard()):
        pass

    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    for _ in range(100):  # the server takes a moment to notice
        if not (found := await postgres.fetchval(left)):
            break
    assert found == 0
