"""Telegram's Bot API over HTTP: a method, its parameters, and what became of it.

https://core.telegram.org/bots/api#making-requests. The bot's token is part of every address, so no error and no log
line ever shows an address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.services.channel_ports import ChannelBlocked, ChannelBusy, ChannelDown, ChannelRefused, ChannelUnsure

REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 10.0
# Where Telegram asks for a pause and does not say how long.
USUAL_PAUSE = 5.0
# These mean that the account cannot be written to; anything else that is refused is a fault of the request.
_GONE = ("chat not found", "user is deactivated", "bot was blocked", "bot was kicked", "bot can't initiate")


class RemoteFileTooLarge(ChannelRefused):
    """A file that is larger than was asked for."""


@dataclass(frozen=True)
class Upload:
    """A file that goes along with a method, under the name of its field."""

    field: str
    content: bytes
    name: str = "picture.png"
    media_type: str = "image/png"


class TelegramClient:
    """Calls methods. Safe to use from many tasks at once; to be closed at the end."""

    def __init__(self, api_url: str, token: str) -> None:
        self._address = f"{api_url}/bot{token}"
        self._files = f"{api_url}/file/bot{token}"
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        parameters: Mapping[str, Any],
        *,
        file: Upload | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> Any:
        """The result of a method. A file goes along with it.

        Raises ChannelBusy, ChannelDown, ChannelBlocked or ChannelRefused where nothing was done, and ChannelUnsure
        where that cannot be told.
        """
        url, form = f"{self._address}/{method}", _form(parameters, file)
        with _told_apart(method):
            async with self._connections().post(url, data=form, timeout=_timeout(seconds)) as response:
                return _result(method, response.status, await response.text(errors="replace"))

    async def download(self, file_id: str, max_bytes: int, *, seconds: float = REQUEST_SECONDS) -> bytes:
        """What is in a file that somebody sent to the bot. Raises as `call` does, and RemoteFileTooLarge.

        https://core.telegram.org/bots/api#getfile
        """
        found = await self.call("getFile", {"file_id": file_id}, seconds=seconds)
        path = found.get("file_path") if isinstance(found, dict) else None
        if not isinstance(path, str) or ".." in path:
            raise ChannelRefused("getFile: there is no path to the file")
        size = found.get("file_size")
        if isinstance(size, int) and size > max_bytes:
            raise RemoteFileTooLarge(f"getFile: {size} bytes")
        content = bytearray()
        with _told_apart("a file"):
            # Led on to nowhere else: the token is part of the address.
            address = f"{self._files}/{quote(path)}"
            async with self._connections().get(address, timeout=_timeout(seconds), allow_redirects=False) as response:
                if response.status != 200:
                    # It may be gone: a path is good for an hour.
                    raise (ChannelDown if response.status >= 500 else ChannelRefused)(f"a file: {response.status}")
                async for chunk in response.content.iter_chunked(2**16):
                    content += chunk
                    if len(content) > max_bytes:
                        raise RemoteFileTooLarge(f"a file: more than {max_bytes} bytes")
        return bytes(content)

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


@contextlib.contextmanager
def _told_apart(what: str) -> Iterator[None]:
    """What goes wrong on the way, as errors of a channel; none of them shows an address."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
        raise ChannelDown(f"{what}: Telegram cannot be reached ({type(error).__name__})") from None
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        raise ChannelUnsure(f"{what}: the connection broke ({type(error).__name__})") from None


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS)


def _form(parameters: Mapping[str, Any], file: Upload | None) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in parameters.items():
        if value is not None:
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    if file is not None:
        form.add_field(file.field, file.content, filename=file.name, content_type=file.media_type)
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
