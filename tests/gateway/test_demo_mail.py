"""The demo's inbox: the newest mails as they were written, and nothing where it is no demo."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bot.channels.mail import MailFolder
from bot.gateway.settings import SETTINGS
from bot.services.outbox import Mail


@pytest.fixture
def inbox_of(tmp_path, monkeypatch):
    """A gateway whose mails are written into a folder of the test's."""
    folder = tmp_path / "mail"

    def inbox_of(gateway):
        monkeypatch.setitem(gateway.app._state, SETTINGS, replace(gateway.app[SETTINGS], mail_dir=folder))
        return MailFolder(folder, "hello@tala.example")

    return inbox_of


async def mails_of(gateway):
    async with gateway.session.get(f"{gateway.url}/demo/mail") as answer:
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
        return (await answer.json())["mails"]


def a_mail(number=1, **changes):
    subject, body = f"[Tala Coffee] Your code {number}", "Hello María,\n\nYour code is: 123456"
    return Mail(**{"message_id": f"m{number}", "to": "maria@example.com", "subject": subject, "body": body, **changes})


async def test_what_was_written_is_shown_as_text(gateway, inbox_of):
    await inbox_of(gateway)(a_mail())

    (mail,) = await mails_of(gateway)
    assert (mail["id"], mail["to"], mail["subject"]) == ("m1", "maria@example.com", "[Tala Coffee] Your code 1")
    assert mail["text"].strip() == "Hello María,\n\nYour code is: 123456"
    assert mail["at"] > 1_600_000_000_000


async def test_the_newest_twenty_come_first(gateway, inbox_of, tmp_path):
    deliver = inbox_of(gateway)
    for number in range(25):
        await deliver(a_mail(number))
        os.utime(tmp_path / "mail" / f"m{number}.eml", (number, number))

    assert [mail["id"] for mail in await mails_of(gateway)] == [f"m{number}" for number in range(24, 4, -1)]


async def test_without_a_folder_there_is_nothing(gateway, inbox_of):
    assert await mails_of(gateway) == []
    inbox_of(gateway)
    assert await mails_of(gateway) == []


async def test_what_is_no_mail_is_left_out_or_shown_without_harm(gateway, inbox_of, tmp_path):
    await inbox_of(gateway)(a_mail())
    folder = tmp_path / "mail"
    (folder / "broken.eml").write_bytes(b"\xff\xfe\x00 Content-Type: text/plain; charset=none\n\n\xff")
    (folder / "charset.eml").write_bytes(b"Subject: x\nContent-Type: text/plain; charset=nonsense\n\nhello")
    (folder / "html.eml").write_bytes(b"Subject: y\nContent-Type: text/html\n\n<script>alert(1)</script>")
    (folder / "notes.txt").write_text("not a mail")
    (folder / "folder.eml").mkdir()

    found = {mail["id"]: mail["text"] for mail in await mails_of(gateway)}
    assert "123456" in found["m1"] and "notes" not in found and "folder" not in found
    assert "script" not in found.get("html", "")


async def test_outside_the_demo_there_is_no_inbox(start_gateway, inbox_of):
    gateway = await start_gateway(demo=False)
    await inbox_of(gateway)(a_mail())

    async with gateway.session.get(f"{gateway.url}/demo/mail") as answer:
        assert answer.status == 404 and "123456" not in await answer.text()
