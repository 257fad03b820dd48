"""Links that connect accounts on messaging channels with customers, in the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.account_links import AccountLink
from bot.core.customers import CustomerId
from bot.storage import tables

_LINKS = tables.account_links
_C = _LINKS.c


class SqlAccountLinks:
    """AccountLinkRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, link: AccountLink) -> None:
        await self._connection.execute(insert(_LINKS).values(**asdict(link)))

    async def get(self, token_hash: str) -> AccountLink | None:
        return await self._one(token_hash, lock=False)

    async def lock(self, token_hash: str) -> AccountLink | None:
        return await self._one(token_hash, lock=True)

    async def save(self, link: AccountLink) -> None:
        values = asdict(link)
        token_hash = values.pop("token_hash")
        await self._connection.execute(update(_LINKS).where(_C.token_hash == token_hash).values(**values))

    async def made_for(self, customer_id: CustomerId, since: datetime) -> int:
        query = select(func.count()).where(_C.customer_id == customer_id, _C.created_at > since)
        return await self._connection.scalar(query) or 0

    async def end(self, customer_id: CustomerId, at: datetime) -> None:
        pending = update(_LINKS).where(_C.customer_id == customer_id, _C.used_at.is_(None), _C.expires_at > at)
        await self._connection.execute(pending.values(expires_at=at))

    async def forget(self, customer_id: CustomerId, before: datetime) -> None:
        await self._connection.execute(delete(_LINKS).where(_C.customer_id == customer_id, _C.created_at < before))

    async def _one(self, token_hash: str, *, lock: bool) -> AccountLink | None:
        query = select(_LINKS).where(_C.token_hash == token_hash)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).mappings().first()
        return AccountLink(**row) if row else None
