"""One transaction over all repositories, and the hints that go out with its commit."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import TransactionLost
from bot.services.ports import Hint
from bot.storage.account_links import SqlAccountLinks
from bot.storage.agents import SqlAgents
from bot.storage.attachments import SqlAttachments
from bot.storage.birthdays import SqlBirthdays
from bot.storage.channels import SqlDeliveries
from bot.storage.consents import SqlAudit, SqlConsents
from bot.storage.conversations import SqlConversations, SqlMessages
from bot.storage.customer_records import SqlIdentities, SqlNotes
from bot.storage.customers import SqlCustomers
from bot.storage.desk import SqlDesk
from bot.storage.desk_reports import SqlDeskReports
from bot.storage.engine import DURABLE, IMMEDIATE
from bot.storage.feedback import SqlFeedback
from bot.storage.gift_cards import SqlGiftCards
from bot.storage.goodwill import SqlGoodwill
from bot.storage.handoffs import SqlHandoffs
from bot.storage.imports import SqlImports
from bot.storage.ledger import SqlLedger
from bot.storage.measures import SqlMeasures
from bot.storage.merges import SqlMerges
from bot.storage.operations import SqlOutbox, SqlTrackerEvents, SqlVerifications, SqlWorkers
from bot.storage.orders import SqlOrders
from bot.storage.privacy import SqlPrivacy
from bot.storage.referrals import SqlReferrals
from bot.storage.requests import SqlCodes, SqlRequests
from bot.storage.returns import SqlRefunds, SqlReturns
from bot.storage.stamps import SqlStamps
from bot.storage.timeline import SqlTimeline
from bot.storage.vouchers import SqlVouchers
from bot.storage.wakeups import CHANNEL, Wakeups

# A serialization failure, and a deadlock in which this was the one that had to go.
_TRY_AGAIN = frozenset({"40001", "40P01"})


class SqlUnitOfWork:
    """UnitOfWork on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.agents = SqlAgents(connection)
        self.conversations = SqlConversations(connection)
        self.messages = SqlMessages(connection)
        self.handoffs = SqlHandoffs(connection)
        self.desk = SqlDesk(connection)
        self.desk_reports = SqlDeskReports(connection)
        self.customers = SqlCustomers(connection)
        self.orders = SqlOrders(connection)
        self.refunds = SqlRefunds(connection)
        self.returns = SqlReturns(connection)
        self.requests = SqlRequests(connection)
        self.tracker_events = SqlTrackerEvents(connection)
        self.verifications = SqlVerifications(connection)
        self.codes = SqlCodes(connection)
        self.ledger = SqlLedger(connection)
        self.vouchers = SqlVouchers(connection)
        self.gift_cards = SqlGiftCards(connection)
        self.goodwill = SqlGoodwill(connection)
        self.identities = SqlIdentities(connection)
        self.merges = SqlMerges(connection)
        self.notes = SqlNotes(connection)
        self.timeline = SqlTimeline(connection)
        self.privacy = SqlPrivacy(connection)
        self.consents = SqlConsents(connection)
        self.audit = SqlAudit(connection)
        self.measures = SqlMeasures(connection)
        self.imports = SqlImports(connection)
        self.stamps = SqlStamps(connection)
        self.birthdays = SqlBirthdays(connection)
        self.referrals = SqlReferrals(connection)
        self.feedback = SqlFeedback(connection)
        self.outbox = SqlOutbox(connection)
        self.deliveries = SqlDeliveries(connection)
        self.attachments = SqlAttachments(connection)
        self.account_links = SqlAccountLinks(connection)
        self.workers = SqlWorkers(connection)
        self.hints: dict[Hint, None] = {}

    def hint(self, hint: Hint) -> None:
        self.hints[hint] = None


class SqlDatabase:
    """Database on SQLAlchemy: SQLite or PostgreSQL."""

    def __init__(self, engine: AsyncEngine, wakeups: Wakeups) -> None:
        self._engine = engine
        self._wakeups = wakeups
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer. Waiting here is fair and costs nothing; its own waiting is by polling.
        self._writing = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def transaction(self, *, durable: bool = True) -> AsyncIterator[SqlUnitOfWork]:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(_told_apart_when_lost())
            if self._is_sqlite:
                await stack.enter_async_context(self._writing)
            connection = await stack.enter_async_context(self._engine.connect())
            await connection.execution_options(**{IMMEDIATE: True, DURABLE: durable})
            work = SqlUnitOfWork(connection)
            async with connection.begin():
                if not durable and not self._is_sqlite:
                    await connection.execute(text("SET LOCAL synchronous_commit = off"))
                yield work
                if not self._is_sqlite:
                    # Sent by PostgreSQL itself if, and only if, the transaction commits.
                    for hint in work.hints:
                        await connection.execute(
                            text("SELECT pg_notify(:channel, :payload)"),
                            {"channel": CHANNEL, "payload": json.dumps(asdict(hint))},
                        )
        if self._is_sqlite:
            for hint in work.hints:
                self._wakeups.send(hint)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlUnitOfWork]:
        async with self._engine.connect() as connection, connection.begin():
            yield SqlUnitOfWork(connection)

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()


@contextlib.contextmanager
def _told_apart_when_lost() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if getattr(getattr(error, "orig", error), "sqlstate", None) in _TRY_AGAIN:
            raise TransactionLost from error
        raise
