"""What an action may use while a turn runs: the turn's own transaction and the facts about who is asking."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from bot.core.conversations import Conversation
from bot.core.customers import Customer
from bot.core.shop import Shop
from bot.services.ports import Clock, UnitOfWork


@dataclass(frozen=True)
class TurnContext:
    """One turn. `customer` is set only while their identity is proven; `work` commits with the turn."""

    work: UnitOfWork
    clock: Clock
    shop: Shop
    conversation: Conversation
    customer: Customer | None


current_turn: ContextVar[TurnContext] = ContextVar("current_turn")
