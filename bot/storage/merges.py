"""Joining and parting customers in the database: whose rows are whose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, and_, false, func, insert, null, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import EMAIL, PHONE, CustomerId
from bot.core.merges import Lookalikes, Merge, MergeState
from bot.storage import tables

# What goes along when a customer is merged, by the column that names each row. Points and stamps are moved by entries
# of their own, because theirs are never changed; identities, tags and referrals need more care (below).
MOVED: tuple[Column[Any], ...] = (
    tables.conversations.c.id,
    tables.orders.c.number,
    tables.returns.c.number,
    tables.channel_identities.c.id,
    tables.service_requests.c.number,
    tables.verification_codes.c.id,
    tables.vouchers.c.code,
    tables.voucher_uses.c.id,
    tables.gift_cards.c.id,
    tables.feedback.c.id,
    tables.credit_notes.c.number,
    tables.customer_notes.c.id,
    tables.customer_addresses.c.id,
    tables.account_links.c.token_hash,
)
AT_ONCE = 500
# A name, number or address that so many share tells nothing about a person.
MOST_ALIKE = 5
# Why there is no reward for bringing oneself.
SAME_PERSON = "same_person"
_MERGE = tables.customer_merges.c
_IDENTITY = tables.customer_identities
_TAG = tables.customer_tags
_REFERRAL = tables.referrals
_CUSTOMER = tables.customers.c
# What makes two customers look like one.
_KIND, _VALUE, _REACHED = _IDENTITY.c.kind, _IDENTITY.c.value, (EMAIL, PHONE)
_NAME = func.lower(func.trim(_CUSTOMER.name))
_POSTCODE = func.upper(func.replace(_CUSTOMER.postcode, " ", ""))


class SqlMerges:
    """MergeRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, merge: Merge) -> None:
        await self._connection.execute(insert(tables.customer_merges).values(**_columns(merge)))

    async def save(self, merge: Merge) -> None:
        values = _columns(merge)
        await self._connection.execute(
            update(tables.customer_merges).where(_MERGE.id == values.pop("id")).values(**values)
        )

    async def lock(self, merge_id: str) -> Merge | None:
        query = select(tables.customer_merges).where(_MERGE.id == merge_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return _merge(row) if row else None

    async def of_pair(self, one_id: CustomerId, other_id: CustomerId) -> list[Merge]:
        pair = (one_id, other_id)
        return await self._list(and_(_MERGE.kept_id.in_(pair), _MERGE.merged_id.in_(pair)))

    async def of_customers(self, ids: Sequence[CustomerId]) -> list[Merge]:
        return await self._list(or_(_MERGE.kept_id.in_(ids), _MERGE.merged_id.in_(ids)))

    async def in_state(self, state: MergeState, limit: int) -> list[Merge]:
        return await self._list(_MERGE.state == state.value, limit)

    async def done_from(self, customer_id: CustomerId) -> Merge | None:
        found = await self._list(and_(_MERGE.merged_id == customer_id, _MERGE.state == MergeState.DONE.value))
        return found[0] if found else None

    async def same_person(self, customer_id: CustomerId) -> list[CustomerId]:
        found = new = [customer_id]
        while new:
            query = select(_MERGE.merged_id).where(_MERGE.kept_id.in_(new), _MERGE.state == MergeState.DONE.value)
            new = [one for one in await self._connection.scalars(query) if one not in found]
            found = [*found, *new]
        return found

    async def lock_records(self, ids: Sequence[CustomerId]) -> None:
        # In the order in which a turn locks them, so that the two do not wait for each other.
        for key in (tables.conversations.c.id, tables.orders.c.number, tables.customers.c.id):
            owner = key.table.c.id if key.table is tables.customers else key.table.c.customer_id
            query = select(key).where(owner.in_(ids)).order_by(key)
            await self._connection.execute(query.with_for_update(key_share=True))

    async def move_records(self, from_id: CustomerId, to_id: CustomerId) -> dict[str, Any]:
        moved: dict[str, Any] = {}
        for key in MOVED:
            statement = update(key.table).where(key.table.c.customer_id == from_id).values(customer_id=to_id)
            moved[key.table.name] = list(await self._connection.scalars(statement.returning(key)))
        theirs = select(_TAG.c.tag).where(_TAG.c.customer_id == to_id)
        tags = update(_TAG).where(_TAG.c.customer_id == from_id, _TAG.c.tag.not_in(theirs)).values(customer_id=to_id)
        moved[_TAG.name] = list(await self._connection.scalars(tags.returning(_TAG.c.tag)))
        moved["proofs"], moved[_IDENTITY.name] = await self._move_identities(from_id, to_id)
        moved[_REFERRAL.name] = await self._move_referrals(from_id, to_id)
        return {name: what for name, what in moved.items() if what}

    async def move_back(self, moved: Mapping[str, Any], from_id: CustomerId, to_id: CustomerId) -> None:
        for key in (*MOVED, _TAG.c.tag, _IDENTITY.c.id):
            for some in _batches(moved.get(key.table.name, [])):
                mine = (key.in_(some), key.table.c.customer_id == from_id)
                await self._connection.execute(update(key.table).where(*mine).values(customer_id=to_id))
        for back_id, proven_id in moved.get("proofs", []):
            await self._pass_proof(proven_id, back_id)
        for change in moved.get(_REFERRAL.name, []):
            await self._put_referral_back(change)

    async def mark(self, merged_id: CustomerId, kept_id: CustomerId | None) -> None:
        statement = update(tables.customers).where(tables.customers.c.id == merged_id)
        await self._connection.execute(statement.values(merged_into_id=kept_id))

    async def lookalikes(self, customer_id: CustomerId | None = None) -> list[Lookalikes]:
        own_contacts, own_home = await self._of_one(customer_id) if customer_id is not None else (true(), true())
        contacts = select(_KIND.label("one"), _VALUE.label("two"), _CUSTOMER.id.label("id"))
        contacts = contacts.join(_IDENTITY, _IDENTITY.c.customer_id == _CUSTOMER.id).where(own_contacts)
        homes = select(_NAME.label("one"), _POSTCODE.label("two"), _CUSTOMER.id.label("id")).where(own_home)
        found = [(f"same {kind}", ids) for (kind, _), ids in await self._alike(contacts.where(_KIND.in_(_REACHED)))]
        with_both = (_NAME != "", _POSTCODE != "")
        found += [("same name and postcode", ids) for _, ids in await self._alike(homes.where(*with_both))]
        pairs = {pair: reason for reason, ids in reversed(found) for pair in combinations(sorted(ids), 2)}
        return [Lookalikes(*pair, reason) for pair, reason in pairs.items() if customer_id in (None, *pair)]

    async def _of_one(self, customer_id: CustomerId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """What others have to share with a customer, as conditions that indexes answer."""
        known = select(_VALUE).where(_IDENTITY.c.customer_id == customer_id, _KIND.in_(_REACHED))
        shared = _VALUE.in_(list(await self._connection.scalars(known)))
        lives = select(_NAME, _CUSTOMER.postcode).where(_CUSTOMER.id == customer_id, _POSTCODE != "")
        home = (await self._connection.execute(lives)).one_or_none()
        at_home = and_(_CUSTOMER.postcode == home[1], home[0] == _NAME) if home else false()
        return shared, at_home

    async def _alike(self, query: Select[Any]) -> list[tuple[tuple[str, str], list[CustomerId]]]:
        """The customers who share both values of the query's rows, if they are few enough to be one."""
        there = query.where(_CUSTOMER.merged_into_id.is_(None), _CUSTOMER.erased_at.is_(None)).subquery().c
        number = func.count().over(partition_by=(there.one, there.two)).label("number")
        counted = select(there.one, there.two, there.id, number).subquery().c
        few = select(counted.one, counted.two, counted.id).where(counted.number.between(2, MOST_ALIKE))
        groups: defaultdict[tuple[str, str], list[CustomerId]] = defaultdict(list)
        for one, two, found_id in await self._connection.execute(few.order_by(counted.one, counted.two, counted.id)):
            groups[one, two].append(found_id)
        return list(groups.items())

    async def _move_identities(self, from_id: CustomerId, to_id: CustomerId) -> tuple[list[list[str]], list[str]]:
        """The proofs that were passed on, as pairs of rows, and the rows that were moved.

        What both are known by stays a row of each; the proof, of which there is one, is passed to the one who stays.
        """
        theirs, ours = _IDENTITY.alias("theirs"), _IDENTITY.alias("ours")
        same = and_(theirs.c.kind == ours.c.kind, theirs.c.value == ours.c.value)
        query = select(theirs.c.id, ours.c.id, theirs.c.verified_at).join(ours, same)
        query = query.where(theirs.c.customer_id == from_id, ours.c.customer_id == to_id).order_by(theirs.c.id)
        shared = (await self._connection.execute(query)).all()
        proofs = [[their_id, our_id] for their_id, our_id, verified_at in shared if verified_at is not None]
        for their_id, our_id in proofs:
            await self._pass_proof(their_id, our_id)
        c = _IDENTITY.c
        rest = and_(c.customer_id == from_id, c.id.not_in([row[0] for row in shared]))
        moved = update(_IDENTITY).where(rest).values(customer_id=to_id).returning(c.id)
        return proofs, list(await self._connection.scalars(moved))

    async def _pass_proof(self, from_row: str, to_row: str) -> None:
        """Let two rows of the same identity change places."""
        c = _IDENTITY.c
        query = select(c.id, c.source, c.verified_at).where(c.id.in_((from_row, to_row)))
        rows = {row.id: row for row in await self._connection.execute(query)}
        if len(rows) < 2:
            return
        # The one that loses the proof first: two proofs of one identity are never there, not for a moment.
        for row_id, other_id in ((from_row, to_row), (to_row, from_row)):
            other = rows[other_id]
            statement = update(_IDENTITY).where(c.id == row_id)
            await self._connection.execute(statement.values(source=other.source, verified_at=other.verified_at))

    async def _move_referrals(self, from_id: CustomerId, to_id: CustomerId) -> list[dict[str, Any]]:
        """Whom they brought, and who brought them, is the other one's now; what was changed, to be put back."""
        c = _REFERRAL.c
        query = select(_REFERRAL).where(or_(c.referee_id == from_id, c.referrer_id == from_id)).order_by(c.referee_id)
        changes = []
        for row in (await self._connection.execute(query)).all():
            referee, referrer = (to_id if one == from_id else one for one in (row.referee_id, row.referrer_id))
            change = {"referee_id": row.referee_id, "referrer_id": row.referrer_id, "refused": row.refused}
            if referee == referrer or (referee != row.referee_id and await self._was_brought(referee)):
                # Nobody brings themselves, and nobody is brought twice.
                if row.rewarded_at is None and row.refused is None:
                    await self._set_referral(row.referee_id, refused=SAME_PERSON)
                    changes.append({**change, "now": row.referee_id})
            else:
                await self._set_referral(row.referee_id, referee_id=referee, referrer_id=referrer)
                changes.append({**change, "now": referee})
        return changes

    async def _put_referral_back(self, change: Mapping[str, Any]) -> None:
        before = {name: change[name] for name in ("referee_id", "referrer_id")}
        if change["now"] == change["referee_id"] and change["refused"] is None:
            c = _REFERRAL.c
            ours = update(_REFERRAL).where(c.referee_id == change["now"], c.refused == SAME_PERSON)
            await self._connection.execute(ours.values(refused=None))
        await self._set_referral(change["now"], **before)

    async def _was_brought(self, customer_id: CustomerId) -> bool:
        c = _REFERRAL.c
        return await self._connection.scalar(select(c.referee_id).where(c.referee_id == customer_id)) is not None

    async def _set_referral(self, brought_id: str, /, **values: Any) -> None:
        await self._connection.execute(update(_REFERRAL).where(_REFERRAL.c.referee_id == brought_id).values(**values))

    async def _list(self, condition: ColumnElement[bool], limit: int | None = None) -> list[Merge]:
        query = select(tables.customer_merges).where(condition).order_by(_MERGE.created_at, _MERGE.id).limit(limit)
        return [_merge(row) for row in await self._connection.execute(query)]


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _columns(merge: Merge) -> dict[str, Any]:
    return {**vars(merge), "state": merge.state.value, "snapshot": null() if merge.snapshot is None else merge.snapshot}


def _merge(row: Row[Any]) -> Merge:
    return Merge(**{**row._mapping, "state": MergeState(row.state)})
