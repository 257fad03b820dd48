"""Going on in a messaging app as the same customer: links that connect an account there, made here and used there."""

from __future__ import annotations

import secrets
from dataclasses import replace
from enum import Enum

from bot.core.account_links import (
    CONNECTED_FOR,
    LINK_LIFETIME,
    LINKS_AT_MOST,
    LINKS_WINDOW,
    TOKEN,
    TOKEN_BYTES,
    AccountLink,
    hash_token,
)
from bot.core.conversations import Conversation, ConversationEvent
from bot.core.customers import CustomerId
from bot.services.audit import record_audit
from bot.services.conversations import channel_conversation
from bot.services.handoff_leaving import keep_proof_of
from bot.services.persons import customer_of
from bot.services.ports import Clock, UnitOfWork
from bot.services.sign_out import sign_out

# Kept a little longer than they count, so that somebody who comes late hears that it is over.
LINKS_KEPT = 24 * LINKS_WINDOW


class LinkUse(str, Enum):
    """What became of a link that somebody came by."""

    CONNECTED = "connected"
    OVER = "over"  # used, run out, or never made
    OTHERS = "others"  # the account is another customer's


async def issue_link(work: UnitOfWork, clock: Clock, customer_id: CustomerId, channel: str) -> str | None:
    """A token that connects whoever brings it from the channel with the customer: once, within a quarter of an hour.

    The customer must be proven. None when they have had their share of links for the hour. Raises CustomerNotFound.
    """
    now = clock.now()
    # So that links from several conversations at once are counted one after the other.
    await work.customers.lock(customer_id)
    customer = await customer_of(work, customer_id)
    if await work.account_links.made_for(customer.id, now - LINKS_WINDOW) >= LINKS_AT_MOST:
        return None
    await work.account_links.forget(customer.id, now - LINKS_KEPT)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await work.account_links.add(AccountLink(hash_token(token), channel, customer.id, now, now + LINK_LIFETIME))
    detail = {"channel": channel}
    await record_audit(work, clock, actor="customer", action="link", customer_id=customer.id, detail=detail)
    return token


async def is_good_link(work: UnitOfWork, clock: Clock, channel: str, token: str) -> bool:
    """Whether somebody who comes by the link now will be connected, as far as the link goes. Uses nothing up."""
    link = await work.account_links.get(hash_token(token)) if TOKEN.fullmatch(token) else None
    return link is not None and link.channel == channel and link.is_good(clock.now())


async def use_link(work: UnitOfWork, clock: Clock, conversation: Conversation, token: str) -> LinkUse:
    """Make the account that the conversation is held from, and what is said there next, the link's customer's.

    They count as proven until they log out, or for 180 days: that is the conversation's `verified_until`, like every
    proof, so that one place says who is believed and logging out ends it. The conversation must be locked. Only
    CONNECTED changes anything; whoever is connected already, and comes by the same link again, is still.

    Whose link it is says nothing of who wrote before: what was said as nobody stays nobody's, and is over for the
    account. The account's conversation is another one then (channel_conversation). One that is over is not connected.
    """
    now = clock.now()
    account = await work.conversations.account_of(conversation.id)
    link = await work.account_links.lock(hash_token(token)) if TOKEN.fullmatch(token) else None
    if account is None or link is None or link.channel != conversation.channel:
        return LinkUse.OVER
    if conversation.signed_out_at is not None:
        return LinkUse.OVER
    customer = await customer_of(work, link.customer_id)
    if customer.erased_at is not None:
        return LinkUse.OVER
    if not link.is_good(now):
        is_theirs = link.used_at is not None and conversation.verified_customer(now) == customer.id
        return LinkUse.CONNECTED if is_theirs else LinkUse.OVER
    if not {conversation.customer_id, account.customer_id} <= {None, customer.id}:
        # They may log out first, so the link stays good.
        await _note(work, clock, "refuse_link", customer.id, conversation)
        return LinkUse.OTHERS
    if conversation.customer_id is None and conversation.last_seq > 0:
        await sign_out(work, clock, conversation)
        conversation = await channel_conversation(work, clock, channel=account.channel, external_id=account.external_id)
    await work.account_links.save(replace(link, used_at=now))
    await work.customers.link_account(account.channel, account.external_id, customer.id)
    connected = replace(conversation, customer_id=customer.id, verified_until=now + CONNECTED_FOR)
    await work.conversations.save(await keep_proof_of(work, clock, connected))
    await work.conversations.add_event(ConversationEvent(conversation.id, "connected_by_link", now))
    await _note(work, clock, "connect_account", customer.id, conversation)
    return LinkUse.CONNECTED


async def _note(
    work: UnitOfWork, clock: Clock, action: str, customer_id: CustomerId, conversation: Conversation
) -> None:
    detail = {"channel": conversation.channel, "conversation": conversation.id}
    await record_audit(work, clock, actor="customer", action=action, customer_id=customer_id, detail=detail)
