"""Two customers who are one: everything goes along, nothing is lost, and it can all go back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import insert, select

from bot.core.consents import MARKETING
from bot.core.customers import EMAIL, SHOP, Tag
from bot.core.ledger import EntryKind
from bot.core.loyalty import EarningRules, Program
from bot.core.merges import MergeState
from bot.core.orders import OrderStatus
from bot.core.punch_cards import NEW, StampEntry, StampKind
from bot.core.referrals import Referral
from bot.errors import CustomerNotFound, MergeRefused
from bot.services.consents import may_contact, record_consent
from bot.services.conversations import ProvenIdentity, open_web_conversation
from bot.services.customers import add_note, prove_identity
from bot.services.earning import settle_order
from bot.services.ids import new_id
from bot.services.ledger import (
    award_points,
    balance_of,
    redeem_points,
    take_back_points,
    undo_redemption,
)
from bot.services.merges import (
    accept_merge,
    dismiss_merge,
    find_proposals,
    follow_up_merge,
    merge_customers,
    proposals,
    propose_for,
    propose_merge,
    undo_merge,
)
from bot.services.persons import customer_of
from bot.storage import tables
from bot.storage.merges import MOVED
from tests.builders import (
    NOW,
    a_code,
    a_customer,
    a_request,
    a_return,
    a_shop,
    an_order,
    stored_conversation,
    stored_customer,
    stored_order,
)

DAY = timedelta(days=1)
MARIA, MIA = "maria@example.com", "mia@example.com"


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db, external_id="C-1", email=MARIA, created_at=NOW - DAY)


@pytest.fixture
async def mia(sql_db):
    """Maria once more, under another number."""
    return await stored_customer(sql_db, external_id="C-2", email=MIA, phone="+639171234567", address="7 Mango Avenue")


async def merge(db, clock, kept, merged, **more):
    async with db.transaction() as work:
        return await merge_customers(work, clock, kept.id, merged.id, reason="asked", author="agent:Ana", **more)


async def undo(db, clock, done):
    async with db.transaction() as work:
        return await undo_merge(work, clock, done.id, author="agent:Ana")


async def balance(db, clock, customer):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return (await balance_of(work, clock, customer.id)).available


async def everything(db):
    """Every row of every table but those that only ever grow."""
    growing = {"ledger_entries", "ledger_allocations", "ledger_open", "loyalty_accounts", "stamps", "audit_log"}
    growing.add("customer_merges")
    async with db.reading() as work:
        connection = work.customers._connection
        return {
            table.name: sorted(map(repr, (await connection.execute(select(table))).all()))
            for table in tables.metadata.sorted_tables
            if table.name not in growing
        }


async def has_things(db, clock, customer, number):
    """A row of everything that a customer can have, under numbers of their own."""
    conversation = await stored_conversation(db, customer_id=customer.id)
    order = await stored_order(db, number=f"TC-{number}", customer_id=customer.id)
    async with db.transaction() as work:
        connection = work.customers._connection
        await work.returns.add(a_return(order, number=f"R-{number}"))
        await work.requests.add(a_request(conversation, number=f"S-{number}", customer_id=customer.id))
        await work.codes.add(a_code(conversation, customer_id=customer.id))
        await add_note(work, clock, customer.id, f"Note {number}", author="agent:Ana")
        for tag in ("both", f"only {number}"):
            await work.notes.add_tag(customer.id, Tag(tag, "agent:Ana", NOW))
        await work.ledger.lock(customer.id, NOW)
        for table, values in _rows(customer.id, number):
            await connection.execute(insert(table).values(customer_id=customer.id, **values))
    return order


def _rows(customer_id, number):
    yield (
        tables.channel_identities,
        {
            **{"id": new_id(), "channel": "telegram", "external_id": f"{number}", "created_at": NOW},
        },
    )
    yield (
        tables.vouchers,
        {
            **{"code": f"SUKI-{number}", "kind": "reward", "name": "cup", "title": "A cup", "effect": {}},
            **{
                "minimum_minor": 0,
                "stackable": False,
                "use_limit": 1,
                "uses": 0,
                "key": f"v{number}",
                "created_at": NOW,
            },
        },
    )
    yield (
        tables.voucher_uses,
        {
            **{"id": new_id(), "code": f"SUKI-{number}", "key": f"u{number}", "state": "redeemed"},
            **{"discount_minor": 1, "total_minor": 9, "reserved_at": NOW, "ended_at": NOW},
        },
    )
    yield (
        tables.gift_cards,
        {
            **{"id": new_id(), "code_hash": f"{number:064}", "last_characters": "AAAA", "currency": "USD"},
            **{"created_at": NOW},
        },
    )
    yield (
        tables.account_links,
        {"token_hash": f"{number:064}", "channel": "telegram", "created_at": NOW, "expires_at": NOW},
    )
    yield tables.feedback, {"id": new_id(), "kind": "csat", "key": f"f{number}", "asked_at": NOW}
    yield (
        tables.credit_notes,
        {
            **{"number": f"CN-{number}", "total_minor": 5, "currency": "USD", "issued_at": NOW},
        },
    )


async def owners(db, customer):
    """How many rows of each table are the customer's."""
    async with db.reading() as work:
        connection = work.customers._connection
        found = {}
        for table in tables.metadata.sorted_tables:
            if "customer_id" in table.c:
                rows = await connection.scalars(select(table.c.customer_id).where(table.c.customer_id == customer.id))
                found[table.name] = len(rows.all())
        return found


STAYS = {"audit_log", "ledger_entries", "ledger_open", "loyalty_accounts", "stamps", "customer_tags"}


async def test_everything_that_the_one_has_is_the_others(sql_db, clock, maria, mia):
    await has_things(sql_db, clock, maria, 1)
    await has_things(sql_db, clock, mia, 2)
    before = await owners(sql_db, maria), await owners(sql_db, mia)

    await merge(sql_db, clock, maria, mia)

    mine, theirs = await owners(sql_db, maria), await owners(sql_db, mia)
    assert {name: theirs[name] for name in theirs if name not in STAYS} == dict.fromkeys(theirs.keys() - STAYS, 0)
    for name in theirs.keys() - STAYS:
        assert before[1][name] > 0, f"there is nothing in {name} to be moved"
        assert mine[name] == before[0][name] + before[1][name], name
    async with sql_db.reading() as work:
        assert [tag.tag for tag in await work.notes.tags_of(maria.id)] == ["both", "only 1", "only 2"]


def test_whatever_belongs_to_a_customer_is_known_to_merging():
    theirs = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.sorted_tables
        for column in table.c
        if any(key.column.table.name in ("customers", "loyalty_accounts") for key in column.foreign_keys)
    }
    moved = {f"{key.table.name}.customer_id" for key in MOVED}

    assert theirs - moved == {
        # With more care.
        *("customer_identities.customer_id", "customer_tags.customer_id"),
        *("referrals.referee_id", "referrals.referrer_id"),
        # By entries of their own.
        *("loyalty_accounts.customer_id", "ledger_entries.customer_id", "stamps.customer_id"),
        # The merges themselves.
        *("customer_merges.kept_id", "customer_merges.merged_id"),
    }


async def test_undoing_gives_everything_back(sql_db, clock, maria, mia):
    await has_things(sql_db, clock, maria, 1)
    await has_things(sql_db, clock, mia, 2)
    before = await everything(sql_db)

    done = await merge(sql_db, clock, maria, mia)
    assert await everything(sql_db) != before
    undone = await undo(sql_db, clock, done)

    assert await everything(sql_db) == before
    assert (undone.state, undone.ended_at) == (MergeState.UNDONE, NOW)
    assert await undo(sql_db, clock, done) == undone


async def test_merging_again_changes_nothing(sql_db, clock, maria, mia):
    await has_things(sql_db, clock, mia, 2)
    done = await merge(sql_db, clock, maria, mia)
    before = await everything(sql_db)

    assert await merge(sql_db, clock, maria, mia) == done
    async with sql_db.transaction() as work:
        assert await accept_merge(work, clock, done.id, author="agent:Ben") == done
    assert await everything(sql_db) == before


async def test_what_is_missing_is_taken_over_and_goes_again_unless_it_was_changed(sql_db, clock, maria, mia):
    done = await merge(sql_db, clock, maria, mia)
    async with sql_db.transaction() as work:
        kept = await work.customers.get(maria.id)
        assert (kept.email, kept.phone, kept.address) == (MARIA, "+639171234567", "7 Mango Avenue")
        await work.customers.save(replace(kept, address="9 New Street"), NOW)

    await undo(sql_db, clock, done)

    async with sql_db.reading() as work:
        kept = await work.customers.get(maria.id)
        assert (kept.phone, kept.address) == (None, "9 New Street")
        assert await work.customers.get(mia.id) == mia


async def test_both_numbers_and_addresses_lead_to_the_one_who_stays(sql_db, clock, maria, mia):
    done = await merge(sql_db, clock, maria, mia)

    async with sql_db.reading() as work:
        assert (await work.customers.by_external_id("C-2")).id == maria.id
        assert (await work.customers.by_email(MIA)).id == maria.id
        assert await work.identities.holder(SHOP, "C-2") == maria.id
        assert (await work.customers.get(mia.id)).merged_into_id == maria.id
    identity = ProvenIdentity("C-2", MIA, "Mia", NOW + DAY)
    conversation, customer = await open_web_conversation(sql_db, clock, conversation_id=None, identity=identity)
    assert conversation.customer_id == customer.id == maria.id

    await undo(sql_db, clock, done)

    async with sql_db.reading() as work:
        assert (await work.customers.by_external_id("C-2")).id == mia.id
        assert (await work.customers.by_email(MIA)).id == mia.id


async def test_a_proof_of_what_both_are_known_by_passes_to_the_one_who_stays_and_back(sql_db, clock, maria):
    other = await stored_customer(sql_db, email=MARIA)
    async with sql_db.transaction() as work:
        # The shop takes the address from the one, so that the other can prove it.
        await work.customers.save(replace(maria, email=None), NOW)
        await prove_identity(work, clock, other.id, EMAIL, MARIA)
        await work.customers.save(replace(maria, email=MARIA), NOW)
    before = await everything(sql_db)

    done = await merge(sql_db, clock, maria, other)

    async with sql_db.reading() as work:
        assert await work.identities.holder(EMAIL, MARIA) == maria.id
    await undo(sql_db, clock, done)
    assert await everything(sql_db) == before


# Points


async def award(db, clock, customer, points, key="k", **more):
    async with db.transaction() as work:
        return await award_points(work, clock, customer.id, EntryKind.ORDER, points, key=key, **more)


async def test_points_go_along_and_come_back(sql_db, clock, maria, mia):
    await award(sql_db, clock, maria, 100, "one")
    await award(sql_db, clock, mia, 50, "two")

    done = await merge(sql_db, clock, maria, mia)
    assert (await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)) == (150, 0)

    await undo(sql_db, clock, done)
    assert (await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)) == (100, 50)


async def test_stamps_go_along_and_come_back(sql_db, clock, maria, mia):
    async with sql_db.transaction() as work:
        await work.ledger.lock(mia.id, NOW)
        await work.stamps.add([StampEntry(NEW, mia.id, "coffee", StampKind.OPENING, 7, "s", NOW)])

    async def stamps():
        async with sql_db.reading() as work:
            return [(await work.stamps.balances(one.id)).get("coffee", 0) for one in (maria, mia)]

    done = await merge(sql_db, clock, maria, mia)
    assert await stamps() == [7, 0]
    await undo(sql_db, clock, done)
    assert await stamps() == [0, 7]


async def test_a_refund_after_the_merge_takes_points_back_where_they_are(sql_db, clock, maria, mia):
    earned = await award(sql_db, clock, mia, 50)
    await merge(sql_db, clock, maria, mia)
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, maria.id, 20, key="r")
        await take_back_points(work, clock, earned.id, 50, key="b")
        await follow_up_merge(work, clock, mia.id)

    assert (await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)) == (-20, 0)


async def test_a_refunded_order_of_the_merged_one_is_owed_by_whom_they_are(sql_db, clock, maria, mia):
    shop = a_shop(loyalty=Program("Suki card", earning=EarningRules(points_per_minor=Fraction(1, 100))))
    order = await stored_order(sql_db, customer_id=mia.id, status=OrderStatus.PAID, paid_at=NOW)

    async def settle(order):
        async with sql_db.transaction() as work:
            await settle_order(work, clock, shop, order)

    await settle(order)
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, mia.id, 9, key="r")
    await merge(sql_db, clock, maria, mia)
    async with sql_db.transaction() as work:
        order = await work.orders.by_number(order.number)
    await settle(order)
    assert (await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)) == (20, 0)

    for _ in range(2):
        await settle(replace(order, status=OrderStatus.CANCELLED))

    # Nine were spent before.
    assert (await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)) == (-9, 0)


async def test_what_comes_back_to_a_merged_account_is_moved_on(sql_db, clock, maria, mia):
    await award(sql_db, clock, mia, 50)
    async with sql_db.transaction() as work:
        spent = await redeem_points(work, clock, mia.id, 30, key="r")
    third = await stored_customer(sql_db)
    await merge(sql_db, clock, maria, mia)
    await merge(sql_db, clock, third, maria)

    for _ in range(2):
        async with sql_db.transaction() as work:
            await undo_redemption(work, clock, spent.id, key="u")
            await follow_up_merge(work, clock, mia.id)

    assert [await balance(sql_db, clock, one) for one in (mia, maria, third)] == [0, 0, 50]


async def test_a_record_that_comes_late_is_moved_on_and_goes_back(sql_db, clock, maria, mia):
    done = await merge(sql_db, clock, maria, mia)
    await stored_order(sql_db, number="TC-9", customer_id=mia.id)
    async with sql_db.transaction() as work:
        await follow_up_merge(work, clock, mia.id)
        await follow_up_merge(work, clock, maria.id)
        assert (await work.orders.by_number("TC-9")).customer_id == maria.id

    await undo(sql_db, clock, done)

    async with sql_db.reading() as work:
        assert (await work.orders.by_number("TC-9")).customer_id == mia.id


async def test_following_up_on_nobodys_merge_does_nothing(sql_db, clock, maria):
    before = await everything(sql_db)
    async with sql_db.transaction() as work:
        await follow_up_merge(work, clock, maria.id)

    assert await everything(sql_db) == before


# Referrals


async def brought(db, referee, referrer, **more):
    async with db.transaction() as work:
        await work.referrals.add(Referral(referee.id, referrer.id, NOW, **more))


async def referral(db, referee):
    async with db.reading() as work:
        found = await work.referrals.get(referee.id)
        return found and (found.referrer_id, found.refused)


async def test_whom_they_brought_and_who_brought_them_goes_along(sql_db, clock, maria, mia):
    friend, mother = await stored_customer(sql_db), await stored_customer(sql_db)
    await brought(sql_db, friend, mia)
    await brought(sql_db, mia, mother)
    before = await everything(sql_db)

    done = await merge(sql_db, clock, maria, mia)

    assert await referral(sql_db, friend) == (maria.id, None)
    assert await referral(sql_db, maria) == (mother.id, None)
    assert await referral(sql_db, mia) is None
    await undo(sql_db, clock, done)
    assert await everything(sql_db) == before


@pytest.mark.parametrize("kept_brought", [True, False])
async def test_nobody_is_rewarded_for_bringing_themselves(sql_db, clock, maria, mia, kept_brought):
    referee, referrer = (mia, maria) if kept_brought else (maria, mia)
    await brought(sql_db, referee, referrer)
    before = await everything(sql_db)

    done = await merge(sql_db, clock, maria, mia)

    assert await referral(sql_db, referee) == (referrer.id, "same_person")
    await undo(sql_db, clock, done)
    assert await everything(sql_db) == before


async def test_nobody_is_brought_twice(sql_db, clock, maria, mia):
    mother, friend = await stored_customer(sql_db), await stored_customer(sql_db)
    await brought(sql_db, maria, mother)
    await brought(sql_db, mia, friend)

    done = await merge(sql_db, clock, maria, mia)

    assert await referral(sql_db, maria) == (mother.id, None)
    assert await referral(sql_db, mia) == (friend.id, "same_person")
    await undo(sql_db, clock, done)
    assert await referral(sql_db, mia) == (friend.id, None)


# Consents


async def test_both_addresses_keep_what_was_said_about_them(sql_db, clock, maria, mia):
    async with sql_db.transaction() as work:
        for address, granted in ((MARIA, True), (MIA, False)):
            said = {"channel": EMAIL, "address": address, "purpose": MARKETING, "granted": granted}
            await record_consent(work, clock, **said, wording="News", source="chat")

    await merge(sql_db, clock, maria, mia)

    async with sql_db.reading() as work:
        assert await may_contact(work, channel=EMAIL, address=MARIA, purpose=MARKETING)
        assert not await may_contact(work, channel=EMAIL, address=MIA, purpose=MARKETING)


# Proposals


async def test_a_person_decides_about_a_proposal_once(sql_db, clock, maria, mia):
    async with sql_db.transaction() as work:
        proposal = await propose_merge(work, clock, mia.id, maria.id, reason="same phone")
        assert await propose_merge(work, clock, maria.id, mia.id, reason="same email") == proposal
        assert (proposal.kept_id, proposal.merged_id) == (maria.id, mia.id)
        dismissed = await dismiss_merge(work, clock, proposal.id, author="agent:Ana")
        assert await dismiss_merge(work, clock, proposal.id, author="agent:Ana") == dismissed

    async with sql_db.transaction() as work:
        assert await proposals(work) == []
        assert (await propose_merge(work, clock, maria.id, mia.id, reason="same phone")).state is MergeState.DISMISSED
    with pytest.raises(MergeRefused) as refused:
        async with sql_db.transaction() as work:
            await accept_merge(work, clock, proposal.id, author="agent:Ana")
    assert refused.value.reason == "dismissed"


async def test_an_accepted_proposal_is_a_merge_and_ends_the_others_about_the_two(sql_db, clock, maria, mia):
    third = await stored_customer(sql_db, created_at=NOW + DAY)
    async with sql_db.transaction() as work:
        first = await propose_merge(work, clock, maria.id, mia.id, reason="same phone")
        second = await propose_merge(work, clock, mia.id, third.id, reason="same phone")
        third_one = await propose_merge(work, clock, maria.id, third.id, reason="same phone")
        done = await accept_merge(work, clock, first.id, author="agent:Ana")
        assert (done.state, done.author, done.done_at) == (MergeState.DONE, "agent:Ana", NOW)
        # Mia is Maria now.
        await accept_merge(work, clock, second.id, author="agent:Ana")
        assert await proposals(work) == []
        assert (await customer_of(work, third.id)).id == maria.id
        assert (await work.merges.lock(third_one.id)).state is MergeState.DISMISSED


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"email": MARIA}, {"email": MARIA}, "same email"),
        ({"phone": "+63 917 123 4567"}, {"phone": "+639171234567"}, "same phone"),
        (
            {"name": "Maria Santos", "postcode": "SW1A 1AA"},
            {"name": "maria santos ", "postcode": "sw1a1aa"},
            "same name and postcode",
        ),
    ],
)
async def test_those_who_look_alike_are_proposed_once(sql_db, clock, one, other, reason):
    older = await stored_customer(sql_db, **{"name": "A", "created_at": NOW - DAY, **one})
    younger = await stored_customer(sql_db, **{"name": "B", **other})
    await stored_customer(sql_db, name="C", postcode="SW1A 1AA", phone="+63 917 999 9999")

    for _ in range(2):
        assert await find_proposals(sql_db, clock) == 1

    async with sql_db.reading() as work:
        (proposal,) = await proposals(work)
        assert (proposal.kept_id, proposal.merged_id, proposal.reason) == (older.id, younger.id, reason)


async def test_whoever_is_added_is_compared_with_those_there_are(sql_db, clock, maria):
    alike = {"name": "Mia Santos", "postcode": "1200", "phone": "0917 123 4567"}
    first, second = await stored_customer(sql_db, **alike), await stored_customer(sql_db, **alike)
    await stored_customer(sql_db, name="Joan", postcode="1200", phone="0917 999 9999")

    async with sql_db.transaction() as work:
        await propose_for(work, clock, second.id)
        await propose_for(work, clock, maria.id)
        (proposal,) = await proposals(work)

    assert {proposal.kept_id, proposal.merged_id} == {first.id, second.id}
    assert proposal.reason == "same phone"


async def test_a_number_that_many_share_says_nothing(sql_db, clock):
    for _ in range(6):
        await stored_customer(sql_db, name="", phone="+63 2 8123 4567")

    assert await find_proposals(sql_db, clock) == 0


async def test_whoever_was_merged_or_erased_looks_like_nobody(sql_db, clock, maria):
    await merge(sql_db, clock, maria, await stored_customer(sql_db, email=MARIA))
    await stored_customer(sql_db, email=MARIA, erased_at=NOW)

    assert await find_proposals(sql_db, clock) == 0


# Chains and refusals


async def test_a_merge_can_be_undone_only_before_the_next_one(sql_db, clock, maria, mia):
    third = await stored_customer(sql_db)
    await award(sql_db, clock, mia, 50)
    first = await merge(sql_db, clock, maria, mia)
    second = await merge(sql_db, clock, third, maria)

    with pytest.raises(MergeRefused) as refused:
        await undo(sql_db, clock, first)
    assert refused.value.reason == "merged_on"

    await undo(sql_db, clock, second)
    await undo(sql_db, clock, first)
    assert [await balance(sql_db, clock, one) for one in (mia, maria, third)] == [50, 0, 0]


async def test_whoever_is_merged_already_goes_along_with_whom_they_are(sql_db, clock, maria, mia):
    third = await stored_customer(sql_db)
    await merge(sql_db, clock, maria, mia)

    done = await merge(sql_db, clock, third, mia)

    assert (done.kept_id, done.merged_id) == (third.id, maria.id)
    with pytest.raises(MergeRefused) as refused:
        await merge(sql_db, clock, mia, third)
    assert refused.value.reason == "oneself"


async def test_nobody_who_was_erased_is_merged(sql_db, clock, maria):
    gone = await stored_customer(sql_db, erased_at=NOW)

    with pytest.raises(MergeRefused) as refused:
        await merge(sql_db, clock, maria, gone)
    assert refused.value.reason == "erased"
    async with sql_db.reading() as work:
        assert await proposals(work) == []


async def test_what_there_is_not_cannot_be_merged_or_parted(sql_db, clock, maria):
    with pytest.raises(CustomerNotFound):
        await merge(sql_db, clock, maria, a_customer())
    with pytest.raises(MergeRefused):
        async with sql_db.transaction() as work:
            await undo_merge(work, clock, "nothing", author="agent:Ana")


async def test_a_fault_in_the_middle_leaves_nothing_half_done(sql_db, clock, maria, mia, monkeypatch):
    await has_things(sql_db, clock, mia, 2)
    before = await everything(sql_db)

    def broken(*_args, **_more):
        raise RuntimeError("the machine")

    monkeypatch.setattr("bot.services.merges.transfer_points", broken)
    with pytest.raises(RuntimeError):
        await merge(sql_db, clock, maria, mia)

    assert await everything(sql_db) == before
    async with sql_db.reading() as work:
        assert await proposals(work) == []


async def test_merged_three_times_at_once_they_are_one_by_one_merge(sql_db, clock, maria, mia):
    await award(sql_db, clock, mia, 50)

    first, *others = await asyncio.gather(*(merge(sql_db, clock, maria, mia) for _ in range(3)))

    assert others == [first, first]
    assert (await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)) == (50, 0)


async def test_merged_both_ways_at_once_they_are_one_all_the_same(sql_db, clock, maria, mia):
    await award(sql_db, clock, maria, 100, "one")
    await award(sql_db, clock, mia, 50, "two")

    outcomes = await asyncio.gather(
        merge(sql_db, clock, maria, mia), merge(sql_db, clock, mia, maria), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in outcomes) == ["Merge", "MergeRefused"]
    assert sorted([await balance(sql_db, clock, maria), await balance(sql_db, clock, mia)]) == [0, 150]


async def test_a_merge_is_logged_without_anything_personal(sql_db, clock, maria, mia):
    await has_things(sql_db, clock, mia, 2)
    done = await merge(sql_db, clock, maria, mia)
    await undo(sql_db, clock, done)

    async with sql_db.reading() as work:
        log = [entry for entry in await work.audit.of_customers([maria.id]) if entry.action.startswith("merge")]
    assert [(entry.actor, entry.action) for entry in log] == [("agent:Ana", "merge"), ("agent:Ana", "merge_undone")]
    assert log[0].detail["moved"]["orders"] == 1
    assert log[0].detail["fields"] == ["address", "phone"]
    assert "Mango" not in repr(log)
    assert an_order().email not in repr(log)
