"""The tables refuse bad rows by themselves, on both real databases, whatever the code above them does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, Table, UniqueConstraint, delete, insert, null, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.feedback import FeedbackKind
from bot.core.handoffs import HandoffReason
from bot.core.ledger import EntryKind
from bot.core.requests import RequestKind
from bot.core.vouchers import VoucherKind
from bot.storage.tables import metadata
from tests.builders import NOW
from tests.storage import constraint_rows_of_loyalty as loyalty

# Two valid rows of every table: the first whole, the second by what it changes.
FIRST: dict[str, dict[str, Any]] = {
    **loyalty.FIRST,
    "customers": {
        "id": "1",
        "external_id": "C-1",
        "name": "Maria",
        "email": "maria@example.com",
        "birthday_month": 2,
        "birthday_day": 29,
        "created_at": NOW,
    },
    "customer_identities": {
        "id": "1",
        "customer_id": "1",
        "kind": "email",
        "value": "maria@example.com",
        "verified_at": NOW,
        "source": "shop",
        "created_at": NOW,
    },
    "customer_addresses": {"id": "1", "customer_id": "1", "address": "7 Mango Avenue", "used_at": NOW},
    "customer_notes": {"id": "1", "customer_id": "1", "author": "Ana", "text": "VIP", "created_at": NOW},
    "customer_tags": {"customer_id": "1", "tag": "vip", "author": "Ana", "created_at": NOW},
    "consents": {
        "id": 1,
        "channel": "email",
        "address_hash": "hash",
        "purpose": "marketing",
        "granted": False,
        "wording": "News",
        "source": "chat",
        "at": NOW,
    },
    "customer_merges": {
        "id": "1",
        "kept_id": "1",
        "merged_id": "2",
        "state": "done",
        "reason": "same email",
        "author": "Ana",
        "created_at": NOW,
        "done_at": NOW,
    },
    "audit_log": {"id": 1, "at": NOW, "actor": "Ana", "action": "read", "customer_id": "1", "detail": {}},
    "channel_identities": {"id": "1", "channel": "web", "external_id": "1", "customer_id": "1", "created_at": NOW},
    "conversations": {
        "id": "1",
        "channel": "web",
        "identity_id": "1",
        "customer_id": "1",
        "verified_until": NOW,
        "owner": "bot",
        "last_seq": 0,
        "read_seq": 0,
        "created_at": NOW,
        "lease_holder": "worker",
        "lease_expires_at": NOW,
    },
    "messages": {
        "id": "1",
        "conversation_id": "1",
        "channel": "web",
        "seq": 1,
        "author": "customer",
        "text": "Hello",
        "choices": [],
        "client_id": "1",
        "agent_id": "1",
        "external_id": "1",
        "turn_state": "pending",
        "attempts": 0,
        "at": NOW,
    },
    "conversation_events": {"id": 1, "conversation_id": "1", "kind": "kind", "detail": {}, "at": NOW},
    "orders": {
        "number": "TC-1",
        "customer_id": "1",
        "status": "paid",
        "currency": "USD",
        "total_minor": 0,
        "placed_at": NOW,
    },
    "order_lines": {
        "order_number": "TC-1",
        "position": 1,
        "sku": "A",
        "title": "A",
        "quantity": 1,
        "unit_price_minor": 0,
    },
    "returns": {
        "number": "R-1",
        "order_number": "TC-1",
        "customer_id": "1",
        "status": "requested",
        "reason": "",
        "created_at": NOW,
    },
    "return_lines": {
        "return_number": "R-1",
        "position": 1,
        "sku": "A",
        "title": "A",
        "quantity": 1,
        "unit_price_minor": 0,
    },
    "refunds": {
        "id": "1",
        "order_number": "TC-1",
        "return_number": "R-1",
        "amount_minor": 1,
        "currency": "USD",
        "reason": "cancelled",
        "status": "paid",
        "requested_at": NOW,
        "paid_at": NOW,
        "external_id": "RF-1",
    },
    "service_requests": {
        "number": "S-1",
        "kind": "complaint",
        "conversation_id": "1",
        "customer_id": "1",
        "text": "",
        "rating": 1,
        "created_at": NOW,
    },
    "verification_codes": {
        "id": "1",
        "conversation_id": "1",
        "email": "maria@example.com",
        "customer_id": "1",
        "code_hash": "hash",
        "created_at": NOW,
        "expires_at": NOW,
        "attempts": 0,
    },
    "tracker_events": {"conversation_id": "1", "position": 0, "begins_session": True, "event": "{}", "at": NOW},
    "verification_attempts": {
        "id": "1",
        "conversation_id": "1",
        "kind": "order_lookup",
        "subject": "TC-1",
        "succeeded": False,
        "at": NOW,
    },
    "handoffs": {
        "id": "1",
        "conversation_id": "1",
        "reason": "asked",
        "state": "waiting",
        "requested_at": NOW,
        "waiting_since": NOW,
        "offered_to": "1",
        "offered_until": NOW,
        "priority": 0,
        "passed_by": [],
        "summary": {},
    },
    "outbox": {
        "id": "1",
        "key": "1",
        "kind": "mail",
        "payload": {},
        "created_at": NOW,
        "next_attempt_at": NOW,
        "attempts": 0,
    },
    "workers": {"id": "1", "started_at": NOW, "seen_at": NOW},
    "channel_deliveries": {
        "conversation_id": "1",
        "channel": "telegram",
        "seq": 0,
        "parts": 0,
        "attempts": 0,
        "next_attempt_at": NOW,
        "news_at": NOW,
        "stopped_at": NOW,
        "last_error": "away",
    },
    "channel_updates": {"channel": "telegram", "update_id": "1", "received_at": NOW},
    "channel_buttons": {"token": "1", "conversation_id": "1", "seq": 1, "position": 0, "payload": "/affirm"},
    "desk_notes": {"id": "1", "conversation_id": "1", "agent_id": "1", "text": "Call her", "after_seq": 0, "at": NOW},
    "conversation_labels": {"conversation_id": "1", "label": "vip"},
    "canned_replies": {"shortcut": "hello", "text": "Hello!", "changed_by": "1", "changed_at": NOW},
    "desk_reads": {"conversation_id": "1", "seq": 0},
    "teaching_marks": {
        "conversation_id": "1",
        "seq": 1,
        "text": "Where is it?",
        "understood": "greet",
        "intent": "check_order",
        "agent_id": "1",
        "at": NOW,
    },
    "knowledge_drafts": {"id": "1", "conversation_id": "1", "question": "Is it vegan?", "agent_id": "1", "at": NOW},
    "agents": {
        "id": "1",
        "email": "ana@example.com",
        "name": "Ana",
        "role": "agent",
        "password_hash": "hash",
        "presence": "away",
        "must_change_password": False,
        "capacity": 3,
        "skills": [],
        "languages": [],
        "free_since": NOW,
        "wrong_passwords": 0,
        "created_at": NOW,
    },
    "agent_sessions": {"token_hash": "1", "agent_id": "1", "created_at": NOW, "seen_at": NOW},
    "attachments": {
        "id": "1",
        "conversation_id": "1",
        "name": "mug.jpg",
        "media_type": "image/jpeg",
        "size": 3,
        "content": b"jpg",
        "created_at": NOW,
    },
    "account_links": {
        "token_hash": "1",
        "channel": "telegram",
        "customer_id": "1",
        "created_at": NOW,
        "expires_at": NOW,
    },
    "feedback": {
        "id": "1",
        "kind": "csat",
        "key": "1",
        "customer_id": "1",
        "conversation_id": "1",
        "asked_at": NOW,
        "answered_at": NOW,
        "score": 1,
        "request_number": "S-1",
    },
    "feedback_themes": {"feedback_id": "1", "theme": "delivery", "because": "late"},
    "improvements": {
        "id": "1",
        "theme": "delivery",
        "text": "Faster.",
        "author": "Ana",
        "created_at": NOW,
        "told": 0,
    },
}
SECOND: dict[str, dict[str, Any]] = {
    **loyalty.SECOND,
    "customers": {"id": "2", "external_id": "C-2"},
    "customer_identities": {"id": "2", "value": "mia@example.com"},
    "customer_addresses": {"id": "2"},
    "customer_notes": {"id": "2"},
    "customer_tags": {"tag": "wholesale"},
    "consents": {"id": 2},
    "customer_merges": {"id": "2", "state": "proposed"},
    "audit_log": {"id": 2},
    "channel_identities": {"id": "2", "external_id": "2"},
    "conversations": {"id": "2"},
    "messages": {"id": "2", "client_id": "2", "seq": 2, "external_id": "2"},
    "conversation_events": {"id": 2},
    "orders": {"number": "TC-2"},
    "order_lines": {"position": 2},
    "returns": {"number": "R-2"},
    "return_lines": {"position": 2},
    "refunds": {"id": "2", "return_number": None, "reason": "problem", "external_id": "RF-2"},
    "service_requests": {"number": "S-2"},
    "verification_codes": {"id": "2"},
    "tracker_events": {"position": 1},
    "verification_attempts": {"id": "2"},
    "handoffs": {"id": "2", "conversation_id": "2"},
    "outbox": {"id": "2", "key": "2"},
    "workers": {"id": "2"},
    "channel_deliveries": {"conversation_id": "2"},
    "channel_updates": {"update_id": "2"},
    "channel_buttons": {"token": "2", "position": 1},
    "desk_notes": {"id": "2"},
    "conversation_labels": {"label": "late"},
    "canned_replies": {"shortcut": "bye"},
    "desk_reads": {"conversation_id": "2"},
    "teaching_marks": {"seq": 2},
    "knowledge_drafts": {"id": "2"},
    "agents": {"id": "2", "email": "ben@example.com"},
    "agent_sessions": {"token_hash": "2"},
    "attachments": {"id": "2"},
    "account_links": {"token_hash": "2"},
    "feedback": {"id": "2", "key": "2"},
    "feedback_themes": {"theme": "taste"},
    "improvements": {"id": "2"},
}
# What each CHECK refuses in a row that is right otherwise.
REFUSED: dict[str, list[dict[str, Any]]] = {
    **loyalty.REFUSED,
    "ck_canned_replies_shortcut_lower_case": [{"shortcut": "Hello"}],
    "ck_desk_reads_seq": [{"seq": -1}],
    "ck_agents_email_lower_case": [{"email": "Ana@example.com"}],
    "ck_agents_role": [{"role": "boss"}],
    "ck_agents_presence": [{"presence": "asleep"}],
    "ck_agents_capacity": [{"capacity": 0}, {"capacity": 51}],
    "ck_agents_wrong_passwords": [{"wrong_passwords": -1}],
    "ck_attachments_size": [{"size": 0}],
    "ck_channel_deliveries_progress": [{"seq": -1}, {"parts": -1}, {"attempts": -1}],
    "ck_customers_email_lower_case": [{"email": "Maria@example.com"}],
    "ck_customers_birthday_whole": [{"birthday_day": None}, {"birthday_month": None}],
    "ck_customers_birthday_month": [{"birthday_month": 0}, {"birthday_month": 13}],
    "ck_customers_birthday_day": [{"birthday_day": 0}, {"birthday_day": 32}],
    "ck_customer_tags_tag_lower_case": [{"tag": "VIP"}],
    "ck_customer_merges_state": [{"state": "perhaps"}],
    "ck_customer_merges_two_customers": [{"merged_id": "1"}],
    "ck_conversations_owner": [{"owner": "nobody"}, {"owner": "BOT"}],
    "ck_conversations_last_seq": [{"last_seq": -1}],
    "ck_conversations_lease_whole": [{"lease_holder": None}, {"lease_expires_at": None}],
    "ck_conversations_verified_customer": [{"customer_id": None}],
    "ck_messages_seq": [{"seq": 0}, {"seq": -1}],
    "ck_messages_author": [{"author": "robot", "turn_state": None, "external_id": None}],
    "ck_messages_turn_state_inbound": [{"turn_state": None}, {"author": "bot", "external_id": None}],
    "ck_messages_external_id_inbound": [{"external_id": None}, {"author": "bot", "turn_state": None}],
    "ck_messages_turn_state": [{"turn_state": "sleeping"}],
    "ck_orders_status": [{"status": "lost"}],
    "ck_orders_total_minor": [{"total_minor": -1}],
    "ck_orders_number_upper_case": [{"number": "tc-2"}],
    "ck_orders_currency": [{"currency": "US"}, {"currency": ""}],
    "ck_order_lines_quantity": [{"quantity": 0}, {"quantity": -1}],
    "ck_order_lines_unit_price_minor": [{"unit_price_minor": -1}],
    "ck_returns_status": [{"status": "lost"}],
    "ck_return_lines_quantity": [{"quantity": 0}, {"quantity": -1}],
    "ck_return_lines_unit_price_minor": [{"unit_price_minor": -1}],
    "ck_refunds_amount_minor": [{"amount_minor": 0}, {"amount_minor": -1}],
    "ck_refunds_currency": [{"currency": "US"}],
    "ck_refunds_reason": [{"reason": "bored"}],
    "ck_refunds_status": [{"status": "lost", "paid_at": None}],
    "ck_refunds_paid_whole": [{"paid_at": None}, {"status": "pending"}],
    "ck_service_requests_kind": [{"kind": "bored"}],
    "ck_service_requests_rating": [{"rating": 0}, {"rating": 6}],
    "ck_verification_codes_attempts": [{"attempts": -1}],
    "ck_handoffs_reason": [{"reason": "bored"}],
    "ck_handoffs_state": [{"state": "lost", "offered_to": None, "offered_until": None}],
    "ck_handoffs_closed": [{"closed_at": NOW}, {"state": "closed"}],
    "ck_handoffs_agent": [{"state": "active", "offered_to": None, "offered_until": None}],
    "ck_handoffs_waiting_since": [{"waiting_since": None}],
    "ck_handoffs_offer_whole": [{"offered_to": None}, {"offered_until": None}],
    "ck_handoffs_offered_while_waiting": [
        {"state": "active", "agent_id": "1", "offered_to": "1", "offered_until": NOW},
    ],
    "ck_outbox_sent_once": [{"sent_at": NOW}],
    "ck_feedback_kind": [{"kind": "bored", "score": None, "text": "Bored."}],
    "ck_feedback_score": [
        *({"score": 0}, {"score": 6}, {"kind": "review", "score": 0}, {"kind": "review", "score": 6}),
        *({"kind": "nps", "score": -1}, {"kind": "nps", "score": 11}, {"kind": "ces", "score": 0}),
        *({"kind": "ces", "score": 8}, {"kind": "complaint"}, {"kind": "comment"}),
    ],
    "ck_feedback_asked_or_answered": [{"asked_at": None, "answered_at": None}],
    "ck_feedback_answer": [{"score": None}],
    "ck_improvements_told": [{"told": -1}],
}
# What a row needs beside its own columns to fall under a key that does not hold for every row.
UNDER_THE_KEY: dict[str, dict[str, Any]] = {
    "uq_refunds_cancelled": {"reason": "cancelled"},
    "uq_customer_identities_customer_id_kind_value": {"verified_at": None},
    "uq_customer_identities_verified": {"customer_id": "2"},
    "uq_customer_merges_done": {"state": "done"},
    "pk_referrals": {"referrer_id": "1"},
}

TABLES = metadata.sorted_tables
# Of these both rows are there from the start, because others need them; and what makes a third one.
THIRD: dict[str, dict[str, Any]] = {
    **loyalty.THIRD,
    "customers": {"id": "3", "external_id": "C-3"},
    "conversations": {"id": "3"},
}
# Only triggers write these: each row follows from one of the table named here, and is there as soon as that one is.
WRITTEN_BY_TRIGGERS = {"ledger_open": "ledger_entries"}
# Triggers that refuse a row before its own constraints do, by dialect: set aside so that the constraints are heard.
SPEAKS_FIRST = {
    ("postgresql", "ledger_open"): "ALTER TABLE ledger_open DISABLE TRIGGER ledger_open_by_hand",
    ("sqlite", "ledger_allocations"): "DROP TRIGGER kasuki_allocate",
}


def second(table: Table, **changes: Any) -> dict[str, Any]:
    return {**FIRST[table.name], **SECOND[table.name], **changes}


@pytest.fixture
async def connection(sql_db):
    """A connection to a database in which every table has its first row, and those that others need have both."""
    async with sql_db.transaction() as work:
        connection = work.customers._connection
        for table in TABLES:
            if table.name not in WRITTEN_BY_TRIGGERS:
                await connection.execute(insert(table).values(**FIRST[table.name]))
            if table.name in THIRD:
                await connection.execute(insert(table).values(**second(table)))
        yield connection


async def refusal(connection: AsyncConnection, table: Table, row: dict[str, Any]) -> str:
    """What the database says to the row; empty if it takes it. Afterwards all is as it was, triggers too."""
    savepoint = await connection.begin_nested()
    try:
        if trigger := SPEAKS_FIRST.get((connection.dialect.name, table.name)):
            await connection.execute(text(trigger))
        if table.name in WRITTEN_BY_TRIGGERS:
            (key,) = table.primary_key
            await connection.execute(delete(table).where(key == SECOND[table.name][key.name]))
        await connection.execute(insert(table).values(**row))
    except IntegrityError as error:
        return str(error.orig)
    except DBAPIError as error:
        return f"not as an integrity error: {error.orig}"
    finally:
        await savepoint.rollback()
    return ""


def is_whole_number(column: Column[Any]) -> bool:
    return isinstance(column.type, Integer)


def counts_up(column: Column[Any], dialect: str) -> bool:
    """Whether a number is made where none is given. SQLite does so for every key of one whole number."""
    is_key = column.primary_key and is_whole_number(column) and len(column.table.primary_key.columns) == 1
    return is_key and (column.autoincrement is True or dialect == "sqlite")


def checks() -> Iterator[tuple[Table, str]]:
    for table in TABLES:
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint):
                yield table, str(constraint.name)


def uniques() -> Iterator[tuple[Table, str, list[str]]]:
    """Every primary key, unique constraint and unique index: table, name and columns."""
    for table in TABLES:
        yield table, str(table.primary_key.name), [column.name for column in table.primary_key]
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                yield table, str(constraint.name), [column.name for column in constraint.columns]
        for index in table.indexes:
            if index.unique:
                yield table, str(index.name), [column.name for column in index.columns]


def test_this_page_has_rows_for_every_table_and_a_bad_one_for_every_check():
    assert FIRST.keys() == SECOND.keys() == {table.name for table in TABLES}
    assert REFUSED.keys() == {name for _, name in checks()}


async def test_good_rows_are_taken(connection):
    refused = {
        table.name: await refusal(connection, table, second(table)) for table in TABLES if table.name not in THIRD
    }

    assert not any(refused.values()), refused


async def test_what_follows_from_an_entry_is_there_with_it(connection):
    for name in WRITTEN_BY_TRIGGERS:
        table = metadata.tables[name]
        (key,) = table.primary_key
        row = (await connection.execute(select(table).where(key == FIRST[name][key.name]))).mappings().one()

        assert dict(row) == FIRST[name]


async def test_what_follows_from_an_entry_is_not_written_by_hand(connection):
    if connection.dialect.name != "postgresql":
        pytest.skip("SQLite cannot tell whether a trigger writes")
    for name in WRITTEN_BY_TRIGGERS:
        with pytest.raises(DBAPIError, match="nobody else writes it"):
            async with connection.begin_nested():
                await connection.execute(insert(metadata.tables[name]).values(**second(metadata.tables[name])))


async def test_every_value_that_the_rules_know_is_taken(connection):
    handoffs, requests = metadata.tables["handoffs"], metadata.tables["service_requests"]
    gone = {EntryKind.REDEEM, EntryKind.REFUND, EntryKind.EXPIRE, EntryKind.CORRECTION}
    came = {*EntryKind} - gone - {EntryKind.RESTORE}
    entry = {"id": 3, "key": "3", "reverses_id": 1}
    lot = {**entry, "points": 1, "available_at": NOW}
    rows = [
        *((handoffs, {"reason": reason.value}) for reason in HandoffReason),
        *((requests, {"kind": kind.value}) for kind in RequestKind),
        *((metadata.tables["feedback"], {"kind": kind.value, "score": None, "text": "."}) for kind in FeedbackKind),
        *((metadata.tables["vouchers"], {"kind": kind.value}) for kind in VoucherKind),
        *((metadata.tables["ledger_entries"], {**entry, "kind": kind.value}) for kind in gone),
        *((metadata.tables["ledger_entries"], {**lot, "kind": kind.value}) for kind in came),
        (metadata.tables["ledger_entries"], {**lot, "kind": EntryKind.RESTORE.value, "available_at": None}),
    ]

    answers = {str(row): await refusal(connection, table, second(table, **row)) for table, row in rows}

    assert not any(answers.values()), answers


async def test_every_check_refuses_what_it_is_for(connection):
    wrong = []
    for table, name in checks():
        new = {"id": 3 if is_whole_number(table.c.id) else "3"} if "id" in table.c else {}
        for changes in REFUSED[name]:
            said = await refusal(connection, table, second(table, **new, **changes))
            if name not in said:
                wrong.append((name, changes, said))

    assert wrong == []


async def test_every_key_is_unique(connection, sql_url):
    wrong = []
    for table, name, columns in uniques():
        row = second(table, **THIRD.get(table.name, {}), **UNDER_THE_KEY.get(name, {}))
        said = await refusal(connection, table, {**row, **{column: FIRST[table.name][column] for column in columns}})
        where = ", ".join(f"{table.name}.{column}" for column in columns)
        if (f"UNIQUE constraint failed: {where}" if sql_url.startswith("sqlite") else f'"{name}"') not in said:
            wrong.append((name, said))

    assert wrong == []


async def test_every_reference_is_to_something(connection, sql_url):
    wrong = []
    for table in TABLES:
        for constraint in table.foreign_key_constraints:
            (column,) = constraint.columns
            row = second(table, **THIRD.get(table.name, {}))
            nothing = -1 if is_whole_number(column) else "nothing"
            said = await refusal(connection, table, {**row, column.name: nothing})
            expected = "FOREIGN KEY constraint failed" if sql_url.startswith("sqlite") else f'"{constraint.name}"'
            if expected not in said:
                wrong.append((constraint.name, said))

    assert wrong == []


async def test_what_must_be_there_must_be_there(connection):
    wrong = []
    for table in TABLES:
        for column in table.columns:
            if not column.nullable and not counts_up(column, connection.dialect.name):
                said = await refusal(connection, table, second(table, **{column.name: null()}))
                if "null" not in said.lower() or column.name not in said:
                    wrong.append((table.name, column.name, said))

    assert wrong == []


async def test_agents_and_the_system_speak_without_an_id_or_a_turn(connection):
    said = [
        await refusal(
            connection,
            metadata.tables["messages"],
            second(metadata.tables["messages"], author=author, external_id=None, turn_state=None),
        )
        for author in ("bot", "agent", "system")
    ]

    assert said == ["", "", ""]
