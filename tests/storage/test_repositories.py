"""What every implementation of the repositories promises: in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import IntegrityError, StatementError

from bot.core.conversations import Author, Choice, ConversationEvent, Owner, TurnState
from bot.core.handoffs import HandoffReason
from bot.core.orders import OrderLine, OrderStatus
from bot.storage.conversations import OFFERS_LOOKED_AT
from tests.builders import (
    NOW,
    a_conversation,
    a_customer,
    a_handoff,
    a_message,
    a_worker,
    an_attempt,
    an_entry,
    an_identity,
    an_order,
    stored_conversation,
    stored_customer,
)

MINUTE = timedelta(minutes=1)
MANILA = timezone(timedelta(hours=8))


# Customers and identities


async def test_a_customer_comes_back_as_stored(db):
    customer = a_customer(phone="+63 900", postcode="1200", birthday_month=2, birthday_day=29, name="José Ñ 🛒")
    async with db.transaction() as work:
        await work.customers.add(customer)

    async with db.reading() as work:
        assert await work.customers.get(customer.id) == customer
        assert await work.customers.by_external_id(customer.external_id) == customer
        assert await work.customers.by_email(customer.email) == customer
        assert await work.customers.count() == 1


async def test_unknown_customers_are_none(db):
    async with db.reading() as work:
        assert await work.customers.get("nobody") is None
        assert await work.customers.by_external_id("nobody") is None
        assert await work.customers.by_email("nobody@example.com") is None
        assert await work.customers.identity("web", "nobody") is None
        assert await work.customers.count() == 0


async def test_of_two_customers_with_one_address_the_older_is_found(db):
    older = a_customer(email="shared@example.com", created_at=NOW - MINUTE)
    async with db.transaction() as work:
        await work.customers.add(a_customer(email="shared@example.com"))
        await work.customers.add(older)

    async with db.reading() as work:
        assert await work.customers.by_email("shared@example.com") == older


async def test_the_shops_number_belongs_to_one_customer(db):
    customer = await stored_customer(db)

    with pytest.raises(IntegrityError):
        await stored_customer(db, external_id=customer.external_id)


async def test_a_known_customer_is_not_added_again(db):
    customer = await stored_customer(db)
    other = a_customer()

    async with db.transaction() as work:
        assert await work.customers.add_unless_known(a_customer(external_id=customer.external_id)) is False
        assert await work.customers.add_unless_known(other) is True

    async with db.reading() as work:
        assert await work.customers.by_external_id(customer.external_id) == customer
        assert await work.customers.get(other.id) == other
        assert await work.customers.count() == 2


async def test_an_account_of_a_channel_is_one_identity(db):
    identity = an_identity(channel="telegram", external_id="42")
    elsewhere = an_identity(channel="rest", external_id="42")
    async with db.transaction() as work:
        assert await work.customers.add_identity(identity) is True
        assert await work.customers.add_identity(an_identity(channel="telegram", external_id="42")) is False
        assert await work.customers.add_identity(elsewhere) is True

    async with db.reading() as work:
        assert await work.customers.identity("telegram", "42") == identity
        assert await work.customers.identity("rest", "42") == elsewhere


async def test_an_identity_may_belong_to_a_customer(db):
    customer = await stored_customer(db)
    identity = an_identity(customer_id=customer.id)
    async with db.transaction() as work:
        await work.customers.add_identity(identity)

    async with db.reading() as work:
        assert await work.customers.identity(identity.channel, identity.external_id) == identity


# Orders


async def test_an_order_comes_back_with_its_lines_in_order(db):
    customer = await stored_customer(db)
    order = an_order(
        customer_id=customer.id,
        status=OrderStatus.DELIVERED,
        lines=(OrderLine("Z", "Last by name", 1, 10**12), OrderLine("A", "First by name", 3, 0)),
        due_on=date(2026, 1, 9),
        shipped_at=NOW - timedelta(days=2),
        delivered_at=NOW - timedelta(days=1),
        carrier="JRS Express",
        tracking_number="TRK1",
        total_minor=10**12,
    )
    async with db.transaction() as work:
        await work.orders.add(order)

    async with db.reading() as work:
        assert await work.orders.by_number("TC-10002") == order
        assert await work.orders.by_number("TC-10002", lock=True) == order
        assert await work.orders.by_number("TC-99999") is None


async def test_a_customers_orders_are_newest_first(db):
    maria, john = await stored_customer(db), await stored_customer(db)
    async with db.transaction() as work:
        for number, owner, days in (("A-1", maria, 3), ("A-2", maria, 1), ("A-3", maria, 1), ("A-4", john, 0)):
            await work.orders.add(an_order(number=number, customer_id=owner.id, placed_at=NOW - timedelta(days=days)))
        await work.orders.add(an_order(number="A-5", lines=()))

    async with db.reading() as work:
        assert [order.number for order in await work.orders.of_customer(maria.id)] == ["A-3", "A-2", "A-1"]
        assert [order.number for order in await work.orders.of_customer(maria.id, limit=2)] == ["A-3", "A-2"]
        assert [len(order.lines) for order in await work.orders.of_customer(maria.id)] == [1, 1, 1]
        assert await work.orders.of_customer("nobody") == []
        assert (await work.orders.by_number("A-5")).lines == ()


async def test_an_order_number_is_used_once(db):
    async with db.transaction() as work:
        await work.orders.add(an_order())

    with pytest.raises(IntegrityError):
        async with db.transaction() as work:
            await work.orders.add(an_order())


# Conversations


async def test_a_conversation_comes_back_as_stored(db):
    customer = await stored_customer(db)
    conversation = await stored_conversation(
        db,
        owner=Owner.QUEUE,
        last_seq=7,
        read_seq=5,
        customer_id=customer.id,
        verified_until=NOW + MINUTE,
        next_turn_at=NOW,
        lease_holder="worker-1",
        lease_expires_at=NOW + MINUTE,
    )

    async with db.reading() as work:
        assert await work.conversations.get(conversation.id) == conversation
        assert await work.conversations.get("nothing") is None
    async with db.transaction() as work:
        assert await work.conversations.lock(conversation.id) == conversation
        assert await work.conversations.lock("nothing") is None


async def test_saving_replaces_the_whole_conversation(db):
    conversation = await stored_conversation(db, next_turn_at=NOW, lease_holder="w", lease_expires_at=NOW)
    changed = replace(
        conversation, owner=Owner.AGENT, last_seq=3, next_turn_at=None, lease_holder=None, lease_expires_at=None
    )

    async with db.transaction() as work:
        await work.conversations.save(changed)

    async with db.reading() as work:
        assert await work.conversations.get(conversation.id) == changed


async def test_the_latest_conversation_of_an_identity_is_found(db):
    identity = an_identity()
    latest = a_conversation(identity, created_at=NOW + MINUTE)
    async with db.transaction() as work:
        await work.customers.add_identity(identity)
        for conversation in (a_conversation(identity), latest, a_conversation(identity, created_at=NOW - MINUTE)):
            await work.conversations.add(conversation)

    async with db.reading() as work:
        assert await work.conversations.latest_of_identity(identity.id) == latest
        assert await work.conversations.latest_of_identity("nobody") is None


async def test_last_seqs_are_told_for_those_that_exist(db):
    one, two = await stored_conversation(db, last_seq=1), await stored_conversation(db, last_seq=2)

    async with db.reading() as work:
        assert await work.conversations.last_seqs([one.id, two.id, "nothing"]) == {one.id: 1, two.id: 2}
        assert await work.conversations.last_seqs([]) == {}


async def test_events_are_kept_in_the_order_they_happened(db):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    events = [
        ConversationEvent(conversation.id, "third_in_the_alphabet", NOW, {"seqs": [1, 2], "owner": "agent"}),
        ConversationEvent(conversation.id, "first_in_the_alphabet", NOW - MINUTE),
    ]
    async with db.transaction() as work:
        for event in events:
            await work.conversations.add_event(event)
        await work.conversations.add_event(ConversationEvent(other.id, "elsewhere", NOW))

    async with db.reading() as work:
        assert await work.conversations.events(conversation.id) == events


# Leases


async def claim(db, holder="worker-1", now=NOW, until=NOW + MINUTE):
    async with db.transaction() as work:
        return await work.conversations.claim_due(holder=holder, now=now, until=until)


async def test_the_conversation_that_waits_longest_is_claimed_first(db):
    await stored_conversation(db, next_turn_at=NOW)
    longest = await stored_conversation(db, next_turn_at=NOW - MINUTE)

    claimed = await claim(db)

    assert claimed == replace(longest, lease_holder="worker-1", lease_expires_at=NOW + MINUTE)


async def test_a_conversation_is_claimed_from_the_moment_it_is_due(db):
    await stored_conversation(db)
    due = await stored_conversation(db, next_turn_at=NOW)

    assert await claim(db, now=NOW - timedelta(microseconds=1)) is None
    assert (await claim(db, now=NOW)).id == due.id


async def test_a_leased_conversation_is_left_alone_until_the_lease_runs_out(db):
    conversation = await stored_conversation(db, next_turn_at=NOW)
    await claim(db, "worker-1", until=NOW + MINUTE)

    assert await claim(db, "worker-2", now=NOW + MINUTE - timedelta(microseconds=1)) is None
    taken = await claim(db, "worker-2", now=NOW + MINUTE, until=NOW + 2 * MINUTE)

    assert (taken.id, taken.lease_holder) == (conversation.id, "worker-2")


async def test_only_leases_that_still_run_are_renewed(db):
    for expires_at in (NOW + MINUTE, NOW + timedelta(microseconds=1), NOW, NOW - MINUTE):
        await stored_conversation(db, next_turn_at=NOW, lease_holder="worker-1", lease_expires_at=expires_at)
    other = await stored_conversation(db, next_turn_at=NOW, lease_holder="worker-2", lease_expires_at=NOW + MINUTE)

    async with db.transaction() as work:
        assert await work.conversations.renew_leases("worker-1", NOW, NOW + 2 * MINUTE) == 2

    async with db.reading() as work:
        assert await work.conversations.get(other.id) == other


async def test_released_leases_can_be_claimed_at_once(db):
    await stored_conversation(db, next_turn_at=NOW)
    await stored_conversation(db, next_turn_at=NOW, lease_holder="worker-2", lease_expires_at=NOW + MINUTE)
    await claim(db, "worker-1")

    async with db.transaction() as work:
        assert await work.conversations.release_leases("worker-1") == 1

    assert await claim(db, "worker-3") is not None
    assert await claim(db, "worker-3") is None


async def test_a_conversation_handed_back_is_due_again_only_while_a_message_waits(db):
    conversation = await stored_conversation(db, next_turn_at=NOW, lease_holder="w", lease_expires_at=NOW + MINUTE)
    async with db.transaction() as work:
        await work.messages.add(a_message(conversation, seq=1, turn_state=TurnState.PENDING), channel="web")
    free = replace(conversation, lease_holder=None, lease_expires_at=None)

    async with db.transaction() as work:
        assert await work.conversations.hand_back(conversation, NOW + MINUTE)
        assert await work.conversations.get(conversation.id) == replace(free, next_turn_at=NOW + MINUTE)
        waiting = await work.messages.first_pending(conversation.id)
        assert await work.messages.settle(waiting.id, TurnState.HANDLED)
        assert not await work.conversations.hand_back(conversation, NOW + MINUTE)
        assert await work.conversations.get(conversation.id) == replace(free, next_turn_at=None)


async def test_a_try_is_counted_for_the_oldest_waiting_message_which_comes_as_it_was(db):
    conversation = await stored_conversation(db)
    async with db.transaction() as work:
        assert await work.messages.count_try(conversation.id, 9) is None
        for seq in (2, 1):
            await work.messages.add(a_message(conversation, seq=seq, turn_state=TurnState.PENDING), channel="web")

        assert [(await work.messages.count_try(conversation.id, 3)).attempts for _ in range(5)] == [0, 1, 2, 2, 2]
        assert [(m.seq, m.attempts) for m in await work.messages.after(conversation.id, 0)] == [(1, 3), (2, 0)]


async def test_a_message_is_settled_once(db):
    conversation = await stored_conversation(db)
    async with db.transaction() as work:
        message = a_message(conversation, seq=1, turn_state=TurnState.PENDING)
        await work.messages.add(message, channel="web")

        assert await work.messages.settle(message.id, TurnState.HANDLED)
        assert not await work.messages.settle(message.id, TurnState.FAILED)
        assert [m.turn_state for m in await work.messages.after(conversation.id, 0)] == [TurnState.HANDLED]


# Messages


async def add_messages(db, *messages, channel="web"):
    async with db.transaction() as work:
        for message in messages:
            await work.messages.add(message, channel=channel)


async def test_messages_come_back_as_stored_by_seq_whatever_their_time(db):
    conversation = await stored_conversation(db)
    asked = a_message(conversation, seq=1, at=NOW + MINUTE, payload="/track", text="Żółw 🐢\nline two")
    answered = a_message(
        conversation,
        seq=2,
        author=Author.BOT,
        author_name="Suki",
        choices=(Choice("Yes", "/affirm"), Choice("No", "/deny")),
        reply_to_seq=1,
    )
    await add_messages(db, answered, asked)

    async with db.reading() as work:
        assert await work.messages.after(conversation.id, 0) == [asked, answered]
        assert await work.messages.after(conversation.id, 1) == [answered]
        assert await work.messages.after(conversation.id, 0, limit=1) == [asked]
        assert await work.messages.after(conversation.id, 2) == []
        assert await work.messages.replies_to(conversation.id, 1) == [answered]
        assert await work.messages.replies_to(conversation.id, 2) == []


async def test_what_was_said_between_two_messages_of_a_customer_and_answers_neither(sql_db):
    conversation = await stored_conversation(sql_db)
    lines = [
        *((1, Author.CUSTOMER, None), (2, Author.BOT, 1)),
        *((3, Author.CUSTOMER, None), (4, Author.AGENT, None), (5, Author.SYSTEM, None)),
        # Left to the bot, which answers once they have written something else.
        *((6, Author.CUSTOMER, None), (7, Author.BOT, 3), (8, Author.SYSTEM, 6), (9, Author.BOT, 6)),
        (10, Author.CUSTOMER, None),
    ]
    async with sql_db.transaction() as work:
        for seq, author, reply_to in lines:
            line = a_message(conversation, seq=seq, author=author, text=f"{seq}", reply_to_seq=reply_to)
            await work.messages.add(line, channel=conversation.channel)

    async with sql_db.reading() as work:
        found = {seq: [one.seq for one in await work.messages.unasked_before(conversation.id, seq)]
                 for seq in (1, 3, 6, 10)}  # fmt: skip
    assert found == {1: [], 3: [], 6: [4, 5], 10: [7]}


async def test_a_message_is_found_by_the_id_its_channel_gave_it(db):
    conversation = await stored_conversation(db)
    message = a_message(conversation, external_id="update-1")
    elsewhere = a_message(conversation, seq=2, external_id="update-1")
    await add_messages(db, message)
    await add_messages(db, elsewhere, channel="telegram")

    async with db.reading() as work:
        assert await work.messages.by_external_id("web", "update-1") == message
        assert await work.messages.by_external_id("telegram", "update-1") == elsewhere
        assert await work.messages.by_external_id("web", "update-2") is None


async def test_an_id_of_a_channel_belongs_to_one_message(db):
    one, two = await stored_conversation(db), await stored_conversation(db)
    await add_messages(db, a_message(one, external_id="update-1"))

    with pytest.raises(IntegrityError):
        await add_messages(db, a_message(two, external_id="update-1"))


async def test_a_place_in_a_conversation_holds_one_message(db):
    conversation = await stored_conversation(db)
    await add_messages(db, a_message(conversation, seq=1))

    with pytest.raises(IntegrityError):
        await add_messages(db, a_message(conversation, seq=1))


async def test_the_first_pending_message_is_the_one_with_the_lowest_seq(db):
    conversation = await stored_conversation(db)
    handled = a_message(conversation, seq=1, turn_state=TurnState.HANDLED)
    second, third = a_message(conversation, seq=3), a_message(conversation, seq=4)
    await add_messages(db, handled, a_message(conversation, seq=2, author=Author.AGENT), third, second)

    async with db.transaction() as work:
        assert await work.messages.first_pending(conversation.id) == second
        await work.messages.set_turn(second.id, TurnState.FAILED, 4)
        assert await work.messages.first_pending(conversation.id) == third
        await work.messages.set_turn(third.id, TurnState.HANDLED, 1)
        assert await work.messages.first_pending(conversation.id) is None

    async with db.reading() as work:
        assert (await work.messages.after(conversation.id, 2))[0] == replace(
            second, turn_state=TurnState.FAILED, attempts=4
        )


async def test_an_offer_is_found_in_what_was_said_lately(db):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    offer = Choice("Yes", "/affirm")
    said = [a_message(conversation, seq=seq, author=Author.BOT) for seq in range(2, OFFERS_LOOKED_AT + 2)]
    await add_messages(
        db,
        a_message(conversation, seq=1, author=Author.BOT, choices=(offer,)),
        *said[:-1],
        a_message(conversation, seq=100),
        a_message(other, author=Author.BOT, choices=(Choice("Elsewhere", "/other"),)),
    )

    async with db.reading() as work:
        assert await work.messages.offered_choice(conversation.id, "/affirm") == offer
        assert await work.messages.offered_choice(conversation.id, "/other") is None
    await add_messages(db, said[-1])
    async with db.reading() as work:
        assert await work.messages.offered_choice(conversation.id, "/affirm") is None


async def test_of_two_offers_with_one_payload_the_later_counts(db):
    conversation = await stored_conversation(db)
    for seq, title in ((1, "Early"), (2, "Late")):
        await add_messages(db, a_message(conversation, seq=seq, author=Author.BOT, choices=(Choice(title, "/same"),)))

    async with db.reading() as work:
        assert (await work.messages.offered_choice(conversation.id, "/same")).title == "Late"


async def test_what_a_customer_wrote_offers_nothing(db):
    conversation = await stored_conversation(db)
    await add_messages(db, a_message(conversation, choices=(Choice("Forged", "/forged"),)))

    async with db.reading() as work:
        assert await work.messages.offered_choice(conversation.id, "/forged") is None


# Tracker events


async def append(db, conversation, position, *events):
    async with db.transaction() as work:
        await work.tracker_events.append(conversation.id, position, events, NOW)


async def session(db, conversation):
    async with db.reading() as work:
        return await work.tracker_events.current_session(conversation.id)


async def test_a_conversation_without_tracker_events_begins_at_zero(db):
    conversation = await stored_conversation(db)
    await append(db, conversation, 0)

    assert await session(db, conversation) == ([], 0)


async def test_tracker_events_come_back_since_the_last_session_began(db):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    await append(db, conversation, 0, ("a", True), ("b", False))
    await append(db, other, 0, ("elsewhere", True))
    assert await session(db, conversation) == (["a", "b"], 2)

    await append(db, conversation, 2, ("c", True), ("d", False), ("e", False))

    assert await session(db, conversation) == (["c", "d", "e"], 5)


async def test_tracker_events_before_any_session_are_all_there(db):
    conversation = await stored_conversation(db)
    await append(db, conversation, 0, ("a", False), ("b", False))

    assert await session(db, conversation) == (["a", "b"], 2)


async def test_a_taken_tracker_position_is_refused(db):
    conversation = await stored_conversation(db)
    await append(db, conversation, 0, ("a", True), ("b", False))

    with pytest.raises(IntegrityError):
        await append(db, conversation, 1, ("late", False))

    assert await session(db, conversation) == (["a", "b"], 2)


# Attempts to prove something


async def test_failed_attempts_are_counted_by_conversation_and_by_subject(db):
    one, two = await stored_conversation(db), await stored_conversation(db)
    async with db.transaction() as work:
        for attempt in (
            an_attempt(one),
            an_attempt(one, subject="TC-2"),
            an_attempt(two),
            an_attempt(one, succeeded=True),
            an_attempt(one, kind="email_code"),
            an_attempt(one, at=NOW - MINUTE),
        ):
            await work.verifications.add(attempt)

    async with db.reading() as work:
        since = NOW - MINUTE
        assert await work.verifications.failed_in_conversation(one.id, "order_lookup", since) == 2
        assert await work.verifications.failed_in_conversation(two.id, "order_lookup", since) == 1
        assert await work.verifications.failed_for_subject("order_lookup", "TC-10002", since) == 2
        assert await work.verifications.failed_for_subject("order_lookup", "TC-10002", since - MINUTE) == 3
        assert await work.verifications.failed_for_subject("order_lookup", "TC-3", since) == 0


# Hand-offs


async def test_a_conversation_has_one_open_handoff(db):
    conversation = await stored_conversation(db)
    handoff = a_handoff(conversation, reason=HandoffReason.TURN_FAILED)
    async with db.transaction() as work:
        await work.handoffs.add(a_handoff(conversation, closed_at=NOW))
        assert await work.handoffs.open_for(conversation.id) is None
        await work.handoffs.add(handoff)

    with pytest.raises(IntegrityError):
        async with db.transaction() as work:
            await work.handoffs.add(a_handoff(conversation))

    async with db.reading() as work:
        assert await work.handoffs.open_for(conversation.id) == handoff


# Outbox


async def test_a_key_is_queued_once(db):
    entry = an_entry(key="handoff:1")
    async with db.transaction() as work:
        assert await work.outbox.add(entry) is True
        assert await work.outbox.add(an_entry(key="handoff:1")) is False
        assert (await work.outbox.has("handoff:1"), await work.outbox.has("handoff:2")) == (True, False)
        claimed = await work.outbox.claim_due(NOW, NOW + MINUTE)
        assert claimed == replace(entry, next_attempt_at=NOW + MINUTE)
        assert await work.outbox.claim_due(NOW, NOW + MINUTE) is None


async def test_the_entry_due_longest_is_claimed_and_put_off(db):
    early, late = an_entry(next_attempt_at=NOW - MINUTE), an_entry(next_attempt_at=NOW)
    async with db.transaction() as work:
        for entry in (late, early, an_entry(next_attempt_at=None), an_entry(next_attempt_at=NOW + MINUTE)):
            await work.outbox.add(entry)

    found = []
    for _ in range(3):
        async with db.transaction() as work:
            found.append(await work.outbox.claim_due(NOW, NOW + MINUTE))

    assert [entry and entry.id for entry in found] == [early.id, late.id, None]


async def test_a_saved_entry_keeps_what_became_of_it(db):
    entry = an_entry()
    failed = replace(entry, attempts=1, next_attempt_at=NOW + MINUTE, last_error="away")
    async with db.transaction() as work:
        await work.outbox.add(entry)
        await work.outbox.save(failed)
        assert await work.outbox.claim_due(NOW, NOW) is None
        assert await work.outbox.claim_due(NOW + MINUTE, NOW + MINUTE) == failed
        await work.outbox.save(replace(failed, sent_at=NOW, next_attempt_at=None))
        assert await work.outbox.claim_due(NOW + 9 * MINUTE, NOW) is None


# Workers


async def test_a_worker_is_known_by_its_last_report(db):
    async with db.transaction() as work:
        await work.workers.report(a_worker(id="a", model=None))
        await work.workers.report(a_worker(id="a", seen_at=NOW + MINUTE))
        await work.workers.report(a_worker(id="b"))
        await work.workers.report(a_worker(id="c", seen_at=NOW + 2 * MINUTE))
        await work.workers.remove("c")
        await work.workers.remove("never there")

    async with db.reading() as work:
        assert await work.workers.seen_since(NOW + MINUTE) == [a_worker(id="a", seen_at=NOW + MINUTE)]
        assert {state.id for state in await work.workers.seen_since(NOW)} == {"a", "b"}


# Times


async def test_times_come_back_in_utc_to_the_microsecond(db):
    there = datetime(2026, 3, 29, 9, 30, 0, 123_456, tzinfo=MANILA)

    customer = await stored_customer(db, created_at=there)

    async with db.reading() as work:
        found = (await work.customers.get(customer.id)).created_at
    assert found == there
    assert found.tzinfo is timezone.utc


async def test_a_time_without_a_zone_is_refused(db):
    with pytest.raises(StatementError):
        await stored_customer(db, created_at=datetime(2026, 1, 5, 9, 0))  # noqa: DTZ001 - the point
