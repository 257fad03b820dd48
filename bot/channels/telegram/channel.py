"""Telegram as a channel: how a part of a message looks there, and what is done when a button was pressed."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Awaitable, Callable
from typing import Any

from bot.channels.telegram.client import TelegramClient, Upload
from bot.core.channels import TELEGRAM
from bot.core.rate_buckets import Rate
from bot.services.channel_ports import (
    Button,
    Capabilities,
    ChannelBlocked,
    ChannelDown,
    ChannelError,
    ChannelRefused,
    ChannelUnsure,
    Part,
    PartFile,
)

# https://core.telegram.org/bots/api#sendmessage, #sendphoto, and https://core.telegram.org/bots/faq (limits).
CAPABILITIES = Capabilities(
    text_length=4_096,
    caption_length=1_024,
    buttons=24,
    button_title_length=64,
    to_everybody=Rate(per_second=30, at_once=30),
    to_one=Rate(per_second=1, at_once=3),
)
# So many buttons share a row while none of their titles is longer: scores, then short answers.
ROWS = ((3, 6), (18, 2))

SHOWN_AS_PHOTOS = frozenset({"image/jpeg", "image/png"})

# The bytes of a picture of ours, by its address; None where there is none.
Pictures = Callable[[str], Awaitable[bytes | None]]


class TelegramChannel:
    """Channel on Telegram's Bot API."""

    name = TELEGRAM
    capabilities = CAPABILITIES

    def __init__(self, client: TelegramClient, pictures: Pictures) -> None:
        self._client = client
        self._pictures = pictures

    async def send(self, address: str, part: Part) -> None:
        """See Channel.send."""
        picture = await self._pictures(part.image.url) if part.image else None
        if part.file is not None:
            await self._send_file(address, part, part.file)
        elif picture is not None:
            await self._client.call("sendPhoto", photo_parameters(address, part), file=Upload("photo", picture))
        else:
            await self._client.call("sendMessage", text_parameters(address, part))

    async def _send_file(self, address: str, part: Part, file: PartFile) -> None:
        """As a picture where Telegram shows it as one; it takes none that is very large or narrow."""
        parameters = photo_parameters(address, part)
        if file.media_type in SHOWN_AS_PHOTOS:
            with contextlib.suppress(ChannelRefused):
                await self._client.call(
                    "sendPhoto", parameters, file=Upload("photo", file.content, file.name, file.media_type)
                )
                return
        upload = Upload("document", file.content, file.name, file.media_type)
        await self._client.call("sendDocument", parameters, file=upload)

    async def fetch(self, file_id: str, max_bytes: int) -> bytes:
        """What is in a file that somebody sent. Raises ChannelError; RemoteFileTooLarge for one that is too large."""
        return await self._client.download(file_id, max_bytes)

    async def probe(self) -> None:
        """See Channel.probe."""
        try:
            await self._client.call("getMe", {})
        except (ChannelBlocked, ChannelRefused, ChannelUnsure) as error:
            raise ChannelDown(str(error)) from None

    async def indicate(self, address: str) -> None:
        """Show "typing" for five seconds."""
        with contextlib.suppress(ChannelError):
            await self._client.call("sendChatAction", {"chat_id": address, "action": "typing"})

    async def acknowledge(self, callback_id: str, text: str | None) -> None:
        """Stop the button's turning, with a word if there is one. Safe to repeat; a failure is nobody's trouble."""
        with contextlib.suppress(ChannelError):
            await self._client.call("answerCallbackQuery", {"callback_query_id": callback_id, "text": text})

    async def take_buttons_away(self, chat: str, message_id: int) -> None:
        """Choices that were used are shown no more; a failure is nobody's trouble."""
        with contextlib.suppress(ChannelError):
            await self._client.call("editMessageReplyMarkup", {"chat_id": chat, "message_id": message_id})


def text_parameters(address: str, part: Part) -> dict[str, Any]:
    """What sendMessage takes for a part."""
    return {
        "chat_id": address,
        "text": html.escape(part.text, quote=False),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": _keyboard(part.buttons),
    }


def photo_parameters(address: str, part: Part) -> dict[str, Any]:
    """What sendPhoto and sendDocument take for a part, besides the picture or the file."""
    return {
        "chat_id": address,
        "caption": html.escape(part.text, quote=False),
        "parse_mode": "HTML",
        "reply_markup": _keyboard(part.buttons),
    }


def _keyboard(buttons: tuple[Button, ...]) -> dict[str, Any] | None:
    if not buttons:
        return None
    rows: list[list[dict[str, str]]] = []
    for button in buttons:
        if not rows or not _share_a_row([*(one["text"] for one in rows[-1]), button.title]):
            rows.append([])
        rows[-1].append({"text": button.title, "callback_data": button.token})
    return {"inline_keyboard": rows}


def _share_a_row(titles: list[str]) -> bool:
    longest = max(map(len, titles))
    return any(longest <= length and len(titles) <= number for length, number in ROWS)
