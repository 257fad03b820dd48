"""Referrals: a friend brought counts once, for people who are two, and only when something was bought and kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from bot.core.ledger import Balance
from bot.core.loyalty import EarningRules, Program, ReferralRules
from bot.core.orders import OrderStatus
from bot.errors import CustomerNotFound, ReferralRefused
from bot.services import referrals
from bot.services.ids import new_id
from bot.services.ledger import balance_of
from bot.services.merges import merge_customers, undo_merge
from bot.services.referrals import join_by_referral, note_order, referral_code, referrals_of, reward_referrals
from bot.storage import tables
from tests.builders import a_refund, a_shop, stored_customer, stored_order
from tests.services.merging import merged

RULES = ReferralRules(referrer_points=300, referee_points=100, hold_days=14, minimum_minor=2_000, cap_per_year=2)


def bringing(**changes):
    return a_shop(
        address="1 Market Road, Manila",
        loyalty=Program("Suki Club", earning=EarningRules(1), referral=replace(RULES, **changes)),
    )


@pytest.fixture
def shop():
    return bringing()


@pytest.fixture
async def maria(sql_db):
    return await person(sql_db, name="Maria Santos", address="12 Mabini St., Makati", postcode="1200")


@pytest.fixture
async def aiko(sql_db):
    """The friend."""
    return await person(sql_db, name="Aiko Tanaka", postcode="1605")


async def person(db, **changes):
    return (await stored_customer(db, **changes)).id


async def code_of(db, clock, customer):
    async with db.transaction() as work:
        return await referral_code(work, clock, customer)


async def join(db, clock, shop, friend, code):
    """Use a friend's code, as in a chat: what is refused is said, and the rest is committed."""
    async with db.transaction() as work:
        try:
            await join_by_referral(work, clock, shop, friend, code)
        except ReferralRefused as refused:
            return refused.reason
    return None


async def bring(db, clock, shop, friend, customer):
    return await join(db, clock, shop, friend, await code_of(db, clock, customer))


async def buy(db, clock, shop, friend, **changes):
    order = await stored_order(
        db,
        **{
            "number": f"TC-{new_id()[:8].upper()}",
            "customer_id": friend,
            "status": OrderStatus.PAID,
            "paid_at": clock.now(),
            "total_minor": 2_000,
            **changes,
        },
    )
    await settle(db, clock, shop, order)
    return order


async def settle(db, clock, shop, order, **changes):
    order = replace(order, **changes)
    async with db.transaction() as work:
        await work.orders.save(order)
        await note_order(work, clock, shop, order)
    return order


async def referral_of(db, friend):
    async with db.reading() as work:
        return await work.referrals.get(friend)


async def points(db, clock, *customers):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return [(await balance_of(work, clock, customer)).total for customer in customers]


async def merge(db, clock, kept, merged):
    async with db.transaction() as work:
        await merge_customers(work, clock, kept, merged, reason="test", author="test")


async def erase(db, clock, customer):
    c = tables.customers.c
    async with db.transaction() as work:
        erased = update(tables.customers).where(c.id == customer).values(erased_at=clock.now())
        await work.referrals._connection.execute(erased)


# Codes


async def test_a_code_is_made_once_and_stays(sql_db, clock, maria, aiko):
    codes = await asyncio.gather(*(code_of(sql_db, clock, maria) for _ in range(5)))

    assert len(set(codes)) == 1
    assert await code_of(sql_db, clock, aiko) != codes[0]
    with pytest.raises(CustomerNotFound):
        await code_of(sql_db, clock, new_id())


async def test_a_code_that_is_taken_is_not_given_again(sql_db, clock, maria, aiko, monkeypatch):
    drawn = iter(["KX4P-7M3R", "KX4P-7M3R", "TT44-7M3R"])
    monkeypatch.setattr(referrals, "new_referral_code", lambda: next(drawn))

    assert await code_of(sql_db, clock, maria) == "KX4P-7M3R"
    assert await code_of(sql_db, clock, aiko) == "TT44-7M3R"


async def test_whoever_turned_out_to_be_another_one_passes_on_that_ones_code(sql_db, clock, shop, maria, aiko):
    double = await person(sql_db)
    old_code = await code_of(sql_db, clock, double)
    await merged(sql_db, double, maria)

    assert await code_of(sql_db, clock, double) == await code_of(sql_db, clock, maria) != old_code
    # Friends may still have the old one.
    assert await join(sql_db, clock, shop, aiko, old_code) is None
    assert (await referral_of(sql_db, aiko)).referrer_id == maria


# Joining


async def test_a_friend_joins_with_the_code_however_they_type_it(sql_db, clock, shop, maria, aiko):
    code = (await code_of(sql_db, clock, maria)).replace("-", " ").lower()

    for _ in range(2):
        assert await join(sql_db, clock, shop, aiko, code) is None
    async with sql_db.reading() as work:
        (brought,) = await referrals_of(work, maria)
        assert await referrals_of(work, aiko) == []
    assert (brought.referee_id, brought.joined_at, brought.is_open) == (aiko, clock.now(), True)


async def test_a_friend_is_brought_once(sql_db, clock, shop, maria, aiko):
    other = await person(sql_db, name="Jo Cruz")
    assert await bring(sql_db, clock, shop, aiko, maria) is None

    assert await bring(sql_db, clock, shop, aiko, other) == "already_referred"
    assert (await referral_of(sql_db, aiko)).referrer_id == maria


async def test_two_friends_codes_at_once_count_one(sql_db, clock, shop, maria, aiko):
    other = await person(sql_db, name="Jo Cruz")
    codes = [await code_of(sql_db, clock, customer) for customer in (maria, other)]

    answers = await asyncio.gather(*(join(sql_db, clock, shop, aiko, code) for code in codes * 3))

    assert sorted(set(answers), key=str) == [None, "already_referred"]
    async with sql_db.reading() as work:
        assert len(await referrals_of(work, maria)) + len(await referrals_of(work, other)) == 1


async def test_two_who_use_each_others_codes_at_once_are_not_both_brought(sql_db, clock, shop, maria, aiko):
    codes = [await code_of(sql_db, clock, customer) for customer in (maria, aiko)]

    answers = await asyncio.gather(
        join(sql_db, clock, shop, aiko, codes[0]), join(sql_db, clock, shop, maria, codes[1])
    )

    assert sorted(answers, key=str) == [None, "each_other"]


async def test_nobody_brings_themselves(sql_db, clock, shop, maria):
    double = await person(sql_db)
    await merged(sql_db, double, maria)

    assert await bring(sql_db, clock, shop, maria, maria) == "oneself"
    assert await bring(sql_db, clock, shop, double, maria) == "oneself"
    assert await referral_of(sql_db, maria) is None


@pytest.mark.parametrize(
    "ours, theirs",
    [
        ({"email": "maria@example.com"}, {"email": "maria+friend@example.com"}),
        ({"phone": "+63 917 123 4567"}, {"phone": "+639171234567"}),
    ],
)
async def test_another_identity_of_oneself_is_not_brought(sql_db, clock, shop, ours, theirs):
    one, other = await person(sql_db, **ours), await person(sql_db, name="M. S.", **theirs)

    assert await bring(sql_db, clock, shop, other, one) == "oneself"


async def test_a_known_identity_of_the_other_is_oneself(sql_db, clock, shop, maria, aiko):
    async with sql_db.transaction() as work:
        for customer in (maria, aiko):
            await work.referrals._connection.execute(
                insert(tables.customer_identities).values(
                    id=new_id(),
                    customer_id=customer,
                    kind="email",
                    value="family@example.com",
                    source="shop",
                    created_at=clock.now(),
                )
            )

    assert await bring(sql_db, clock, shop, aiko, maria) == "oneself"


@pytest.mark.parametrize("code", ["", "KX4P-7M3R", "x" * 300, "'; --"])
async def test_a_code_of_nobody_is_refused(sql_db, clock, shop, aiko, code):
    assert await join(sql_db, clock, shop, aiko, code) == "unknown_code"


async def test_a_shop_that_rewards_no_friends_says_so(sql_db, clock, shop, maria, aiko):
    assert await bring(sql_db, clock, a_shop(), aiko, maria) == "no_program"
    with pytest.raises(CustomerNotFound):
        await join(sql_db, clock, shop, new_id(), "KX4P-7M3R")


@pytest.mark.parametrize("status", [OrderStatus.PAID, OrderStatus.DELIVERED])
async def test_whoever_bought_before_is_not_new(sql_db, clock, shop, maria, aiko, status):
    await buy(sql_db, clock, shop, aiko, status=status, paid_at=None)

    assert await bring(sql_db, clock, shop, aiko, maria) == "not_new"


async def test_whoever_only_put_something_in_a_cart_is_new(sql_db, clock, shop, maria, aiko):
    await buy(sql_db, clock, shop, aiko, status=OrderStatus.PENDING, paid_at=None)

    assert await bring(sql_db, clock, shop, aiko, maria) is None


async def test_one_household_is_refused_and_stays_so(sql_db, clock, shop, maria):
    friend = await person(sql_db, name="Jo Cruz", address="12 Mabini St, MAKATI")
    namesake = await person(sql_db, name="maria santos", postcode="12 00")
    other = await person(sql_db, name="Aiko Tanaka")

    assert await bring(sql_db, clock, shop, friend, maria) == "same_address"
    assert await bring(sql_db, clock, shop, namesake, maria) == "same_name"
    assert await bring(sql_db, clock, shop, friend, other) == "same_address"
    assert (await referral_of(sql_db, friend)).refused == "same_address"
    await buy(sql_db, clock, shop, friend)
    assert (await referral_of(sql_db, friend)).due_at is None


# The reward


async def test_both_are_rewarded_after_the_first_paid_order_and_the_hold(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    order = await buy(sql_db, clock, shop, aiko, status=OrderStatus.PENDING, paid_at=None)
    assert (await referral_of(sql_db, aiko)).order_number is None

    clock.advance(days=1)
    await settle(sql_db, clock, shop, order, status=OrderStatus.PAID, paid_at=clock.now())
    referral = await referral_of(sql_db, aiko)
    assert (referral.order_number, referral.due_at) == (order.number, clock.now() + timedelta(days=14))

    clock.advance(timedelta(days=14) - timedelta(seconds=1))
    assert await reward_referrals(sql_db, clock, shop) == 0
    clock.advance(seconds=1)
    assert await reward_referrals(sql_db, clock, shop) == 1
    assert await reward_referrals(sql_db, clock, shop) == 0
    assert await points(sql_db, clock, maria, aiko) == [300, 100]
    async with sql_db.reading() as work:
        assert (await balance_of(work, clock, maria)) == Balance(300)
        assert (await work.ledger.by_key(f"referral:{order.number}:referrer")).customer_id == maria
        # They last as long as other points: twelve months.
        assert (await work.ledger.by_key(f"referral:{order.number}:referee")).expires_at == clock.now() + timedelta(
            days=365
        )


async def rewarded(db, clock, shop, friend, customer, **changes):
    """A friend who was brought, bought, and brought the reward."""
    assert await bring(db, clock, shop, friend, customer) is None
    order = await buy(db, clock, shop, friend, **changes)
    clock.advance(days=14)
    await reward_referrals(db, clock, shop)
    return order


async def test_two_jobs_at_once_reward_once(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    await buy(sql_db, clock, shop, aiko)
    clock.advance(days=14)

    assert sum(await asyncio.gather(*(reward_referrals(sql_db, clock, shop) for _ in range(5)))) == 1
    assert await points(sql_db, clock, maria, aiko) == [300, 100]


async def test_a_friend_whose_reward_fails_holds_no_other_up(sql_db, clock, shop, maria, aiko, monkeypatch):
    monkeypatch.setattr(referrals, "PAGE", 1)
    friends = [aiko, *[await person(sql_db, name=name) for name in ("Ben Cruz", "Eva Reyes")]]
    for friend in friends:
        assert await bring(sql_db, clock, shop, friend, maria) is None
        await buy(sql_db, clock, shop, friend)
    clock.advance(days=14)
    customer_of = referrals.customer_of

    async def fails_for_one(work, customer_id):
        if customer_id == min(friends):
            raise OSError
        return await customer_of(work, customer_id)

    with monkeypatch.context() as patch:
        patch.setattr(referrals, "customer_of", fails_for_one)
        assert await reward_referrals(sql_db, clock, bringing(cap_per_year=9)) == 2
    assert await reward_referrals(sql_db, clock, bringing(cap_per_year=9)) == 1
    assert await points(sql_db, clock, maria) == [900]


async def test_an_order_that_is_too_small_waits_for_one_that_is_not(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    await buy(sql_db, clock, shop, aiko, total_minor=1_999)
    assert (await referral_of(sql_db, aiko)).order_number is None

    order = await buy(sql_db, clock, shop, aiko, total_minor=2_000)
    await buy(sql_db, clock, shop, aiko, total_minor=9_000)

    assert (await referral_of(sql_db, aiko)).order_number == order.number


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED])
async def test_an_order_taken_back_during_the_hold_brings_nothing(sql_db, clock, shop, maria, aiko, status):
    await bring(sql_db, clock, shop, aiko, maria)
    order = await buy(sql_db, clock, shop, aiko)
    clock.advance(days=13)
    await settle(sql_db, clock, shop, order, status=status)
    clock.advance(days=1)

    assert await reward_referrals(sql_db, clock, shop) == 0
    assert (await referral_of(sql_db, aiko)).refused == "order_taken_back"
    assert await points(sql_db, clock, maria, aiko) == [0, 0]
    assert await bring(sql_db, clock, shop, aiko, maria) == "order_taken_back"


async def test_a_refund_that_nobody_told_of_is_seen_before_the_reward(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    order = await buy(sql_db, clock, shop, aiko)
    async with sql_db.transaction() as work:
        await work.refunds.add(a_refund(order_number=order.number, amount_minor=1))
    clock.advance(days=14)

    assert await reward_referrals(sql_db, clock, shop) == 0
    assert (await referral_of(sql_db, aiko)).refused == "order_taken_back"


async def test_an_order_taken_back_after_the_reward_takes_the_points_of_both(sql_db, clock, shop, maria, aiko):
    order = await rewarded(sql_db, clock, shop, aiko, maria)
    assert await points(sql_db, clock, maria, aiko) == [300, 100]

    for _ in range(2):
        await settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED)
        assert await points(sql_db, clock, maria, aiko) == [0, 0]


async def test_an_order_taken_back_five_times_at_once_takes_the_points_once(sql_db, clock, shop, maria, aiko):
    order = await rewarded(sql_db, clock, shop, aiko, maria)

    await asyncio.gather(
        *(settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED) for _ in range(5)),
    )

    assert await points(sql_db, clock, maria, aiko) == [0, 0]


async def test_another_order_taken_back_takes_nothing(sql_db, clock, shop, maria, aiko):
    await rewarded(sql_db, clock, shop, aiko, maria)
    other = await buy(sql_db, clock, shop, aiko)

    await settle(sql_db, clock, shop, other, status=OrderStatus.CANCELLED)

    assert await points(sql_db, clock, maria, aiko) == [300, 100]


async def test_an_order_to_the_friends_own_house_brings_nothing(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)

    await buy(sql_db, clock, shop, aiko, shipping_address="12 Mabini St. Makati")
    clock.advance(days=14)

    assert (await referral_of(sql_db, aiko)).refused == "same_address"
    assert await reward_referrals(sql_db, clock, shop) == 0


async def test_two_who_collect_their_orders_in_the_shop_are_two_households(sql_db, clock, shop, maria, aiko):
    await buy(sql_db, clock, shop, maria, shipping_address="1 Market Road, Manila")

    await rewarded(sql_db, clock, shop, aiko, maria, shipping_address="1 Market Road, Manila")

    assert await points(sql_db, clock, maria, aiko) == [300, 100]


async def test_an_order_of_before_the_code_shows_that_they_were_not_new(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)

    await buy(sql_db, clock, shop, aiko, paid_at=clock.now() - timedelta(days=1))

    assert (await referral_of(sql_db, aiko)).refused == "not_new"


async def test_no_more_friends_a_year_count_than_the_cap(sql_db, clock, shop, maria):
    friends = [await person(sql_db, name=f"Friend {number}") for number in range(4)]
    for friend in friends[:3]:
        await bring(sql_db, clock, shop, friend, maria)
        await buy(sql_db, clock, shop, friend)
    clock.advance(days=14)

    assert await reward_referrals(sql_db, clock, shop) == 2
    assert await points(sql_db, clock, maria) == [600]
    assert sorted([(await referral_of(sql_db, friend)).refused or "" for friend in friends[:3]]) == ["", "", "cap"]
    # Nobody is promised what they will not get.
    assert await bring(sql_db, clock, shop, friends[3], maria) == "cap"
    assert await referral_of(sql_db, friends[3]) is None
    clock.advance(days=365)
    assert await bring(sql_db, clock, shop, friends[3], maria) is None


async def test_jobs_at_once_keep_to_the_cap(sql_db, clock, shop, maria):
    for number in range(6):
        friend = await person(sql_db, name=f"Friend {number}")
        await bring(sql_db, clock, shop, friend, maria)
        await buy(sql_db, clock, shop, friend)
    clock.advance(days=14)

    assert sum(await asyncio.gather(*(reward_referrals(sql_db, clock, shop) for _ in range(4)))) == 2
    assert await points(sql_db, clock, maria) == [600]


async def test_all_of_many_are_rewarded_a_page_at_a_time(sql_db, clock, maria, monkeypatch):
    monkeypatch.setattr(referrals, "PAGE", 2)
    shop = bringing(cap_per_year=100)
    for number in range(5):
        friend = await person(sql_db, name=f"Friend {number}")
        await bring(sql_db, clock, shop, friend, maria)
        await buy(sql_db, clock, shop, friend)
    clock.advance(days=14)

    assert await reward_referrals(sql_db, clock, shop) == 5


async def test_a_side_that_gets_nothing_gets_no_entry(sql_db, clock, maria, aiko):
    shop = bringing(referee_points=0)

    order = await rewarded(sql_db, clock, shop, aiko, maria)
    assert await points(sql_db, clock, maria, aiko) == [300, 0]

    await settle(sql_db, clock, shop, order, status=OrderStatus.CANCELLED)
    assert await points(sql_db, clock, maria, aiko) == [0, 0]


async def test_a_shop_that_gave_the_rewards_up_still_takes_back(sql_db, clock, shop, maria, aiko):
    order = await rewarded(sql_db, clock, shop, aiko, maria)

    assert await reward_referrals(sql_db, clock, a_shop()) == 0
    await settle(sql_db, clock, a_shop(), order, status=OrderStatus.CANCELLED)

    assert await points(sql_db, clock, maria, aiko) == [0, 0]


async def test_points_are_taken_back_after_the_friend_turned_out_to_be_another_one(sql_db, clock, shop, maria, aiko):
    order = await rewarded(sql_db, clock, shop, aiko, maria)
    kept = await person(sql_db, name="Aiko T.")
    await merge(sql_db, clock, kept, aiko)
    assert await points(sql_db, clock, maria, kept) == [300, 100]

    await settle(sql_db, clock, shop, order, customer_id=kept, status=OrderStatus.CANCELLED)

    assert await points(sql_db, clock, maria, aiko, kept) == [0, 0, 0]


async def test_of_two_who_are_one_and_were_both_brought_each_order_takes_back_its_own(sql_db, clock, maria, aiko):
    shop = bringing(cap_per_year=9)
    other, kept = await person(sql_db, name="Jo Cruz"), await person(sql_db, name="Aiko T.")
    order = await rewarded(sql_db, clock, shop, aiko, maria)
    theirs = await rewarded(sql_db, clock, shop, kept, other)
    await merge(sql_db, clock, kept, aiko)
    assert await points(sql_db, clock, maria, other, kept) == [300, 300, 200]

    await settle(sql_db, clock, shop, order, customer_id=kept, status=OrderStatus.CANCELLED)
    assert await points(sql_db, clock, maria, other, kept) == [0, 300, 100]

    await settle(sql_db, clock, shop, theirs, status=OrderStatus.CANCELLED)
    assert await points(sql_db, clock, maria, other, kept) == [0, 0, 0]


async def test_one_order_of_two_who_are_one_and_were_both_brought_brings_one_reward(sql_db, clock, shop, maria, aiko):
    other, kept = await person(sql_db, name="Jo Cruz"), await person(sql_db, name="Aiko T.")
    await bring(sql_db, clock, shop, kept, other)
    order = await rewarded(sql_db, clock, shop, aiko, maria)
    await merge(sql_db, clock, kept, aiko)

    await settle(sql_db, clock, shop, order, customer_id=kept, status=OrderStatus.DELIVERED)
    clock.advance(days=14)

    assert await reward_referrals(sql_db, clock, shop) == 0
    assert await points(sql_db, clock, maria, other, kept) == [300, 0, 100]


async def test_friends_who_were_one_for_a_time_are_rewarded_and_taken_back_apart(sql_db, clock, maria, aiko):
    shop = bringing(cap_per_year=9)
    other, kept = await person(sql_db, name="Jo Cruz"), await person(sql_db, name="Aiko T.")
    await bring(sql_db, clock, shop, aiko, maria)
    order = await buy(sql_db, clock, shop, aiko)
    async with sql_db.transaction() as work:
        done = await merge_customers(work, clock, kept, aiko, reason="test", author="test")
    clock.advance(days=14)
    assert await reward_referrals(sql_db, clock, shop) == 1
    async with sql_db.transaction() as work:
        await undo_merge(work, clock, done.id, author="test")

    await rewarded(sql_db, clock, shop, kept, other)
    assert await points(sql_db, clock, maria, other) == [300, 300]

    await settle(sql_db, clock, shop, order, status=OrderStatus.CANCELLED)
    assert await points(sql_db, clock, maria, other) == [0, 300]


async def test_a_friend_who_turned_out_to_be_oneself_brings_nothing(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    await buy(sql_db, clock, shop, aiko)
    await merge(sql_db, clock, maria, aiko)
    clock.advance(days=14)

    assert await reward_referrals(sql_db, clock, shop) == 0
    assert await points(sql_db, clock, maria) == [0]
    assert await bring(sql_db, clock, shop, aiko, await person(sql_db, name="Jo Cruz")) == "not_new"


async def test_who_was_erased_gets_nothing_and_their_friend_does(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    await buy(sql_db, clock, shop, aiko)
    clock.advance(days=14)
    await erase(sql_db, clock, maria)

    assert await reward_referrals(sql_db, clock, shop) == 1
    assert await points(sql_db, clock, maria, aiko) == [0, 100]


async def test_who_was_erased_brings_nobody_and_is_brought_by_nobody(sql_db, clock, shop, maria, aiko):
    code, other = await code_of(sql_db, clock, maria), await code_of(sql_db, clock, aiko)
    await erase(sql_db, clock, maria)

    assert await join(sql_db, clock, shop, aiko, code) == "unknown_code"
    with pytest.raises(CustomerNotFound):
        await join(sql_db, clock, shop, maria, other)
    with pytest.raises(CustomerNotFound):
        await code_of(sql_db, clock, maria)


async def test_the_database_refuses_somebody_who_brought_themselves(sql_db, clock, shop, maria, aiko):
    await bring(sql_db, clock, shop, aiko, maria)
    referral = await referral_of(sql_db, aiko)

    with pytest.raises(IntegrityError):
        async with sql_db.transaction() as work:
            await work.referrals.save(replace(referral, referrer_id=aiko))
