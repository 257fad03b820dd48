"""Customers in the database, with what they are known by, and their accounts on channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import (
    EMAIL,
    ChannelIdentity,
    Customer,
    CustomerId,
    UsedAddress,
    erased_external_id,
    is_from_shop,
    known_by,
)
from bot.core.lifecycle import PAID_STATUSES, PaidOrders
from bot.services.ids import new_id
from bot.storage import tables
from bot.storage.engine import insert_unless_there

_CUSTOMER = tables.customers.c
_IDENTITY = tables.customer_identities.c
_USED = tables.customer_addresses.c
_BY_SHOP, _BY_CUSTOMER, _BY_CODE = "shop", "customer", "code"


class SqlCustomers:
    """CustomerRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, customer: Customer) -> None:
        await self._connection.execute(insert(tables.customers).values(**asdict(customer)))
        await self._keep_parts(customer, customer.created_at)

    async def add_unless_known(self, customer: Customer) -> bool:
        added = await insert_unless_there(self._connection, tables.customers, asdict(customer), ["external_id"])
        if added:
            await self._keep_parts(customer, customer.created_at)
        return added

    async def save(self, customer: Customer, at: datetime) -> None:
        before = await self.lock(customer.id)
        if before is None:
            return
        values = asdict(customer)
        await self._connection.execute(
            update(tables.customers).where(_CUSTOMER.id == values.pop("id")).values(**values)
        )
        # What the shop said before it does not say any more; what they proved themselves stays theirs.
        gone = {(kind, value) for kind, value, _ in known_by(before)} - {
            (kind, value) for kind, value, _ in known_by(customer)
        }
        for kind, value in gone:
            await self._connection.execute(
                delete(tables.customer_identities).where(
                    _IDENTITY.customer_id == customer.id,
                    _IDENTITY.kind == kind,
                    _IDENTITY.value == value,
                    _IDENTITY.source != _BY_CODE,
                )
            )
        await keep_what_they_are_known_by(self._connection, [customer], at)
        if customer.address != before.address:
            await self._keep_address(customer.id, customer.address, at)

    async def get(self, customer_id: CustomerId) -> Customer | None:
        return await self._one(_CUSTOMER.id == customer_id)

    async def lock(self, customer_id: CustomerId) -> Customer | None:
        return await self._one(_CUSTOMER.id == customer_id, lock=True)

    async def by_external_id(self, external_id: str) -> Customer | None:
        numbers = (external_id, erased_external_id(external_id))
        customer = await self._one(_CUSTOMER.external_id.in_(numbers))
        while customer is not None and customer.merged_into_id is not None:
            customer = await self.get(customer.merged_into_id)
        return customer

    async def by_email(self, email: str) -> Customer | None:
        proved = select(_IDENTITY.customer_id).where(
            _IDENTITY.kind == EMAIL, _IDENTITY.value == email, _IDENTITY.verified_at.is_not(None)
        )
        found = proved.union(select(_CUSTOMER.id).where(_CUSTOMER.email == email))
        by_themselves = _CUSTOMER.id.in_(proved.where(_IDENTITY.source == _BY_CODE))
        is_there = and_(_CUSTOMER.id.in_(found), _CUSTOMER.merged_into_id.is_(None), _CUSTOMER.erased_at.is_(None))
        return await self._one(is_there, by_themselves.desc())

    async def set_address(self, customer_id: CustomerId, address: str, at: datetime) -> Customer | None:
        changed = update(tables.customers).where(_CUSTOMER.id == customer_id).values(address=address)
        row = (await self._connection.execute(changed.returning(tables.customers))).mappings().first()
        if row is None:
            return None
        await self._keep_address(customer_id, address, at)
        return Customer(**row)

    async def addresses_of(self, customer_id: CustomerId) -> list[UsedAddress]:
        query = select(_USED.address, _USED.used_at).where(_USED.customer_id == customer_id)
        rows = await self._connection.execute(query.order_by(_USED.used_at.desc(), _USED.id))
        return [UsedAddress(**row) for row in rows.mappings()]

    async def paid_orders(self, customer_id: CustomerId) -> PaidOrders:
        c = tables.orders.c
        query = select(func.count(), func.max(c.placed_at)).where(
            c.customer_id == customer_id, c.status.in_([status.value for status in PAID_STATUSES])
        )
        number, last_at = (await self._connection.execute(query)).one()
        return PaidOrders(number, last_at)

    async def count(self) -> int:
        return await self._connection.scalar(select(func.count()).select_from(tables.customers)) or 0

    async def add_identity(self, identity: ChannelIdentity) -> bool:
        return await insert_unless_there(
            self._connection, tables.channel_identities, asdict(identity), ["channel", "external_id"]
        )

    async def identity(self, channel: str, external_id: str) -> ChannelIdentity | None:
        c = tables.channel_identities.c
        query = select(tables.channel_identities).where(c.channel == channel, c.external_id == external_id)
        row = (await self._connection.execute(query)).mappings().first()
        return ChannelIdentity(**row) if row else None

    async def link_account(self, channel: str, external_id: str, customer_id: CustomerId | None) -> None:
        c = tables.channel_identities.c
        account = update(tables.channel_identities).where(c.channel == channel, c.external_id == external_id)
        await self._connection.execute(account.values(customer_id=customer_id))

    async def _keep_parts(self, customer: Customer, at: datetime) -> None:
        await keep_what_they_are_known_by(self._connection, [customer], at)
        await self._keep_address(customer.id, customer.address, at)

    async def _keep_address(self, customer_id: CustomerId, address: str | None, at: datetime) -> None:
        if not address:
            return
        known = (_USED.customer_id == customer_id, _USED.address == address)
        used = update(tables.customer_addresses).where(*known).values(used_at=at)
        if (await self._connection.execute(used)).rowcount == 0:
            values = {"id": new_id(), "customer_id": customer_id, "address": address, "used_at": at}
            await self._connection.execute(insert(tables.customer_addresses).values(**values))

    async def _one(self, condition: ColumnElement[bool], *first: Any, lock: bool = False) -> Customer | None:
        query = select(tables.customers).where(condition).order_by(*first, _CUSTOMER.created_at, _CUSTOMER.id).limit(1)
        if lock:
            # Rows that point to the customer may still be added meanwhile.
            query = query.with_for_update(key_share=True)
        row = (await self._connection.execute(query)).mappings().first()
        return Customer(**row) if row else None


async def keep_what_they_are_known_by(connection: AsyncConnection, customers: Sequence[Customer], at: datetime) -> None:
    """Give customers their identities: vouched for, unless another customer's is proven already; then only claimed."""
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "customer_id": customer.id,
            "kind": kind,
            "value": value,
            "source": _BY_SHOP if is_from_shop(customer) else _BY_CUSTOMER,
            "created_at": at,
            "verified_at": at if is_vouched else None,
        }
        for customer in customers
        for kind, value, is_vouched in known_by(customer)
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(tables.customer_identities).on_conflict_do_nothing()
    await connection.execute(statement, rows)
    claims = [{**row, "id": new_id(), "verified_at": None} for row in rows if row["verified_at"] is not None]
    if claims:
        await connection.execute(statement, claims)
