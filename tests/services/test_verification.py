"""Proving an e-mail address with a one-time code: mailed to its owner only, good once, guessed at by nobody."""

import asyncio
import logging
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.core.verification import CODE_LIMITS, VERIFIED_FOR
from bot.services.conversations import open_channel_conversation
from bot.services.outbox import deliver_next
from bot.services.sign_out import sign_out
from bot.services.verification import CodeRefusal, CodeSending, Verified, check_code, send_code
from bot.storage import tables
from tests.builders import NOW, a_code, conversation_now, events_now, stored_conversation, stored_customer
from tests.services.mails import sent_mails

SENT, TOO_MANY_CODES = CodeSending.SENT, CodeSending.TOO_MANY
WRONG, EXPIRED, TOO_MANY = CodeRefusal.WRONG, CodeRefusal.EXPIRED, CodeRefusal.TOO_MANY
MARIA = "maria@example.com"


@pytest.fixture
async def maria(db):
    return await stored_customer(db, external_id="C-1", email=MARIA)


@pytest.fixture
async def conversation(db):
    return await stored_conversation(db)


async def send(db, clock, shop, conversation, email=MARIA):
    async with db.transaction() as work:
        return await send_code(work, clock, shop, conversation, email)


async def check(db, clock, conversation, typed):
    async with db.transaction() as work:
        return await check_code(work, clock, await work.conversations.lock(conversation.id), typed)


async def mailed_codes(db, clock):
    return [re.search(r"is: (\d{6})$", mail.body, re.MULTILINE).group(1) for mail in await sent_mails(db, clock)]


async def code_for(db, clock, shop, conversation, email=MARIA):
    assert await send(db, clock, shop, conversation, email) is SENT
    (code,) = await mailed_codes(db, clock)
    return code


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


# Sending


async def test_a_code_is_mailed_to_the_address_on_file(db, clock, shop, maria, conversation):
    assert await send(db, clock, shop, conversation, " Maria@Example.com ") is SENT

    (mail,) = await sent_mails(db, clock)
    assert (mail.to, mail.subject) == (MARIA, "[Corner Shop] Your code")
    assert "Hello Maria," in mail.body
    assert "good for 10 minutes" in mail.body
    assert "Do not share it" in mail.body


async def test_nobody_learns_whether_a_customer_has_the_address(db, clock, shop, maria):
    known, unknown = await stored_conversation(db), await stored_conversation(db)

    to_known = [await send(db, clock, shop, known) for _ in range(5)]
    to_unknown = [await send(db, clock, shop, unknown, "nobody@example.com") for _ in range(5)]

    assert to_known == to_unknown == [SENT] * 3 + [TOO_MANY_CODES] * 2
    assert {mail.to for mail in await sent_mails(db, clock)} == {MARIA}
    assert await check(db, clock, known, "abc") is await check(db, clock, unknown, "abc") is WRONG


@pytest.mark.parametrize("email", ["", " ", "\x00", "@", "x" * 5_000 + "@example.com", "\ud800@example.com", "%"])
async def test_what_is_no_address_gets_the_same_answer(db, clock, shop, maria, conversation, email):
    assert await send(db, clock, shop, conversation, email) is SENT
    assert await sent_mails(db, clock) == []


async def test_what_is_kept_is_no_code(db, clock, shop, maria, conversation, caplog):
    # As chatty as the service ever is; the drivers tell everything below.
    caplog.set_level(logging.INFO)
    code = await code_for(db, clock, shop, conversation)

    async with db.transaction() as work:
        kept = await work.codes.lock_latest(conversation.id)

    assert (kept.email, kept.customer_id, kept.attempts, kept.used_at) == (MARIA, maria.id, 0, None)
    assert (kept.created_at, kept.expires_at) == (NOW, NOW + timedelta(minutes=10))
    salt, _, digest = kept.code_hash.partition(":")
    assert (len(salt), len(digest)) == (32, 64)
    assert code not in caplog.text


async def test_the_text_of_the_mail_is_not_kept_once_it_is_sent(db, clock, shop, maria, conversation):
    await send(db, clock, shop, conversation)
    sent = []

    async def deliver(mail):
        sent.append(mail)

    entry = await deliver_next(db, clock, deliver)

    assert "Your code" in sent[0].body
    assert entry.sent_at is not None
    assert entry.payload["body"] == ""


async def test_an_address_is_protected_from_many_conversations(db, clock, shop, maria):
    answers = [await send(db, clock, shop, await stored_conversation(db)) for _ in range(7)]

    assert answers == [SENT] * 5 + [TOO_MANY_CODES] * 2
    assert len(await sent_mails(db, clock)) == 5
    clock.advance(CODE_LIMITS.window)
    assert await send(db, clock, shop, await stored_conversation(db)) is SENT


@pytest.mark.parametrize("email", [MARIA, "nobody@example.com"])
async def test_requests_from_many_conversations_at_once_are_all_counted(sql_db, clock, shop, email):
    await stored_customer(sql_db, email=MARIA)
    conversations = [await stored_conversation(sql_db) for _ in range(12)]

    answers = await asyncio.gather(*(send(sql_db, clock, shop, each, email) for each in conversations))

    assert Counter(answers) == {SENT: 5, TOO_MANY_CODES: 7}


# Checking


async def test_the_right_code_makes_the_conversation_the_customers_for_a_while(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)
    clock.advance(minutes=9, seconds=59)

    verified = await check(db, clock, conversation, f"It is {code[:3]} {code[3:]}.")

    assert isinstance(verified, Verified)
    assert verified.customer == maria
    assert verified.conversation == await conversation_now(db, conversation.id)
    assert verified.conversation.customer_id == maria.id
    assert verified.conversation.verified_until == clock.now() + VERIFIED_FOR
    assert verified.conversation.verified_customer(clock.now()) == maria.id
    assert [event.detail for event in await events_now(db, conversation.id, "verified_by_code")] == [{}]


async def test_a_code_works_once(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)
    await check(db, clock, conversation, code)

    assert await check(db, clock, conversation, code) is EXPIRED


async def test_a_code_works_in_its_own_conversation_only(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)
    elsewhere = await stored_conversation(db)

    assert await check(db, clock, elsewhere, code) is EXPIRED
    await send(db, clock, shop, elsewhere, "nobody@example.com")
    assert await check(db, clock, elsewhere, code) is WRONG
    assert (await conversation_now(db, elsewhere.id)).customer_id is None


async def test_a_code_is_good_for_ten_minutes(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)
    clock.advance(CODE_LIMITS.lifetime)

    assert await check(db, clock, conversation, code) is EXPIRED
    assert (await conversation_now(db, conversation.id)).customer_id is None


async def test_without_a_code_there_is_nothing_to_check(db, clock, conversation):
    assert await check(db, clock, conversation, "123456") is EXPIRED


@pytest.mark.parametrize("seconds", [0, 5])
async def test_a_new_code_ends_the_one_before(db, clock, shop, maria, conversation, seconds):
    first = await code_for(db, clock, shop, conversation)
    clock.advance(seconds=seconds)
    second = await code_for(db, clock, shop, conversation)

    if first != second:
        assert await check(db, clock, conversation, first) is WRONG
    assert isinstance(await check(db, clock, conversation, second), Verified)
    assert await check(db, clock, conversation, first) is EXPIRED


async def test_after_five_wrong_tries_even_the_right_code_is_refused(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)

    tries = [await check(db, clock, conversation, wrong(code)) for _ in range(5)]

    assert tries == [WRONG] * 4 + [TOO_MANY]
    assert await check(db, clock, conversation, code) is TOO_MANY
    fresh = await code_for(db, clock, shop, conversation)
    assert isinstance(await check(db, clock, conversation, fresh), Verified)


async def test_the_fifth_try_may_be_the_right_one(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)
    for _ in range(4):
        await check(db, clock, conversation, wrong(code))

    assert isinstance(await check(db, clock, conversation, code), Verified)


@pytest.mark.parametrize("typed", ["", "what code?", "12345", "1234567", "\x00", "maria@example.com"])
async def test_what_is_no_code_is_no_try(db, clock, shop, maria, conversation, typed):
    code = await code_for(db, clock, shop, conversation)

    assert [await check(db, clock, conversation, typed) for _ in range(8)] == [WRONG] * 8
    assert isinstance(await check(db, clock, conversation, code), Verified)


async def test_wrong_codes_at_one_moment_are_all_counted(sql_db, clock, shop):
    await stored_customer(sql_db, email=MARIA)
    conversation = await stored_conversation(sql_db)
    code = await code_for(sql_db, clock, shop, conversation)

    ended = await asyncio.gather(*(check(sql_db, clock, conversation, wrong(code)) for _ in range(20)))

    assert Counter(ended) == {WRONG: 4, TOO_MANY: 16}
    assert await check(sql_db, clock, conversation, code) is TOO_MANY
    async with sql_db.transaction() as work:
        assert (await work.codes.lock_latest(conversation.id)).attempts == CODE_LIMITS.tries


async def test_of_two_who_type_the_right_code_at_once_one_is_verified(sql_db, clock, shop):
    await stored_customer(sql_db, email=MARIA)
    conversation = await stored_conversation(sql_db)
    code = await code_for(sql_db, clock, shop, conversation)

    ended = await asyncio.gather(*(check(sql_db, clock, conversation, code) for _ in range(2)))

    assert [result for result in ended if not isinstance(result, Verified)] == [EXPIRED]


async def test_a_conversation_of_another_customer_stays_theirs(db, clock, shop, maria):
    john = await stored_customer(db)
    theirs = await stored_conversation(db, customer_id=john.id, verified_until=NOW - timedelta(days=1))

    assert await send(db, clock, shop, theirs) is SENT
    assert await sent_mails(db, clock) == []
    async with db.transaction() as work:
        await work.codes.add(a_code(theirs, customer_id=maria.id))

    assert await check(db, clock, theirs, "123456") is WRONG
    assert await conversation_now(db, theirs.id) == theirs


async def test_a_conversation_that_became_somebodys_meanwhile_is_not_taken_over(db, clock, shop, maria, conversation):
    john = await stored_customer(db)
    code = await code_for(db, clock, shop, conversation)
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        await work.conversations.save(replace(locked, customer_id=john.id, verified_until=NOW + timedelta(hours=1)))

    # Also when the caller has not noticed.
    async with db.transaction() as work:
        assert await check_code(work, clock, conversation, code) is WRONG
    assert (await conversation_now(db, conversation.id)).customer_id == john.id


async def test_a_customer_whose_proof_has_run_out_can_prove_themselves_again(db, clock, shop, maria):
    own = await stored_conversation(db, customer_id=maria.id, verified_until=NOW - timedelta(days=1))
    code = await code_for(db, clock, shop, own)

    verified = await check(db, clock, own, code)

    assert verified.conversation.verified_customer(NOW) == maria.id


async def test_a_proof_that_holds_longer_is_not_cut_short(db, clock, shop, maria):
    until = NOW + 2 * VERIFIED_FOR
    own = await stored_conversation(db, customer_id=maria.id, verified_until=until)
    code = await code_for(db, clock, shop, own)

    assert (await check(db, clock, own, code)).conversation.verified_until == until


async def test_a_code_that_went_to_nobody_proves_nothing(db, clock, conversation):
    async with db.transaction() as work:
        await work.codes.add(a_code(conversation))

    assert await check(db, clock, conversation, "123456") is WRONG
    assert (await conversation_now(db, conversation.id)).customer_id is None


async def test_a_try_of_a_turn_that_fails_changes_nothing(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)

    with pytest.raises(RuntimeError):
        async with db.transaction() as work:
            assert isinstance(await check_code(work, clock, conversation, code), Verified)
            raise RuntimeError

    assert (await conversation_now(db, conversation.id)).customer_id is None
    assert isinstance(await check(db, clock, conversation, code), Verified)


# Many conversations


async def fail_from_many_conversations(db, clock, shop, email, number):
    """So many wrong codes for one address, five from a conversation, as fast as codes are sent."""
    tried = 0
    while tried < number:
        conversation = await stored_conversation(db)
        while await send(db, clock, shop, conversation, email) is TOO_MANY_CODES:
            clock.advance(timedelta(minutes=1))
        for _ in range(min(CODE_LIMITS.tries, number - tried)):
            await check(db, clock, conversation, "000000")
            tried += 1


@pytest.mark.parametrize("email", [MARIA, "nobody@example.com"])
async def test_one_address_cannot_be_guessed_at_from_many_conversations(db, clock, shop, maria, email):
    await fail_from_many_conversations(db, clock, shop, email, CODE_LIMITS.wrong_per_address)
    clock.advance(timedelta(minutes=25))  # so that it is not for the number of codes alone

    # The same for a customer's address and for nobody's.
    assert await send(db, clock, shop, await stored_conversation(db), email) is TOO_MANY_CODES
    clock.advance(CODE_LIMITS.window)
    assert await send(db, clock, shop, await stored_conversation(db), email) is SENT


async def test_whoever_guesses_elsewhere_does_not_shut_the_owner_out(db, clock, shop, maria, conversation):
    code = await code_for(db, clock, shop, conversation)
    for _ in range(CODE_LIMITS.per_address - 1):
        stranger = await stored_conversation(db)
        assert await send(db, clock, shop, stranger, MARIA) is SENT
        for _ in range(CODE_LIMITS.tries):
            await check(db, clock, stranger, "000000")

    assert isinstance(await check(db, clock, conversation, code), Verified)


async def test_another_address_is_not_closed_by_it(db, clock, shop, maria):
    john = await stored_customer(db, email="john@example.com")
    await fail_from_many_conversations(db, clock, shop, MARIA, CODE_LIMITS.wrong_per_address)
    await mailed_codes(db, clock)
    conversation = await stored_conversation(db)
    code = await code_for(db, clock, shop, conversation, john.email)

    assert isinstance(await check(db, clock, conversation, code), Verified)


async def test_what_is_kept_of_wrong_codes_names_no_address(sql_db, clock, shop):
    await stored_customer(sql_db, email=MARIA)
    await fail_from_many_conversations(sql_db, clock, shop, MARIA, 1)

    async with sql_db.reading() as work:
        subjects = list(await work.conversations._connection.scalars(select(tables.verification_attempts.c.subject)))
    assert len(subjects) == 1 and "maria" not in subjects[0]


async def test_an_account_that_logs_out_gets_no_more_codes_than_others(sql_db, clock, shop):
    await stored_customer(sql_db, email=MARIA)
    for number in range(CODE_LIMITS.per_conversation + 1):
        talk = await open_channel_conversation(sql_db, clock, channel="telegram", external_id="1001")
        sent = await send(sql_db, clock, shop, talk)
        assert sent is (SENT if number < CODE_LIMITS.per_conversation else TOO_MANY_CODES)
        async with sql_db.transaction() as work:
            await sign_out(work, clock, await work.conversations.lock(talk.id))
