"""Customers' records: what they are known by follows from them, and a proof counts for more than a claim."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.customers import EMAIL, PHONE, SHOP, UsedAddress, erased_external_id
from bot.core.lifecycle import Stage
from bot.core.merges import MergeState
from bot.core.orders import OrderStatus
from bot.errors import CustomerNotFound, NoteRefused
from bot.services.conversations import ProvenIdentity, open_web_conversation
from bot.services.customers import (
    add_customer,
    add_note,
    add_tag,
    find_customer,
    prove_identity,
    remove_tag,
    save_customer,
    stage_of,
)
from bot.services.merges import proposals
from bot.services.persons import customer_of
from bot.services.verification import Verified, check_code, send_code
from tests.builders import NOW, a_customer, an_identity, stored_conversation, stored_customer, stored_order
from tests.services.mails import sent_mails

DAY = timedelta(days=1)
MARIA = "maria@example.com"


async def add(db, clock, **changes):
    customer = a_customer(**changes)
    async with db.transaction() as work:
        assert await add_customer(work, clock, customer)
    return customer


async def save(db, clock, customer):
    async with db.transaction() as work:
        await save_customer(work, clock, customer)


async def prove(db, clock, customer, value=MARIA, kind=EMAIL):
    async with db.transaction() as work:
        return await prove_identity(work, clock, customer.id, kind, value)


async def known(db, customer):
    """What a customer is known by: {(kind, value): (source, whether proven)}."""
    async with db.reading() as work:
        found = await work.identities.of_customers([customer.id])
    return {(one.kind, one.value): (one.source, one.verified_at is not None) for one in found}


async def by_email(db, email=MARIA):
    async with db.reading() as work:
        return await work.customers.by_email(email)


async def test_a_new_customer_is_known_by_what_the_shop_says(sql_db, clock):
    maria = await add(sql_db, clock, external_id="C-1", email=MARIA, phone="+63 917 123 4567")

    assert await known(sql_db, maria) == {
        (SHOP, "C-1"): ("shop", True),
        (EMAIL, MARIA): ("shop", True),
        (PHONE, "+639171234567"): ("shop", False),
    }


async def test_an_address_that_is_somebodys_already_is_only_claimed_and_the_two_are_proposed(sql_db, clock):
    first = await add(sql_db, clock, email=MARIA, created_at=NOW - DAY)
    second = await add(sql_db, clock, email=MARIA)

    assert (await known(sql_db, first))[EMAIL, MARIA] == ("shop", True)
    assert (await known(sql_db, second))[EMAIL, MARIA] == ("shop", False)
    async with sql_db.reading() as work:
        (proposal,) = await proposals(work)
    assert (proposal.kept_id, proposal.merged_id, proposal.reason) == (first.id, second.id, "same email")


async def test_a_changed_record_is_known_by_what_it_says_now(sql_db, clock):
    maria = await add(sql_db, clock, external_id="C-1", email=MARIA, phone="0917 123 4567")

    await save(sql_db, clock, replace(maria, email="mia@example.com", phone=None, name="Mia Santos"))

    assert await known(sql_db, maria) == {(SHOP, "C-1"): ("shop", True), (EMAIL, "mia@example.com"): ("shop", True)}
    assert await by_email(sql_db) is None
    assert (await by_email(sql_db, "mia@example.com")).name == "Mia Santos"


async def test_what_somebody_proved_stays_theirs_when_the_shop_says_something_else(sql_db, clock):
    maria = await add(sql_db, clock, email=MARIA)
    await prove(sql_db, clock, maria)

    await save(sql_db, clock, replace(maria, email="mia@example.com"))

    assert (await known(sql_db, maria))[EMAIL, MARIA] == ("code", True)
    assert (await by_email(sql_db)).id == maria.id


async def test_saving_the_same_again_changes_nothing(sql_db, clock):
    maria = await add(sql_db, clock, email=MARIA, phone="0917 123 4567", address="7 Mango Avenue")
    before = await known(sql_db, maria)

    await save(sql_db, clock, maria)

    assert await known(sql_db, maria) == before


async def test_a_one_time_code_proves_the_address(sql_db, clock, shop):
    maria = await add(sql_db, clock, email=MARIA)
    conversation = await stored_conversation(sql_db)
    async with sql_db.transaction() as work:
        await send_code(work, clock, shop, conversation, MARIA)
    (mail,) = await sent_mails(sql_db, clock)
    code = next(word for word in mail.body.split() if word.isdigit() and len(word) == 6)

    async with sql_db.transaction() as work:
        assert isinstance(await check_code(work, clock, conversation, code), Verified)

    assert (await known(sql_db, maria))[EMAIL, MARIA] == ("code", True)


async def test_whoever_has_proven_an_address_is_found_by_it_before_an_older_record(sql_db, clock):
    await add(sql_db, clock, email=MARIA, created_at=NOW - DAY)
    younger = await stored_customer(sql_db, email="other@example.com")
    await prove(sql_db, clock, younger, "third@example.com")
    await add(sql_db, clock, email="third@example.com", created_at=NOW - DAY)

    assert (await by_email(sql_db, "third@example.com")).id == younger.id


async def test_two_who_prove_one_address_are_merged(sql_db, clock):
    first = await add(sql_db, clock, email=MARIA, created_at=NOW - DAY)
    second = await add(sql_db, clock, email="other@example.com")

    assert (await prove(sql_db, clock, second)).id == first.id
    assert (await prove(sql_db, clock, second)).id == first.id

    assert (await known(sql_db, first))[EMAIL, MARIA] == ("code", True)
    assert (await known(sql_db, first))[EMAIL, "other@example.com"] == ("shop", True)
    async with sql_db.reading() as work:
        (merge,) = await work.merges.in_state(MergeState.DONE, 9)
        assert (merge.kept_id, merge.merged_id, merge.reason) == (first.id, second.id, "verified email")
        assert (await customer_of(work, second.id)).id == first.id


async def test_a_proven_account_is_the_customers(sql_db, clock):
    maria = await add(sql_db, clock)
    account = an_identity(channel="telegram", external_id="4711")
    async with sql_db.transaction() as work:
        await work.customers.add_identity(account)

    await prove(sql_db, clock, maria, "4711", "telegram")

    assert (await known(sql_db, maria))["telegram", "4711"] == ("code", True)
    async with sql_db.reading() as work:
        assert (await work.customers.identity("telegram", "4711")).customer_id == maria.id


async def test_of_two_who_come_with_one_address_at_once_one_has_it(sql_db, clock):
    people = await asyncio.gather(*(add(sql_db, clock, email=MARIA) for _ in range(5)))

    async with sql_db.reading() as work:
        found = [one for one in await work.identities.of_customers([p.id for p in people]) if one.kind == EMAIL]
        assert (len(found), sum(one.verified_at is not None for one in found)) == (5, 1)


async def test_a_claim_alone_merges_nobody(sql_db, clock):
    await add(sql_db, clock, phone="+639171234567", created_at=NOW - DAY)
    second = await add(sql_db, clock, phone="+63 917 1234567")

    assert (await prove(sql_db, clock, second, "+639171234567", PHONE)).id == second.id

    async with sql_db.reading() as work:
        assert [one.reason for one in await proposals(work)] == ["same phone"]


async def test_where_parcels_went_is_kept(sql_db, clock):
    maria = await add(sql_db, clock, address="1 Old Street")
    clock.advance(DAY)
    await save(sql_db, clock, replace(maria, address="2 New Street"))
    clock.advance(DAY)
    async with sql_db.transaction() as work:
        await work.customers.set_address(maria.id, "1 Old Street", clock.now())

    async with sql_db.reading() as work:
        assert (await work.customers.get(maria.id)).address == "1 Old Street"
        assert await work.customers.addresses_of(maria.id) == [
            *(UsedAddress("1 Old Street", NOW + 2 * DAY), UsedAddress("2 New Street", NOW + DAY)),
        ]


async def test_a_customer_is_found_by_number_address_or_id(sql_db, clock):
    maria = await add(sql_db, clock, external_id="C-1", email=MARIA)

    async with sql_db.reading() as work:
        for name in ("C-1", " Maria@Example.com", maria.id):
            assert await find_customer(work, name) == maria
        assert await find_customer(work, "nobody") is None
        with pytest.raises(CustomerNotFound):
            await customer_of(work, "nobody")


async def test_the_shop_signs_nobody_in_who_was_erased(sql_db, clock):
    await add(sql_db, clock, external_id=erased_external_id("C-1"), email=None, name="", erased_at=NOW)
    identity = ProvenIdentity("C-1", MARIA, "Maria", NOW + DAY)

    conversation, customer = await open_web_conversation(sql_db, clock, conversation_id=None, identity=identity)

    assert (conversation.customer_id, customer) == (None, None)
    async with sql_db.reading() as work:
        assert await work.customers.count() == 1


async def test_a_customer_who_comes_with_a_known_address_is_proposed_too(sql_db, clock):
    await add(sql_db, clock, email=MARIA)
    identity = ProvenIdentity("C-2", MARIA, "Maria", NOW + DAY)

    _, customer = await open_web_conversation(sql_db, clock, conversation_id=None, identity=identity)

    assert (await known(sql_db, customer))[EMAIL, MARIA] == ("shop", False)
    async with sql_db.reading() as work:
        assert len(await proposals(work)) == 1


async def test_the_stage_follows_what_was_paid(sql_db, clock, shop):
    maria = await add(sql_db, clock)

    async def now():
        async with sql_db.reading() as work:
            return await stage_of(work, clock, shop, maria.id)

    assert await now() is Stage.LEAD
    await stored_order(sql_db, number="TC-1", customer_id=maria.id, status=OrderStatus.CANCELLED)
    assert await now() is Stage.LEAD
    await stored_order(sql_db, number="TC-2", customer_id=maria.id, status=OrderStatus.PAID)
    assert await now() is Stage.CUSTOMER
    await stored_order(sql_db, number="TC-3", customer_id=maria.id, placed_at=NOW - DAY)
    assert await now() is Stage.REPEAT
    clock.advance(days=shop.lapsed_days)
    assert await now() is Stage.LAPSED


async def test_notes_and_tags_are_kept_with_their_author_and_logged_without_their_text(sql_db, clock):
    maria = await add(sql_db, clock)
    async with sql_db.transaction() as work:
        await add_note(work, clock, maria.id, " Loves dark roasts. ", author="agent:Ana")
        for tag in ("VIP", "vip"):
            await add_tag(work, clock, maria.id, tag, author="agent:Ana")
        await add_tag(work, clock, maria.id, "wholesale", author="agent:Ben")
        await remove_tag(work, clock, maria.id, " Wholesale", author="agent:Ben")

    async with sql_db.reading() as work:
        (note,) = await work.notes.of_customer(maria.id)
        assert (note.text, note.author) == ("Loves dark roasts.", "agent:Ana")
        assert [tag.tag for tag in await work.notes.tags_of(maria.id)] == ["vip"]
        log = await work.audit.of_customers([maria.id])
    assert [(entry.actor, entry.action) for entry in log] == [
        *(("agent:Ana", "note"), ("agent:Ana", "tag"), ("agent:Ben", "tag"), ("agent:Ben", "untag")),
    ]
    assert "roast" not in repr(log)


@pytest.mark.parametrize("text", ["", " \n", "x" * 4_001])
async def test_a_note_that_says_nothing_or_too_much_is_refused(sql_db, clock, text):
    maria = await add(sql_db, clock)

    with pytest.raises(NoteRefused):
        async with sql_db.transaction() as work:
            await add_note(work, clock, maria.id, text, author="agent:Ana")
    with pytest.raises(NoteRefused):
        async with sql_db.transaction() as work:
            await add_tag(work, clock, maria.id, text, author="agent:Ana")
