"""Tokens as a shop's server signs them, and as somebody forges them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timezone
from typing import Any

SECRET, IDENTITY_SECRET = "v" * 40, "i" * 40


def signed(claims: Any, secret: str, header: dict[str, Any] | None = None) -> str:
    """A signed token with any claims at all, also such that no library would sign."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    signed_part = f"{_encode(json.dumps(header))}.{_encode(json.dumps(claims))}"
    digest = {"HS512": hashlib.sha512}.get(str(header.get("alg", "")), hashlib.sha256)
    return f"{signed_part}.{_encode(hmac.new(secret.encode(), signed_part.encode(), digest).digest())}"


def identity_claims(**changes: Any) -> dict[str, Any]:
    """A customer's claims, good for five minutes; `without` leaves claims out."""
    now = int(datetime.now(timezone.utc).timestamp())
    without = changes.pop("without", ())
    claims = {"aud": "kasuki", "sub": "S-1", "email": "ana@example.com", "name": "Ana Cruz"}
    claims |= {"iat": now, "exp": now + 300, **changes}
    return {name: value for name, value in claims.items() if name not in without}


def identity_token(**changes: Any) -> str:
    """A customer's identity token."""
    return signed(identity_claims(**changes), IDENTITY_SECRET)


def _encode(data: str | bytes) -> str:
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()
