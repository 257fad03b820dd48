"""What an action may use while a turn runs: the turn's own transaction and the facts about who is asking."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from bot.core.conversations import Conversation
from bot.core.customers import Customer
from bot.core.shop import Shop
from bot.services.calling import Calling
from bot.services.ports import Clock, PageLinks, ShopContent, UnitOfWork


@dataclass
class TurnContext:
    """One turn. `customer` is set only while their identity is proven; `work` commits with the turn.

    `conversation` and `customer` are replaced when somebody proves who they are in the middle of it.
    """

    work: UnitOfWork
    clock: Clock
    shop: Shop
    conversation: Conversation
    customer: Customer | None
    content: ShopContent
    links: PageLinks
    # Why a person is called in this turn.
    calling: Calling = field(default_factory=Calling)


current_turn: ContextVar[TurnContext] = ContextVar("current_turn")
