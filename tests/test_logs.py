"""What the log says: everything that an operator needs, and nothing that a customer wrote."""

from __future__ import annotations

import io
import json
import logging
import re
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.business import load_business
from bot.clock import SystemClock
from bot.errors import ConversationNotFound
from bot.gateway.application import create_gateway
from bot.gateway.settings import GatewaySettings
from bot.logs import JsonFormatter, TextFormatter, set_up_logging
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

ROOT = Path(__file__).parents[1]
SECRET_WORD = "xylophone-marmalade"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger that writes JSON lines, all levels."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(f"test.{uuid.uuid4().hex}")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# JSON


def test_a_line_is_one_json_object(log):
    logger, stream = log
    logger.warning("could not deliver %s", "this\nand that")

    (line,) = lines(stream)
    assert (line["level"], line["logger"], line["message"]) == (
        "warning",
        logger.name,
        "could not deliver this\nand that",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["at"])
    assert set(line) == {"at", "level", "logger", "message"}


def test_extra_fields_are_fields_whatever_they_are(log):
    logger, stream = log
    logger.info("noted", extra={"conversation_id": "abc", "seq": 7, "path": Path("a/b"), "half": "\ud800"})

    (line,) = lines(stream)
    assert (line["conversation_id"], line["seq"], line["path"], line["half"]) == ("abc", 7, "a/b", "\ud800")


def test_an_exception_is_in_its_line(log):
    logger, stream = log
    try:
        raise ConversationNotFound from ZeroDivisionError("by zero")
    except ConversationNotFound:
        logger.exception("failed")

    (line,) = lines(stream)
    assert "bot.errors.ConversationNotFound: This conversation does not exist" in line["exception"]
    assert "ZeroDivisionError: by zero" in line["exception"]
    assert "direct cause" in line["exception"]
    assert "test_an_exception_is_in_its_line" in line["exception"]


@pytest.mark.parametrize(
    "formatter", [JsonFormatter(), TextFormatter()], ids=lambda formatter: type(formatter).__name__
)
def test_a_databases_error_is_told_without_the_values(formatter):
    values = {"text": SECRET_WORD, "id": "m1"}
    detail = f"UNIQUE constraint failed: messages.id\nDETAIL:  Failing row contains ({SECRET_WORD})"
    try:
        try:
            raise sqlite3.IntegrityError(detail)
        except sqlite3.IntegrityError as error:
            raise IntegrityError("INSERT INTO messages", values, error) from error
    except DBAPIError:
        record = logging.LogRecord("test", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())

    text = formatter.format(record)

    assert SECRET_WORD not in text
    assert text.count("UNIQUE constraint failed: messages.id") == 2
    assert "test_a_databases_error_is_told_without_the_values" in text


# Text


def test_a_line_for_people_has_its_extra_fields_at_its_end():
    record = logging.makeLogRecord(
        {"name": "bot.x", "levelname": "INFO", "msg": "a turn failed", "conversation_id": "abc", "seq": 7}
    )

    assert re.fullmatch(
        r"\d\d:\d\d:\d\d INFO    bot\.x: a turn failed \[conversation_id=abc seq=7\]", TextFormatter().format(record)
    )


def test_a_line_for_people_without_extra_fields_has_no_brackets():
    record = logging.makeLogRecord({"name": "bot.x", "levelname": "INFO", "msg": "ready"})

    assert TextFormatter().format(record).endswith("bot.x: ready")


# Set up


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_logging_is_set_up_once_however_often_it_is_done(root_logger, capsys, log_format):
    for _ in range(2):
        set_up_logging(log_format)
    logging.getLogger("bot.x").info("only once")
    logging.getLogger("bot.x").debug("not at all")
    logging.getLogger("sqlalchemy.engine").info("nothing that a library tells itself")

    (line,) = capsys.readouterr().err.splitlines()
    assert "only once" in line
    assert (line[0] == "{") is (log_format == "json")


# A customer's words


async def test_no_log_at_any_level_has_what_a_customer_wrote_or_who_they_are(tmp_path, caplog, monkeypatch):
    """A whole conversation with everything going wrong that can: text, tokens and keys stay out of the log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers, handler])
    for name in ("", "bot", "aiohttp", "aiohttp.server", "asyncio"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    logging.Logger.manager._clear_cache()
    key, url = f"key-{SECRET_WORD}", f"sqlite:///{tmp_path}/kasuki.db"
    engine = create_engine(url)
    await migrate(engine)
    db = SqlDatabase(engine, create_wakeups(url))
    settings = GatewaySettings(
        shop=load_business(ROOT / "business.yml").to_shop(),
        allowed_origins=frozenset(),
        demo=True,
        metrics_dir=tmp_path,
        secret_key="s" * 40,
        identity_secret="i" * 40,
        api_key=key,
    )
    runner = web.AppRunner(create_gateway(settings, db, SystemClock()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    base = f"http://{host}:{port}"
    message = {"type": "message", "client_id": str(uuid.uuid4()), "text": f"my password is {SECRET_WORD}"}
    rest = {"sender": "a", "message": SECRET_WORD, "message_id": "m1"}
    visitor = ""
    try:
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"{base}/chat/ws")
            await socket.send_json({"type": "hello", "identity_token": f"forged-{SECRET_WORD}"})
            assert (await socket.receive_json())["code"] == "unauthorized"
            visitor = (await socket.receive_json())["visitor_token"]
            await socket.send_json(message)
            assert {(await socket.receive_json())["type"] for _ in range(2)} == {"ack", "message"}
            # Refused by us.
            for frame in ({**message, "text": f"other {SECRET_WORD}"}, {"type": SECRET_WORD}, {"text": SECRET_WORD}):
                await socket.send_json(frame)
                assert (await socket.receive_json())["type"] == "error"
            # Refused by the database: the statement that fails carries the text.
            async with engine.begin() as connection:
                await connection.exec_driver_sql(
                    "CREATE TRIGGER no_more BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no more'); END"
                )
            await socket.send_json({**message, "client_id": str(uuid.uuid4())})
            assert (await socket.receive_json())["code"] == "unavailable"
            headers = {"Authorization": f"Bearer {visitor}"}
            async with session.post(
                f"{base}/chat/messages", json={**message, "client_id": str(uuid.uuid4())}, headers=headers
            ) as response:
                assert response.status == 503
            for given, status in ((f"wrong-{SECRET_WORD}", 401), (key, 503)):
                async with session.post(
                    f"{base}/webhooks/rest/webhook", json=rest, headers={"Authorization": f"Bearer {given}"}
                ) as response:
                    assert response.status == status
            await socket.close()
    finally:
        await runner.cleanup()
        await db.close()

    logged = stream.getvalue()
    assert "no more" in logged
    assert "conversation_id" in logged
    assert SECRET_WORD not in logged
    assert visitor
    assert visitor not in logged
