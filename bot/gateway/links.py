"""Signed links to pages that are for one customer's eyes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from bot.core.consents import hash_address
from bot.core.customers import EMAIL
from bot.gateway.tokens import (
    issue_feedback_token,
    issue_invoice_token,
    issue_own_data_token,
    issue_unsubscribe_token,
    issue_voucher_token,
)

# Beside the voucher's own page.
VOUCHER_IMAGE = "code.png"


class SignedLinks:
    """Makes the links that the gateway's pages check."""

    def __init__(
        self, public_url: str, secret_key: str, invoice_hours: int, channels: Collection[str] = frozenset()
    ) -> None:
        """`channels` are the messaging channels that the shop is on."""
        self._public_url = public_url
        self._channels = frozenset(channels)
        self._secret_key = secret_key
        self._invoice_lifetime = timedelta(hours=invoice_hours)

    def invoice(self, order_number: str, now: datetime) -> str:
        """A link to an order's invoice, which ends by itself. Whoever has it sees the buyer's name and address."""
        token = issue_invoice_token(order_number, self._secret_key, now, self._invoice_lifetime)
        return f"{self._public_url}/invoices/{token}"

    def connect(self, channel: str, token: str | None = None) -> str | None:
        """A link to the shop's account on a channel; None where the shop is not. With a token it connects whoever
        opens it."""
        if channel not in self._channels:
            return None
        return f"{self._public_url}/connect/{channel}" + (f"/{token}" if token else "")

    def own_data(self, customer_id: str, now: datetime) -> str:
        """A link to everything that is kept about a customer, which ends in an hour. Whoever has it reads it all."""
        return f"{self._public_url}/my-data/{issue_own_data_token(customer_id, self._secret_key, now)}"

    def voucher(self, code: str, now: datetime) -> str:
        """A link to a voucher. Whoever has it sees the code and can use it, but not whose it is."""
        return f"{self._public_url}/rewards/{issue_voucher_token(code, self._secret_key, now)}"

    def voucher_image(self, code: str, now: datetime) -> str:
        """A link to the voucher's code as a picture, for whoever has the link."""
        return f"{self.voucher(code, now)}/{VOUCHER_IMAGE}"

    def unsubscribe(self, address: str, purpose: str, now: datetime) -> str:
        """A link by which whoever has the e-mail address says no to mails of that purpose. It never ends."""
        token = issue_unsubscribe_token(hash_address(EMAIL, address), purpose, self._secret_key, now)
        return f"{self._public_url}/unsubscribe/{token}"

    def feedback(self, feedback_id: str, now: datetime, score: int | None = None) -> str:
        """A link to the page where a question is answered, the score chosen in advance. It ends after a month."""
        token = issue_feedback_token(feedback_id, self._secret_key, now)
        return f"{self._public_url}/feedback/{token}" + ("" if score is None else f"?score={score}")
