"""E-mail out of the house: by SMTP, or into a folder where none is set up."""

from __future__ import annotations

import asyncio
import email.policy
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.services.outbox import Mail

SMTP_SECONDS = 30.0
# As long as a line may be (RFC 5322): a link in a header that is folded or encoded leads nowhere.
_POLICY = email.policy.default.clone(max_line_length=998)


class MailFolder:
    """Writes each mail to a file, to be read by whoever tries the product."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def __call__(self, mail: Mail) -> None:
        """Deliver. Safe to repeat: the same mail is the same file. Raises OSError when it cannot be written."""
        await asyncio.to_thread(self._write, mail)

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{mail.message_id}.eml").write_bytes(bytes(as_email(mail, self._sender)))


class SmtpMail:
    """Sends each mail through a mail server: `smtp://` (with STARTTLS when the server has it) or `smtps://`."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    async def __call__(self, mail: Mail) -> None:
        """Deliver, or raise OSError (which smtplib's errors are). Repeating sends the same Message-ID again."""
        await asyncio.to_thread(self._send, mail)

    def _send(self, mail: Mail) -> None:
        url, context = self._url, ssl.create_default_context()
        host = url.hostname or "localhost"
        server = (
            smtplib.SMTP_SSL(host, url.port or 465, timeout=SMTP_SECONDS, context=context)
            if url.scheme == "smtps"
            else smtplib.SMTP(host, url.port or 587, timeout=SMTP_SECONDS)
        )
        with server:
            if url.scheme == "smtp":
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=context)
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(as_email(mail, self._sender))


def as_email(mail: Mail, sender: str) -> EmailMessage:
    """The mail as a message. Header injection is refused by the email package, which raises ValueError."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{mail.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    if mail.unsubscribe_url:
        # One click in the mail program, by POST and without a page: RFC 8058.
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.body)
    return message
