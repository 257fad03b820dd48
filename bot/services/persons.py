"""Who a customer is now: themselves, or the one they turned out to be."""

from __future__ import annotations

from bot.core.customers import Customer, CustomerId
from bot.errors import CustomerNotFound
from bot.services.ports import UnitOfWork


async def customer_of(work: UnitOfWork, customer_id: CustomerId) -> Customer:
    """The customer, or the one that they turned out to be. Raises CustomerNotFound."""
    customer = await work.customers.get(customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer = await work.customers.get(customer.merged_into_id)
    if customer is None:
        raise CustomerNotFound
    return customer
