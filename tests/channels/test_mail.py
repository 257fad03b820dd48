"""Mail: into a folder, and through a mail server that this file brings along."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from bot.channels.mail import MailFolder, SmtpMail, as_email
from bot.services.outbox import Mail

SENDER = "hello@talacoffee.example"
MAIL = Mail(
    message_id="0123456789abcdef0123456789abcdef",
    to="team@talacoffee.example",
    subject="[Tala Coffee] Maria Santos is waiting for a person",
    body="The customer asked for a person.\n\nCustomer: nasaan na po ang ☕?\n",
    reply_to="maria@example.com",
)


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def parsed(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)


@dataclass
class MailServer:
    """Enough of RFC 5321 for one delivery at a time; `refuse` names a command to answer with an error."""

    refuse: str = ""
    delivered: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = "", []
        writer.write(b"220 mail.example ready\r\n")
        with contextlib.suppress(ConnectionError):
            while line := (await reader.readline()).decode().strip():
                self.commands.append(line)
                verb = line.split()[0].upper()
                if verb == self.refuse:
                    writer.write(b"451 not now\r\n")
                elif verb == "EHLO":
                    writer.write(b"250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n")
                elif verb == "AUTH":
                    writer.write(b"235 welcome\r\n")
                elif verb == "MAIL":
                    sender = line
                    writer.write(b"250 ok\r\n")
                elif verb == "RCPT":
                    recipients.append(line)
                    writer.write(b"250 ok\r\n")
                elif verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    self.delivered.append((sender, recipients, data.removesuffix(b".\r\n")))
                    recipients = []
                    writer.write(b"250 kept\r\n")
                elif verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        writer.close()


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    keeper = MailServer()
    server = await asyncio.start_server(keeper.serve, "127.0.0.1", 0)
    keeper.port = server.sockets[0].getsockname()[1]
    yield keeper
    server.close()
    await server.wait_closed()


# The message


def test_a_mail_has_the_headers_that_a_reader_needs():
    message = as_email(MAIL, SENDER)

    assert (message["From"], message["To"], message["Reply-To"]) == (SENDER, MAIL.to, "maria@example.com")
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == f"<{MAIL.message_id}@talacoffee.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"]
    assert parsed(bytes(message)).get_content() == MAIL.body


def test_a_mail_without_a_reply_address_has_no_such_header():
    assert "Reply-To" not in as_email(replace(MAIL, reply_to=None), SENDER)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x0b", "\x1c", "\x85", "\u2028"], ids=repr)
@pytest.mark.parametrize("where", ["to", "reply_to"])
def test_a_header_cannot_be_smuggled_in_through_an_address(where, line_end):
    smuggled = replace(MAIL, **{where: f"maria@example.com{line_end}Bcc: all@example.com"})

    with pytest.raises(ValueError, match="linefeed"):
        as_email(smuggled, SENDER)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"], ids=repr)
def test_a_header_cannot_be_smuggled_in_through_the_subject(line_end):
    message = parsed(bytes(as_email(replace(MAIL, subject=f"Maria{line_end}Bcc: all@example.com"), SENDER)))

    assert message["Bcc"] is None
    assert message["Subject"] == "Maria Bcc: all@example.com"


def test_what_looks_like_a_header_in_the_body_stays_in_the_body():
    body = "Bcc: all@example.com\n\n.\nFrom nobody\n"
    message = parsed(bytes(as_email(replace(MAIL, body=body), SENDER)))

    assert message["Bcc"] is None
    assert message.get_content() == body


@pytest.mark.parametrize("text", ["x" * 5_000, "字" * 2_000, "\U0001f602", "\0", "a\rb", "\x1b[31m"], ids=ascii)
def test_any_text_of_a_customer_can_be_mailed(text):
    data = bytes(as_email(replace(MAIL, subject=f"{text[:200]}", body=text), SENDER))

    assert all(len(line) <= 998 for line in data.splitlines())


# The folder


async def test_a_mail_is_written_to_the_folder(tmp_path: Path):
    await MailFolder(tmp_path / "var" / "mail", SENDER)(MAIL)

    (file,) = (tmp_path / "var" / "mail").iterdir()
    assert file.suffix == ".eml"
    message = parsed(file.read_bytes())
    assert (message["To"], message["Subject"], message.get_content()) == (MAIL.to, MAIL.subject, MAIL.body)


async def test_a_mail_that_is_delivered_again_is_the_same_file(tmp_path: Path):
    deliver = MailFolder(tmp_path, SENDER)
    for _ in range(2):
        await deliver(MAIL)
    await deliver(replace(MAIL, message_id="another"))

    assert files(tmp_path) == sorted([f"{MAIL.message_id}.eml", "another.eml"])


async def test_a_folder_that_cannot_be_written_is_an_error_to_try_again(tmp_path: Path):
    (tmp_path / "mail").write_text("a file in the folder's place")

    with pytest.raises(OSError, match="mail"):
        await MailFolder(tmp_path / "mail", SENDER)(MAIL)


async def test_a_refused_mail_leaves_no_file(tmp_path: Path):
    with pytest.raises(ValueError, match="linefeed"):
        await MailFolder(tmp_path, SENDER)(replace(MAIL, to="a@example.com\nBcc: b@example.com"))

    assert files(tmp_path) == []


# The mail server


async def test_a_mail_goes_through_the_server(mail_server: MailServer):
    await SmtpMail(f"smtp://127.0.0.1:{mail_server.port}", SENDER)(MAIL)

    ((sender, recipients, data),) = mail_server.delivered
    assert f"<{SENDER}>" in sender
    assert [recipient.split(":")[1] for recipient in recipients] == [f"<{MAIL.to}>"]
    message = parsed(data)
    assert (message["Subject"], message["Reply-To"]) == (MAIL.subject, MAIL.reply_to)
    assert message.get_content().splitlines() == MAIL.body.splitlines()
    assert not any(command.startswith("AUTH") for command in mail_server.commands)


async def test_a_mail_that_is_delivered_again_has_the_same_message_id(mail_server: MailServer):
    deliver = SmtpMail(f"smtp://127.0.0.1:{mail_server.port}", SENDER)
    for _ in range(2):
        await deliver(MAIL)

    first, second = (parsed(data)["Message-ID"] for _, _, data in mail_server.delivered)
    assert first == second == f"<{MAIL.message_id}@talacoffee.example>"


async def test_the_user_of_the_url_signs_in(mail_server: MailServer):
    await SmtpMail(f"smtp://the%40user:pass%2Fword@127.0.0.1:{mail_server.port}", SENDER)(MAIL)

    # "\0the@user\0pass/word" in base64.
    assert "AUTH PLAIN AHRoZUB1c2VyAHBhc3Mvd29yZA==" in mail_server.commands
    assert len(mail_server.delivered) == 1


@pytest.mark.parametrize("refused", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_refuses_is_an_error_to_try_again(mail_server: MailServer, refused: str):
    mail_server.refuse = refused

    with pytest.raises(smtplib.SMTPException) as caught:
        await SmtpMail(f"smtp://127.0.0.1:{mail_server.port}", SENDER)(MAIL)

    assert isinstance(caught.value, OSError)
    assert mail_server.delivered == []


async def test_a_server_that_is_away_is_an_error_to_try_again(mail_server: MailServer, unused_tcp_port: int):
    with pytest.raises(OSError, match="refused"):
        await SmtpMail(f"smtp://127.0.0.1:{unused_tcp_port}", SENDER)(MAIL)


async def test_the_loop_is_free_while_the_server_takes_its_time(mail_server: MailServer):
    greet = asyncio.Event()
    serve = mail_server.serve

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet.wait()
        await serve(reader, writer)

    slow = await asyncio.start_server(late, "127.0.0.1", 0)
    port = slow.sockets[0].getsockname()[1]
    sending = asyncio.create_task(SmtpMail(f"smtp://127.0.0.1:{port}", SENDER)(MAIL))
    # The server runs on this very loop: if sending blocked it, nobody would ever greet.
    greet.set()
    await asyncio.wait_for(sending, 10)
    slow.close()
    await slow.wait_closed()

    assert len(mail_server.delivered) == 1


async def test_a_smuggled_header_never_reaches_the_server(mail_server: MailServer):
    deliver = SmtpMail(f"smtp://127.0.0.1:{mail_server.port}", SENDER)

    with pytest.raises(ValueError, match="linefeed"):
        await deliver(replace(MAIL, to="a@b.example\nBcc: c@d.example"))

    assert mail_server.delivered == []
