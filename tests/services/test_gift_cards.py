"""Gift cards: a card pays for what is on it, and nobody finds out what is on another's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.core.gift_cards import GiftCardEntry, GiftCardEntryKind
from bot.core.verification import LookupLimits
from bot.errors import GiftCardRefused, KeyReused
from bot.services.gift_cards import (
    block_gift_card,
    expire_gift_cards,
    gift_card_balance,
    gift_cards_of,
    issue_gift_card,
    look_up_gift_card,
    refund_gift_card,
    spend_gift_card,
    top_up_gift_card,
)
from bot.services.ids import new_id
from bot.services.orders import LookupRefusal
from tests.builders import a_shop, stored_conversation, stored_customer
from tests.fakes import FakeClock
from tests.storage.databases import in_processes, open_database, run

LIMITS = LookupLimits(per_conversation=3, per_order=4)


async def issue(db, clock, amount=5_000, *, key="sale-1", currency="USD", **more):
    async with db.transaction() as work:
        return await issue_gift_card(work, clock, amount_minor=amount, currency=currency, key=key, **more)


async def spend(db, clock, code, amount, *, key="s", currency="USD", source="TC-1"):
    async with db.transaction() as work:
        return (await spend_gift_card(work, clock, code, amount, currency, key=key, source=source)).balance_minor


async def refund(db, clock, code, amount, *, key="r", currency="USD", source="TC-1"):
    async with db.transaction() as work:
        return (await refund_gift_card(work, clock, code, amount, currency, key=key, source=source)).balance_minor


async def top_up(db, clock, code, amount, *, key="t", currency="USD"):
    async with db.transaction() as work:
        return (await top_up_gift_card(work, clock, code, amount, currency, key=key)).balance_minor


async def balance(db, clock, code):
    async with db.reading() as work:
        return (await gift_card_balance(work, clock, code)).balance_minor


async def refusal(attempt):
    with pytest.raises(GiftCardRefused) as refused:
        await attempt
    return refused.value.reason


async def look_up(db, clock, conversation, code):
    async with db.transaction() as work:
        return await look_up_gift_card(work, clock, conversation.id, code, LIMITS)


async def test_a_card_is_spent_refunded_and_topped_up(sql_db, clock):
    code = (await issue(sql_db, clock)).code

    assert await spend(sql_db, clock, code.lower(), 3_000) == 2_000
    assert await refund(sql_db, clock, code, 1_000) == 3_000
    assert await top_up(sql_db, clock, code.replace("-", " "), 500) == 3_500
    assert await balance(sql_db, clock, code) == 3_500


async def test_the_code_is_told_once_and_kept_nowhere(sql_db, clock):
    issued = await issue(sql_db, clock)

    again = await issue(sql_db, clock)

    assert (again.card, again.code) == (issued.card, None)
    async with sql_db.reading() as work:
        rows = await work.gift_cards._connection.execute(text("SELECT * FROM gift_cards"))
        kept = str([tuple(row) for row in rows])
    assert issued.code not in kept and issued.code.replace("-", "") not in kept
    assert issued.card.last_characters == issued.code[-4:]


async def test_an_event_issues_one_card(sql_db, clock):
    await issue(sql_db, clock)

    for other in ({"amount": 4_000}, {"currency": "EUR"}, {"source": "TC-7"}):
        with pytest.raises(KeyReused):
            await issue(sql_db, clock, **other)


async def test_the_same_event_many_times_at_once_issues_one_card(sql_db, clock):
    issued = await asyncio.gather(*(issue(sql_db, clock) for _ in range(10)))

    assert len({one.card.id for one in issued}) == 1
    assert len([one for one in issued if one.code]) == 1


async def test_every_movement_happens_once(sql_db, clock):
    code = (await issue(sql_db, clock)).code

    for _ in range(2):
        assert await spend(sql_db, clock, code, 3_000) == 2_000
    for _ in range(2):
        assert await refund(sql_db, clock, code, 1_000) == 3_000
    for _ in range(2):
        assert await top_up(sql_db, clock, code, 500) == 3_500
    # Also when it could not happen any more.
    await spend(sql_db, clock, code, 3_500, key="all")
    assert await spend(sql_db, clock, code, 3_000) == 0


async def test_a_key_stands_for_one_movement_of_one_card(sql_db, clock):
    code, other = [(await issue(sql_db, clock, key=key)).code for key in ("sale-1", "sale-2")]
    await spend(sql_db, clock, code, 1_000)

    for attempt in (
        spend(sql_db, clock, code, 999),
        spend(sql_db, clock, other, 1_000),
        spend(sql_db, clock, code, 1_000, source="TC-2"),
        refund(sql_db, clock, code, 1_000, key="s"),
    ):
        with pytest.raises(KeyReused):
            await attempt


async def test_a_card_pays_for_no_more_than_is_on_it(sql_db, clock):
    code = (await issue(sql_db, clock)).code

    with pytest.raises(GiftCardRefused) as refused:
        await spend(sql_db, clock, code, 5_001)

    assert (refused.value.reason, refused.value.available_minor) == ("insufficient", 5_000)
    assert await spend(sql_db, clock, code, 5_000) == 0


async def test_no_more_is_refunded_than_was_paid_for_that_order(sql_db, clock):
    code = (await issue(sql_db, clock)).code
    await spend(sql_db, clock, code, 2_000, source="TC-1")
    await spend(sql_db, clock, code, 1_000, source="TC-2", key="s2")
    await refund(sql_db, clock, code, 1_500, source="TC-1")

    assert await refusal(refund(sql_db, clock, code, 501, source="TC-1", key="r2")) == "not_spent"
    assert await refund(sql_db, clock, code, 500, source="TC-1", key="r2") == 4_000


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
async def test_amounts_are_above_zero(sql_db, clock, amount):
    code = (await issue(sql_db, clock)).code

    for attempt in (issue, spend, refund, top_up):
        args = (amount,) if attempt is issue else (code, amount)
        assert await refusal(attempt(sql_db, clock, *args)) == "bad_amount"


async def test_a_card_is_of_one_currency(sql_db, clock):
    code = (await issue(sql_db, clock)).code

    for attempt in (spend, refund, top_up):
        assert await refusal(attempt(sql_db, clock, code, 1, currency="EUR")) == "currency"


async def test_an_expired_card_is_over_at_its_very_instant_and_written_off_once(sql_db, clock):
    code = (await issue(sql_db, clock, expires_at=clock.now() + timedelta(days=1))).code
    await spend(sql_db, clock, code, 1_000)
    assert await expire_gift_cards(sql_db, clock, a_shop()) == 0

    clock.advance(days=1)

    assert await refusal(spend(sql_db, clock, code, 1, key="s2")) == "expired"
    assert await refusal(refund(sql_db, clock, code, 1)) == "expired"
    assert await expire_gift_cards(sql_db, clock, a_shop()) == 1
    assert await expire_gift_cards(sql_db, clock, a_shop()) == 0
    assert await balance(sql_db, clock, code) == 0


async def test_a_blocked_card_waits_until_it_is_freed(sql_db, clock):
    issued = await issue(sql_db, clock)

    async def block(blocked):
        async with sql_db.transaction() as work:
            return await block_gift_card(work, clock, issued.card.id, blocked=blocked)

    assert (await block(True)).blocked_at == clock.now()
    assert await refusal(spend(sql_db, clock, issued.code, 1)) == "blocked"
    assert (await block(False)).blocked_at is None
    assert await spend(sql_db, clock, issued.code, 1) == 4_999


async def test_an_unknown_code_is_refused_everywhere(sql_db, clock):
    for attempt in (spend, refund, top_up):
        assert await refusal(attempt(sql_db, clock, "GIFT-7K3P", 1)) == "unknown"
    assert await refusal(balance(sql_db, clock, "")) == "unknown"


async def test_a_customers_cards_are_listed_with_what_is_on_them(sql_db, clock):
    maria = (await stored_customer(sql_db)).id
    code = (await issue(sql_db, clock, customer_id=maria)).code
    await issue(sql_db, clock, key="sale-2")
    await spend(sql_db, clock, code, 1_500)

    async with sql_db.reading() as work:
        assert [card.balance_minor for card in await gift_cards_of(work, maria)] == [3_500]


async def test_the_database_itself_refuses_a_value_below_zero_and_any_change(sql_db, clock):
    card = (await issue(sql_db, clock)).card
    too_much = GiftCardEntry(card.id, GiftCardEntryKind.SPEND, -5_001, "x", clock.now())

    with pytest.raises(DBAPIError, match="no more than is on it"):
        async with sql_db.transaction() as work:
            await work.gift_cards.add_entry(too_much)
    for change in ("UPDATE gift_card_entries SET amount_minor = 1", "DELETE FROM gift_card_entries"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with sql_db.transaction() as work:
                await work.gift_cards._connection.execute(text(change))


async def test_of_many_spends_at_once_only_those_that_the_card_covers_count(sql_db, clock):
    code = (await issue(sql_db, clock, 1_000)).code

    tried = await asyncio.gather(
        *(spend(sql_db, clock, code, 150, key=str(number)) for number in range(20)), return_exceptions=True
    )

    assert [type(one) for one in tried if isinstance(one, Exception)] == [GiftCardRefused] * 14
    assert await balance(sql_db, clock, code) == 100


async def test_of_many_refunds_at_once_no_more_comes_back_than_was_paid(sql_db, clock):
    code = (await issue(sql_db, clock, 1_000)).code
    await spend(sql_db, clock, code, 1_000)

    await asyncio.gather(
        *(refund(sql_db, clock, code, 300, key=str(number)) for number in range(10)), return_exceptions=True
    )

    assert await balance(sql_db, clock, code) == 900


async def _spend_in_process(url, code):
    db, clock = open_database(url), FakeClock()
    try:
        tried = await asyncio.gather(
            *(spend(db, clock, code, 150, key=new_id()) for _ in range(5)), return_exceptions=True
        )
        assert all(isinstance(one, GiftCardRefused) for one in tried if isinstance(one, Exception)), tried
        return sum(not isinstance(one, Exception) for one in tried)
    finally:
        await db.close()


def test_many_processes_spend_no_more_than_is_on_a_card(sql_url):
    async def prepare():
        db = open_database(sql_url)
        try:
            return (await issue(db, FakeClock(), 1_000)).code
        finally:
            await db.close()

    assert sum(in_processes(4, _spend_in_process, sql_url, run(prepare()))) == 6


async def test_whoever_has_the_code_sees_what_is_on_the_card(sql_db, clock):
    conversation = await stored_conversation(sql_db)
    issued = await issue(sql_db, clock)

    found = await look_up(sql_db, clock, conversation, issued.code.lower())

    assert (found.card, found.balance_minor) == (issued.card, 5_000)
    assert await look_up(sql_db, clock, conversation, "GIFT-WRONG") is LookupRefusal.NO_MATCH


async def test_too_many_wrong_codes_in_a_conversation_end_the_guessing_for_a_while(sql_db, clock):
    conversation = await stored_conversation(sql_db)
    code = (await issue(sql_db, clock)).code
    for number in range(LIMITS.per_conversation):
        await look_up(sql_db, clock, conversation, f"GIFT-{number}")

    assert await look_up(sql_db, clock, conversation, code) is LookupRefusal.TOO_MANY_ATTEMPTS
    clock.advance(LIMITS.conversation_window)
    assert (await look_up(sql_db, clock, conversation, code)).balance_minor == 5_000


async def test_guesses_at_one_card_from_many_conversations_are_counted_together(sql_db, clock):
    code = (await issue(sql_db, clock)).code
    conversations = [await stored_conversation(sql_db) for _ in range(8)]

    guesses = await asyncio.gather(
        *(look_up(sql_db, clock, one, f"GIFT-{number}-{code[-4:]}") for number, one in enumerate(conversations))
    )

    assert guesses.count(LookupRefusal.NO_MATCH) == LIMITS.per_order
    assert guesses.count(LookupRefusal.TOO_MANY_ATTEMPTS) == 4
    assert await look_up(sql_db, clock, await stored_conversation(sql_db), code) is LookupRefusal.TOO_MANY_ATTEMPTS
