"""Measures in the database: sums and counts that both databases make by themselves."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Subquery, and_, case, extract, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.handoffs import is_left
from bot.core.ledger import EARNINGS, EntryKind
from bot.core.measures import Window
from bot.core.visits import GOOD_CSAT, PAUSE, RETURN, Visit
from bot.services.measure_ports import Credit, CustomerCounts, HandoffTimes, PointsFlow, Purchase, Sales, Surveys
from bot.storage import tables
from bot.storage.metadata import UtcDateTime

_ORDERS = tables.orders.c
_COUNTS = and_(_ORDERS.status.not_in(["pending", "cancelled"]), _ORDERS.cancelled_at.is_(None))
_NOTES = tables.credit_notes.c
SURVEY_KINDS = ("csat", "nps", "ces")
_EARNINGS = [kind.value for kind in EARNINGS]


class SqlMeasures:
    """MeasureRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def sales(self, window: Window, currency: str) -> Sales:
        orders = _orders_that_count(window.ends_at, window.starts_at)
        ours = orders.c.currency == currency
        query = select(
            func.count().filter(ours), func.sum(orders.c.net_minor).filter(ours), func.count().filter(~ours)
        ).select_from(orders)
        number, net_minor, others = (await self._connection.execute(query)).one()
        credited = await self._credited(window.ends_at, currency, _NOTES.issued_at >= window.starts_at)
        return Sales(number, int(net_minor or 0) - credited, others)

    async def customers(self, window: Window, currency: str, activity_days: int) -> CustomerCounts:
        days = timedelta(days=activity_days)
        before_start = Window(window.first_day - days, window.first_day - timedelta(days=1), window.zone)
        before_end = Window(window.last_day - days + timedelta(days=1), window.last_day, window.zone)
        orders = _orders_that_count(window.ends_at)
        at = orders.c.placed_at

        def placed_in(span: Window) -> ColumnElement[int]:
            return func.count().filter(at >= span.starts_at, at < span.ends_at)

        each = (
            select(
                placed_in(window).label("bought"),
                placed_in(before_start).label("at_start"),
                placed_in(before_end).label("at_end"),
                func.min(at).label("first_at"),
                func.sum(orders.c.net_minor).label("net_minor"),
            )
            .where(orders.c.customer_id.is_not(None), orders.c.currency == currency)
            .group_by(orders.c.customer_id)
            .subquery()
        ).c
        query = select(
            func.count().filter(each.bought > 0),
            func.count().filter(each.bought > 1),
            func.count().filter(each.first_at >= window.starts_at),
            func.count().filter(each.at_start > 0),
            func.count().filter(each.at_start > 0, each.at_end > 0),
            func.count(),
            func.sum(each.net_minor),
        )
        bought, again, first, at_start, kept, ever, net_minor = (await self._connection.execute(query)).one()
        buyers = select(orders.c.customer_id).where(orders.c.customer_id.is_not(None), orders.c.currency == currency)
        credited = await self._credited(window.ends_at, currency, _NOTES.customer_id.in_(buyers))
        return CustomerCounts(bought, again, first, at_start, kept, ever, int(net_minor or 0) - credited)

    async def surveys(self, window: Window) -> Surveys:
        c = tables.feedback.c
        of_survey = c.kind.in_(SURVEY_KINDS)
        answers = (
            select(c.kind, c.score, func.count())
            .where(of_survey, c.score.is_not(None), c.answered_at >= window.starts_at, c.answered_at < window.ends_at)
            .group_by(c.kind, c.score)
        )
        scores: dict[str, dict[int, int]] = {kind: {} for kind in SURVEY_KINDS}
        for kind, score, number in await self._connection.execute(answers):
            scores[kind][score] = number
        asked = select(func.count(), func.count(c.answered_at)).where(
            of_survey, c.asked_at >= window.starts_at, c.asked_at < window.ends_at
        )
        number_asked, answered = (await self._connection.execute(asked)).one()
        return Surveys(scores, number_asked, answered)

    async def visits(self, window: Window) -> list[Visit]:
        rows = (await self._connection.execute(_visits_query(window))).all()
        until = window.ends_at + 2 * RETURN
        handoffs, answers = tables.handoffs.c, tables.feedback.c
        handed_off = await self._moments(
            handoffs.conversation_id, handoffs.requested_at, window.starts_at, until, literal(True)
        )
        pleased = await self._moments(
            *(answers.conversation_id, answers.answered_at, window.starts_at, until),
            and_(answers.kind == "csat", answers.score >= GOOD_CSAT),
        )
        return [
            Visit(
                row.began_at,
                row.ended_at,
                handed_off=_any_between(handed_off[row.conversation_id], row.began_at, row.ended_at + PAUSE),
                pleased=_any_between(pleased[row.conversation_id], row.began_at, row.ended_at + RETURN),
                returned_at=row.returned_at,
            )
            for row in rows
        ]

    async def judged_answers(self, window: Window) -> tuple[int, int]:
        c = tables.messages.c
        query = select(func.count().filter(c.helpful), func.count()).where(
            c.helpful.is_not(None), c.at >= window.starts_at, c.at < window.ends_at
        )
        helpful, judged = (await self._connection.execute(query)).one()
        return helpful, judged

    async def handoffs(self, window: Window) -> HandoffTimes:
        handoff, message = tables.handoffs.c, tables.messages.c
        reply = (
            select(func.min(message.at))
            .where(message.conversation_id == handoff.conversation_id, message.author == "agent")
            .where(message.at >= handoff.requested_at)
            .scalar_subquery()
        )
        query = (
            select(
                *(handoff.requested_at, reply.label("replied_at")),
                *(handoff.closed_at, handoff.outcome, handoff.agent_id),
            )
            .where(handoff.requested_at >= window.starts_at, handoff.requested_at < window.ends_at)
            .order_by(handoff.requested_at)
        )
        rows = (await self._connection.execute(query)).all()
        settled = [row for row in rows if row.closed_at and not is_left(row.outcome, row.agent_id)]
        return HandoffTimes(
            requested=len(rows),
            until_reply=[(row.requested_at, row.replied_at) for row in rows if row.replied_at],
            until_closed=[(row.requested_at, row.closed_at) for row in settled],
        )

    async def points(self, window: Window, now: datetime) -> PointsFlow:
        entry = tables.ledger_entries.c
        inside = entry.at >= window.starts_at

        def moved(*kinds: EntryKind) -> ColumnElement[int]:
            return func.sum(entry.points).filter(inside, entry.kind.in_([kind.value for kind in kinds]))

        query = select(
            moved(*EARNINGS),
            moved(EntryKind.REDEEM, EntryKind.RESTORE),
            moved(EntryKind.EXPIRE),
            moved(EntryKind.REFUND, EntryKind.CORRECTION),
            func.sum(entry.points),
        ).where(entry.at < window.ends_at)
        sums = (await self._connection.execute(query)).one()
        issued, spent, expired, taken_back, outstanding = (int(points or 0) for points in sums)
        unnoted_before = await self._run_out_unnoted(min(window.starts_at, now))
        unnoted = await self._run_out_unnoted(min(window.ends_at, now))
        return PointsFlow(
            issued, -spent, -expired + unnoted - unnoted_before, -taken_back, outstanding - unnoted
        )  # fmt: skip

    async def purchases(self, before: datetime, currency: str) -> list[Purchase]:
        orders = _orders_that_count(before)
        query = select(orders.c.customer_id, orders.c.placed_at, orders.c.net_minor)
        query = query.where(orders.c.currency == currency).order_by(orders.c.placed_at, orders.c.number)
        return [Purchase(row[0], row[1], int(row[2])) for row in await self._connection.execute(query)]

    async def credits(self, before: datetime, currency: str) -> list[Credit]:
        query = select(_NOTES.customer_id, _NOTES.issued_at, _NOTES.total_minor).where(_unlinked(before, currency))
        query = query.order_by(_NOTES.issued_at, _NOTES.number)
        return [Credit(*row) for row in await self._connection.execute(query)]

    async def customer_numbers(self) -> dict[str, str]:
        c = tables.customers.c
        return {row.id: row.external_id for row in await self._connection.execute(select(c.id, c.external_id))}

    async def _credited(self, before: datetime, currency: str, condition: ColumnElement[bool]) -> int:
        """What the credit notes that name no order gave back."""
        query = select(func.sum(_NOTES.total_minor)).where(_unlinked(before, currency), condition)
        return int(await self._connection.scalar(query) or 0)

    async def _run_out_unnoted(self, at: datetime) -> int:
        """Points that had run out by then and stand in their lots still."""
        c = tables.ledger_open.c
        query = select(func.sum(c.remaining)).where(c.side == "lot", c.remaining > 0, c.expires_at <= at)
        return int(await self._connection.scalar(query) or 0)

    async def _moments(
        self, conversation: Any, moment: Any, start: datetime, end: datetime, condition: ColumnElement[bool]
    ) -> defaultdict[str, list[datetime]]:
        """When something happened in each conversation, in order."""
        query = select(conversation, moment).where(moment >= start, moment < end, conversation.is_not(None), condition)
        found: defaultdict[str, list[datetime]] = defaultdict(list)
        for conversation_id, at in await self._connection.execute(query.order_by(moment)):
            found[conversation_id].append(at)
        return found


def _any_between(moments: list[datetime], start: datetime, end: datetime) -> bool:
    place = bisect_left(moments, start)
    return place < len(moments) and moments[place] <= end


def _unlinked(before: datetime, currency: str) -> ColumnElement[bool]:
    return and_(_NOTES.order_number.is_(None), _NOTES.currency == currency, _NOTES.issued_at < before)


def _orders_that_count(before: datetime, since: datetime | None = None) -> Subquery:
    """Orders with what they brought: an order that was refunded without saying how much was refunded in full.

    Nothing is the least that an order brings: one refund may be on record twice, as a credit note as well.
    """
    refund = tables.refunds.c
    # By index for each order: a join with the sums of all refunds takes half a minute on PostgreSQL where the planner
    # guesses wrong, as it does after a large import.
    refunded = select(func.coalesce(func.sum(refund.amount_minor), 0)).where(refund.order_number == _ORDERS.number)
    credited = select(func.coalesce(func.sum(_NOTES.total_minor), 0)).where(
        _NOTES.order_number == _ORDERS.number, _NOTES.currency == _ORDERS.currency
    )
    given_back = refunded.scalar_subquery() + credited.scalar_subquery()
    each = (
        select(
            *(_ORDERS.number, _ORDERS.customer_id, _ORDERS.currency, _ORDERS.placed_at),
            *(_ORDERS.status, _ORDERS.total_minor, given_back.label("refunded_minor")),
        )
        .where(_COUNTS, _ORDERS.placed_at < before)
        .subquery()
    ).c
    net_minor = case(
        (or_(each.status == "refunded", each.refunded_minor > each.total_minor), 0),
        else_=each.total_minor - each.refunded_minor,
    )
    query = select(each.number, each.customer_id, each.currency, each.placed_at, net_minor.label("net_minor"))
    return (query if since is None else query.where(each.placed_at >= since)).subquery()


def _visits_query(window: Window) -> Any:
    """Visits that began in the window, each with the moment at which the same person began the next one."""
    numbered = _numbered_lines(window)
    c = numbered.c
    visits = (
        select(
            *(c.conversation_id, func.min(c.seq).label("first_seq"), func.max(c.seq).label("last_seq")),
            *(func.min(c.at).label("began_at"), func.max(c.at).label("ended_at")),
        )
        .group_by(c.conversation_id, c.visit)
        .cte("visits")
    )
    # Whose they are is asked of the visits, and not of every line: there are several times as many of those.
    conversation = tables.conversations.c
    following = func.lead(visits.c.began_at, type_=UtcDateTime()).over(
        partition_by=func.coalesce(conversation.customer_id, conversation.identity_id),
        order_by=(visits.c.began_at, visits.c.first_seq),
    )
    followed = (
        select(visits, following.label("returned_at"))
        .join_from(visits, tables.conversations, conversation.id == visits.c.conversation_id)
        .cte("followed")
    )
    reply = tables.messages.c
    answered = (
        select(reply.id)
        .where(reply.conversation_id == followed.c.conversation_id, reply.author == "bot")
        .where(reply.reply_to_seq.between(followed.c.first_seq, followed.c.last_seq))
        .exists()
    )
    return (
        select(followed.c.conversation_id, followed.c.began_at, followed.c.ended_at, followed.c.returned_at)
        .where(followed.c.began_at >= window.starts_at, followed.c.began_at < window.ends_at, answered)
        .order_by(followed.c.began_at, followed.c.conversation_id)
    )


def _numbered_lines(window: Window) -> CTE:
    """What customers wrote around the window, each line with the number of its visit in the conversation."""
    message = tables.messages.c
    # Begun a pause earlier, so that a visit which runs into the window is not taken for one that begins there.
    second = extract("epoch", message.at)
    lines = (
        select(
            *(message.conversation_id, message.seq, message.at),
            (second - func.lag(second).over(partition_by=message.conversation_id, order_by=message.seq)).label("pause"),
        )
        .where(message.author == "customer", message.at >= window.starts_at - PAUSE)
        .where(message.at < window.ends_at + 2 * RETURN)
        .cte("lines")
    )
    begins = case((or_(lines.c.pause.is_(None), lines.c.pause >= PAUSE.total_seconds()), 1), else_=0)
    number = func.sum(begins).over(partition_by=lines.c.conversation_id, order_by=lines.c.seq, rows=(None, 0))
    return select(lines.c.conversation_id, lines.c.seq, lines.c.at, number.label("visit")).cte("numbered")
