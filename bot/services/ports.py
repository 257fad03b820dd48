"""What the use cases need from outside: a clock, a unit of work with its repositories, and wake-ups."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from bot.core.catalogue import Catalogue
from bot.core.conversations import (
    Choice,
    Conversation,
    ConversationEvent,
    ConversationId,
    Message,
    MessageId,
    TurnState,
)
from bot.core.customers import ChannelIdentity, Customer, CustomerId, IdentityId, UsedAddress
from bot.core.knowledge import Knowledge
from bot.core.ledger import Allocation, Balance, Debt, EntryId, EntryKind, LedgerEntry, Lot
from bot.core.lifecycle import PaidOrders
from bot.core.orders import Order
from bot.core.refunds import Refund, RefundId
from bot.core.requests import ServiceRequest
from bot.core.returns import Return, ReturnStatus
from bot.core.verification import VerificationCode
from bot.services.account_ports import AccountLinkRepository
from bot.services.channel_ports import DeliveryRepository
from bot.services.customer_ports import (
    AuditRepository,
    ConsentRepository,
    IdentityRepository,
    MergeRepository,
    NoteRepository,
    PrivacyRepository,
    TimelineRepository,
)
from bot.services.desk_ports import AgentRepository, HandoffRepository
from bot.services.desk_record_ports import DeskReportRepository, DeskRepository
from bot.services.feedback_ports import FeedbackRepository
from bot.services.file_ports import AttachmentRepository
from bot.services.import_ports import ImportRepository
from bot.services.measure_ports import MeasureRepository
from bot.services.reward_ports import GiftCardRepository, GoodwillRepository, VoucherRepository
from bot.services.treat_ports import BirthdayRepository, ReferralRepository, StampRepository


class Clock(Protocol):
    """Tells the time: aware, in UTC."""

    def now(self) -> datetime:
        """The current moment."""
        ...


class ShopContent(Protocol):
    """What the shop's owner writes, and may change at any time."""

    @property
    def knowledge(self) -> Knowledge:
        """Questions and their answers, as of now."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """What is sold, as of now."""
        ...


class PageLinks(Protocol):
    """Addresses of pages that only whoever holds the link may see."""

    def invoice(self, order_number: str, now: datetime) -> str:
        """A signed link to an order's invoice, which ends by itself."""
        ...

    def connect(self, channel: str, token: str | None = None) -> str | None:
        """A link to the shop's account on a messaging channel, which connects whoever opens it where a token is given.

        None where the shop is not on that channel.
        """
        ...

    def own_data(self, customer_id: str, now: datetime) -> str:
        """A signed link to everything that is kept about a customer; it ends by itself."""
        ...

    def voucher(self, code: str, now: datetime) -> str:
        """A signed link to a voucher, to be shown at the counter."""
        ...

    def voucher_image(self, code: str, now: datetime) -> str:
        """A signed link to the picture of a voucher's code, to be scanned."""
        ...

    def unsubscribe(self, address: str, purpose: str, now: datetime) -> str:
        """A signed link by which whoever has the e-mail address says no to mails of that purpose."""
        ...

    def feedback(self, feedback_id: str, now: datetime, score: int | None = None) -> str:
        """A signed link to the page where a question is answered, with a score chosen in advance; it ends by itself."""
        ...


@dataclass(frozen=True)
class Hint:
    """A wake-up: `inbound` (a turn is due), `echo` (a customer's message to show to their other windows), `outbound`
    (anything else to show), `typing`, `agent_typing`, `customer_typing`, `read` (by the customer), `outbox`, `desk`
    (something that people at the desk see; or an agent's id, for whether they are signed in), `viewing`
    (conversation:agent:1 or 0, who looks at it).

    Only ever a hint. Whoever misses one finds the work at the next poll.
    """

    topic: str
    conversation_id: str = ""


@dataclass(frozen=True)
class OutboxEntry:
    """An effect that leaves the house, waiting for its delivery. `key` is unique: adding it twice adds it once."""

    id: str
    key: str
    kind: str
    payload: dict[str, Any]
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: int = 0
    sent_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True)
class VerificationAttempt:
    """Somebody tried to prove something. `subject` is what it was about (an order number)."""

    id: str
    conversation_id: ConversationId
    kind: str
    subject: str
    succeeded: bool
    at: datetime


@dataclass(frozen=True)
class WorkerState:
    """A dialogue worker as it last reported itself."""

    id: str
    started_at: datetime
    seen_at: datetime
    model: str | None = None


class ConversationRepository(Protocol):
    async def add(self, conversation: Conversation) -> None: ...
    async def get(self, conversation_id: ConversationId) -> Conversation | None: ...
    async def lock(self, conversation_id: ConversationId) -> Conversation | None:
        """Like get, and nobody else changes it until this unit of work ends."""
        ...

    async def save(self, conversation: Conversation) -> None: ...
    async def hand_back(self, conversation: Conversation, now: datetime) -> bool:
        """Save it without its lease, due again at once if a message still waits; whether one does."""
        ...

    async def latest_of_identity(self, identity_id: IdentityId) -> Conversation | None: ...
    async def account_of(self, conversation_id: ConversationId) -> ChannelIdentity | None:
        """The account that the conversation is held from."""
        ...

    async def claim_due(self, *, holder: str, now: datetime, until: datetime) -> Conversation | None:
        """Lease the conversation whose turn has been due longest, leaving out those that others hold."""
        ...

    async def renew_leases(self, holder: str, now: datetime, until: datetime) -> int:
        """Extend the leases the holder has not lost; the number of them."""
        ...

    async def release_leases(self, holder: str) -> int: ...
    async def last_seqs(self, ids: Sequence[ConversationId]) -> dict[ConversationId, int]: ...
    async def add_event(self, event: ConversationEvent) -> None: ...
    async def events(self, conversation_id: ConversationId) -> list[ConversationEvent]: ...


class MessageRepository(Protocol):
    async def add(self, *messages: Message, channel: str) -> None: ...
    async def by_external_id(self, channel: str, external_id: str) -> Message | None: ...
    async def after(self, conversation_id: ConversationId, seq: int, limit: int = 200) -> list[Message]: ...
    async def by_client_id(self, conversation_id: ConversationId, client_id: str) -> Message | None:
        """What somebody at the desk wrote under an id of their own."""
        ...

    async def first_pending(self, conversation_id: ConversationId) -> Message | None: ...
    async def waiting(self, conversation_id: ConversationId, at_most: int) -> list[int]:
        """The places of the messages that wait for the bot, the oldest first."""
        ...

    async def was_said(self, conversation_id: ConversationId, text: str, after: int) -> bool:
        """Whether the bot has said just this after that place."""
        ...

    async def count_try(self, conversation_id: ConversationId, at_most: int) -> Message | None:
        """Count a try of the oldest waiting message, and return it as it was before; None when none waits.

        Giving up is a try, too. Counting ends at `at_most`.
        """
        ...

    async def settle(self, message_id: MessageId, state: TurnState) -> bool:
        """End a waiting message; False, changing nothing, when it does not wait any more."""
        ...

    async def replies_to(self, conversation_id: ConversationId, seq: int) -> list[Message]: ...
    async def unasked_before(self, conversation_id: ConversationId, seq: int) -> list[Message]:
        """What was said between the customer's message at that place and the one before, and answers neither.

        By people and by the system; and by the bot, to something older that people had left to it.
        """
        ...

    async def answer_with_later(self, conversation_id: ConversationId, seq: int) -> None:
        """Count what the system has said after that place as its answer to the message there."""
        ...

    async def set_turn(self, message_id: MessageId, state: TurnState, attempts: int) -> None: ...
    async def offered_choice(self, conversation_id: ConversationId, payload: str) -> Choice | None: ...
    async def rate(self, conversation_id: ConversationId, seq: int, helpful: bool) -> bool:
        """Note whether what the bot said there helped; False, changing nothing, when the bot said nothing there."""
        ...

    async def last_offer(self, conversation_id: ConversationId) -> tuple[Choice, ...]:
        """What the last thing that was said to the customer offered; nothing if it offered nothing."""
        ...

    async def last_words(self, conversation_id: ConversationId) -> dict[str, datetime]:
        """When each of the authors last said something; who has not is left out."""
        ...

    async def last_said(self, ids: Sequence[ConversationId]) -> dict[ConversationId, list[Message]]:
        """What each of the authors last said in each of these conversations."""
        ...


class CustomerRepository(Protocol):
    async def add(self, customer: Customer) -> None: ...
    async def add_unless_known(self, customer: Customer) -> bool:
        """Add them unless somebody has their external id already (added at the same time, too); whether added."""
        ...

    async def get(self, customer_id: CustomerId) -> Customer | None: ...
    async def lock(self, customer_id: CustomerId) -> Customer | None:
        """Like get, and nobody else changes them until this unit of work ends."""
        ...

    async def save(self, customer: Customer, at: datetime) -> None:
        """Save all of it; what they are known by, and where parcels went, follow."""
        ...

    async def by_external_id(self, external_id: str) -> Customer | None:
        """The customer with the shop's number, or the one that they turned out to be; the erased one if they were."""
        ...

    async def by_email(self, email: str) -> Customer | None:
        """Whoever has proven the address, else the oldest customer with it; neither one who was merged nor erased."""
        ...

    async def set_address(self, customer_id: CustomerId, address: str, at: datetime) -> Customer | None:
        """Note where the customer's parcels go, and return the customer; None when there is none."""
        ...

    async def paid_orders(self, customer_id: CustomerId) -> PaidOrders: ...
    async def addresses_of(self, customer_id: CustomerId) -> list[UsedAddress]:
        """Where parcels were ever said to go, the last first."""
        ...

    async def count(self) -> int: ...
    async def add_identity(self, identity: ChannelIdentity) -> bool:
        """Add it unless its channel has the external id already (added at the same time, too); whether added."""
        ...

    async def identity(self, channel: str, external_id: str) -> ChannelIdentity | None: ...
    async def link_account(self, channel: str, external_id: str, customer_id: CustomerId | None) -> None:
        """Note whose account on a channel it is, or that it is nobody's any more; if there is such an account."""
        ...


class OrderRepository(Protocol):
    async def add(self, order: Order) -> None: ...
    async def add_unless_known(self, order: Order) -> bool:
        """Add it unless its number is known already (added at the same time, too); whether added."""
        ...

    async def by_number(self, number: str, *, lock: bool = False) -> Order | None: ...
    async def save(self, order: Order) -> None:
        """Save everything but its lines, which stay as they were ordered."""
        ...

    async def replace_lines(self, order: Order) -> None:
        """Let the order have its lines, and no others."""
        ...

    async def of_customer(self, customer_id: CustomerId, limit: int = 20) -> list[Order]:
        """The customer's orders, newest first."""
        ...


class RefundRepository(Protocol):
    async def add(self, refund: Refund) -> None: ...
    async def save(self, refund: Refund) -> None: ...
    async def remove(self, refund_id: RefundId) -> None:
        """Forget one that is part of another, as it turned out."""
        ...

    async def of_order(self, number: str) -> list[Refund]:
        """The order's refunds, oldest first."""
        ...


class ReturnRepository(Protocol):
    async def add(self, sent_back: Return) -> bool:
        """Add it unless its number is taken (at the same time, too); whether added."""
        ...

    async def set_status(self, number: str, status: ReturnStatus) -> None: ...
    async def of_order(self, number: str) -> list[Return]:
        """The order's returns, oldest first."""
        ...


class RequestRepository(Protocol):
    async def add(self, request: ServiceRequest) -> bool:
        """Add it unless its number is taken (at the same time, too); whether added."""
        ...

    async def open_in(self, conversation_id: ConversationId) -> list[ServiceRequest]:
        """The conversation's open requests, oldest first."""
        ...


class TrackerEventRepository(Protocol):
    async def current_session(self, conversation_id: ConversationId) -> tuple[list[str], int]:
        """The events (JSON texts) since the last session began, and the position after the last one."""
        ...

    async def recent(self, conversation_id: ConversationId, limit: int) -> list[str]:
        """The last events (JSON texts) of all sessions, oldest first."""
        ...

    async def last_at(self, conversation_id: ConversationId) -> datetime | None:
        """When the last event was added."""
        ...

    async def append(
        self, conversation_id: ConversationId, position: int, events: Sequence[tuple[str, bool]], at: datetime
    ) -> None:
        """Add events (JSON text, whether it begins a session) from that position on; a taken position is an error."""
        ...


@dataclass(frozen=True)
class LedgerNote:
    """Why a person gave points: apart from the ledger, because words can be erased and entries cannot."""

    entry_id: EntryId
    author: str
    role: str
    text: str


class LedgerRepository(Protocol):
    """Points. Nothing in it is ever changed or deleted; whatever writes has locked the account."""

    async def lock(self, customer_id: CustomerId, at: datetime) -> None:
        """Let nobody else change the customer's points until this unit of work ends; opens the account if need be."""
        ...

    async def add(self, entry: LedgerEntry) -> LedgerEntry | None:
        """Add it under an id of the database's own (the given one is not used); None when its key is there already."""
        ...

    async def get(self, entry_id: EntryId) -> LedgerEntry | None: ...
    async def by_key(self, key: str) -> LedgerEntry | None: ...
    async def of_source(self, customer_id: CustomerId, source: str) -> list[LedgerEntry]:
        """The account's entries with that source, oldest first."""
        ...

    async def allocate(self, entry_id: EntryId, allocations: Sequence[Allocation]) -> None:
        """Let lots pay for an entry (or give back to them). The database refuses more than is left or owed."""
        ...

    async def allocations_of(self, entry_id: EntryId) -> list[Allocation]:
        """Which lots pay for an entry now, or were given back to by it; in the order in which they were taken."""
        ...

    async def reversals_of(self, entry_id: EntryId) -> list[LedgerEntry]:
        """The entries that take that one back, oldest first."""
        ...

    async def open_of(self, customer_id: CustomerId) -> tuple[list[Lot], list[Debt]]:
        """The lots with something left (expired ones, too, until they are swept), and what is owed; oldest first."""
        ...

    async def balance(self, customer_id: CustomerId, at: datetime) -> Balance: ...
    async def page(self, customer_id: CustomerId, *, before: EntryId | None, limit: int) -> list[LedgerEntry]:
        """The account's entries, newest first, from before that one on."""
        ...

    async def with_expired(self, at: datetime, *, after: CustomerId | None, limit: int) -> list[CustomerId]:
        """Customers with points that have run out but were not swept yet, by their ids, from after that one on."""
        ...

    async def running_out(
        self, since: datetime, until: datetime, *, after: CustomerId | None, limit: int
    ) -> list[CustomerId]:
        """Customers with points that run out after `since`, at `until` at the latest.

        In the order of their ids, from after that one on.
        """
        ...

    async def add_note(self, note: LedgerNote) -> None:
        """Add it unless the entry has one."""
        ...

    async def granted_by(self, author: str, kind: EntryKind, since: datetime) -> int:
        """The points that somebody gave by their own decision since then."""
        ...

    async def given_since(self, kind: EntryKind, since: datetime) -> int:
        """The points of that kind that were given to anybody since then."""
        ...

    async def earned_by_day(self, customer_id: CustomerId, since: datetime, until: datetime) -> dict[date, int]:
        """What purchases brought in on each day (UTC), less what was taken back of it since; by when it could be spent.

        Of the customer, and of everybody who turned out to be the same person.
        """
        ...

    async def faults(self) -> list[str]:
        """Accounts whose open lots and debts are not the sum of their entries: none, unless somebody tampered."""
        ...


class VerificationRepository(Protocol):
    async def add(self, attempt: VerificationAttempt) -> None: ...
    async def failed_in_conversation(self, conversation_id: ConversationId, kind: str, since: datetime) -> int: ...
    async def failed_for_subject(self, kind: str, subject: str, since: datetime) -> int: ...


class CodeRepository(Protocol):
    async def lock_address(self, email: str) -> None:
        """Let nobody else send a code to that address until this unit of work ends."""
        ...

    async def add(self, code: VerificationCode) -> None:
        """Add it; the conversation's earlier codes end at the moment it was made."""
        ...

    async def lock_latest(self, conversation_id: ConversationId) -> VerificationCode | None:
        """The conversation's latest unused code, which nobody else tries until this unit of work ends."""
        ...

    async def save(self, code: VerificationCode) -> None: ...
    async def end(self, conversation_id: ConversationId, at: datetime) -> None:
        """Let the conversation's codes be worth nothing from then on."""
        ...

    async def sent_in_conversation(self, conversation_id: ConversationId, since: datetime) -> int:
        """How many were asked for there, and in other conversations of the same account."""
        ...

    async def sent_to_address(self, email: str, since: datetime) -> int: ...


class OutboxRepository(Protocol):
    async def add(self, entry: OutboxEntry) -> bool:
        """Add it unless its key is there already; whether it was added."""
        ...

    async def has(self, key: str) -> bool:
        """Whether an entry of that key is there, sent or not."""
        ...

    async def claim_due(self, now: datetime, until: datetime) -> OutboxEntry | None:
        """The entry due longest, put off until then so that nobody else takes it meanwhile."""
        ...

    async def save(self, entry: OutboxEntry) -> None:
        """Save it, unless it was emptied meanwhile because its reader was erased."""
        ...


class WorkerRepository(Protocol):
    async def report(self, state: WorkerState) -> None: ...
    async def remove(self, worker_id: str) -> None: ...
    async def seen_since(self, at: datetime) -> list[WorkerState]: ...


class UnitOfWork(Protocol):
    """One transaction: everything done through it happens, or nothing."""

    @property
    def agents(self) -> AgentRepository: ...
    @property
    def conversations(self) -> ConversationRepository: ...
    @property
    def messages(self) -> MessageRepository: ...
    @property
    def customers(self) -> CustomerRepository: ...
    @property
    def orders(self) -> OrderRepository: ...
    @property
    def refunds(self) -> RefundRepository: ...
    @property
    def returns(self) -> ReturnRepository: ...
    @property
    def requests(self) -> RequestRepository: ...
    @property
    def tracker_events(self) -> TrackerEventRepository: ...
    @property
    def verifications(self) -> VerificationRepository: ...
    @property
    def codes(self) -> CodeRepository: ...
    @property
    def handoffs(self) -> HandoffRepository: ...
    @property
    def desk(self) -> DeskRepository: ...
    @property
    def desk_reports(self) -> DeskReportRepository: ...
    @property
    def ledger(self) -> LedgerRepository: ...
    @property
    def vouchers(self) -> VoucherRepository: ...
    @property
    def gift_cards(self) -> GiftCardRepository: ...
    @property
    def goodwill(self) -> GoodwillRepository: ...
    @property
    def identities(self) -> IdentityRepository: ...
    @property
    def merges(self) -> MergeRepository: ...
    @property
    def notes(self) -> NoteRepository: ...
    @property
    def timeline(self) -> TimelineRepository: ...
    @property
    def privacy(self) -> PrivacyRepository: ...
    @property
    def consents(self) -> ConsentRepository: ...
    @property
    def audit(self) -> AuditRepository: ...
    @property
    def imports(self) -> ImportRepository: ...
    @property
    def measures(self) -> MeasureRepository: ...
    @property
    def stamps(self) -> StampRepository: ...
    @property
    def birthdays(self) -> BirthdayRepository: ...
    @property
    def referrals(self) -> ReferralRepository: ...
    @property
    def feedback(self) -> FeedbackRepository: ...
    @property
    def outbox(self) -> OutboxRepository: ...
    @property
    def deliveries(self) -> DeliveryRepository: ...
    @property
    def attachments(self) -> AttachmentRepository: ...
    @property
    def account_links(self) -> AccountLinkRepository: ...
    @property
    def workers(self) -> WorkerRepository: ...

    def hint(self, hint: Hint) -> None:
        """Wake somebody up after the commit; never before, and not at all if it fails."""
        ...


class Database(Protocol):
    """Opens units of work."""

    def transaction(self, *, durable: bool = True) -> AbstractAsyncContextManager[UnitOfWork]:
        """For writing: commits at the end, rolls back if an error leaves it.

        One that is not `durable` is faster. It survives the death of any process, but the last ones may be undone, in
        order, when the machine loses power: for leases and reports, which mean nothing then.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """For reading only; never waits for a writer."""
        ...
