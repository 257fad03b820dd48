"""What the gateway is given: the few things it needs, under the keys by which its handlers find them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.core.shop import Shop
from bot.gateway.connections import OpenConnections
from bot.gateway.limits import RateLimit
from bot.gateway.live import LiveConversations
from bot.metrics import GatewayMetrics
from bot.services.ports import Clock, Database


@dataclass(frozen=True)
class GatewaySettings:
    """Facts and secrets; the secrets never leave in a repr."""

    shop: Shop
    allowed_origins: frozenset[str]
    demo: bool
    metrics_dir: Path
    secret_key: str = field(repr=False)
    identity_secret: str = field(repr=False)
    api_key: str = field(repr=False)
    # Where browsers find us; the desk's cookie is for https alone where that is.
    public_url: str = ""
    # Where mail is written, if it is not sent.
    mail_dir: Path | None = None


SETTINGS = web.AppKey("settings", GatewaySettings)
DATABASE = web.AppKey("database", Database)
CLOCK = web.AppKey("clock", Clock)
LIVE = web.AppKey("live", LiveConversations)
METRICS = web.AppKey("metrics", GatewayMetrics)
# A person types slower than this; a whole office behind one address stays below the second.
MESSAGE_LIMIT = web.AppKey("message_limit", RateLimit)
ADDRESS_LIMIT = web.AppKey("address_limit", RateLimit)
# How many conversations one address may begin.
NEW_CHAT_LIMIT = web.AppKey("new_chat_limit", RateLimit)
CONNECTIONS = web.AppKey("connections", OpenConnections)
SOCKETS: web.AppKey[dict[web.WebSocketResponse, web.Request]] = web.AppKey("sockets", dict)
