"""What the frames of the website chat do: a conversation is opened, and something happens in it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.core.channels import WEB
from bot.core.conversations import Conversation
from bot.core.customers import Customer
from bot.errors import BotError
from bot.gateway import frames, settings
from bot.gateway.database import database_answers
from bot.gateway.desk_socket import customer_types
from bot.gateway.tokens import BadToken, issue_visitor_token, read_identity_token, read_visitor_token
from bot.services.conversations import end_conversation, mark_read, open_web_conversation, receive_message
from bot.services.visitor_details import keep_details, rate_answer


async def open_chat(
    app: web.Application, hello: frames.Hello, address: str
) -> tuple[Conversation, Customer | None, BotError | None]:
    """The conversation to show, the customer if proven, and what was wrong with a token that did not count.

    Raises RateLimited where the client's address has begun too many conversations.
    """
    config = app[settings.SETTINGS]
    conversation_id = identity = refused = None
    if hello.visitor_token:
        try:
            conversation_id = read_visitor_token(hello.visitor_token, config.secret_key)
        except BadToken as error:
            refused = error
    if hello.identity_token:
        try:
            identity = read_identity_token(hello.identity_token, config.identity_secret)
        except BadToken as error:
            refused = error
    with database_answers():
        conversation, customer = await open_web_conversation(
            app[settings.DATABASE],
            app[settings.CLOCK],
            conversation_id=conversation_id,
            identity=identity,
            before_beginning=lambda: app[settings.NEW_CHAT_LIMIT].spend(address),
            language=hello.language,
        )
    return conversation, customer, refused


async def take_frame(app: web.Application, conversation: Conversation, frame: Any) -> frames.Frame | None:
    """Act on a frame of an open conversation, and return the acknowledgement, if the frame has one."""
    db = app[settings.DATABASE]
    match frame:
        case frames.Send():
            app[settings.MESSAGE_LIMIT].spend(conversation.id)
            began = time.perf_counter()
            with database_answers(conversation.id):
                inbound = frame.inbound(conversation.identity_id)
                shop = app[settings.SETTINGS].shop
                message = await receive_message(
                    db, app[settings.CLOCK], conversation.id, inbound, shop, is_visitor=True
                )
            app[settings.METRICS].received(WEB, time.perf_counter() - began)
            return frames.ack_frame(frame.client_id, message)
        case frames.Read():
            app[settings.MESSAGE_LIMIT].spend(f"read {conversation.id}")
            with database_answers(conversation.id):
                await mark_read(db, conversation.id, frame.seq)
        case frames.End():
            app[settings.MESSAGE_LIMIT].spend(f"end {conversation.id}")
            with database_answers(conversation.id):
                shop = app[settings.SETTINGS].shop
                await end_conversation(db, app[settings.CLOCK], shop, conversation.id)
        case frames.Helpful():
            app[settings.MESSAGE_LIMIT].spend(f"helpful {conversation.id}")
            with database_answers(conversation.id):
                await rate_answer(db, conversation.id, frame.seq, frame.helpful)
        case frames.Details():
            app[settings.MESSAGE_LIMIT].spend(f"details {conversation.id}")
            with database_answers(conversation.id):
                await keep_details(db, app[settings.SETTINGS].shop, conversation.id, frame.answers)
        case frames.Typing():
            app[settings.MESSAGE_LIMIT].spend(f"typing {conversation.id}")
            with database_answers(conversation.id):
                await customer_types(app, conversation)
    return None


async def ready(app: web.Application, conversation: Conversation, customer: Customer | None) -> frames.Frame:
    """The answer to hello."""
    config, now = app[settings.SETTINGS], app[settings.CLOCK].now()
    token = issue_visitor_token(conversation.id, config.secret_key, now)
    with database_answers(conversation.id):
        position = await app[settings.LIVE].position(conversation)
    hours = _hours(config, now)
    return frames.ready_frame(token, conversation, customer, config.shop, position=position, hours=hours)


def _hours(config: settings.GatewaySettings, now: datetime) -> frames.Frame:
    """When people answer: in the shop's opening hours, or at any time where the settings say so."""
    desk, hours = config.shop.desk, config.shop.hours
    return frames.hours_frame(desk.is_open(hours, now), desk.opens_at(hours, now))
