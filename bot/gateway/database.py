"""The database as the gateway sees it: it may be away for a while."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from aiohttp import web

from bot.errors import BotError, TransactionLost

log = logging.getLogger(__name__)


class Unavailable(BotError):
    """The database did not take it; nothing was recorded, and sending it again is right."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("The chat cannot keep your message right now. It will be sent again in a moment.")


@contextlib.contextmanager
def database_answers(conversation_id: str | None = None) -> Iterator[None]:
    """Whatever fails in here, other than our own errors, becomes Unavailable; the log is told what it was.

    So does a transaction that was lost to another one. What is wrong with the request itself stays what it is.

    Everything, because a driver that cannot connect raises its own errors, past SQLAlchemy's.
    """
    try:
        yield
    except (web.HTTPException, web.RequestPayloadError):
        raise
    except Exception as error:
        if isinstance(error, BotError) and not isinstance(error, TransactionLost):
            raise
        log.exception("the database did not answer", extra={"conversation_id": conversation_id})
        raise Unavailable from error
