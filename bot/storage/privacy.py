"""What is kept about a person in the database: handed out, and erased but for the figures."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Delete, Table, Update, and_, case, delete, func, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId
from bot.core.merges import MergeState
from bot.core.orders import OPEN_STATUSES
from bot.core.privacy import ERASED_TEXT, Unfinished
from bot.storage import tables
from bot.storage.person import Person

# Never handed out: what only proves a secret, and how merges are undone.
_LEFT_OUT = frozenset({"code_hash", "token_hash", "snapshot", "token"})
# Of files as much as fits into one copy is in it.
EXPORTED_BYTES = 50 * 2**20
NOT_IN_THE_COPY = "There are too many files for one copy. Please ask the shop for this one."
_CONTENT = tables.attachments.c.content
_NO_MAIL = {"to": "", "subject": "", "body": "", "reply_to": None}
_IN_TIME = ("conversation_id", "created_at", "placed_at", "requested_at", "asked_at", "at", "seq")
_OPEN = [status.value for status in OPEN_STATUSES]


class SqlPrivacy:
    """PrivacyRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def export(
        self, ids: Sequence[CustomerId], addresses: Sequence[tuple[str, str]]
    ) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for table, condition in Person(ids).everything(addresses):
            columns = [column for column in table.c if column.name not in _LEFT_OUT and column is not _CONTENT]
            rows = await self._connection.execute(select(*columns).where(condition).order_by(*_in_time(table)))
            found[table.name] = [{name: _plain(value) for name, value in row.items()} for row in rows.mappings()]
        await self._add_contents(found[tables.attachments.name])
        return found

    async def _add_contents(self, files: list[dict[str, Any]]) -> None:
        """What is in files, in Base64, the newest first and as far as a copy has room for them."""
        c, room = tables.attachments.c, EXPORTED_BYTES
        for file in sorted(files, key=lambda file: file["created_at"], reverse=True):
            file["content"] = None
            if not await self._connection.scalar(select(c.content.is_not(None)).where(c.id == file["id"])):
                continue
            room -= file["size"]
            if room < 0:
                file["content"] = NOT_IN_THE_COPY
                continue
            content = await self._connection.scalar(select(c.content).where(c.id == file["id"])) or b""
            file["content"] = base64.b64encode(content).decode()

    async def unfinished(self, ids: Sequence[CustomerId]) -> Unfinished:
        o, sent_back, refund = tables.orders.c, tables.returns.c, tables.refunds.c
        owed = select(refund.order_number).join(tables.orders, o.number == refund.order_number)
        queries = (
            select(o.number).where(o.customer_id.in_(ids), o.status.in_(_OPEN)),
            select(sent_back.number).where(
                sent_back.customer_id.in_(ids), sent_back.status.in_(("requested", "received"))
            ),
            owed.where(o.customer_id.in_(ids), refund.status == "pending").distinct(),
        )
        return Unfinished(*[sorted(await self._connection.scalars(query)) for query in queries])

    async def wanting_people(self, ids: Sequence[CustomerId]) -> Sequence[ConversationId]:
        c = tables.handoffs.c
        query = select(c.conversation_id).where(c.closed_at.is_(None))
        query = query.where(c.conversation_id.in_(Person(ids).conversations())).order_by(c.conversation_id)
        return [ConversationId(one) for one in await self._connection.scalars(query)]

    async def erase(self, external_ids: Mapping[CustomerId, str], at: datetime) -> None:
        # In this order: the first ones are found by what the last ones take away.
        for statement in _erasing(Person(list(external_ids)), at):
            await self._connection.execute(statement)
        c = tables.customers.c
        for customer_id, external_id in external_ids.items():
            statement = update(tables.customers).where(c.id == customer_id)
            await self._connection.execute(statement.values(external_id=external_id))


def _erasing(person: Person, at: datetime) -> Iterator[Update | Delete]:
    yield _change(tables.outbox, person.mails(), payload=_NO_MAIL, next_attempt_at=None, last_error=None)
    yield from _erasing_words(person, at)
    yield from _erasing_orders(person)
    yield from _erasing_accounts(person)
    yield from _erasing_records(person, at)


def _erasing_words(person: Person, at: datetime) -> Iterator[Update | Delete]:
    """What they wrote, and what was written about them."""
    m, request, f = tables.messages.c, tables.service_requests.c, tables.feedback.c
    theirs = m.conversation_id.in_(person.conversations())
    # Another system's id of a message may hold its account.
    renamed = case((m.external_id.is_not(None), "erased:" + m.id))
    nothing: dict[str, Any] = {"choices": [], "payload": None, "image": null(), "cards": None, "attachment": None}
    yield _change(tables.messages, theirs, text=ERASED_TEXT, external_id=renamed, **nothing)
    gone = (tables.tracker_events, tables.verification_attempts, tables.channel_buttons, tables.channel_deliveries)
    said = (tables.desk_notes, tables.conversation_labels, tables.teaching_marks, tables.knowledge_drafts)
    for table in (*gone, tables.attachments, *said):
        yield delete(table).where(table.c.conversation_id.in_(person.conversations()))
    asked_for = tables.handoffs.c.conversation_id.in_(person.conversations())
    yield _change(tables.handoffs, asked_for, contact=None, language=None, summary={})
    yield delete(tables.verification_codes).where(person.codes())
    ended = func.coalesce(request.closed_at, at)
    yield _change(tables.service_requests, person.requests(), text=ERASED_TEXT, contact=None, closed_at=ended)
    answers = select(f.id).where(person.feedback())
    yield _change(tables.feedback_themes, tables.feedback_themes.c.feedback_id.in_(answers), because="")
    # An answer is a score or words, and stays one.
    kept = case((and_(f.score.is_(None), f.text.is_not(None)), ERASED_TEXT))
    yield _change(tables.feedback, person.feedback(), text=kept)
    entries = person.owned(tables.ledger_entries.c.id)
    yield _change(tables.ledger_notes, tables.ledger_notes.c.entry_id.in_(entries), text=ERASED_TEXT)


def _erasing_orders(person: Person) -> Iterator[Update | Delete]:
    """Of orders the figures stay: what, when, for how much."""
    o, mark = tables.orders.c, tables.import_marks.c
    yield delete(tables.import_marks).where(
        or_(
            and_(mark.kind == "customer", mark.record_id.in_(person.ids)),
            and_(mark.kind == "order", mark.record_id.in_(person.owned(o.number))),
            and_(mark.kind == "credit_note", mark.record_id.in_(person.owned(tables.credit_notes.c.number))),
        )
    )
    # Also what they ordered without an account, once nobody waits for it any more.
    as_guest = and_(o.customer_id.is_(None), o.email.in_(person.emails()), o.status.not_in(_OPEN))
    reached = {"email": None, "postcode": None, "shipping_address": None, "tracking_number": None}
    yield _change(tables.orders, or_(o.customer_id.in_(person.ids), as_guest), **reached)
    yield _change(tables.returns, tables.returns.c.customer_id.in_(person.ids), reason=ERASED_TEXT)


def _erasing_accounts(person: Person) -> Iterator[Update | Delete]:
    """Their sign-ins, and the accounts that they wrote from."""
    account, talk = tables.channel_identities.c, tables.conversations.c
    yield _change(tables.channel_identities, person.accounts(), external_id="erased:" + account.id)
    unknown: dict[str, Any] = {"customer_id": None, "verified_until": None, "visitor_details": None, "language": None}
    yield _change(tables.conversations, talk.id.in_(person.conversations()), **unknown)
    yield _change(tables.channel_identities, account.customer_id.in_(person.ids), customer_id=None)


def _erasing_records(person: Person, at: datetime) -> Iterator[Update | Delete]:
    """Who they were."""
    for table in (
        *(tables.customer_identities, tables.customer_addresses, tables.customer_notes, tables.customer_tags),
        tables.account_links,
    ):
        yield delete(table).where(table.c.customer_id.in_(person.ids))
    merge = tables.customer_merges.c
    theirs = or_(merge.kept_id.in_(person.ids), merge.merged_id.in_(person.ids))
    yield _change(tables.customer_merges, theirs, snapshot=null())
    waiting = and_(theirs, merge.state == MergeState.PROPOSED.value)
    yield _change(tables.customer_merges, waiting, state=MergeState.DISMISSED.value, ended_at=at)
    account = tables.loyalty_accounts
    yield _change(account, account.c.customer_id.in_(person.ids), referral_code=None)
    gone = dict.fromkeys(
        ("email", "phone", "postcode", "address", "preferred_name", "language", "birthday_month", "birthday_day")
    )
    is_one = tables.customers.c.id.in_(person.ids)
    yield _change(tables.customers, is_one, name="", birthday_set_at=None, erased_at=at, **gone)


def _change(table: Table, condition: ColumnElement[bool], **values: Any) -> Update:
    return update(table).where(condition).values(**values)


def _in_time(table: Table) -> list[Column[Any]]:
    """The order in which people read it: what belongs together, as it happened."""
    first = [table.c[name] for name in _IN_TIME if name in table.c]
    return [*first, *table.primary_key]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
