"""What customers think, in the database: questions, answers, themes, and what was done about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import Author, ConversationId
from bot.core.customers import CustomerId
from bot.core.feedback import SCALES, Feedback, FeedbackId, FeedbackKind, order_key
from bot.core.orders import Order, OrderStatus
from bot.core.requests import RequestKind
from bot.core.themes import FoundTheme, Improvement, ImprovementId, ThemeCount
from bot.services.feedback_ports import Person
from bot.storage import tables
from bot.storage.engine import insert_unless_there

_FEEDBACK = tables.feedback
_C = tables.feedback.c
_LOW = or_(*(and_(_C.kind == kind.value, _C.score <= scale.low) for kind, scale in SCALES.items()))
_COMPLAINT = _C.kind == FeedbackKind.COMPLAINT.value
_TROUBLE = (RequestKind.COMPLAINT.value, RequestKind.REPORT_PROBLEM.value)


class SqlFeedback:
    """FeedbackRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, feedback: Feedback) -> bool:
        return await insert_unless_there(self._connection, _FEEDBACK, _columns(feedback), ["key"])

    async def get(self, feedback_id: FeedbackId, *, lock: bool = False) -> Feedback | None:
        return await self._one(_C.id == feedback_id, lock=lock)

    async def by_key(self, key: str) -> Feedback | None:
        return await self._one(_C.key == key)

    async def save(self, feedback: Feedback) -> None:
        values = _columns(feedback)
        await self._connection.execute(update(_FEEDBACK).where(_C.id == values.pop("id")).values(**values))

    async def of_customer(self, customer_id: CustomerId) -> list[Feedback]:
        latest = func.coalesce(_C.answered_at, _C.asked_at).desc()
        query = select(_FEEDBACK).where(_C.customer_id == customer_id).order_by(latest, _C.id)
        return [_feedback(row) for row in (await self._connection.execute(query)).mappings()]

    async def set_themes(self, feedback_id: FeedbackId, themes: Sequence[FoundTheme]) -> None:
        c = tables.feedback_themes.c
        await self._connection.execute(delete(tables.feedback_themes).where(c.feedback_id == feedback_id))
        rows = [{"feedback_id": feedback_id, **asdict(theme)} for theme in themes]
        if rows:
            await self._connection.execute(insert(tables.feedback_themes), rows)

    async def themes_of(self, feedback_id: FeedbackId) -> list[FoundTheme]:
        c = tables.feedback_themes.c
        query = select(c.theme, c.because).where(c.feedback_id == feedback_id).order_by(c.theme)
        return [FoundTheme(row.theme, row.because) for row in await self._connection.execute(query)]

    async def waiting_in(self, conversation_id: ConversationId, since: datetime) -> Feedback | None:
        query = select(_FEEDBACK).where(
            _C.conversation_id == conversation_id,
            _C.asked_at >= since,
            _C.answered_at.is_(None),
            _C.declined_at.is_(None),
        )
        row = (await self._connection.execute(query.order_by(_C.asked_at.desc(), _C.id).limit(1))).mappings().first()
        return _feedback(row) if row else None

    async def times_asked(self, person: Person) -> dict[FeedbackKind, int]:
        asked = and_(_of(person), _C.asked_at.is_not(None), _C.order_number.is_(None))
        rows = await self._connection.execute(select(_C.kind, func.count()).where(asked).group_by(_C.kind))
        return {FeedbackKind(kind): count for kind, count in rows}

    async def asked_at(self, person: Person) -> datetime | None:
        return await self._latest(_C.asked_at, _of(person))

    async def unhappy_at(self, person: Person) -> datetime | None:
        return await self._latest(_C.answered_at, and_(_of(person), or_(_COMPLAINT, _LOW)))

    async def reviewed_at(self, person: Person) -> datetime | None:
        return await self._latest(_C.answered_at, and_(_of(person), _C.kind == FeedbackKind.REVIEW.value))

    async def has_open_trouble(self, person: Person, since: datetime) -> bool:
        handoffs, requests = tables.handoffs.c, tables.service_requests.c
        waits = exists().where(
            handoffs.conversation_id.in_(_conversations(person)),
            handoffs.closed_at.is_(None),
            handoffs.requested_at > since,
        )
        theirs: ColumnElement[bool] = requests.conversation_id.in_(_conversations(person))
        if person.customer_id is not None:
            theirs = or_(theirs, requests.customer_id == person.customer_id)
        complains = exists().where(
            theirs, requests.kind.in_(_TROUBLE), requests.closed_at.is_(None), requests.created_at > since
        )
        return bool(await self._connection.scalar(select(or_(waits, complains))))

    async def last_words(self, person: Person, since: datetime, limit: int) -> list[str]:
        c = tables.messages.c
        query = select(c.text).where(
            c.conversation_id.in_(_conversations(person)), c.author == Author.CUSTOMER.value, c.at > since
        )
        return list(await self._connection.scalars(query.order_by(c.at.desc(), c.seq.desc()).limit(limit)))

    async def deliveries_to_ask(
        self,
        delivered: tuple[datetime, datetime],
        *,
        asked_before: datetime,
        unhappy_before: datetime,
        past: Order | None,
        limit: int,
    ) -> list[Order]:
        orders, customers = tables.orders.c, tables.customers.c
        asked_about = exists().where(_C.key == literal(order_key("")) + orders.number)
        is_recent = or_(_C.asked_at > asked_before, and_(_C.answered_at > unhappy_before, or_(_COMPLAINT, _LOW)))
        not_now = exists().where(_C.customer_id == orders.customer_id, is_recent)
        query = (
            select(tables.orders)
            .join(tables.customers, customers.id == orders.customer_id)
            .where(orders.delivered_at > delivered[0], orders.delivered_at <= delivered[1])
            .where(orders.status == OrderStatus.DELIVERED.value, ~asked_about, ~not_now)
            .where(customers.email.is_not(None), customers.erased_at.is_(None))
        )
        if past is not None:
            query = query.where(tuple_(orders.delivered_at, orders.number) > (past.delivered_at, past.number))
        first = query.order_by(orders.delivered_at, orders.number).limit(limit)
        rows = (await self._connection.execute(first)).mappings()
        return [Order(**{**row, "status": OrderStatus(row["status"])}) for row in rows]

    async def theme_counts(self, since: datetime, until: datetime) -> list[ThemeCount]:
        theme, answers = tables.feedback_themes.c.theme, func.count()
        query = (
            select(theme, answers, func.count(_C.score), _count_if(_LOW), _count_if(_COMPLAINT))
            .join(_FEEDBACK, _C.id == tables.feedback_themes.c.feedback_id)
            .where(_C.answered_at >= since, _C.answered_at < until)
            .group_by(theme)
        )
        return [ThemeCount(*row) for row in await self._connection.execute(query.order_by(answers.desc(), theme))]

    async def theme_words(self, theme: str, since: datetime, until: datetime, limit: int) -> list[str]:
        c = tables.feedback_themes.c
        query = (
            select(c.because)
            .join(_FEEDBACK, _C.id == c.feedback_id)
            .where(c.theme == theme, _C.answered_at >= since, _C.answered_at < until)
        )
        return list(await self._connection.scalars(query.order_by(_C.answered_at.desc(), _C.id).limit(limit)))

    async def to_tell(
        self, theme: str, since: datetime, past: CustomerId | None, limit: int
    ) -> list[tuple[CustomerId, Feedback]]:
        customers, themes = tables.customers.c, tables.feedback_themes.c
        is_wish = or_(_COMPLAINT, _C.kind == FeedbackKind.COMMENT.value, _LOW)
        place = func.row_number().over(partition_by=_C.customer_id, order_by=(_C.answered_at.desc(), _C.id))
        said = (
            select(_FEEDBACK, place.label("place"))
            .join(tables.feedback_themes, themes.feedback_id == _C.id)
            .join(tables.customers, customers.id == _C.customer_id)
            .where(themes.theme == theme, _C.answered_at >= since, is_wish)
            .where(customers.email.is_not(None), customers.erased_at.is_(None), customers.merged_into_id.is_(None))
            .where(_C.customer_id > (past or ""))
            .subquery()
        )
        query = select(said).where(said.c.place == 1).order_by(said.c.customer_id).limit(limit)
        rows = (await self._connection.execute(query)).mappings()
        found = [_feedback({name: value for name, value in row.items() if name != "place"}) for row in rows]
        return [(one.customer_id, one) for one in found if one.customer_id is not None]

    async def lock_improvements(self) -> None:
        # There may be no row to lock. On SQLite there is one writer.
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('improvements', 0))"))

    async def improvement(self, theme: str, text: str) -> Improvement | None:
        c = tables.improvements.c
        query = select(tables.improvements).where(c.theme == theme, c.text == text).order_by(c.created_at).limit(1)
        row = (await self._connection.execute(query)).mappings().first()
        return Improvement(**row) if row else None

    async def add_improvement(self, improvement: Improvement) -> None:
        await self._connection.execute(insert(tables.improvements).values(**asdict(improvement)))

    async def count_told(self, improvement_id: ImprovementId) -> None:
        c = tables.improvements.c
        await self._connection.execute(
            update(tables.improvements).where(c.id == improvement_id).values(told=c.told + 1)
        )

    async def _latest(self, moment: ColumnElement[datetime], condition: ColumnElement[bool]) -> datetime | None:
        latest: datetime | None = await self._connection.scalar(select(func.max(moment)).where(condition))
        return latest

    async def _one(self, condition: ColumnElement[bool], *, lock: bool = False) -> Feedback | None:
        query = select(_FEEDBACK).where(condition)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).mappings().first()
        return _feedback(row) if row else None


def _of(person: Person) -> ColumnElement[bool]:
    """The feedback that is the person's."""
    return or_(
        *([_C.customer_id == person.customer_id] if person.customer_id else []),
        *([_C.conversation_id == person.conversation_id] if person.conversation_id else []),
    )


def _conversations(person: Person) -> Any:
    """The ids of the person's conversations."""
    c = tables.conversations.c
    theirs = or_(
        *([c.customer_id == person.customer_id] if person.customer_id else []),
        *([c.id == person.conversation_id] if person.conversation_id else []),
    )
    return select(c.id).where(theirs)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _feedback(row: RowMapping | dict[str, Any]) -> Feedback:
    return Feedback(**{**row, "kind": FeedbackKind(row["kind"])})


def _columns(feedback: Feedback) -> dict[str, Any]:
    return {**vars(feedback), "kind": feedback.kind.value}
