"""How the service writes its log: text for people, JSON for machines. Never a message's text, never a secret."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import datetime, timezone
from types import TracebackType
from typing import Literal

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Chatty at levels that are ours to use.
_QUIET = (
    "rasa",
    "rasa_sdk",
    "aiosqlite",
    "sqlalchemy",
    "alembic",
    "apscheduler",
    "faker",
    "asyncio",
    "matplotlib",
    "pykwalify",
)


# Their errors quote the statement's values from the second line on, and a message's text is one of them.
_QUOTING = frozenset({"sqlalchemy", "asyncpg", "sqlite3"})

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _DiscreetFormatter(logging.Formatter):
    """Formats exceptions without what a database was told to keep."""

    def formatException(self, ei: ExceptionInfo) -> str:
        return _told(ei[1]) if ei[1] is not None else ""


def _told(error: BaseException) -> str:
    """An exception as Python prints it, but of a database's error only the first line."""
    parts = []
    if error.__cause__ is not None:
        parts += [_told(error.__cause__), "\nThe above exception was the direct cause of the following exception:\n"]
    elif error.__context__ is not None and not error.__suppress_context__:
        parts += [_told(error.__context__), "\nDuring handling of the above exception, another exception occurred:\n"]
    if error.__traceback__ is not None:
        parts += ["Traceback (most recent call last):", "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")]
    last = "".join(traceback.format_exception_only(type(error), error)).rstrip("\n")
    quotes = type(error).__module__.partition(".")[0] in _QUOTING
    return "\n".join([*parts, last.partition("\n")[0] if quotes else last])


class JsonFormatter(_DiscreetFormatter):
    """One JSON object a line, with whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(_DiscreetFormatter):
    """One line for people, with `extra` at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        return f"{super().formatMessage(record)}{f' [{extra}]' if extra else ''}"


def set_up_logging(log_format: Literal["text", "json"]) -> None:
    """Send everything from INFO up to standard error, once."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # The libraries below Rasa warn of each other by the dozen; none of it is for an operator.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
