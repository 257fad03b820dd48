"""Which order people spoke of with a customer, so that the assistant knows what "it" is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.core.conversations import Author, Conversation, Message, TurnState
from bot.core.orders import normalise_order_number, other_forms
from bot.core.shop import Shop
from bot.services.orders import own_order
from bot.services.ports import Clock, UnitOfWork

_NUMBER = re.compile(r"(?<![\w-])(?:([A-Z]{1,4})[ #-]{0,2})?([0-9]{4,12})(?![\w-])", re.IGNORECASE)


async def order_spoken_of(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, messages: Sequence[Message]
) -> str | None:
    """The order that the customer and people named last in these messages; None where none is named.

    Of a customer who has proven who they are, it is one of their own. Of anybody else it is a number as the shop writes
    them, and nothing is said about whether there is such an order.
    """
    customer_id = conversation.verified_customer(clock.now())
    for message in reversed(messages):
        # What waits for the assistant, the assistant reads itself.
        if message.author not in (Author.CUSTOMER, Author.AGENT) or message.turn_state is TurnState.PENDING:
            continue
        for letters, digits in reversed(_NUMBER.findall(message.text)):
            if customer_id is None:
                if letters and letters.upper() == shop.order_prefix:
                    return f"{shop.order_prefix}-{digits}"
                continue
            for number in _forms(letters, digits, shop.order_prefix):
                if (order := await own_order(work, customer_id, number)) is not None:
                    return order.number
    return None


def _forms(letters: str, digits: str, prefix: str) -> Iterator[str]:
    # A word before a number may belong to it, as in "TC 10002", or not, as in "no 10002".
    for text in dict.fromkeys((f"{letters}{digits}", digits)):
        number = normalise_order_number(text, prefix)
        if number is not None:
            yield number
            yield from other_forms(number, prefix)
