"""The command `telegram`: how Telegram brings us what people write, and how that stands."""

from __future__ import annotations

from typing import Any

from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.updates import ALLOWED_UPDATES
from bot.errors import BotError
from bot.services.channel_ports import ChannelError

WEBHOOK_PATH = "/channels/telegram/webhook"
# What people are offered when they type a slash.
COMMANDS = (
    ("start", "Begin"),
    ("help", "What I can do"),
    ("human", "Talk to a person"),
    ("logout", "Log out"),
    ("stop", "Hear nothing more"),
)


class TelegramRefused(BotError):
    """Telegram did not do what it was asked to, or could not be asked."""

    code = "telegram_refused"


async def run_telegram_command(client: TelegramClient, action: str, public_url: str, secret: str) -> str:
    """Do what was typed, and return what to say. Safe to repeat. Raises TelegramRefused."""
    try:
        match action:
            case "set-webhook":
                return await set_webhook(client, public_url, secret)
            case "delete-webhook":
                await client.call("deleteWebhook", {})
                return "The webhook is gone. `serve` asks Telegram for messages while PUBLIC_URL is not https."
            case _:
                return await _info(client)
    except ChannelError as error:
        raise TelegramRefused(f"Telegram did not do it. {error}") from error


def is_reachable(public_url: str) -> bool:
    """Whether Telegram can tell an address of messages: it does so over https only."""
    return public_url.startswith("https://")


async def set_webhook(client: TelegramClient, public_url: str, secret: str) -> str:
    """Have Telegram tell us of messages from now on, and of those that are waiting."""
    if not is_reachable(public_url):
        raise TelegramRefused(
            f"Telegram reaches https addresses only, and PUBLIC_URL is {public_url}. Set it to the https address by "
            "which the service is reached; or set no webhook: `serve` then asks Telegram for messages."
        )
    url = f"{public_url}{WEBHOOK_PATH}"
    parameters = {"url": url, "secret_token": secret, "allowed_updates": list(ALLOWED_UPDATES)}
    await client.call("setWebhook", parameters)
    shown = [{"command": name, "description": about} for name, about in COMMANDS]
    await client.call("setMyCommands", {"commands": shown})
    return f"Telegram tells {url} of every message from now on."


async def _info(client: TelegramClient) -> str:
    about, webhook = await client.call("getMe", {}), await client.call("getWebhookInfo", {})
    lines = [f"The bot is @{_field(about, 'username')}."]
    if url := _field(webhook, "url"):
        lines.append(f"Telegram tells {url}; {_field(webhook, 'pending_update_count')} messages are waiting.")
        if error := _field(webhook, "last_error_message"):
            lines.append(f"Its last try failed: {error}")
    else:
        lines.append("No webhook is set: `serve` asks for messages while PUBLIC_URL is not https.")
    return "\n".join(lines)


def _field(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, dict) else None
