"""How the service writes its log: text for people, JSON for machines. Never a message's text, never a secret."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
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


class JsonFormatter(logging.Formatter):
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


class TextFormatter(logging.Formatter):
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
