"""Imports in the database: how far each has come, and many records at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, Table, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.consents import hash_address
from bot.core.credit_notes import CreditNote
from bot.core.customers import EMAIL, Customer, CustomerId
from bot.core.import_fields import Kind
from bot.core.imports import ImportRun, Tally
from bot.core.orders import Order, OrderLine, OrderStatus
from bot.errors import ImportDisturbed
from bot.services.ids import new_id
from bot.services.import_people import SOURCE
from bot.services.import_ports import CREDIT_NOTE, ORDER, MarkKey, Writes
from bot.services.privacy import ERASURE
from bot.storage import tables
from bot.storage.customers import SqlCustomers, keep_what_they_are_known_by
from bot.storage.engine import insert_unless_there

# How many values a query names at once: both databases take some 32,000.
AT_ONCE = 1_000

Record = TypeVar("Record", Order, CreditNote)


class SqlImports:
    """ImportRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._is_postgres = connection.dialect.name == "postgresql"

    async def run_of(self, kind: Kind, file_hash: str, mapping_hash: str) -> ImportRun | None:
        c = tables.import_runs.c
        query = select(tables.import_runs).where(
            c.kind == kind.value, c.file_hash == file_hash, c.mapping_hash == mapping_hash
        )
        row = (await self._connection.execute(query)).mappings().first()
        return _run_from(dict(row)) if row else None

    async def add_run(self, run: ImportRun) -> bool:
        unique = ["kind", "file_hash", "mapping_hash"]
        return await insert_unless_there(self._connection, tables.import_runs, _run_columns(run), unique)

    async def save_run(self, run: ImportRun, *, rows_before: int) -> bool:
        c = tables.import_runs.c
        statement = update(tables.import_runs).where(c.id == run.id, c.rows_done == rows_before)
        return (await self._connection.execute(statement.values(**_run_columns(run)))).rowcount == 1

    async def customers(self, numbers: Sequence[str], emails: Sequence[str], *, lock: bool = False) -> list[Customer]:
        c = tables.customers.c
        found: dict[str, Customer] = {}
        for column, values in ((c.external_id, numbers), (c.email, emails)):
            for some in _parts(values):
                query = select(tables.customers).where(column.in_(some)).order_by(c.id)
                for row in (await self._connection.execute(_locked(query, lock))).mappings():
                    found[row["id"]] = Customer(**row)
        return sorted(found.values(), key=lambda customer: (customer.created_at, customer.id))

    async def proven_emails(self, emails: Sequence[str]) -> dict[str, CustomerId]:
        c = tables.customer_identities.c
        found: dict[str, CustomerId] = {}
        for some in _parts(emails):
            query = select(c.value, c.customer_id).where(c.kind == EMAIL, c.value.in_(some), c.verified_at.is_not(None))
            found.update({row.value: row.customer_id for row in await self._connection.execute(query)})
        return found

    async def erased_emails(self, emails: Sequence[str]) -> dict[str, datetime]:
        c = tables.consents.c
        found: dict[str, datetime] = {}
        for some in _parts(emails):
            hashes = {hash_address(EMAIL, email): email for email in some}
            query = select(c.address_hash, func.max(c.at)).where(
                c.channel == EMAIL, c.source == ERASURE, c.address_hash.in_(list(hashes))
            )
            for address_hash, at in await self._connection.execute(query.group_by(c.address_hash)):
                found[hashes[address_hash]] = at
        return found

    async def customers_by_id(self, ids: Sequence[CustomerId]) -> list[Customer]:
        found = []
        for some in _parts(ids):
            query = select(tables.customers).where(tables.customers.c.id.in_(some))
            found += [Customer(**row) for row in (await self._connection.execute(query)).mappings()]
        return found

    async def orders(self, numbers: Sequence[str], *, lock: bool = False) -> dict[str, Order]:
        found: dict[str, Order] = {}
        for some in _parts(numbers):
            query = select(tables.orders).where(tables.orders.c.number.in_(some)).order_by(tables.orders.c.number)
            rows = (await self._connection.execute(_locked(query, lock))).mappings().all()
            lines = await self._lines(tables.order_lines, [row["number"] for row in rows])
            for row in rows:
                values = {**row, "status": OrderStatus(row["status"])}
                found[row["number"]] = Order(**values, lines=lines.get(row["number"], ()))
        return found

    async def credit_notes(self, numbers: Sequence[str]) -> dict[str, CreditNote]:
        found: dict[str, CreditNote] = {}
        for some in _parts(numbers):
            query = select(tables.credit_notes).where(tables.credit_notes.c.number.in_(some))
            rows = (await self._connection.execute(query)).mappings().all()
            lines = await self._lines(tables.credit_note_lines, [row["number"] for row in rows])
            for row in rows:
                found[row["number"]] = CreditNote(**row, lines=lines.get(row["number"], ()))
        return found

    async def known_orders(self, numbers: Sequence[str]) -> set[str]:
        known: set[str] = set()
        for some in _parts(numbers):
            query = select(tables.orders.c.number).where(tables.orders.c.number.in_(some))
            known.update((await self._connection.scalars(query)).all())
        return known

    async def marks(self, kind: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        c = tables.import_marks.c
        found: dict[str, dict[str, str]] = {}
        for some in _parts(ids):
            query = select(c.record_id, c.marks).where(c.kind == kind, c.record_id.in_(some))
            found.update({row.record_id: row.marks for row in await self._connection.execute(query)})
        return found

    async def write(self, writes: Writes, at: datetime) -> None:
        await self._write_customers(writes, at)
        await self._add(tables.orders, list(map(_order_columns, writes.orders)))
        await self._save(tables.orders, writes.changed_orders, _order_columns)
        await self._add(tables.credit_notes, list(map(_credit_note_columns, writes.credit_notes)))
        await self._save(tables.credit_notes, writes.changed_credit_notes, _credit_note_columns)
        for table, kind, new, changed in (
            (tables.order_lines, ORDER, writes.orders, writes.changed_orders),
            (tables.credit_note_lines, CREDIT_NOTE, writes.credit_notes, writes.changed_credit_notes),
        ):
            replaced = [record for record in changed if (kind, record.number) in writes.new_lines]
            await self._replace_lines(table, new, replaced)
        await self._save_marks(writes.marks)

    async def _lines(self, table: Table, numbers: Sequence[str]) -> dict[str, tuple[OrderLine, ...]]:
        if not numbers:
            return {}
        of, position, *content = table.c
        query = select(of, *content).where(of.in_(numbers)).order_by(of, position)
        lines: defaultdict[str, list[OrderLine]] = defaultdict(list)
        for number, *values in await self._connection.execute(query):
            lines[number].append(OrderLine(*values))
        return {number: tuple(some) for number, some in lines.items()}

    async def _add(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        if not self._is_postgres:
            # The only writer there is has just seen that they are not there.
            await self._connection.execute(insert(table), rows)
            return
        key = next(iter(table.primary_key.columns))
        statement = postgresql.insert(table).on_conflict_do_nothing().returning(key)
        if len((await self._connection.execute(statement, rows)).all()) != len(rows):
            raise ImportDisturbed()

    async def _save(
        self, table: Table, records: Sequence[Record], columns_of: Callable[[Record], dict[str, Any]]
    ) -> None:
        if not records:
            return
        rows = [{f"new_{name}": value for name, value in columns_of(record).items()} for record in records]
        values: dict[str, Any] = {
            column.name: bindparam(f"new_{column.name}") for column in table.c if not column.primary_key
        }
        await self._connection.execute(
            update(table).where(table.c.number == bindparam("new_number")).values(values), rows
        )

    async def _write_customers(self, writes: Writes, at: datetime) -> None:
        new = list(writes.customers.values())
        await self._add(tables.customers, [asdict(customer) for customer in new])
        await keep_what_they_are_known_by(self._connection, new, at)
        addresses = [
            {"id": new_id(), "customer_id": customer.id, "address": customer.address, "used_at": at}
            for customer in new
            if customer.address
        ]
        if addresses:
            await self._connection.execute(insert(tables.customer_addresses), addresses)
        for customer in writes.changed_customers.values():
            await SqlCustomers(self._connection).save(customer, at)
        if writes.known_since:
            c = tables.customers.c
            since = bindparam("since", type_=c.created_at.type)
            is_later = and_(c.id == bindparam("which"), c.source == SOURCE, c.created_at > since)
            rows = [{"which": which, "since": moment} for which, moment in writes.known_since.items()]
            await self._connection.execute(update(tables.customers).where(is_later).values(created_at=since), rows)

    async def _replace_lines(
        self, table: Table, new: Sequence[Order | CreditNote], changed: Sequence[Order | CreditNote]
    ) -> None:
        of = next(iter(table.c))
        for some in _parts([record.number for record in changed]):
            await self._connection.execute(delete(table).where(of.in_(some)))
        rows = [
            (record.number, position, line.sku, line.title, line.quantity, line.unit_price_minor)
            for record in (*new, *changed)
            for position, line in enumerate(record.lines, 1)
        ]
        if rows:
            await self._add_lines(table, rows)

    async def _add_lines(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        # By far the most there is to write: past SQLAlchemy, which would take longer over it than the database.
        columns = [next(iter(table.c)).name, "position", "sku", "title", "quantity", "unit_price_minor"]
        if self._is_postgres:
            driver: Any = (await self._connection.get_raw_connection()).driver_connection
            await driver.copy_records_to_table(table.name, records=rows, columns=columns)
        else:
            places = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our names
            await self._connection.exec_driver_sql(statement, list(rows))

    async def _save_marks(self, marks: Mapping[MarkKey, Mapping[str, str]]) -> None:
        if not marks:
            return
        dialect = postgresql if self._is_postgres else sqlite
        statement = dialect.insert(tables.import_marks)
        statement = statement.on_conflict_do_update(
            index_elements=["kind", "record_id"], set_={"marks": statement.excluded.marks}
        )
        rows = [{"kind": kind, "record_id": which, "marks": dict(some)} for (kind, which), some in marks.items()]
        await self._connection.execute(statement, rows)


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def _locked(query: Select[Any], lock: bool) -> Select[Any]:
    # In one order, so that two who want the same ones wait for each other, and not each for the other. Rows that point
    # to these may still be added meanwhile.
    return query.with_for_update(key_share=True) if lock else query


def _order_columns(order: Order) -> dict[str, Any]:
    values: dict[str, Any] = {**vars(order), "status": order.status.value}
    del values["lines"]
    return values


def _credit_note_columns(note: CreditNote) -> dict[str, Any]:
    values = dict(vars(note))
    del values["lines"]
    return values


def _run_columns(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind.value,
        "file_hash": run.file_hash,
        "mapping_hash": run.mapping_hash,
        "rows_done": run.tally.rows,
        "counts": {**run.tally.as_dict(), "position": run.position, "rejects_bytes": run.rejects_bytes},
        "started_at": run.started_at,
        "updated_at": run.updated_at,
        "finished_at": run.finished_at,
    }


def _run_from(row: Mapping[str, Any]) -> ImportRun:
    counts = row["counts"]
    return ImportRun(
        id=row["id"],
        kind=Kind(row["kind"]),
        file_hash=row["file_hash"],
        mapping_hash=row["mapping_hash"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        position=counts["position"],
        rejects_bytes=counts["rejects_bytes"],
        tally=Tally.from_dict(counts),
        finished_at=row["finished_at"],
    )
