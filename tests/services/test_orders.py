"""Who may see which order."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.verification import LookupLimits
from bot.services.orders import ORDER_LOOKUP, LookupRefusal, look_up_order, own_order
from tests.builders import NOW, stored_conversation, stored_customer, stored_order

LIMITS = LookupLimits(
    per_conversation=3, conversation_window=timedelta(minutes=15), per_order=5, order_window=timedelta(hours=1)
)
NO_MATCH, TOO_MANY = LookupRefusal.NO_MATCH, LookupRefusal.TOO_MANY_ATTEMPTS


@pytest.fixture
async def order(db):
    return await stored_order(db)


@pytest.fixture
async def conversation(db):
    return await stored_conversation(db)


async def look_up(db, clock, conversation, number="TC-10002", proof="wrong@example.com", limits=LIMITS):
    async with db.transaction() as work:
        return await look_up_order(
            work, clock, conversation_id=conversation.id, number=number, proof=proof, limits=limits
        )


@pytest.mark.parametrize("proof", ["maria@example.com", " MARIA@Example.com ", "1200", " 12-00 "])
async def test_the_number_with_the_address_or_the_postcode_shows_the_order(db, clock, order, conversation, proof):
    assert await look_up(db, clock, conversation, proof=proof) == order


async def test_a_wrong_number_and_a_wrong_proof_look_the_same(db, clock, order, conversation):
    wrong_number = await look_up(db, clock, conversation, number="TC-99999", proof="maria@example.com")
    wrong_proof = await look_up(db, clock, conversation, proof="john@example.com")

    assert wrong_number is wrong_proof is NO_MATCH
    async with db.reading() as work:
        failed = [
            await work.verifications.failed_for_subject(ORDER_LOOKUP, number, NOW - timedelta(minutes=1))
            for number in ("TC-99999", "TC-10002")
        ]
    assert failed == [1, 1]


@pytest.mark.parametrize("proof", ["", " ", "@", "None", "maria@example.com\x00", "٣١٢٠٠", "1200@", "x" * 5_000])
async def test_what_proves_nothing_shows_nothing(db, clock, order, conversation, proof):
    assert await look_up(db, clock, conversation, proof=proof) is NO_MATCH


@pytest.mark.parametrize("proof", ["", "@", "None", "none"])
async def test_an_order_without_address_and_postcode_is_shown_to_no_stranger(db, clock, conversation, proof):
    await stored_order(db, email=None, postcode=None)

    assert await look_up(db, clock, conversation, proof=proof) is NO_MATCH


async def test_too_many_wrong_guesses_in_a_conversation_refuse_even_the_right_one(db, clock, order, conversation):
    guesses = [await look_up(db, clock, conversation, number=f"TC-{i}0000") for i in range(3)]

    assert guesses == [NO_MATCH] * 3
    assert await look_up(db, clock, conversation, proof="1200") is TOO_MANY
    assert await look_up(db, clock, await stored_conversation(db), proof="1200") == order


async def test_a_conversation_may_try_again_when_its_window_has_passed(db, clock, order, conversation):
    for _ in range(3):
        await look_up(db, clock, conversation)
    clock.advance(LIMITS.conversation_window - timedelta(microseconds=1))
    assert await look_up(db, clock, conversation, proof="1200") is TOO_MANY

    clock.advance(timedelta(microseconds=1))

    assert await look_up(db, clock, conversation, proof="1200") == order


async def test_an_order_is_protected_from_guesses_out_of_many_conversations(db, clock, order):
    for _ in range(5):
        assert await look_up(db, clock, await stored_conversation(db)) is NO_MATCH

    newcomer = await stored_conversation(db)
    assert await look_up(db, clock, newcomer, proof="1200") is TOO_MANY
    assert await look_up(db, clock, newcomer, number="TC-99999") is NO_MATCH
    clock.advance(LIMITS.order_window)
    assert await look_up(db, clock, newcomer, proof="1200") == order


async def test_right_answers_use_up_no_attempts(db, clock, order, conversation):
    found = [await look_up(db, clock, conversation, proof="1200") for _ in range(8)]

    assert found == [order] * 8


async def test_an_attempt_that_is_rolled_back_shows_nothing_either(db, clock, order, conversation):
    with pytest.raises(RuntimeError):
        async with db.transaction() as work:
            await look_up_order(
                work, clock, conversation_id=conversation.id, number=order.number, proof="x", limits=LIMITS
            )
            raise RuntimeError

    async with db.reading() as work:
        assert not await work.verifications.failed_in_conversation(
            conversation.id, ORDER_LOOKUP, NOW - timedelta(hours=1)
        )


async def test_guesses_at_one_moment_are_all_counted(sql_db, clock):
    await stored_order(sql_db)
    conversations = [await stored_conversation(sql_db) for _ in range(12)]

    found = await asyncio.gather(*(look_up(sql_db, clock, conversation) for conversation in conversations))

    assert sorted(found, key=lambda refusal: refusal.value) == [NO_MATCH] * 5 + [TOO_MANY] * 7


async def test_the_limits_of_the_shop_are_the_ones_that_count(db, clock, order, conversation):
    strict = replace(LIMITS, per_conversation=1)

    assert await look_up(db, clock, conversation, limits=strict) is NO_MATCH
    assert await look_up(db, clock, conversation, proof="1200", limits=strict) is TOO_MANY


async def test_a_verified_customer_sees_their_own_orders_only(db):
    maria, john = await stored_customer(db), await stored_customer(db)
    order = await stored_order(db, customer_id=maria.id)
    await stored_order(db, number="TC-2", customer_id=None)

    async with db.reading() as work:
        assert await own_order(work, maria.id, order.number) == order
        assert await own_order(work, john.id, order.number) is None
        assert await own_order(work, john.id, "TC-2") is None
        assert await own_order(work, maria.id, "TC-99999") is None


async def look_up_imported(db, clock, conversation, proof):
    async with db.transaction() as work:
        return await look_up_order(
            work,
            clock,
            conversation_id=conversation.id,
            number="TC-536365",
            proof=proof,
            limits=LIMITS,
            other_forms=("536365", "TC536365"),
        )


async def test_an_order_kept_in_another_form_is_found_by_its_proof(db, clock, conversation):
    imported = await stored_order(db, number="536365")

    assert await look_up_imported(db, clock, conversation, "maria@example.com") == imported


async def test_of_two_orders_with_one_number_the_proven_one_is_shown(db, clock, conversation):
    await stored_order(db, number="TC-536365", email="john@example.com", postcode="6000")
    imported = await stored_order(db, number="536365")

    assert await look_up_imported(db, clock, conversation, "maria@example.com") == imported


async def test_all_forms_of_a_number_together_are_one_attempt(db, clock, conversation):
    await stored_order(db, number="536365")
    results = [await look_up_imported(db, clock, conversation, "wrong@example.com") for _ in range(4)]

    assert results == [NO_MATCH] * 3 + [TOO_MANY]
