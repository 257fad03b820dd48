"""The demo shop's inbox: the mails that the service has written into its folder, for whoever tries it out."""

from __future__ import annotations

import asyncio
import email
import email.policy
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.gateway import settings
from bot.gateway.limits import client_address

SHOWN = 20
MAX_TEXT_CHARACTERS = 20_000

routes = web.RouteTableDef()


@routes.get("/demo/mail")
async def demo_mail(request: web.Request) -> web.Response:
    """The newest mails, whoever they are to; in demo mode only, because there are codes in them."""
    config = request.app[settings.SETTINGS]
    if not config.demo:
        raise web.HTTPNotFound(text="This exists in demo mode only.")
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    folder = config.mail_dir
    mails = await asyncio.to_thread(_newest, folder) if folder is not None else []
    return web.json_response({"mails": mails})


def _newest(folder: Path) -> list[dict[str, Any]]:
    """What stands in the newest files of the folder, the newest first. One that goes away meanwhile is left out."""
    found = []
    for file in folder.glob("*.eml") if folder.is_dir() else ():
        try:
            found.append((file.stat().st_mtime_ns, file))
        except OSError:
            continue
    found.sort(reverse=True)
    return [mail for at, file in found[:SHOWN] if (mail := _read(file, at)) is not None]


def _read(file: Path, at: int) -> dict[str, Any] | None:
    try:
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        text = body.get_content() if body is not None else ""
    except (OSError, LookupError, ValueError):
        return None
    return {
        "id": file.stem,
        "to": str(message["To"] or ""),
        "subject": str(message["Subject"] or ""),
        # Milliseconds, as browsers count them.
        "at": at // 1_000_000,
        "text": text[:MAX_TEXT_CHARACTERS],
    }
