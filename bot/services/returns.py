"""Sending goods back."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.conversations import clean_text
from bot.core.customers import CustomerId
from bot.core.money import money_in_words
from bot.core.orders import CannotReturn, OrderLine, return_terms
from bot.core.returns import RETURN_PREFIX, Return, ReturnStatus, returnable_lines
from bot.core.shop import Shop
from bot.errors import OrderActionRefused
from bot.services.ids import add_under_new_number
from bot.services.notices import line_texts, notify_of_order
from bot.services.orders import lock_own_order
from bot.services.ports import Clock, UnitOfWork
from bot.services.transcripts import indented


async def request_return(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    customer_id: CustomerId,
    number: str,
    skus: Sequence[str] | None,
    reason: str,
) -> Return:
    """Record that the verified customer sends lines of their order back (None: all that are left), and tell both sides.

    Raises OrderActionRefused, changing nothing: not_yours, an obstacle of return_terms, not_in_order for a product that
    was not ordered (or for none), already_returned for one that is in a return already, or when nothing is left.
    """
    order = await lock_own_order(work, customer_id, number)
    terms = return_terms(order, shop.policies, clock.now().astimezone(shop.hours.zone))
    if isinstance(terms, CannotReturn):
        raise OrderActionRefused(terms.reason)
    left = returnable_lines(order, await work.returns.of_order(order.number))
    lines = left if skus is None else _chosen(order.lines, left, skus)
    if not lines:
        raise OrderActionRefused("already_returned")
    kept_reason = clean_text(reason)
    requested = await add_under_new_number(
        RETURN_PREFIX,
        lambda number: Return(
            number, order.number, customer_id, ReturnStatus.REQUESTED, kept_reason, clock.now(), lines
        ),
        work.returns.add,
    )
    amount = money_in_words(requested.amount_minor, order.currency)
    listed = line_texts(lines, order.currency)
    days = shop.policies.refund_days
    await notify_of_order(
        work,
        clock,
        shop,
        order,
        await work.customers.get(customer_id),
        key=f"return:{requested.number}",
        subject=f"Return {requested.number} of order {order.number}",
        to_shop=[
            f"The customer sends back goods worth {amount} under the number {requested.number}:",
            *listed,
            "",
            f"Reason: {indented(kept_reason) or 'none given'}",
        ],
        to_customer=[
            f"Your return {requested.number} is registered. Please write this number on the parcel.",
            "",
            *listed,
            "",
            f"Send it by {terms.last_day:%A} {terms.last_day.day} {terms.last_day:%B %Y}"
            + (f" to: {shop.address}" if shop.address else "."),
            f"Once it is here and checked, we pay {amount} back within {days} days.",
        ],
    )
    return requested


def _chosen(ordered: Sequence[OrderLine], left: Sequence[OrderLine], skus: Sequence[str]) -> tuple[OrderLine, ...]:
    wanted = set(skus)
    if not wanted or not wanted <= {line.sku for line in ordered}:
        raise OrderActionRefused("not_in_order")
    if not wanted <= {line.sku for line in left}:
        raise OrderActionRefused("already_returned")
    return tuple(line for line in left if line.sku in wanted)


async def returns_of(work: UnitOfWork, number: str) -> list[Return]:
    """The order's returns, oldest first; for those who may see the order."""
    return await work.returns.of_order(number)
