"""The channels that conversations are held on."""

from __future__ import annotations

WEB = "web"
TELEGRAM = "telegram"

# Those to which we have to bring what is said; from the others, people fetch it themselves.
PUSH_CHANNELS = frozenset({TELEGRAM})
