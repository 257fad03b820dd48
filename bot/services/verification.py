"""Proving who one is: a one-time code to the e-mail address that the shop has on file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from enum import Enum

from bot.core.consents import hash_address
from bot.core.conversations import Conversation, ConversationEvent, clean_text
from bot.core.customers import EMAIL, Customer, normalise_email
from bot.core.shop import Shop
from bot.core.verification import (
    CODE_DIGITS,
    CODE_LIMITS,
    VERIFIED_FOR,
    VerificationCode,
    find_code,
    hash_code,
    is_code,
)
from bot.services.customers import prove_identity
from bot.services.ids import new_id
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, UnitOfWork, VerificationAttempt

MAX_EMAIL_CHARACTERS = 254
# What counts wrong codes, by the address's hash.
CODE_TRY = "code"


class CodeSending(Enum):
    """What is said about sending a code. Whether a customer has the address is not said, on purpose."""

    SENT = "sent"
    TOO_MANY = "too_many"


class CodeRefusal(Enum):
    """Why a typed code proves nothing. After EXPIRED and TOO_MANY only a new code helps."""

    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_MANY = "too_many"


@dataclass(frozen=True)
class Verified:
    """The customer who proved themselves, and the conversation as it is now: theirs, for a while."""

    conversation: Conversation
    customer: Customer


async def may_send_code(work: UnitOfWork, clock: Clock, conversation: Conversation) -> bool:
    """Whether the conversation has not had its share of codes for the hour; to which address does not matter."""
    sent = await work.codes.sent_in_conversation(conversation.id, clock.now() - CODE_LIMITS.window)
    return not CODE_LIMITS.is_reached(sent, 0)


async def send_code(work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, email: str) -> CodeSending:
    """Mail a one-time code to the address if a customer has it; the conversation's earlier codes end.

    The answer is the same, and what is recorded too, when no customer has the address. TOO_MANY when this account or
    this address has had its share of codes for the hour, or of wrong ones.
    """
    now = clock.now()
    since = now - CODE_LIMITS.window
    email = normalise_email(clean_text(email))[:MAX_EMAIL_CHARACTERS]
    await work.conversations.lock(conversation.id)
    # So that requests from many conversations at once are counted one after the other.
    await work.codes.lock_address(email)
    sent = await work.codes.sent_in_conversation(conversation.id, since), await work.codes.sent_to_address(email, since)
    if CODE_LIMITS.is_reached(*sent) or await _is_closed(work, clock, email):
        return CodeSending.TOO_MANY
    customer = await work.customers.by_email(email)
    if customer is not None and conversation.customer_id not in (None, customer.id):
        # It could not be used here, so nobody needs the mail.
        customer = None
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    record = VerificationCode(
        id=new_id(),
        conversation_id=conversation.id,
        email=email,
        customer_id=customer.id if customer else None,
        code_hash=hash_code(code, secrets.token_hex(16)),
        created_at=now,
        expires_at=now + CODE_LIMITS.lifetime,
    )
    await work.codes.add(record)
    if customer is not None:
        await queue_mail(
            work,
            clock,
            key=f"code:{record.id}",
            to=email,
            subject=f"[{shop.name}] Your code",
            body="\n".join(
                [
                    f"Hello {customer.first_name}," if customer.first_name else "Hello,",
                    "",
                    f"Your code for the chat with {shop.assistant_name} is: {code}",
                    "",
                    f"It is good for {CODE_LIMITS.lifetime.seconds // 60} minutes, in the chat where you asked for it.",
                    "Do not share it with anybody: our team will never ask you for it.",
                    "If you did not ask for a code, you can ignore this mail; nobody gets in without it.",
                    "",
                    shop.name,
                ]
            ),
            is_secret=True,
        )
    return CodeSending.SENT


async def check_code(work: UnitOfWork, clock: Clock, conversation: Conversation, typed: str) -> Verified | CodeRefusal:
    """Compare what was typed with the conversation's latest code; the right one makes the conversation that customer's.

    A code works once, for ten minutes and five tries; the fifth wrong one is TOO_MANY already. What others try
    elsewhere for the same address does not count here: they would shut its owner out. What holds no six digits is
    WRONG, and no try. A conversation that belongs to another customer stays theirs (WRONG). On success the caller goes
    on with the returned conversation, which is saved.
    """
    now = clock.now()
    # The turn holds this lock already. Whoever does not must not overwrite what happened meanwhile.
    current = await work.conversations.lock(conversation.id)
    code = await work.codes.lock_latest(conversation.id)
    if current is None or code is None or now >= code.expires_at:
        return CodeRefusal.EXPIRED
    if code.attempts >= CODE_LIMITS.tries:
        return CodeRefusal.TOO_MANY
    given = find_code(typed)
    if given is None:
        return CodeRefusal.WRONG
    code = replace(code, attempts=code.attempts + 1)
    customer = await work.customers.get(code.customer_id) if code.customer_id else None
    is_right = is_code(given, code.code_hash)
    if not is_right or customer is None or current.customer_id not in (None, customer.id):
        await work.codes.save(code)
        wrong = VerificationAttempt(new_id(), current.id, CODE_TRY, hash_address(EMAIL, code.email), False, now)
        await work.verifications.add(wrong)
        return CodeRefusal.TOO_MANY if code.attempts >= CODE_LIMITS.tries else CodeRefusal.WRONG
    await work.codes.save(replace(code, used_at=now))
    customer = await prove_identity(work, clock, customer.id, EMAIL, code.email)
    until = max(now + VERIFIED_FOR, current.verified_until or now)
    verified = replace(current, customer_id=customer.id, verified_until=until)
    await work.conversations.save(verified)
    await work.conversations.add_event(ConversationEvent(current.id, "verified_by_code", now))
    return Verified(verified, customer)


async def _is_closed(work: UnitOfWork, clock: Clock, email: str) -> bool:
    """Whether too many wrong codes came for the address, a customer's or not."""
    since = clock.now() - CODE_LIMITS.window
    wrong = await work.verifications.failed_for_subject(CODE_TRY, hash_address(EMAIL, email), since)
    return wrong >= CODE_LIMITS.wrong_per_address
