"""What belongs to a person, in every table: whoever adds one says here whose rows are in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, or_, select, tuple_, union

from bot.core.customers import EMAIL, CustomerId
from bot.services.outbox import SECRET_MAIL
from bot.storage import tables

# Whose rows are marked with the customer.
_OWNED = (
    *(tables.customer_identities, tables.customer_addresses, tables.customer_notes, tables.customer_tags),
    *(tables.orders, tables.returns, tables.credit_notes, tables.channel_identities, tables.audit_log),
    *(tables.loyalty_accounts, tables.ledger_entries, tables.stamps, tables.vouchers, tables.gift_cards),
    tables.account_links,
)
# Whose rows belong to something that is the customer's: (the table, the column, what it points to).
_PARTS = (
    (tables.order_lines, tables.order_lines.c.order_number, tables.orders.c.number),
    (tables.refunds, tables.refunds.c.order_number, tables.orders.c.number),
    (tables.return_lines, tables.return_lines.c.return_number, tables.returns.c.number),
    (tables.credit_note_lines, tables.credit_note_lines.c.credit_note_number, tables.credit_notes.c.number),
    (tables.ledger_notes, tables.ledger_notes.c.entry_id, tables.ledger_entries.c.id),
    (tables.gift_card_entries, tables.gift_card_entries.c.card_id, tables.gift_cards.c.id),
)
_OF_CONVERSATIONS = (
    *(tables.messages, tables.conversation_events, tables.handoffs, tables.verification_attempts),
    *(tables.channel_deliveries, tables.channel_buttons, tables.attachments),
    *(tables.desk_notes, tables.conversation_labels, tables.teaching_marks, tables.knowledge_drafts),
)
# Nobody's, or nothing that is not said by another table: what follows from the ledger's entries, the dialogue's own
# notes of the messages, marks of imported values, and the machinery.
NOBODYS = frozenset(
    {
        *("ledger_allocations", "ledger_open", "tracker_events", "import_marks", "import_runs"),
        *("improvements", "workers", "channel_updates", "agents", "agent_sessions"),
        *("canned_replies", "desk_reads"),
    }
)


class Person:
    """The rows of a customer, who may be several records that turned out to be one."""

    def __init__(self, ids: Sequence[CustomerId]) -> None:
        self.ids = list(ids)

    def owned(self, column: ColumnElement[Any]) -> Select[Any]:
        """A column of the table's rows that are marked with the customer."""
        return select(column).where(column.table.c.customer_id.in_(self.ids))

    def conversations(self) -> Select[Any]:
        """The ids of the conversations that were theirs.

        One that is nobody's is not, from whichever account it is held: somebody else may have used it before.
        """
        return self.owned(tables.conversations.c.id)

    def accounts(self) -> ColumnElement[bool]:
        """The accounts on channels that are theirs, or that they used and nobody else is known to use."""
        account, c = tables.channel_identities.c, tables.conversations.c
        used = select(c.identity_id).where(c.id.in_(self.conversations()))
        others = select(c.identity_id).where(c.customer_id.is_not(None), c.customer_id.not_in(self.ids))
        is_free = and_(account.customer_id.is_(None), account.id.not_in(others))
        return or_(account.customer_id.in_(self.ids), and_(account.id.in_(used), is_free))

    def emails(self) -> Select[Any]:
        """The e-mail addresses that are theirs, and those of their orders that are nobody else's."""
        c, i, o = tables.customers.c, tables.customer_identities.c, tables.orders.c
        others = select(i.value).where(i.kind == EMAIL, i.customer_id.not_in(self.ids))
        found = union(
            select(c.email).where(c.id.in_(self.ids)),
            select(i.value).where(i.customer_id.in_(self.ids), i.kind == EMAIL),
            select(o.email).where(o.customer_id.in_(self.ids), o.email.not_in(others)),
        ).subquery()
        return select(found.c[0]).where(found.c[0].is_not(None))

    def mails(self) -> ColumnElement[bool]:
        """Mails to them, and mails to the shop about them."""
        o, emails = tables.outbox.c, self.emails()
        requests = select("request:" + tables.service_requests.c.number).where(self.requests())
        handoffs = select("handoff:" + tables.handoffs.c.id)
        handoffs = handoffs.where(tables.handoffs.c.conversation_id.in_(self.conversations()))
        return or_(
            func.lower(o.payload["to"].as_string()).in_(emails),
            func.lower(o.payload["reply_to"].as_string()).in_(emails),
            o.key.in_(requests),
            o.key.in_(handoffs),
        )

    def requests(self) -> ColumnElement[bool]:
        """What they asked the shop's people for."""
        return self._theirs_or_said(tables.service_requests)

    def codes(self) -> ColumnElement[bool]:
        """The one-time codes that were sent to them."""
        c = tables.verification_codes.c
        return or_(self._theirs_or_said(tables.verification_codes), c.email.in_(self.emails()))

    def feedback(self) -> ColumnElement[bool]:
        """What they were asked, and answered."""
        return self._theirs_or_said(tables.feedback)

    def everything(self, addresses: Sequence[tuple[str, str]]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
        """Every table with something of theirs, and which rows that are; consents by their addresses' hashes."""
        yield tables.customers, tables.customers.c.id.in_(self.ids)
        for table in _OWNED:
            yield table, table.c.customer_id.in_(self.ids)
        for table, column, whole in _PARTS:
            yield table, column.in_(self.owned(whole))
        yield tables.conversations, tables.conversations.c.id.in_(self.conversations())
        for table in _OF_CONVERSATIONS:
            yield table, table.c.conversation_id.in_(self.conversations())
        yield tables.service_requests, self.requests()
        yield tables.verification_codes, self.codes()
        yield tables.feedback, self.feedback()
        answers = select(tables.feedback.c.id).where(self.feedback())
        yield tables.feedback_themes, tables.feedback_themes.c.feedback_id.in_(answers)
        use, referral, merge = tables.voucher_uses.c, tables.referrals.c, tables.customer_merges.c
        theirs = use.code.in_(self.owned(tables.vouchers.c.code))
        yield tables.voucher_uses, or_(use.customer_id.in_(self.ids), theirs)
        yield tables.referrals, or_(referral.referee_id.in_(self.ids), referral.referrer_id.in_(self.ids))
        yield tables.customer_merges, or_(merge.kept_id.in_(self.ids), merge.merged_id.in_(self.ids))
        consent = tables.consents.c
        yield tables.consents, tuple_(consent.channel, consent.address_hash).in_(addresses)
        mail = tables.outbox.c
        to_them = func.lower(mail.payload["to"].as_string()).in_(self.emails())
        # A code that was not sent yet is for nobody else's eyes.
        yield tables.outbox, and_(to_them, mail.kind != SECRET_MAIL)

    def _theirs_or_said(self, table: Table) -> ColumnElement[bool]:
        return or_(table.c.customer_id.in_(self.ids), table.c.conversation_id.in_(self.conversations()))
