"""Tokens for visitors and links (ours) and identity tokens (the shop's): signed, short, of no use for anything else."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
from aiohttp import web

from bot.core.conversations import ConversationId, is_external_id
from bot.core.customers import normalise_email
from bot.errors import BotError
from bot.services.conversations import ProvenIdentity

ALGORITHM = "HS256"
VISITOR_AUDIENCE = "kasuki-visitor"
IDENTITY_AUDIENCE = "kasuki"
INVOICE_AUDIENCE = "invoice"
UNSUBSCRIBE_AUDIENCE = "unsubscribe"
FEEDBACK_AUDIENCE = "feedback"
VOUCHER_AUDIENCE = "voucher"
OWN_DATA_AUDIENCE = "own-data"
VISITOR_LIFETIME = timedelta(days=90)
IDENTITY_LIFETIME = timedelta(hours=1)
OWN_DATA_LIFETIME = timedelta(hours=1)
FEEDBACK_LIFETIME = timedelta(days=30)
# Two machines' clocks differ by seconds, not by minutes.
LEEWAY = timedelta(seconds=30)
MAX_TOKEN_CHARACTERS = 4_096
MAX_NAME_CHARACTERS = 200
MAX_EMAIL_CHARACTERS = 254

# Good enough to write to: no white space of any kind, because mail to such an address would be refused for ever.
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def bearer_token(request: web.Request) -> str:
    """What stands behind "Bearer" in the request's Authorization header; empty when nothing does."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


class BadToken(BotError):
    """A token that is forged, expired or malformed; which of them is nobody's business but the log's."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__("This sign-in is not valid any more. Reload the page or sign in again.")


class ExpiredToken(BadToken):
    """A token that was good once."""


def issue_visitor_token(conversation_id: ConversationId, secret: str, now: datetime) -> str:
    """A token that opens one conversation and nothing else."""
    claims = {"aud": VISITOR_AUDIENCE, "cid": conversation_id, "iat": now, "exp": now + VISITOR_LIFETIME}
    return jwt.encode(claims, secret, ALGORITHM)


def read_visitor_token(token: str, secret: str) -> ConversationId:
    """The conversation a visitor token is bound to. Raises BadToken."""
    claims = _decode(token, secret, VISITOR_AUDIENCE, ["exp", "cid"])
    if not isinstance(claims["cid"], str):
        raise BadToken
    return ConversationId(claims["cid"])


def issue_identity_token(external_id: str, email: str | None, name: str, secret: str, now: datetime) -> str:
    """What a shop's website makes for a signed-in customer; here for the demo shop."""
    claims = {
        "aud": IDENTITY_AUDIENCE,
        "sub": external_id,
        "email": email,
        "name": name,
        "iat": now,
        "exp": now + IDENTITY_LIFETIME,
    }
    return jwt.encode(claims, secret, ALGORITHM)


def read_identity_token(token: str, secret: str) -> ProvenIdentity:
    """The customer a shop vouches for. Raises BadToken, also for a token valid for longer than an hour."""
    claims = _decode(token, secret, IDENTITY_AUDIENCE, ["exp", "iat", "sub"])
    name, email = claims.get("name"), claims.get("email")
    try:
        issued_at, expires_at = (datetime.fromtimestamp(float(claims[claim]), timezone.utc) for claim in ("iat", "exp"))
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise BadToken from error
    if not is_external_id(claims["sub"]) or expires_at - issued_at > IDENTITY_LIFETIME + LEEWAY:
        raise BadToken
    if expires_at > datetime.now(timezone.utc) + IDENTITY_LIFETIME + LEEWAY:
        raise BadToken
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_CHARACTERS or _CONTROL.search(name):
        raise BadToken
    if email is not None and not _is_email(email):
        raise BadToken
    return ProvenIdentity(claims["sub"], normalise_email(email) if email else None, name.strip(), expires_at)


def issue_invoice_token(order_number: str, secret: str, now: datetime, lifetime: timedelta) -> str:
    """A token that shows one order's invoice and nothing else."""
    claims = {"aud": INVOICE_AUDIENCE, "order": order_number, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, secret, ALGORITHM)


def read_invoice_token(token: str, secret: str) -> str:
    """The number of the order whose invoice may be seen. Raises ExpiredToken, or BadToken."""
    return _decode_text(token, secret, INVOICE_AUDIENCE, "order")


def issue_own_data_token(customer_id: str, secret: str, now: datetime) -> str:
    """A token that gives out everything that is kept about one customer, for an hour."""
    claims = {"aud": OWN_DATA_AUDIENCE, "customer": customer_id, "iat": now, "exp": now + OWN_DATA_LIFETIME}
    return jwt.encode(claims, secret, ALGORITHM)


def read_own_data_token(token: str, secret: str) -> str:
    """The id of the customer whose data may be read. Raises ExpiredToken, or BadToken."""
    return _decode_text(token, secret, OWN_DATA_AUDIENCE, "customer")


def issue_voucher_token(code: str, secret: str, now: datetime) -> str:
    """A token that shows one voucher and nothing else; good for ever, because the voucher itself ends."""
    return jwt.encode({"aud": VOUCHER_AUDIENCE, "code": code, "iat": now}, secret, ALGORITHM)


def read_voucher_token(token: str, secret: str) -> str:
    """The code of the voucher that may be seen. Raises BadToken."""
    return _decode_text(token, secret, VOUCHER_AUDIENCE, "code", ends=False)


def issue_unsubscribe_token(address_hash: str, purpose: str, secret: str, now: datetime) -> str:
    """A token that says no in the name of an e-mail address, of which it holds the hash; good for ever."""
    claims = {"aud": UNSUBSCRIBE_AUDIENCE, "address": address_hash, "purpose": purpose, "iat": now}
    return jwt.encode(claims, secret, ALGORITHM)


def read_unsubscribe_token(token: str, secret: str) -> tuple[str, str]:
    """The hash of the address, and the purpose that it says no to. Raises BadToken."""
    claims = _decode(token, secret, UNSUBSCRIBE_AUDIENCE, ["address", "purpose"])
    address_hash, purpose = claims["address"], claims["purpose"]
    if not isinstance(address_hash, str) or not isinstance(purpose, str):
        raise BadToken
    return address_hash, purpose


def issue_feedback_token(feedback_id: str, secret: str, now: datetime) -> str:
    """A token that answers one question, for a month, and nothing else."""
    claims = {"aud": FEEDBACK_AUDIENCE, "feedback": feedback_id, "iat": now, "exp": now + FEEDBACK_LIFETIME}
    return jwt.encode(claims, secret, ALGORITHM)


def read_feedback_token(token: str, secret: str) -> str:
    """The id of the question that may be answered. Raises ExpiredToken, or BadToken."""
    return _decode_text(token, secret, FEEDBACK_AUDIENCE, "feedback")


def _is_email(value: object) -> bool:
    if not isinstance(value, str) or _CONTROL.search(value):
        return False
    kept = normalise_email(value)  # small letters can be more letters
    return len(kept) <= MAX_EMAIL_CHARACTERS and bool(_EMAIL.fullmatch(kept))


def _decode_text(token: str, secret: str, audience: str, claim: str, *, ends: bool = True) -> str:
    """The one claim that a link's token is for: a text."""
    value = _decode(token, secret, audience, [claim, *(["exp"] if ends else [])])[claim]
    if not isinstance(value, str):
        raise BadToken
    return value


def _decode(token: str, secret: str, audience: str, required: list[str]) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise BadToken
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[ALGORITHM], audience=audience, leeway=LEEWAY, options={"require": required}
        )
    except jwt.ExpiredSignatureError as error:
        raise ExpiredToken from error
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
        raise BadToken from error
    return claims
