"""Telegram as a channel: how a part of a message looks there, and what is done when a button was pressed."""

from __future__ import annotations

import contextlib
import html
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.channels.telegram.client import TelegramClient, Unknowable
from bot.core.channels import TELEGRAM
from bot.core.rate_buckets import Rate
from bot.services.channel_ports import (
    Button,
    Capabilities,
    ChannelBlocked,
    ChannelBusy,
    ChannelDown,
    ChannelRefused,
    Part,
)

# https://core.telegram.org/bots/api#sendmessage, #sendphoto, and https://core.telegram.org/bots/faq (limits).
CAPABILITIES = Capabilities(
    text_length=4_096,
    caption_length=1_024,
    buttons=10,
    button_title_length=64,
    to_everybody=Rate(per_second=30, at_once=30),
    to_one=Rate(per_second=1, at_once=3),
)
# Titles up to this length share a row in pairs.
SHORT_TITLE = 18
_ANY = (ChannelBlocked, ChannelBusy, ChannelDown, ChannelRefused, Unknowable)

log = logging.getLogger(__name__)

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
        try:
            if picture is not None:
                await self._client.call("sendPhoto", photo_parameters(address, part), file=("photo", picture))
            else:
                await self._client.call("sendMessage", text_parameters(address, part))
        except Unknowable as unknowable:
            log.warning("%s; it counts as sent", unknowable)

    async def indicate(self, address: str) -> None:
        """Show "typing" for five seconds."""
        with contextlib.suppress(*_ANY):
            await self._client.call("sendChatAction", {"chat_id": address, "action": "typing"})

    async def acknowledge(self, callback_id: str, text: str | None) -> None:
        """Stop the button's turning, with a word if there is one. Safe to repeat; a failure is nobody's trouble."""
        with contextlib.suppress(*_ANY):
            await self._client.call("answerCallbackQuery", {"callback_query_id": callback_id, "text": text})

    async def take_buttons_away(self, chat: str, message_id: int) -> None:
        """Choices that were used are shown no more; a failure is nobody's trouble."""
        with contextlib.suppress(*_ANY):
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
    """What sendPhoto takes for a part, besides the picture."""
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
        shown = {"text": button.title, "callback_data": button.token}
        has_room = rows and len(rows[-1]) == 1 and len(rows[-1][0]["text"]) <= SHORT_TITLE
        if has_room and len(button.title) <= SHORT_TITLE:
            rows[-1].append(shown)
        else:
            rows.append([shown])
    return {"inline_keyboard": rows}
