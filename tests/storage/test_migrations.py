"""Migrations lead from nothing to exactly the tables that the code describes."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from bot.core.handoffs import HandoffReason
from bot.storage.engine import IMMEDIATE, create_engine
from bot.storage.migrate import _alembic, migrate, pending_migrations
from bot.storage.tables import metadata
from tests.builders import NOW, a_customer, a_handoff
from tests.storage.databases import create_postgres_database, drop_postgres_database, in_processes, open_database, run


@pytest.fixture(params=["sqlite", "postgres"])
def new_urls(request, tmp_path):
    """Makes addresses of databases with nothing in them."""
    made = []

    def new_url() -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path}/{len(list(tmp_path.iterdir()))}/new.db"
        made.append(run(create_postgres_database(request.getfixturevalue("postgres_server"))))
        return made[-1]

    yield [new_url(), new_url()]
    for url in made:
        run(drop_postgres_database(request.getfixturevalue("postgres_server"), url))


@pytest.fixture
async def engines(new_urls):
    engines = [create_engine(url) for url in new_urls]
    yield engines
    for engine in engines:
        await engine.dispose()


def described(connection: Connection) -> dict[str, Any]:
    """Everything the database knows of its tables, without regard to order."""
    found = inspect(connection)

    def ordered(items: list[Any]) -> list[str]:
        return sorted(repr(sorted(item.items(), key=lambda pair: pair[0])) for item in items)

    return {
        table: {
            "columns": ordered([{**column, "type": str(column["type"])} for column in found.get_columns(table)]),
            "primary key": sorted(found.get_pk_constraint(table).items(), key=lambda pair: pair[0]),
            "foreign keys": ordered(found.get_foreign_keys(table)),
            "unique": ordered(found.get_unique_constraints(table)),
            "checks": ordered(found.get_check_constraints(table)),
            # A predicate of a partial index is a clause object on SQLite.
            "indexes": ordered(
                [
                    {**index, "dialect_options": {k: str(v) for k, v in index.get("dialect_options", {}).items()}}
                    for index in found.get_indexes(table)
                ]
            ),
        }
        for table in sorted(found.get_table_names())
        if table != "alembic_version"
    }


def differences(connection: Connection) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)


async def test_an_empty_database_is_brought_to_what_the_code_describes(engines):
    migrated, created = engines
    await migrate(migrated)
    async with created.begin() as connection:
        await connection.run_sync(metadata.create_all)

    async with migrated.connect() as one, created.connect() as other:
        assert await one.run_sync(differences) == []
        assert await one.run_sync(described) == await other.run_sync(described)
        assert (await one.run_sync(described)).keys() == metadata.tables.keys()


async def test_migrating_again_changes_nothing_and_keeps_the_data(new_urls):
    db = open_database(new_urls[0])
    assert await pending_migrations(db.engine)
    await migrate(db.engine)
    async with db.transaction() as work:
        await work.customers.add(a_customer())

    await migrate(db.engine)

    assert not await pending_migrations(db.engine)
    async with db.reading() as work:
        assert await work.customers.count() == 1
    await db.close()


async def migrate_from_here(url: str) -> bool:
    engine = create_engine(url)
    await migrate(engine)
    pending = await pending_migrations(engine)
    await engine.dispose()
    return pending


def test_several_processes_may_migrate_at_once(new_urls):
    assert in_processes(4, migrate_from_here, new_urls[0]) == [False] * 4


# From the version before, with data

BEFORE_RETURNS = """
INSERT INTO customers (id, external_id, name, email, created_at) VALUES ('1', 'C-1', 'Maria', 'm@example.com', :now);
INSERT INTO channel_identities (id, channel, external_id, created_at) VALUES ('1', 'web', '1', :now);
INSERT INTO conversations (id, channel, identity_id, customer_id, owner, last_seq, read_seq, created_at)
VALUES ('1', 'web', '1', '1', 'bot', 0, 0, :now);
INSERT INTO orders (number, customer_id, status, currency, total_minor, placed_at)
VALUES ('TC-1', '1', 'paid', 'USD', 100, :now);
INSERT INTO order_lines (order_number, position, sku, title, quantity, unit_price_minor)
VALUES ('TC-1', 1, 'MUG', 'Mug', 1, 100);
INSERT INTO handoffs (id, conversation_id, reason, requested_at) VALUES ('1', '1', 'turn_failed', :now);
INSERT INTO handoffs (id, conversation_id, reason, requested_at, closed_at) VALUES ('2', '1', 'asked', :now, :now)
"""


async def go_to(db, revision, *, down=False):
    async with db.engine.connect() as connection:
        await connection.execution_options(**{IMMEDIATE: True})
        async with connection.begin():
            move = command.downgrade if down else command.upgrade
            await connection.run_sync(lambda sync: move(_alembic(sync), revision))


async def test_a_shop_of_the_first_version_keeps_everything(new_urls):
    db = open_database(new_urls[0])
    await go_to(db, "0001")
    now = NOW.replace(tzinfo=None) if new_urls[0].startswith("sqlite") else NOW
    async with db.engine.begin() as connection:
        for statement in BEFORE_RETURNS.split(";"):
            await connection.execute(text(statement), {"now": now} if ":now" in statement else {})

    await migrate(db.engine)

    async with db.transaction() as work:
        customer = await work.customers.by_external_id("C-1")
        order = await work.orders.by_number("TC-1")
        assert (customer.name, customer.address) == ("Maria", None)
        assert (order.total_minor, order.lines[0].title) == (100, "Mug")
        assert (order.shipping_address, order.cancelled_at) == (None, None)
        conversation = await work.conversations.get("1")
        assert (await work.handoffs.open_for("1")).reason is HandoffReason.TURN_FAILED
        for number, reason in enumerate(HandoffReason):
            closed = a_handoff(conversation, id=f"new-{number}", reason=reason, closed_at=NOW)
            await work.handoffs.add(closed)
    await db.close()


BEFORE_IDENTITIES = """
INSERT INTO customers (id, external_id, name, email, address, created_at) VALUES
('1', 'C-1', 'Maria', 'm@example.com', '7 Mango Avenue', :now), ('2', 'C-2', 'John', 'shared@example.com', NULL, :now),
('3', 'C-3', 'Joan', 'shared@example.com', NULL, :now), ('4', 'C-4', 'Aiko', NULL, NULL, :now)
"""


async def test_a_shop_of_the_second_version_knows_its_customers_by_number_and_address(new_urls):
    db = open_database(new_urls[0])
    await go_to(db, "0002")
    now = NOW.replace(tzinfo=None) if new_urls[0].startswith("sqlite") else NOW
    async with db.engine.begin() as connection:
        await connection.execute(text(BEFORE_IDENTITIES), {"now": now})

    await migrate(db.engine)

    async with db.reading() as work:
        found = await work.identities.of_customers(["1", "2", "3", "4"])
        assert {(one.customer_id, one.kind, one.value, one.verified_at) for one in found} == {
            *((f"{number}", "shop", f"C-{number}", NOW) for number in range(1, 5)),
            ("1", "email", "m@example.com", NOW),
            # Who of the two has it is not for a program to decide.
            ("2", "email", "shared@example.com", None),
            ("3", "email", "shared@example.com", None),
        }
        assert {(len(one.id), one.source, one.created_at) for one in found} == {(32, "shop", NOW)}
        assert [one.address for one in await work.customers.addresses_of("1")] == ["7 Mango Avenue"]
        assert (await work.customers.by_email("m@example.com")).id == "1"
    await db.close()


async def test_the_way_back_leads_to_the_tables_of_the_first_version(new_urls):
    db, first = open_database(new_urls[0]), open_database(new_urls[1])
    await migrate(db.engine)
    await go_to(first, "0001")
    async with db.transaction() as work:
        await work.customers.add(a_customer(external_id="C-1", address="7 Mango Avenue"))

    await go_to(db, "0001", down=True)

    async with db.engine.connect() as one, first.engine.connect() as other:
        assert await one.run_sync(described) == await other.run_sync(described)
        assert (await one.execute(text("SELECT external_id FROM customers"))).scalar_one() == "C-1"
    await migrate(db.engine)
    assert not await pending_migrations(db.engine)
    await db.close()
    await first.close()
