"""The command `customer`: hand out and erase somebody's data, join and part customers who are one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.core.customers import Customer, CustomerId
from bot.core.merges import Merge, MergeState
from bot.core.shop import Shop
from bot.errors import BotError, CustomerNotFound
from bot.services.customers import find_customer
from bot.services.merges import (
    accept_merge,
    dismiss_merge,
    find_proposals,
    merge_customers,
    proposals,
    undo_merge,
)
from bot.services.ports import Clock, Database, UnitOfWork
from bot.services.privacy import erase_customer, hand_out

OPERATOR = "operator"


class NotConfirmed(BotError):
    """Nobody said yes."""

    code = "not_confirmed"

    def __init__(self) -> None:
        super().__init__("Nothing was erased. Answer with yes, or add --yes.")


async def run_customer_command(
    db: Database, clock: Clock, shop: Shop, options: Mapping[str, Any], confirm: Callable[[str], bool]
) -> str:
    """Do what was typed, and return what to say. Raises BotError, having changed nothing."""
    typed = dict(options)
    match typed.pop("action"):
        case "export":
            return await export(db, clock, **typed)
        case "erase":
            return await erase(db, clock, confirm, **typed)
        case "merge":
            return await merge(db, clock, shop, **typed)
        case "proposals":
            await find_proposals(db, clock)
            return await list_proposals(db)
        case "merges":
            return await list_merges(db, **typed)
        case action:
            return await decide(db, clock, shop, action, **typed)


async def export(db: Database, clock: Clock, name: str) -> str:
    """Everything that is kept about somebody, as JSON. Raises CustomerNotFound, also for somebody who was erased."""
    async with db.reading() as work:
        customer = await _customer(work, name)
    data = await hand_out(db, clock, customer.id, actor=OPERATOR)
    if data is None:
        raise CustomerNotFound
    return json.dumps(data, indent=2, ensure_ascii=False)


async def erase(db: Database, clock: Clock, confirm: Callable[[str], bool], name: str, *, yes: bool) -> str:
    """Erase somebody, once that is confirmed. Raises CustomerNotFound, NotConfirmed or ErasureRefused."""
    async with db.reading() as work:
        customer = await _customer(work, name)
    if customer.erased_at is not None:
        return f"This customer was erased already, on {customer.erased_at:%Y-%m-%d}."
    question = f"Erase {_called(customer)}, for good? Nobody can bring their data back."
    if not yes and not confirm(question):
        raise NotConfirmed
    async with db.transaction() as work:
        await erase_customer(work, clock, customer.id, actor=OPERATOR)
    return "Erased. What is left are figures, as nobody's."


async def merge(db: Database, clock: Clock, shop: Shop, keep: str, other: str) -> str:
    """Make two customers one. Raises CustomerNotFound or MergeRefused."""
    async with db.transaction() as work:
        kept, merged = await _customer(work, keep), await _customer(work, other)
        done = await merge_customers(
            work, clock, kept.id, merged.id, reason="asked by an operator", author=OPERATOR, shop=shop
        )
    return (
        f"{_called(merged)} is {_called(kept)} now, with everything.\n"
        f"To part them again: python -m bot customer undo-merge {done.id}"
    )


async def decide(db: Database, clock: Clock, shop: Shop, action: str, merge_id: str) -> str:
    """Accept or dismiss a proposal, or undo a merge. Raises MergeRefused."""
    async with db.transaction() as work:
        if action == "dismiss":
            await dismiss_merge(work, clock, merge_id, author=OPERATOR)
            return "Dismissed: the two stay two, and are not proposed again."
        if action == "accept":
            done = await accept_merge(work, clock, merge_id, author=OPERATOR, shop=shop)
            kept, merged = await _names(work, done)
            return f"{merged} is {kept} now, with everything."
        kept, merged = await _names(work, await undo_merge(work, clock, merge_id, author=OPERATOR, shop=shop))
        return f"{merged} and {kept} are two again, and each has what was theirs."


async def list_proposals(db: Database) -> str:
    """Who may be one, and why; with the ids that accept and dismiss want."""
    async with db.reading() as work:
        lines = [await _line(work, one) for one in await proposals(work)]
    if not lines:
        return "Nobody looks like anybody else."
    how = "Decide with: python -m bot customer accept ID, or customer dismiss ID"
    return "\n".join([*lines, "", how])


async def list_merges(db: Database, name: str) -> str:
    """What was decided about a customer, oldest first."""
    async with db.reading() as work:
        customer = await _customer(work, name)
        people = await work.merges.same_person(customer.id)
        lines = [
            f"{await _line(work, one)}  {one.state.value}"
            for one in await work.merges.of_customers(people)
            if one.state is not MergeState.PROPOSED
        ]
    return "\n".join(lines) or "This customer was never merged with anybody."


async def _line(work: UnitOfWork, one: Merge) -> str:
    kept, merged = await _names(work, one)
    return f"{one.id}  {one.created_at:%Y-%m-%d}  {merged} is {kept}?  {one.reason}"


async def _names(work: UnitOfWork, one: Merge) -> tuple[str, str]:
    return await _name(work, one.kept_id), await _name(work, one.merged_id)


async def _name(work: UnitOfWork, customer_id: CustomerId) -> str:
    customer = await work.customers.get(customer_id)
    return _called(customer) if customer else customer_id


def _called(customer: Customer) -> str:
    return f"{customer.name or 'somebody'} ({customer.external_id})"


async def _customer(work: UnitOfWork, name: str) -> Customer:
    customer = await find_customer(work, name)
    if customer is None:
        raise CustomerNotFound
    return customer
