"""Logging out: a conversation is nobody's to see any more, and whoever writes next begins another one."""

from __future__ import annotations

from dataclasses import replace

from bot.core.conversations import Conversation, ConversationEvent
from bot.services.audit import record_audit
from bot.services.ports import Clock, Hint, UnitOfWork


async def sign_out(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """End the conversation's proof and part its account from the customer; the conversation as it is now, saved.

    It stays the customer's history. Codes and links that are on their way are worth nothing any more. The conversation
    must be locked. Safe to repeat.
    """
    now = clock.now()
    if conversation.signed_out_at is not None:
        return conversation
    account = await work.conversations.account_of(conversation.id)
    if account is not None:
        # Whoever has the account next begins as a stranger.
        await work.customers.link_account(account.channel, account.external_id, None)
    await work.codes.end(conversation.id, now)
    signed_out = replace(conversation, verified_until=None, signed_out_at=now)
    await work.conversations.save(signed_out)
    await work.conversations.add_event(ConversationEvent(conversation.id, "signed_out", now))
    for customer_id in {conversation.customer_id, account.customer_id if account else None} - {None}:
        assert customer_id is not None  # noqa: S101 - mypy does not see it
        await work.account_links.end(customer_id, now)
        detail = {"channel": conversation.channel, "conversation": conversation.id}
        await record_audit(work, clock, actor="customer", action="log_out", customer_id=customer_id, detail=detail)
    work.hint(Hint("outbound", conversation.id))
    return signed_out
