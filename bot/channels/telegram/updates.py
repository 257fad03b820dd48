"""What Telegram sends, read: an update becomes one of the events that all channels know, or nothing of ours.

The shapes are those of https://core.telegram.org/bots/api#update. What is missing or of another type is no event, and
never an error: Telegram sends an update again and again until it is taken, and holds back all that come after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from bot.core.account_links import TOKEN
from bot.core.languages import spoken_language
from bot.services.channel_inbox import Arrived, ChannelEvent, LoggedOut, Picked, Said, Sent, Stopped

# What Telegram is asked to send; all else it keeps to itself.
ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)
# As words, so that the assistant answers them like anything else that is said.
_SAID_BY_COMMAND = {
    "start": "hello",
    "help": "what can you do?",
    "human": "I want to talk to a person",
}
_START, _STOP, _LOGOUT = "start", "stop", "logout"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What may come instead of a text, and how it is told. The first that an update has counts.
_KINDS = {
    "photo": "a picture",
    "voice": "a voice message",
    "video_note": "a video",
    "video": "a video",
    "audio": "a sound file",
    "sticker": "a sticker",
    "animation": "an animation",
    "document": "a file",
    "contact": "a contact",
    "location": "a place on the map",
    "venue": "a place on the map",
    "poll": "a poll",
    "dice": "a dice",
}
_MAX_ID_CHARACTERS = 300
_NOT_THERE = ("kicked", "left")


@dataclass(frozen=True)
class RemoteFile:
    """A file that Telegram keeps for us, to be fetched by its id. `size` is in bytes, where Telegram tells it."""

    id: str
    name: str
    size: int | None


@dataclass(frozen=True)
class Update:
    """An update that was understood as far as needed. `event` is None for what is none of ours.

    `callback_id` is to be answered, so that the button stops turning; `keyboard` is the message whose buttons were used
    up by that (chat and message id). `in_group` is set where somebody spoke to the bot before others.
    """

    id: str
    event: ChannelEvent | None = None
    callback_id: str | None = None
    keyboard: tuple[str, int] | None = None
    in_group: str | None = None
    # What was sent, where it is of a kind that may be kept.
    file: RemoteFile | None = None
    # Of the app, where whoever wrote tells it.
    language: str | None = None


def read_update(data: Any, bot_name: str | None = None) -> Update | None:
    """An update as it comes, in JSON; None for what is no update at all. `bot_name` is the bot's, without the @."""
    if not isinstance(data, dict) or not isinstance(number := data.get("update_id"), int) or isinstance(number, bool):
        return None
    update_id = str(number)
    if len(update_id) > 20:
        return None
    if isinstance(message := data.get("message"), dict):
        return _with_language(_read_message(update_id, message, bot_name), message)
    if isinstance(query := data.get("callback_query"), dict):
        return _with_language(_read_pick(update_id, query), query)
    if isinstance(change := data.get("my_chat_member"), dict):
        return _read_membership(update_id, change)
    return Update(update_id)


def _read_message(update_id: str, message: dict[str, Any], bot_name: str | None) -> Update:
    chat = _private_chat(message)
    text = message.get("text")
    if chat is None:
        group = _group(message)
        spoken_to = isinstance(text, str) and bot_name is not None and _names(bot_name, text)
        return Update(update_id, in_group=group if spoken_to else None)
    if not isinstance(text, str):
        sent, file = _not_text(chat, message)
        return Update(update_id, sent, file=file)
    command = _COMMAND.fullmatch(text.strip())
    if command is None:
        return Update(update_id, Said(chat, text))
    name = command[1].lower()
    if name == _STOP:
        return Update(update_id, Stopped(chat))
    if name == _LOGOUT:
        return Update(update_id, LoggedOut(chat))
    if name == _START and command[3] and TOKEN.fullmatch(command[3].strip()):
        # What else comes along is a word of the shop's own, from an advertisement perhaps.
        return Update(update_id, Arrived(chat, command[3].strip()))
    return Update(update_id, Said(chat, _SAID_BY_COMMAND.get(name, text.strip())))


def _names(bot_name: str, text: str) -> bool:
    return re.search(rf"@{re.escape(bot_name)}\b", text, re.IGNORECASE) is not None


def _not_text(chat: str, message: dict[str, Any]) -> tuple[Sent | None, RemoteFile | None]:
    kind = next((name for name in _KINDS if name in message), None)
    if kind is None:
        return None, None
    caption = message.get("caption")
    words = caption if isinstance(caption, str) and caption.strip() else None
    file = None
    if kind == "photo":
        file = _largest(message["photo"])
    elif kind == "document":
        file = _remote(message["document"], "file")
    return Sent(chat, _KINDS[kind], words), file


def _largest(sizes: Any) -> RemoteFile | None:
    """A picture comes in several sizes."""
    found = [size for size in sizes if isinstance(size, dict)] if isinstance(sizes, list) else []
    area = {number: _number(size, "width") * _number(size, "height") for number, size in enumerate(found)}
    return _remote(found[max(area, key=area.__getitem__)], "photo") if found else None


def _remote(data: Any, name: str) -> RemoteFile | None:
    if not isinstance(data, dict) or not isinstance(file_id := data.get("file_id"), str):
        return None
    if not 0 < len(file_id) <= _MAX_ID_CHARACTERS:
        return None
    given = data.get("file_name")
    return RemoteFile(file_id, given if isinstance(given, str) else name, _number(data, "file_size") or None)


def _number(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _read_pick(update_id: str, query: dict[str, Any]) -> Update:
    callback_id, data = query.get("id"), query.get("data")
    message = query.get("message")
    chat = _private_chat(message) if isinstance(message, dict) else None
    if not isinstance(callback_id, str):
        return Update(update_id)
    # Whoever changed their app can send anything here; ours are of these characters only.
    if chat is None or not isinstance(data, str) or not _TOKEN.fullmatch(data):
        return Update(update_id, callback_id=callback_id)
    assert isinstance(message, dict)  # noqa: S101 - a chat was found in it
    number = message.get("message_id")
    keyboard = (chat, number) if isinstance(number, int) else None
    return Update(update_id, Picked(chat, data), callback_id, keyboard)


def _read_membership(update_id: str, change: dict[str, Any]) -> Update:
    chat, now = _private_chat(change), change.get("new_chat_member")
    is_gone = isinstance(now, dict) and now.get("status") in _NOT_THERE
    return Update(update_id, Stopped(chat) if chat and is_gone else None)


def _with_language(update: Update, holder: dict[str, Any]) -> Update:
    sender = holder.get("from")
    if update.event is None or not isinstance(sender, dict):
        return update
    return replace(update, language=spoken_language(sender.get("language_code")))


def _private_chat(holder: dict[str, Any]) -> str | None:
    """The chat with one person alone: nothing personal is ever said before others."""
    chat = holder.get("chat")
    return _chat_id(chat) if isinstance(chat, dict) and chat.get("type") == "private" else None


def _group(holder: dict[str, Any]) -> str | None:
    chat = holder.get("chat")
    return _chat_id(chat) if isinstance(chat, dict) and chat.get("type") in ("group", "supergroup") else None


def _chat_id(chat: dict[str, Any]) -> str | None:
    number = chat.get("id")
    return str(number) if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 2**63 else None
