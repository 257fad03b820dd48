"""Telegram's Bot API over HTTP: a method, its parameters, and what became of it.

https://core.telegram.org/bots/api#making-requests. The bot's token is part of every address, so no error and no log
line ever shows an address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.services.channel_ports import ChannelBlocked, ChannelBusy, ChannelDown, ChannelRefused, ChannelUnsure

REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 10.0
# Where Telegram asks for a pause and does not say how long.
USUAL_PAUSE = 5.0
# These mean that the account cannot be written to; anything else that is refused is a fault of the request.
_GONE = ("chat not found", "user is deactivated", "bot was blocked", "bot was kicked", "bot can't initiate")


class TelegramClient:
    """Calls methods. Safe to use from many tasks at once; to be closed at the end."""

    def __init__(self, api_url: str, token: str) -> None:
        self._address = f"{api_url}/bot{token}"
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        parameters: Mapping[str, Any],
        *,
        file: tuple[str, bytes] | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> Any:
        """The result of a method. A file goes along under the name of its field.

        Raises ChannelBusy, ChannelDown, ChannelBlocked or ChannelRefused where nothing was done, and ChannelUnsure
        where that cannot be told.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.post(
                f"{self._address}/{method}", data=_form(parameters, file), timeout=timeout
            ) as response:
                return _result(method, response.status, await response.text(errors="replace"))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise ChannelDown(f"{method}: Telegram cannot be reached ({type(error).__name__})") from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise ChannelUnsure(f"{method}: the connection broke ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _form(parameters: Mapping[str, Any], file: tuple[str, bytes] | None) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in parameters.items():
        if value is not None:
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    if file is not None:
        form.add_field(file[0], file[1], filename="picture.png", content_type="image/png")
    return form


def _result(method: str, status: int, body: str) -> Any:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        # Something between us and Telegram answered instead; perhaps only for want of patience.
        if status == 504:
            raise ChannelUnsure(f"{method}: no answer of Telegram's in time (status {status})")
        raise ChannelDown(f"{method}: no answer of Telegram's (status {status})")
    if answer.get("ok") is True:
        return answer.get("result")
    description = str(answer.get("description") or "")[:200]
    code = answer.get("error_code", status)
    said = f"{method}: {code} {description}"
    if code == 429:
        parameters = answer.get("parameters")
        pause = parameters.get("retry_after") if isinstance(parameters, dict) else None
        raise ChannelBusy(float(pause) if isinstance(pause, int) and pause > 0 else USUAL_PAUSE)
    if not isinstance(code, int) or code >= 500:
        raise ChannelDown(said)
    if code == 403 or any(words in description.lower() for words in _GONE):
        raise ChannelBlocked(said)
    if code in (401, 404):
        # The token is wrong or was changed: a person can mend that, and then nothing must have been lost.
        raise ChannelDown(f"{said}: is TELEGRAM_BOT_TOKEN right?")
    raise ChannelRefused(said)
