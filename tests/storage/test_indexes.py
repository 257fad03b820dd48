"""What is asked of large tables is answered by their indexes."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text

from bot.storage.merges import MOVED
from tests.builders import NOW

TABLES = sorted({column.table.name for column in MOVED})


async def plan_of(work, statement, parameters=()):
    """How the database would go about it, if it kept from reading whole tables wherever it can."""
    connection = work.stamps._connection
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
    explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)


async def hold_points(db):
    """Some thousand open lots, none of which runs out soon: PostgreSQL chooses an index by what there is."""
    async with db.transaction() as work:
        connection = work.stamps._connection
        if connection.dialect.name != "postgresql":
            return
        # Past the triggers, which let nobody write here.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(
            text(
                "INSERT INTO ledger_open (entry_id, customer_id, side, points, remaining, available_at, expires_at) "
                "SELECT n, 'c' || n, 'lot', 5, 5, now(), now() + interval '10 years' FROM generate_series(1, 5000) AS n"
            )
        )
        await connection.execute(text("ANALYZE ledger_open"))


@pytest.mark.parametrize("table", TABLES)
async def test_what_belongs_to_a_customer_is_found_without_reading_everybodys(sql_db, table):
    async with sql_db.reading() as work:
        # The table's name is ours, and not what somebody wrote.
        plan = await plan_of(work, f"UPDATE {table} SET customer_id = 'ana' WHERE customer_id = 'eva'")  # noqa: S608

    assert "customer_id" in plan and "Seq Scan" not in plan and "SCAN" not in plan


@pytest.mark.parametrize(
    "ask, index",
    [
        (lambda work: work.gift_cards.with_expired(NOW, after=None, limit=10), "ix_gift_cards_expires_at"),
        (
            lambda work: work.vouchers.with_reservations_over(NOW, after=None, limit=10),
            "ix_voucher_uses_reserved_until",
        ),
        (lambda work: work.ledger.with_expired(NOW, after=None, limit=10), "ix_ledger_open_expires_at"),
    ],
)
async def test_what_is_due_is_found_by_its_date(sql_db, ask, index):
    await hold_points(sql_db)
    asked = []

    def note(conn, cursor, statement, parameters, context, executemany):
        asked.append((statement, parameters))

    async with sql_db.reading() as work:
        connection = work.stamps._connection
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await ask(work)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        plan = await plan_of(work, *asked[0])

    assert index in plan
