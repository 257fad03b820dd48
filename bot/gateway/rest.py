"""Rasa's REST channel: one message in, the bot's answers out, so that Rasa's clients work unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from typing import Any

from aiohttp import web

from bot.core.conversations import Author, InboundMessage, Message, TurnState, is_external_id
from bot.errors import BotError, DuplicateMessageId, UnknownChoice
from bot.gateway import live, settings
from bot.gateway.database import database_answers
from bot.gateway.frames import BadFrame, parse_json
from bot.gateway.limits import client_address
from bot.gateway.tokens import BadToken, bearer_token
from bot.services.conversations import open_channel_conversation, receive_message
from bot.services.ids import new_id
from bot.waits import finish_within, set_within

CHANNEL = "rest"
TURN_SECONDS = 60.0

routes = web.RouteTableDef()


class TurnTimeout(BotError):
    """The message is recorded and will be answered, but not within this request."""

    code = "turn_timeout"

    def __init__(self) -> None:
        super().__init__("The answer takes longer than usual. Ask again with the same message_id to get it.")


def check_api_key(request: web.Request) -> None:
    """Raises BadToken unless the shop's own key came with the request."""
    key = bearer_token(request).encode("utf-8", "replace")
    if not hmac.compare_digest(key, request.app[settings.SETTINGS].api_key.encode()):
        # Counted, so that keys cannot be guessed at speed; those who have the key are not slowed down.
        request.app[settings.ADDRESS_LIMIT].spend(f"key {client_address(request)}")
        raise BadToken


@routes.post("/webhooks/rest/webhook")
async def rest_webhook(request: web.Request) -> web.Response:
    """Record the message, wait for its turn, answer with what the bot said. The same message_id is the same turn.

    What people wrote since the message before, and who came and went, is told first: nothing else brings it.
    """
    check_api_key(request)
    sender, text, message_id = _parse(await request.read())
    db, clock = request.app[settings.DATABASE], request.app[settings.CLOCK]
    began = time.perf_counter()
    with database_answers():
        conversation = await open_channel_conversation(db, clock, channel=CHANNEL, external_id=sender)
    external_id = f"{conversation.identity_id}:{message_id or new_id()}"
    # Subscribed before the message is there, so that its answer cannot come too early to be noticed.
    with request.app[settings.LIVE].watching(conversation.id, live.ANSWERS) as watch, database_answers(conversation.id):
        message = await _record(request, conversation.id, external_id, text)
        watch.seen_seq = message.seq
        request.app[settings.METRICS].received(CHANNEL, time.perf_counter() - began)
        replies = await _answers_in_time(request, message, watch.changed)
    return web.json_response([_rasa_message(sender, reply) for reply in replies])


def _parse(body: bytes) -> tuple[str, str, str | None]:
    data = parse_json(body)
    if not isinstance(data, dict):
        raise BadFrame("Send a JSON object with sender and message.")
    sender, text, message_id = data.get("sender"), data.get("message"), data.get("message_id")
    if not isinstance(sender, str) or not is_external_id(sender):
        raise BadFrame("sender must be a text of 1 to 200 characters without control characters.")
    if not isinstance(text, str):
        raise BadFrame("message must be a text.")
    if message_id is not None and (not isinstance(message_id, str) or not is_external_id(message_id)):
        raise BadFrame("message_id must be a text of 1 to 200 characters without control characters.")
    return sender, text, message_id


async def _record(request: web.Request, conversation_id: Any, external_id: str, text: str) -> Message:
    db, clock = request.app[settings.DATABASE], request.app[settings.CLOCK]
    shop = request.app[settings.SETTINGS].shop
    if text.startswith("/"):
        # Rasa's clients send a button's payload as text. One that was never offered, or was recorded as text before it
        # was offered, is just text.
        with contextlib.suppress(UnknownChoice, DuplicateMessageId):
            return await receive_message(db, clock, conversation_id, InboundMessage(external_id, "", text), shop)
    return await receive_message(db, clock, conversation_id, InboundMessage(external_id, text))


async def _answers_in_time(request: web.Request, message: Message, changed: asyncio.Event) -> list[Message]:
    try:
        return await finish_within(_answers(request, message, changed), TURN_SECONDS)
    except asyncio.TimeoutError as error:
        raise TurnTimeout from error


async def _answers(request: web.Request, message: Message, changed: asyncio.Event) -> list[Message]:
    while True:
        if message.turn_state is TurnState.PENDING:
            # Also without a wake-up: one may get lost, and a dropped turn leaves no message for the poll to find.
            await set_within(changed, live.POLL_SECONDS)
            changed.clear()
        async with request.app[settings.DATABASE].reading() as work:
            # The answers came with the end of the turn: where there is one, there are all of them.
            replies = await work.messages.replies_to(message.conversation_id, message.seq)
            if not replies:
                message = await work.messages.by_external_id(CHANNEL, message.external_id or "") or message
            if replies or message.turn_state is not TurnState.PENDING:
                return [*await work.messages.unasked_before(message.conversation_id, message.seq), *replies]


def _rasa_message(sender: str, reply: Message) -> dict[str, Any]:
    buttons = [{"title": choice.title, "payload": choice.payload} for choice in reply.choices]
    image = {"image": reply.image.url} if reply.image else {}
    text = f"{reply.author_name}: {reply.text}" if reply.author is Author.AGENT else reply.text
    return {"recipient_id": sender, "text": text, **({"buttons": buttons} if buttons else {}), **image}
