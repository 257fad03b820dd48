"""What the made-up customers write."""

from __future__ import annotations

# Ten turns: small talk, a question about the shop, an order looked up step by step (a form over three turns, an
# action with the database), and something the bot cannot do. Long conversations repeat it, so that every ten turns
# in a row hold the same mix and can be compared.
SCRIPT = (
    "hello",
    "what are your opening hours?",
    "where is my order?",
    "TC-10002",
    "maria@example.com",
    "thank you so much",
    "are you a bot?",
    "what's the weather like in Paris?",
    "what can you do?",
    "ok great",
)


def turn_text(turn: int) -> str:
    """What is written at that turn, counted from 1."""
    return SCRIPT[(turn - 1) % len(SCRIPT)]
