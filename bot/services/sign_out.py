"""Logging out: a conversation is nobody's to see any more, and whoever writes next begins another one."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.core.channels import WEB
from bot.core.conversations import Conversation, ConversationEvent, InboundMessage, Message
from bot.core.wishes import SIGN_OUT
from bot.services.audit import record_audit
from bot.services.bot_lines import say_at_once
from bot.services.dropped_turns import drop_waiting
from bot.services.handoff_leaving import leave_by_logging_out
from bot.services.ports import Clock, Hint, UnitOfWork

# Only what cannot mean anything else: a person who speaks with them hears the rest.
_LOG_OUT = frozenset({"log me out", "log out", "logout", "sign me out", "sign out"})
_AROUND = re.compile(r"^\W+|\W+$")


async def sign_out(work: UnitOfWork, clock: Clock, conversation: Conversation) -> Conversation:
    """End the conversation's proof and part its account from the customer; the conversation as it is now, saved.

    It stays the customer's history. A person who was waited for, or who was there, is let go; codes and links that are
    on their way are worth nothing any more. The conversation must be locked. Safe to repeat.
    """
    now = clock.now()
    if conversation.signed_out_at is not None:
        return conversation
    conversation = await leave_by_logging_out(work, clock, conversation)
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


def says_log_out(inbound: InboundMessage) -> bool:
    """Whether a message says that they want to be logged out, and nothing else, for those who have no model to ask."""
    if inbound.payload is not None:
        return inbound.payload == f"/{SIGN_OUT}"
    return _AROUND.sub("", inbound.text.casefold()) in _LOG_OUT


async def log_out_at_once(work: UnitOfWork, clock: Clock, message: Message) -> None:
    """Do what the message says, without the bot, and say goodbye. Its conversation must be locked.

    What waited for the bot is not answered any more: the answer would be read by whoever has the account next.
    """
    conversation = await work.conversations.lock(message.conversation_id)
    if conversation is None:
        return
    conversation = await drop_waiting(work, conversation, clock.now())
    conversation = await say_at_once(work, clock, conversation, goodbye(conversation), answering=message)
    await sign_out(work, clock, conversation)


def goodbye(conversation: Conversation) -> str:
    """What is said to somebody who has just been logged out."""
    was_known = conversation.customer_id is not None
    done = "You are logged out here." if was_known else "You were not logged in, and I have forgotten what we spoke of."
    if conversation.channel == WEB:
        return f"{done} If you are signed in on our website, sign out there, too: otherwise I know you again next time."
    return f"{done} To sign in again, send me your e-mail address."
