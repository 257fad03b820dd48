"""In-memory implementations of the services' ports, held to the same contract suite as the real databases."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy.exc import IntegrityError, StatementError

from bot.core.conversations import Author, Choice, Conversation, ConversationEvent, Message, TurnState
from bot.core.customers import ChannelIdentity, Customer, CustomerIdentity
from bot.core.handoffs import Handoff
from bot.core.orders import Order
from bot.core.refunds import Refund, RefundReason, RefundStatus
from bot.core.requests import ServiceRequest
from bot.core.returns import Return
from bot.core.verification import VerificationCode
from bot.services.ports import Hint, OutboxEntry, VerificationAttempt, WorkerState
from bot.storage.conversations import OFFERS_LOOKED_AT
from bot.storage.unit_of_work import SqlDatabase, SqlUnitOfWork

MONDAY_MORNING = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)


class FakeClock:
    """Shows the time it was set to, until it is moved on."""

    def __init__(self, at: datetime = MONDAY_MORNING) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta | None = None, **parts: float) -> datetime:
        """Move on by a span, or by parts of one (`seconds=5`), and return the new time."""
        self._now += by if by is not None else timedelta(**parts)
        return self._now


class HintLog:
    """Keeps the hints of committed transactions in order, and hands them to whoever registered."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.receivers: list[Callable[[Hint], None]] = []

    def publish(self, hints: Iterable[Hint]) -> None:
        for hint in hints:
            self.hints.append(hint)
            for receiver in self.receivers:
                receiver(hint)

    def topics(self) -> list[str]:
        return [hint.topic for hint in self.hints]


@dataclass
class _State:
    """Everything stored. The records are immutable, so copying the containers is a snapshot."""

    customers: dict[str, Customer] = field(default_factory=dict)
    identities: dict[str, ChannelIdentity] = field(default_factory=dict)
    proofs: dict[tuple[str, str], str] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    messages: dict[str, tuple[str, Message]] = field(default_factory=dict)
    events: list[ConversationEvent] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    returns: dict[str, Return] = field(default_factory=dict)
    requests: dict[str, ServiceRequest] = field(default_factory=dict)
    codes: dict[str, VerificationCode] = field(default_factory=dict)
    tracker_events: dict[tuple[str, int], tuple[str, bool]] = field(default_factory=dict)
    attempts: dict[str, VerificationAttempt] = field(default_factory=dict)
    handoffs: dict[str, Handoff] = field(default_factory=dict)
    outbox: dict[str, OutboxEntry] = field(default_factory=dict)
    workers: dict[str, WorkerState] = field(default_factory=dict)

    def snapshot(self) -> _State:
        return _State(**{part.name: copy.copy(getattr(self, part.name)) for part in fields(self)})


def _require(holds: bool, constraint: str) -> None:
    if not holds:
        raise IntegrityError(f"(in memory) {constraint}", None, Exception(constraint))


def _as_stored(record: Any) -> Any:
    """The record as a database gives it back: moments in UTC, and none without a time zone."""
    changes = {}
    for part in fields(record):
        value = getattr(record, part.name)
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise StatementError("a moment without a time zone cannot be stored", "", None, ValueError())
            changes[part.name] = value.astimezone(timezone.utc)
        elif isinstance(value, dict):
            changes[part.name] = json.loads(json.dumps(value))
    return replace(record, **changes)


class FakeConversations:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, conversation: Conversation) -> None:
        _require(conversation.id not in self._state.conversations, "pk_conversations")
        self._put(conversation)

    async def get(self, conversation_id: str) -> Conversation | None:
        return self._state.conversations.get(conversation_id)

    # A transaction has the whole store to itself.
    lock = get

    async def save(self, conversation: Conversation) -> None:
        if conversation.id in self._state.conversations:
            self._put(conversation)

    async def hand_back(self, conversation: Conversation, now: datetime) -> bool:
        waits = any(
            m.conversation_id == conversation.id and m.turn_state is TurnState.PENDING
            for _, m in self._state.messages.values()
        )
        if conversation.id in self._state.conversations:
            due = now if waits else None
            self._put(replace(conversation, next_turn_at=due, lease_holder=None, lease_expires_at=None))
        return waits

    async def latest_of_identity(self, identity_id: str) -> Conversation | None:
        found = [c for c in self._state.conversations.values() if c.identity_id == identity_id]
        newest = max((c.created_at for c in found), default=None)
        return min((c for c in found if c.created_at == newest), key=lambda c: c.id, default=None)

    async def claim_due(self, *, holder: str, now: datetime, until: datetime) -> Conversation | None:
        due = [
            c
            for c in self._state.conversations.values()
            if c.next_turn_at is not None
            and c.next_turn_at <= now
            and (c.lease_expires_at is None or c.lease_expires_at <= now)
        ]
        if not due:
            return None
        first = min(due, key=lambda c: c.next_turn_at)
        return self._put(replace(first, lease_holder=holder, lease_expires_at=until))

    async def renew_leases(self, holder: str, now: datetime, until: datetime) -> int:
        held = [c for c in self._held_by(holder) if c.lease_expires_at is not None and c.lease_expires_at > now]
        for conversation in held:
            self._put(replace(conversation, lease_expires_at=until))
        return len(held)

    async def release_leases(self, holder: str) -> int:
        held = self._held_by(holder)
        for conversation in held:
            self._put(replace(conversation, lease_holder=None, lease_expires_at=None))
        return len(held)

    async def last_seqs(self, ids: Sequence[str]) -> dict[str, int]:
        return {i: self._state.conversations[i].last_seq for i in ids if i in self._state.conversations}

    async def add_event(self, event: ConversationEvent) -> None:
        _require(event.conversation_id in self._state.conversations, "fk_conversation_events_conversation_id")
        self._state.events.append(_as_stored(replace(event, detail=dict(event.detail))))

    async def events(self, conversation_id: str) -> list[ConversationEvent]:
        return [event for event in self._state.events if event.conversation_id == conversation_id]

    def _held_by(self, holder: str) -> list[Conversation]:
        return [c for c in self._state.conversations.values() if c.lease_holder == holder]

    def _put(self, c: Conversation) -> Conversation:
        _require(c.identity_id in self._state.identities, "fk_conversations_identity_id")
        _require(c.customer_id is None or c.customer_id in self._state.customers, "fk_conversations_customer_id")
        _require(c.last_seq >= 0, "ck_conversations_last_seq")
        _require((c.lease_holder is None) == (c.lease_expires_at is None), "ck_conversations_lease_whole")
        _require(c.customer_id is not None or c.verified_until is None, "ck_conversations_verified_customer")
        stored: Conversation = _as_stored(c)
        self._state.conversations[c.id] = stored
        return stored


class FakeMessages:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, *messages: Message, channel: str) -> None:
        for message in messages:
            self._add(message, channel)

    def _add(self, message: Message, channel: str) -> None:
        inbound = message.author is Author.CUSTOMER
        _require(message.id not in self._state.messages, "pk_messages")
        _require(message.conversation_id in self._state.conversations, "fk_messages_conversation_id")
        _require(message.seq > 0, "ck_messages_seq")
        _require(inbound == (message.turn_state is not None), "ck_messages_turn_state_inbound")
        _require(inbound == (message.external_id is not None), "ck_messages_external_id_inbound")
        for other_channel, other in self._state.messages.values():
            _require(
                (other.conversation_id, other.seq) != (message.conversation_id, message.seq),
                "uq_messages_conversation_id_seq",
            )
            _require(
                message.external_id is None or (other_channel, other.external_id) != (channel, message.external_id),
                "uq_messages_channel_external_id",
            )
        self._state.messages[message.id] = (channel, _as_stored(message))

    async def by_external_id(self, channel: str, external_id: str) -> Message | None:
        return next(
            (m for at, m in self._state.messages.values() if (at, m.external_id) == (channel, external_id)), None
        )

    async def after(self, conversation_id: str, seq: int, limit: int = 200) -> list[Message]:
        return [message for message in self._of(conversation_id) if message.seq > seq][:limit]

    async def first_pending(self, conversation_id: str) -> Message | None:
        return next((m for m in self._of(conversation_id) if m.turn_state is TurnState.PENDING), None)

    async def waiting(self, conversation_id: str, at_most: int) -> list[int]:
        return [m.seq for m in self._of(conversation_id) if m.turn_state is TurnState.PENDING][:at_most]

    async def was_said(self, conversation_id: str, text: str, after: int) -> bool:
        said = (m for m in self._of(conversation_id) if m.seq > after and m.author is Author.BOT)
        return any(m.text == text for m in said)

    async def last_offer(self, conversation_id: str) -> tuple[Choice, ...]:
        said = [message for message in self._of(conversation_id) if message.author is not Author.CUSTOMER]
        return said[-1].choices if said else ()

    async def count_try(self, conversation_id: str, at_most: int) -> Message | None:
        message = await self.first_pending(conversation_id)
        if message is None:
            return None
        counted = min(message.attempts + 1, at_most)
        await self.set_turn(message.id, TurnState.PENDING, counted)
        return replace(message, attempts=counted - 1)

    async def settle(self, message_id: str, state: TurnState) -> bool:
        _, message = self._state.messages.get(message_id, (None, None))
        if message is None or message.turn_state is not TurnState.PENDING:
            return False
        await self.set_turn(message_id, state, message.attempts)
        return True

    async def replies_to(self, conversation_id: str, seq: int) -> list[Message]:
        return [message for message in self._of(conversation_id) if message.reply_to_seq == seq]

    async def set_turn(self, message_id: str, state: TurnState, attempts: int) -> None:
        if message_id in self._state.messages:
            channel, message = self._state.messages[message_id]
            _require(message.author is Author.CUSTOMER, "ck_messages_turn_state_inbound")
            self._state.messages[message_id] = (channel, replace(message, turn_state=state, attempts=attempts))

    async def offered_choice(self, conversation_id: str, payload: str) -> Choice | None:
        said = [m for m in self._of(conversation_id) if m.author is not Author.CUSTOMER][-OFFERS_LOOKED_AT:]
        offers = (
            choice
            for message in reversed(said)
            for choice in (*message.choices, *(card.choice for card in message.cards if card.choice))
        )
        return next((choice for choice in offers if choice.payload == payload), None)

    def _of(self, conversation_id: str) -> list[Message]:
        found = [m for _, m in self._state.messages.values() if m.conversation_id == conversation_id]
        return sorted(found, key=lambda message: message.seq)


class FakeCustomers:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, customer: Customer) -> None:
        _require(await self.by_external_id(customer.external_id) is None, "uq_customers_external_id")
        await self.add_unless_known(customer)

    async def add_unless_known(self, customer: Customer) -> bool:
        month, day = customer.birthday_month, customer.birthday_day
        _require(customer.id not in self._state.customers, "pk_customers")
        _require(customer.email is None or customer.email == customer.email.lower(), "ck_customers_email_lower_case")
        _require((month is None) == (day is None), "ck_customers_birthday_whole")
        _require(month is None or 1 <= month <= 12, "ck_customers_birthday_month")
        _require(day is None or 1 <= day <= 31, "ck_customers_birthday_day")
        if await self.by_external_id(customer.external_id) is not None:
            return False
        self._state.customers[customer.id] = _as_stored(customer)
        return True

    async def get(self, customer_id: str) -> Customer | None:
        return self._state.customers.get(customer_id)

    async def by_external_id(self, external_id: str) -> Customer | None:
        return next((c for c in self._state.customers.values() if c.external_id == external_id), None)

    async def by_email(self, email: str) -> Customer | None:
        found = [c for c in self._state.customers.values() if c.email == email]
        return min(found, key=lambda customer: customer.created_at, default=None)

    async def set_address(self, customer_id: str, address: str, at: datetime) -> Customer | None:
        if customer_id in self._state.customers:
            self._state.customers[customer_id] = replace(self._state.customers[customer_id], address=address)
        return self._state.customers.get(customer_id)

    async def count(self) -> int:
        return len(self._state.customers)

    async def add_identity(self, identity: ChannelIdentity) -> bool:
        _require(identity.id not in self._state.identities, "pk_channel_identities")
        _require(
            identity.customer_id is None or identity.customer_id in self._state.customers,
            "fk_channel_identities_customer_id",
        )
        if await self.identity(identity.channel, identity.external_id) is not None:
            return False
        self._state.identities[identity.id] = _as_stored(identity)
        return True

    async def identity(self, channel: str, external_id: str) -> ChannelIdentity | None:
        return next(
            (i for i in self._state.identities.values() if (i.channel, i.external_id) == (channel, external_id)), None
        )


class FakeIdentities:
    """What was proven. In memory nobody looks like anybody else: merges are tested on real databases."""

    def __init__(self, state: _State) -> None:
        self._state = state

    async def holder(self, kind: str, value: str) -> str | None:
        return self._state.proofs.get((kind, value))

    async def prove(self, identity: CustomerIdentity) -> None:
        self._state.proofs[identity.kind, identity.value] = identity.customer_id

    async def lookalikes(self, customer_id: str) -> list[Any]:
        return []


class FakeOrders:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, order: Order) -> None:
        _require(order.number not in self._state.orders, "pk_orders")
        self._put(order)

    async def save(self, order: Order) -> None:
        if order.number in self._state.orders:
            self._put(replace(order, lines=self._state.orders[order.number].lines))

    def _put(self, order: Order) -> None:
        _require(order.customer_id is None or order.customer_id in self._state.customers, "fk_orders_customer_id")
        _require(order.number == order.number.upper(), "ck_orders_number_upper_case")
        _require(order.total_minor >= 0, "ck_orders_total_minor")
        _require(len(order.currency) == 3, "ck_orders_currency")
        _require(all(line.quantity > 0 for line in order.lines), "ck_order_lines_quantity")
        _require(all(line.unit_price_minor >= 0 for line in order.lines), "ck_order_lines_unit_price_minor")
        self._state.orders[order.number] = _as_stored(order)

    async def by_number(self, number: str, *, lock: bool = False) -> Order | None:
        return self._state.orders.get(number)

    async def of_customer(self, customer_id: str, limit: int = 20) -> list[Order]:
        found = [order for order in self._state.orders.values() if order.customer_id == customer_id]
        return sorted(found, key=lambda order: (order.placed_at, order.number), reverse=True)[:limit]


class FakeRefunds:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, refund: Refund) -> None:
        known = self._state.refunds.values()
        _require(refund.id not in self._state.refunds, "pk_refunds")
        _require(refund.order_number in self._state.orders, "fk_refunds_order_number")
        _require(
            refund.return_number is None or refund.return_number in self._state.returns, "fk_refunds_return_number"
        )
        _require(
            refund.return_number is None or all(other.return_number != refund.return_number for other in known),
            "uq_refunds_return_number",
        )
        _require(
            refund.reason is not RefundReason.CANCELLED
            or all((other.order_number, other.reason) != (refund.order_number, refund.reason) for other in known),
            "uq_refunds_cancelled",
        )
        _require(refund.amount_minor > 0, "ck_refunds_amount_minor")
        _require(len(refund.currency) == 3, "ck_refunds_currency")
        _require((refund.status is RefundStatus.PAID) == (refund.paid_at is not None), "ck_refunds_paid_whole")
        self._state.refunds[refund.id] = _as_stored(refund)

    async def of_order(self, number: str) -> list[Refund]:
        found = [refund for refund in self._state.refunds.values() if refund.order_number == number]
        return sorted(found, key=lambda refund: (refund.requested_at, refund.id))


class FakeReturns:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, sent_back: Return) -> bool:
        _require(sent_back.order_number in self._state.orders, "fk_returns_order_number")
        _require(sent_back.customer_id in self._state.customers, "fk_returns_customer_id")
        _require(all(line.quantity > 0 for line in sent_back.lines), "ck_return_lines_quantity")
        _require(all(line.unit_price_minor >= 0 for line in sent_back.lines), "ck_return_lines_unit_price_minor")
        if sent_back.number in self._state.returns:
            return False
        self._state.returns[sent_back.number] = _as_stored(sent_back)
        return True

    async def of_order(self, number: str) -> list[Return]:
        found = [sent_back for sent_back in self._state.returns.values() if sent_back.order_number == number]
        return sorted(found, key=lambda sent_back: (sent_back.created_at, sent_back.number))


class FakeRequests:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, request: ServiceRequest) -> bool:
        _require(request.conversation_id in self._state.conversations, "fk_service_requests_conversation_id")
        _require(
            request.customer_id is None or request.customer_id in self._state.customers,
            "fk_service_requests_customer_id",
        )
        _require(request.rating is None or 1 <= request.rating <= 5, "ck_service_requests_rating")
        if request.number in self._state.requests:
            return False
        self._state.requests[request.number] = _as_stored(request)
        return True

    async def open_in(self, conversation_id: str) -> list[ServiceRequest]:
        found = [r for r in self._state.requests.values() if r.conversation_id == conversation_id and not r.closed_at]
        return sorted(found, key=lambda request: (request.created_at, request.number))


class FakeCodes:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def lock_address(self, email: str) -> None:
        """A transaction has the whole store to itself."""

    async def add(self, code: VerificationCode) -> None:
        _require(code.id not in self._state.codes, "pk_verification_codes")
        _require(code.conversation_id in self._state.conversations, "fk_verification_codes_conversation_id")
        _require(
            code.customer_id is None or code.customer_id in self._state.customers, "fk_verification_codes_customer_id"
        )
        for other in self._of(code.conversation_id):
            if other.expires_at > code.created_at:
                await self.save(replace(other, expires_at=code.created_at))
        self._state.codes[code.id] = _as_stored(code)

    async def lock_latest(self, conversation_id: str) -> VerificationCode | None:
        unused = [code for code in self._of(conversation_id) if code.used_at is None]
        latest = max((code.expires_at for code in unused), default=None)
        return min((code for code in unused if code.expires_at == latest), key=lambda code: code.id, default=None)

    async def save(self, code: VerificationCode) -> None:
        _require(code.attempts >= 0, "ck_verification_codes_attempts")
        if code.id in self._state.codes:
            self._state.codes[code.id] = _as_stored(code)

    async def end(self, conversation_id: str, at: datetime) -> None:
        for code in self._of(conversation_id):
            if code.expires_at > at:
                await self.save(replace(code, expires_at=at))

    async def sent_in_conversation(self, conversation_id: str, since: datetime) -> int:
        account = self._state.conversations[conversation_id].identity_id
        same = [one.id for one in self._state.conversations.values() if one.identity_id == account]
        return sum(code.created_at > since for one in same for code in self._of(one))

    async def sent_to_address(self, email: str, since: datetime) -> int:
        return sum(code.email == email and code.created_at > since for code in self._state.codes.values())

    def _of(self, conversation_id: str) -> list[VerificationCode]:
        return [code for code in self._state.codes.values() if code.conversation_id == conversation_id]


class FakeTrackerEvents:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def current_session(self, conversation_id: str) -> tuple[list[str], int]:
        events = sorted(
            (position, *event)
            for (conversation, position), event in self._state.tracker_events.items()
            if conversation == conversation_id
        )
        start = max((position for position, _, begins in events if begins), default=0)
        return [event for position, event, _ in events if position >= start], events[-1][0] + 1 if events else 0

    async def recent(self, conversation_id: str, limit: int) -> list[str]:
        found = sorted(key for key in self._state.tracker_events if key[0] == conversation_id)
        return [self._state.tracker_events[key][0] for key in found[-limit:]]

    async def append(
        self, conversation_id: str, position: int, events: Sequence[tuple[str, bool]], at: datetime
    ) -> None:
        for offset, event in enumerate(events):
            _require(conversation_id in self._state.conversations, "fk_tracker_events_conversation_id")
            key = (conversation_id, position + offset)
            _require(key not in self._state.tracker_events, "pk_tracker_events")
            self._state.tracker_events[key] = event


class FakeVerifications:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, attempt: VerificationAttempt) -> None:
        _require(attempt.id not in self._state.attempts, "pk_verification_attempts")
        _require(attempt.conversation_id in self._state.conversations, "fk_verification_attempts_conversation_id")
        self._state.attempts[attempt.id] = _as_stored(attempt)

    async def failed_in_conversation(self, conversation_id: str, kind: str, since: datetime) -> int:
        return sum(a.conversation_id == conversation_id for a in self._failed(kind, since))

    async def failed_for_subject(self, kind: str, subject: str, since: datetime) -> int:
        return sum(a.subject == subject for a in self._failed(kind, since))

    def _failed(self, kind: str, since: datetime) -> list[VerificationAttempt]:
        return [a for a in self._state.attempts.values() if not a.succeeded and a.kind == kind and a.at > since]


class FakeHandoffs:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, handoff: Handoff) -> None:
        _require(handoff.id not in self._state.handoffs, "pk_handoffs")
        _require(handoff.conversation_id in self._state.conversations, "fk_handoffs_conversation_id")
        already_open = await self.open_for(handoff.conversation_id)
        _require(handoff.closed_at is not None or already_open is None, "uq_handoffs_open")
        self._state.handoffs[handoff.id] = _as_stored(handoff)

    async def open_for(self, conversation_id: str) -> Handoff | None:
        return next(
            (
                handoff
                for handoff in self._state.handoffs.values()
                if handoff.conversation_id == conversation_id and handoff.closed_at is None
            ),
            None,
        )

    # A transaction has the whole store to itself.
    lock_open = open_for

    async def save(self, handoff: Handoff) -> None:
        if handoff.id in self._state.handoffs:
            self._state.handoffs[handoff.id] = _as_stored(handoff)

    async def latest_of(self, conversation_id: str) -> Handoff | None:
        closed = [
            one
            for one in self._state.handoffs.values()
            if one.conversation_id == conversation_id and one.closed_at is not None
        ]
        return max(closed, key=lambda one: one.closed_at, default=None)

    async def last_helped(self, conversation_id: str) -> Handoff | None:
        # Nobody works at the desk.
        return None

    async def hear(self, conversation_id: str, at: datetime) -> None:
        if (handoff := await self.open_for(conversation_id)) is not None:
            await self.save(replace(handoff, heard_at=at, snoozed_until=None))


class FakeAgents:
    """Nobody works at the desk."""

    async def all(self) -> list[Any]:
        return []


class FakeOutbox:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def add(self, entry: OutboxEntry) -> bool:
        if any(other.key == entry.key for other in self._state.outbox.values()):
            return False
        _require(entry.id not in self._state.outbox, "pk_outbox")
        self._put(entry)
        return True

    async def has(self, key: str) -> bool:
        return any(entry.key == key for entry in self._state.outbox.values())

    async def claim_due(self, now: datetime, until: datetime) -> OutboxEntry | None:
        due = [e for e in self._state.outbox.values() if e.next_attempt_at is not None and e.next_attempt_at <= now]
        if not due:
            return None
        return self._put(replace(min(due, key=lambda entry: entry.next_attempt_at), next_attempt_at=until))

    async def save(self, entry: OutboxEntry) -> None:
        if entry.id in self._state.outbox:
            self._put(entry)

    def _put(self, entry: OutboxEntry) -> OutboxEntry:
        _require(entry.sent_at is None or entry.next_attempt_at is None, "ck_outbox_sent_once")
        stored: OutboxEntry = _as_stored(entry)
        self._state.outbox[entry.id] = stored
        return stored


class FakeWorkers:
    def __init__(self, state: _State) -> None:
        self._state = state

    async def report(self, state: WorkerState) -> None:
        self._state.workers[state.id] = _as_stored(state)

    async def remove(self, worker_id: str) -> None:
        self._state.workers.pop(worker_id, None)

    async def seen_since(self, at: datetime) -> list[WorkerState]:
        return [state for state in self._state.workers.values() if state.seen_at >= at]


class FakeUnitOfWork:
    """UnitOfWork on a copy of everything, which becomes the store when it is committed."""

    def __init__(self, state: _State) -> None:
        self.state = state
        self.conversations = FakeConversations(state)
        self.messages = FakeMessages(state)
        self.customers = FakeCustomers(state)
        self.identities = self.merges = FakeIdentities(state)
        self.orders = FakeOrders(state)
        self.refunds = FakeRefunds(state)
        self.returns = FakeReturns(state)
        self.requests = FakeRequests(state)
        self.codes = FakeCodes(state)
        self.tracker_events = FakeTrackerEvents(state)
        self.verifications = FakeVerifications(state)
        self.handoffs = FakeHandoffs(state)
        self.agents = FakeAgents()
        self.outbox = FakeOutbox(state)
        self.workers = FakeWorkers(state)
        self.hints: dict[Hint, None] = {}

    def hint(self, hint: Hint) -> None:
        self.hints[hint] = None


class FakeDatabase(HintLog):
    """Database in memory: one writer at a time, readers see what was committed when they began."""

    def __init__(self) -> None:
        super().__init__()
        self._committed = _State()
        self._writing = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def transaction(self, *, durable: bool = True) -> AsyncIterator[FakeUnitOfWork]:
        async with self._writing:
            work = FakeUnitOfWork(self._committed.snapshot())
            yield work
            self._committed = work.state
        self.publish(work.hints)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[FakeUnitOfWork]:
        yield FakeUnitOfWork(self._committed.snapshot())

    async def close(self) -> None:
        """Nothing to give back."""


class RecordingSqlDatabase(HintLog, SqlDatabase):
    """The real database, which also keeps the hints of what it has committed."""

    def __init__(self, engine: Any, wakeups: Any) -> None:
        HintLog.__init__(self)
        SqlDatabase.__init__(self, engine, wakeups)
        self.engine = engine

    @contextlib.asynccontextmanager
    async def transaction(self, *, durable: bool = True) -> AsyncIterator[SqlUnitOfWork]:
        async with super().transaction(durable=durable) as work:
            yield work
        self.publish(work.hints)


def plain(record: Any) -> Any:
    """A record as nested dictionaries without ids and moments, to compare what two runs produced."""
    if is_dataclass(record) and not isinstance(record, type):
        return {
            part.name: plain(getattr(record, part.name))
            for part in fields(record)
            if not part.name.endswith("id") and not isinstance(getattr(record, part.name), datetime | date)
        }
    return [plain(item) for item in record] if isinstance(record, list | tuple) else record
