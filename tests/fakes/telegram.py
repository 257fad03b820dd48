"""A Bot API to test against, as Telegram publishes it: https://core.telegram.org/bots/api.

It checks what it is sent as strictly as Telegram does, and answers with Telegram's own status codes and words. It has
Telegram's moods as well: busy, broken, or a connection that ends in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import itertools
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = "123456:a-token-of-nobody"
ACTIONS = {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
           "choose_sticker", "find_location", "record_video_note", "upload_video_note"}  # fmt: skip
TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "a",
    "code",
    "pre",
    "blockquote",
    "tg-spoiler",
    "span",
}
_TAG = re.compile(r"<(/?)([a-zA-Z-]*)([^<>]*)>")


class Refused(Exception):
    """An answer that is not ok."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass
class Sent:
    """A message as the person in the chat sees it."""

    chat: str
    message_id: int
    text: str
    keyboard: list[list[dict[str, str]]] | None = None
    photo: bytes | None = None
    # Its name, and what is in it.
    document: tuple[str, bytes] | None = None

    @property
    def titles(self) -> list[str]:
        """The buttons, from the first to the last."""
        return [button["text"] for row in self.keyboard or () for button in row]


@dataclass
class FakeTelegram:
    """Telegram, with one bot, and the people who write to it."""

    people: set[str] = field(default_factory=lambda: {"1001"})
    blocked: set[str] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)
    answered: dict[str, str | None] = field(default_factory=dict)
    actions: list[tuple[str, str]] = field(default_factory=list)
    webhook: str = ""
    secret: str | None = None
    pending: deque[dict[str, Any]] = field(default_factory=deque)
    # Each is used up by one request: a status to answer, or a way to end the connection.
    moods: deque[Callable[[], Any]] = field(default_factory=deque)
    # Accounts for whom there is always a pause of so many seconds.
    busy: dict[str, int] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    # What people sent, by its id, and under which path it may be fetched for an hour.
    files: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    # Each is used up by one file that is fetched.
    file_moods: deque[str] = field(default_factory=deque)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _updates: Any = field(default_factory=lambda: itertools.count(7_001))
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    # What a test may arrange

    def be_busy(self, seconds: int) -> None:
        """Ask the next caller to wait."""

        def busy() -> Any:
            raise Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

        self.moods.append(busy)

    def be_broken(self, code: int = 502) -> None:
        """Answer the next caller with a fault of Telegram's own."""

        def broken() -> Any:
            raise Refused(code, "Bad Gateway" if code == 502 else "Internal Server Error")

        self.moods.append(broken)

    def hang_up_before(self) -> None:
        """End the next connection with nothing done."""
        self.moods.append(lambda: "before")

    def hang_up_after(self) -> None:
        """Do what the next caller asks, and end the connection without saying so."""
        self.moods.append(lambda: "after")

    def hang(self) -> None:
        """Do what the next caller asks, and never say so."""
        self.moods.append(lambda: "hang")

    def answer_raw(self, status: int, body: bytes) -> None:
        """Have something in between answer the next caller."""
        self.moods.append(lambda: (status, body))

    # What people do

    def person(self, chat: str) -> dict[str, Any]:
        """Somebody, as updates describe them."""
        return {"id": int(chat), "is_bot": False, "first_name": "Maria", "language_code": "en"}

    def message(
        self, text: str | None = None, chat: str = "1001", group: dict[str, Any] | None = None, **fields: Any
    ) -> dict[str, Any]:
        """An update: somebody wrote to the bot, or in a group."""
        message = {
            "message_id": next(self._numbers),
            "from": self.person(chat),
            "chat": group or {"id": int(chat), "type": "private", "first_name": "Maria"},
            "date": 1_700_000_000,
            **({} if text is None else {"text": text}),
            **fields,
        }
        return {"update_id": next(self._updates), "message": message}

    def photo(self, content: bytes, caption: str | None = None, chat: str = "1001") -> dict[str, Any]:
        """An update: somebody sent a picture. Telegram makes a JPEG of every picture, in several sizes."""
        sizes = [
            {**self._kept(b"\xff\xd8\xff\xd9"), "width": 90, "height": 68},
            {**self._kept(content), "width": 1280, "height": 960},
        ]
        return self.message(None, chat, photo=sizes, **({} if caption is None else {"caption": caption}))

    def document(
        self, name: str, content: bytes, caption: str | None = None, chat: str = "1001", **fields: Any
    ) -> dict[str, Any]:
        """An update: somebody sent a file."""
        document = {**self._kept(content), "file_name": name, "mime_type": "application/octet-stream", **fields}
        return self.message(None, chat, document=document, **({} if caption is None else {"caption": caption}))

    def expire_paths(self) -> None:
        """An hour goes by."""
        self.paths.clear()

    def _kept(self, content: bytes) -> dict[str, Any]:
        file_id = f"AgACAgIAAxkBAAI{next(self._numbers)}"
        self.files[file_id] = content
        return {"file_id": file_id, "file_unique_id": file_id[-8:], "file_size": len(content)}

    def pick(self, title: str, chat: str = "1001") -> dict[str, Any]:
        """An update: somebody pressed the latest button with that title."""
        for sent in reversed(self.sent):
            for button in (one for row in sent.keyboard or () for one in row):
                if sent.chat == chat and button["text"] == title:
                    return self.press(button["callback_data"], sent.message_id, chat)
        raise AssertionError(f"there is no button {title!r}")

    def press(self, data: str, message_id: int, chat: str = "1001") -> dict[str, Any]:
        """An update: somebody pressed a button with that data."""
        query = {
            "id": f"q{next(self._numbers)}",
            "from": self.person(chat),
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": message_id, "date": 1, "chat": {"id": int(chat), "type": "private"}},
        }
        return {"update_id": next(self._updates), "callback_query": query}

    def block(self, chat: str = "1001") -> dict[str, Any]:
        """An update: somebody blocked the bot."""
        self.blocked.add(chat)
        change = {
            "chat": {"id": int(chat), "type": "private"},
            "from": self.person(chat),
            "date": 1,
            "old_chat_member": {"status": "member", "user": {"id": 123456, "is_bot": True, "first_name": "Suki"}},
            "new_chat_member": {"status": "kicked", "user": {"id": 123456, "is_bot": True, "first_name": "Suki"}},
        }
        return {"update_id": next(self._updates), "my_chat_member": change}

    async def tell(self, update: Any, *, secret: str | None = None, raw: bytes | None = None) -> int:
        """Send an update to the webhook, once; its answer's status."""
        body = raw if raw is not None else json.dumps(update).encode()
        headers = {"Content-Type": "application/json"}
        if (known := secret if secret is not None else self.secret) is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = known
        async with aiohttp.ClientSession() as session, session.post(self.webhook, data=body, headers=headers) as answer:
            return answer.status

    def queue(self, update: dict[str, Any]) -> None:
        """Have an update waiting for whoever asks."""
        self.pending.append(update)
        self._news.set()

    # The server

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[FakeTelegram]:
        """Listen on this machine, at `url`."""
        app = web.Application(client_max_size=20 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._serve_file)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._news.set()
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.match_info["token"] != TOKEN:
                raise Refused(401, "Unauthorized")
            parameters = await self._parameters(request)
            method = request.match_info["method"].lower()
            self.calls.append((method, parameters))
            mood = self.moods.popleft()() if self.moods and method != "getupdates" else None
            if isinstance(mood, tuple):
                return web.Response(status=mood[0], body=mood[1], content_type="text/html")
            if mood == "before":
                return self._hang_up(request)
            handler = getattr(self, f"_do_{method}", None)
            if handler is None:
                raise Refused(404, "Not Found")
            result = await handler(parameters)
            if mood == "after":
                return self._hang_up(request)
            if mood == "hang":
                await asyncio.sleep(3_600)
            return web.json_response({"ok": True, "result": result})
        except Refused as refused:
            body: dict[str, Any] = {"ok": False, "error_code": refused.code, "description": refused.description}
            if refused.parameters:
                body["parameters"] = refused.parameters
            return web.json_response(body, status=refused.code)

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        """https://core.telegram.org/bots/api#getfile: the content, by the path that getFile told."""
        mood = self.file_moods.popleft() if self.file_moods else None
        file_id = self.paths.get(request.match_info["path"])
        if mood == "hang":
            await asyncio.sleep(3_600)
        if mood == "before":
            return self._hang_up(request)
        if mood == "broken":
            return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
        if request.match_info["token"] != TOKEN or file_id is None:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        content = self.files[file_id]
        if mood == "cut":
            response = web.StreamResponse(headers={"Content-Length": str(len(content))})
            await response.prepare(request)
            await response.write(content[: len(content) // 2])
            return self._hang_up(request)
        return web.Response(body=content, content_type="application/octet-stream")

    def _hang_up(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _parameters(self, request: web.Request) -> dict[str, Any]:
        found: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            try:
                found.update(await request.json())
            except ValueError:
                raise Refused(400, "Bad Request: can't parse JSON object") from None
        elif request.method == "POST":
            for name, value in (await request.post()).items():
                found[name] = value.file.read() if isinstance(value, web.FileField) else value
                if isinstance(value, web.FileField):
                    found[f"{name}.name"] = value.filename
        return found

    # Methods

    async def _do_getme(self, parameters: dict[str, Any]) -> Any:
        return {
            "id": 123456,
            "is_bot": True,
            "first_name": "Suki",
            "username": "tala_coffee_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _do_sendmessage(self, parameters: dict[str, Any]) -> Any:
        chat = self._chat(parameters)
        text = self._parsed(parameters.get("text"), parameters.get("parse_mode"))
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if _units(text) > 4_096:
            raise Refused(400, "Bad Request: message is too long")
        return self._put(Sent(chat, 0, text, self._keyboard(parameters)))

    async def _do_sendphoto(self, parameters: dict[str, Any]) -> Any:
        chat = self._chat(parameters)
        _, photo = self._attached(parameters, "photo")
        if len(photo) > 10 * 2**20:
            raise Refused(413, "Request Entity Too Large")
        if not photo.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
            raise Refused(400, "Bad Request: IMAGE_PROCESS_FAILED")
        if photo.startswith(b"\x89PNG") and len(photo) > 24:
            width, height = int.from_bytes(photo[16:20], "big"), int.from_bytes(photo[20:24], "big")
            if photo[12:16] == b"IHDR" and (width + height > 10_000 or max(width, height) > 20 * min(width, height)):
                raise Refused(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        caption = self._parsed(parameters.get("caption") or "", parameters.get("parse_mode"))
        if _units(caption) > 1_024:
            raise Refused(400, "Bad Request: message caption is too long")
        return self._put(Sent(chat, 0, caption, self._keyboard(parameters), photo))

    async def _do_senddocument(self, parameters: dict[str, Any]) -> Any:
        chat = self._chat(parameters)
        document = self._attached(parameters, "document")
        if not document[1]:
            raise Refused(400, "Bad Request: file must be non-empty")
        caption = self._parsed(parameters.get("caption") or "", parameters.get("parse_mode"))
        if _units(caption) > 1_024:
            raise Refused(400, "Bad Request: message caption is too long")
        return self._put(Sent(chat, 0, caption, self._keyboard(parameters), document=document))

    async def _do_getfile(self, parameters: dict[str, Any]) -> Any:
        file_id = parameters.get("file_id") or ""
        if file_id not in self.files:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        content = self.files[file_id]
        if len(content) > 20 * 2**20:
            raise Refused(400, "Bad Request: file is too big")
        path = f"documents/file_{next(self._numbers)}.bin"
        self.paths[path] = file_id
        about = {"file_id": file_id, "file_unique_id": file_id[-8:]}
        return {**about, "file_size": len(content), "file_path": path}

    async def _do_sendchataction(self, parameters: dict[str, Any]) -> Any:
        chat, action = self._chat(parameters), parameters.get("action")
        if action not in ACTIONS:
            raise Refused(400, "Bad Request: wrong parameter action in request")
        self.actions.append((chat, action))
        return True

    async def _do_answercallbackquery(self, parameters: dict[str, Any]) -> Any:
        query, text = parameters.get("callback_query_id"), parameters.get("text")
        if not query or not query.startswith("q"):
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if text is not None and _units(text) > 200:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        self.answered[query] = text
        return True

    async def _do_editmessagereplymarkup(self, parameters: dict[str, Any]) -> Any:
        chat = self._chat(parameters)
        for sent in self.sent:
            if sent.chat == chat and str(sent.message_id) == parameters.get("message_id"):
                keyboard = self._keyboard(parameters)
                if keyboard == sent.keyboard:
                    raise Refused(400, "Bad Request: message is not modified")
                sent.keyboard = keyboard
                return self._told(sent)
        raise Refused(400, "Bad Request: message to edit not found")

    async def _do_setwebhook(self, parameters: dict[str, Any]) -> Any:
        url, secret = parameters.get("url") or "", parameters.get("secret_token")
        if url and not url.startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        self.webhook, self.secret = url, secret
        return True

    async def _do_setmycommands(self, parameters: dict[str, Any]) -> Any:
        for one in json.loads(parameters.get("commands") or "[]"):
            if not re.fullmatch(r"[a-z0-9_]{1,32}", one["command"]):
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(one["description"]) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        return True

    async def _do_deletewebhook(self, parameters: dict[str, Any]) -> Any:
        self.webhook, self.secret = "", None
        return True

    async def _do_getwebhookinfo(self, parameters: dict[str, Any]) -> Any:
        return {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": len(self.pending)}

    async def _do_getupdates(self, parameters: dict[str, Any]) -> Any:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; "
                               "use deleteWebhook to delete the webhook first")  # fmt: skip
        offset = int(parameters.get("offset") or 0)
        while self.pending and self.pending[0]["update_id"] < offset:
            self.pending.popleft()
        if not self.pending:
            self._news.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), float(parameters.get("timeout") or 0))
        return list(self.pending)[:100]

    # Checks

    def _chat(self, parameters: dict[str, Any]) -> str:
        chat = str(parameters.get("chat_id") or "")
        if not chat:
            raise Refused(400, "Bad Request: chat_id is empty")
        if chat not in self.people:
            raise Refused(400, "Bad Request: chat not found")
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat in self.busy:
            raise Refused(429, f"Too Many Requests: retry after {self.busy[chat]}", retry_after=self.busy[chat])
        return chat

    def _attached(self, parameters: dict[str, Any], field: str) -> tuple[str, bytes]:
        """A file that came along under its field's name, or under another one that the field names; its name first."""
        value = parameters.get(field)
        if isinstance(value, str) and value.startswith("attach://"):
            field = value.removeprefix("attach://")
            value = parameters.get(field)
        if not isinstance(value, bytes):
            raise Refused(400, f"Bad Request: there is no {field} in the request")
        return parameters[f"{field}.name"], value

    def _parsed(self, text: Any, mode: str | None) -> str:
        """The text as it is shown. In HTML every < begins a tag, and every tag must be known and closed."""
        if not isinstance(text, str):
            raise Refused(400, "Bad Request: message text is empty")
        if mode is None:
            return text
        if mode.lower() != "html":
            raise Refused(400, "Bad Request: unsupported parse_mode")
        shown, place, opened = [], 0, []
        while (begin := text.find("<", place)) >= 0:
            shown.append(text[place:begin])
            match = _TAG.match(text, begin)
            if match is None or match[2].lower() not in TAGS:
                raise Refused(400, f"Bad Request: can't parse entities: Unsupported start tag at byte offset {begin}")
            if not match[1]:
                opened.append(match[2].lower())
            elif not opened or opened.pop() != match[2].lower():
                raise Refused(400, f"Bad Request: can't parse entities: Unexpected end tag at byte offset {begin}")
            place = match.end()
        if opened:
            raise Refused(
                400, f"Bad Request: can't parse entities: Can't find end tag corresponding to start tag {opened[0]}"
            )
        return re.sub(
            r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);",
            lambda one: html.unescape(one[0]),
            "".join(shown) + text[place:],
        )

    def _keyboard(self, parameters: dict[str, Any]) -> list[list[dict[str, str]]] | None:
        markup = parameters.get("reply_markup")
        if markup is None:
            return None
        try:
            rows = (json.loads(markup) if isinstance(markup, str) else markup)["inline_keyboard"]
            buttons = [button for row in rows for button in row]
        except (ValueError, TypeError, KeyError):
            raise Refused(400, "Bad Request: can't parse reply keyboard markup JSON object") from None
        for button in buttons:
            if not button.get("text"):
                raise Refused(400, "Bad Request: inline keyboard button text is empty")
            if not 1 <= len(button.get("callback_data", "").encode()) <= 64:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        if len(buttons) > 100:
            raise Refused(400, "Bad Request: reply markup is too long")
        return rows

    def _put(self, message: Sent) -> dict[str, Any]:
        message.message_id = next(self._numbers)
        self.sent.append(message)
        return self._told(message)

    def _told(self, message: Sent) -> dict[str, Any]:
        """A message as answers tell it."""
        chat = {"id": int(message.chat), "type": "private", "first_name": "Maria"}
        if message.document is not None:
            name, data = message.document
            document = {"file_id": "f", "file_unique_id": "u", "file_name": name, "file_size": len(data)}
            content: dict[str, Any] = {"document": document, "caption": message.text}
        elif message.photo is None:
            content = {"text": message.text}
        else:
            sizes = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
            content = {"photo": sizes, "caption": message.text}
        return {"message_id": message.message_id, "date": 1_700_000_000, "chat": chat, **content}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
