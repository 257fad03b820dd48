"""Who gets to see which conversation, and what is recorded of what customers write."""

import asyncio
from datetime import timedelta

import pytest

from bot.core.conversations import MAX_TEXT_CHARACTERS, Author, Choice, Owner, TurnState
from bot.errors import ConversationNotFound, DuplicateMessageId, EmptyText, TextTooLong, UnknownChoice
from bot.services.conversations import (
    ProvenIdentity,
    end_conversation,
    mark_read,
    open_channel_conversation,
    open_web_conversation,
    receive_message,
    visible_conversation,
)
from bot.services.ports import Hint
from tests.builders import (
    NOW,
    a_message,
    an_inbound,
    conversation_now,
    events_now,
    messages_now,
    stored_conversation,
    stored_customer,
    written,
)

HOUR = timedelta(hours=1)


# Recording


async def test_a_message_is_recorded_with_its_place_and_waits_for_its_turn(db, clock):
    conversation = await stored_conversation(db, last_seq=4)
    inbound = an_inbound("  Where is my order?\n")

    message = await receive_message(db, clock, conversation.id, inbound)

    assert await messages_now(db, conversation.id) == [message]
    assert (message.seq, message.author, message.text) == (5, Author.CUSTOMER, "Where is my order?")
    assert (message.external_id, message.turn_state, message.attempts) == (inbound.external_id, TurnState.PENDING, 0)
    assert message.at == clock.now()
    after = await conversation_now(db, conversation.id)
    assert (after.last_seq, after.next_turn_at) == (5, clock.now())
    assert db.hints == [Hint("inbound", conversation.id), Hint("echo", conversation.id)]


async def test_a_second_message_does_not_put_off_the_turn_of_the_first(db, clock):
    conversation = await stored_conversation(db)
    await written(db, clock, conversation, "Hello")
    clock.advance(seconds=5)

    await written(db, clock, conversation, "Anybody there?")

    assert (await conversation_now(db, conversation.id)).next_turn_at == NOW


async def test_the_same_message_sent_twice_is_one_message(db, clock):
    conversation = await stored_conversation(db)
    inbound = an_inbound(" Hello ")
    first = await receive_message(db, clock, conversation.id, inbound)
    clock.advance(seconds=60)
    db.hints.clear()

    again = await receive_message(db, clock, conversation.id, an_inbound("Hello", external_id=inbound.external_id))

    assert again == first
    assert await messages_now(db, conversation.id) == [first]
    assert db.hints == []


async def test_one_id_for_two_texts_is_refused(db, clock):
    conversation = await stored_conversation(db)
    await receive_message(db, clock, conversation.id, an_inbound("Hello", external_id="1"))

    with pytest.raises(DuplicateMessageId):
        await receive_message(db, clock, conversation.id, an_inbound("Goodbye", external_id="1"))

    assert [message.text for message in await messages_now(db, conversation.id)] == ["Hello"]


async def test_an_id_of_another_conversation_is_refused(db, clock):
    one, two = await stored_conversation(db), await stored_conversation(db)
    inbound = an_inbound()
    await receive_message(db, clock, one.id, inbound)

    with pytest.raises(DuplicateMessageId):
        await receive_message(db, clock, two.id, inbound)

    assert await messages_now(db, two.id) == []


async def test_channels_number_their_messages_each_for_itself(db, clock):
    web, telegram = await stored_conversation(db), await stored_conversation(db, channel="telegram")

    for conversation in (web, telegram):
        await receive_message(db, clock, conversation.id, an_inbound(external_id="1"))

    assert len(await messages_now(db, web.id)) == len(await messages_now(db, telegram.id)) == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", EmptyText),
        (" \n\t\u2003 ", EmptyText),
        ("x" * (MAX_TEXT_CHARACTERS + 1), TextTooLong),
        ("🙂" * (MAX_TEXT_CHARACTERS + 1), TextTooLong),
    ],
)
async def test_a_text_outside_the_limits_is_refused_and_leaves_nothing(fake_db, clock, text, error):
    conversation = await stored_conversation(fake_db)

    with pytest.raises(error):
        await receive_message(fake_db, clock, conversation.id, an_inbound(text))

    assert await messages_now(fake_db, conversation.id) == []
    assert await conversation_now(fake_db, conversation.id) == conversation
    assert fake_db.hints == []


@pytest.mark.parametrize("text", ["x", "x" * MAX_TEXT_CHARACTERS, " " * 10 + "🙂" * MAX_TEXT_CHARACTERS])
async def test_a_text_within_the_limits_after_trimming_is_kept_whole(db, clock, text):
    conversation = await stored_conversation(db)

    await receive_message(db, clock, conversation.id, an_inbound(text))

    assert [message.text for message in await messages_now(db, conversation.id)] == [text.strip()]


async def test_what_no_database_can_store_is_replaced(db, clock):
    conversation = await stored_conversation(db)

    await receive_message(db, clock, conversation.id, an_inbound("a\x00b\ud800c"))

    assert [message.text for message in await messages_now(db, conversation.id)] == ["a\N{REPLACEMENT CHARACTER}b�c"]


async def test_a_message_to_nowhere_is_refused(db, clock):
    with pytest.raises(ConversationNotFound):
        await receive_message(db, clock, "nothing", an_inbound())


@pytest.mark.parametrize("owner", [Owner.QUEUE, Owner.AGENT])
async def test_a_message_to_people_is_recorded_and_is_none_of_the_bots_business(db, clock, owner):
    conversation = await stored_conversation(db, owner=owner)

    (message,) = await written(db, clock, conversation)

    assert message.turn_state is TurnState.NOT_FOR_BOT
    assert (await conversation_now(db, conversation.id)).next_turn_at is None
    assert db.hints == [Hint("echo", conversation.id), Hint("desk", conversation.id)]


# Choices


async def offer(db, conversation, *choices, seq=1):
    async with db.transaction() as work:
        await work.messages.add(a_message(conversation, seq=seq, author=Author.BOT, choices=choices), channel="web")
        await work.conversations.save(
            type(conversation)(**{**vars(await work.conversations.get(conversation.id)), "last_seq": seq})
        )


async def test_a_choice_is_recorded_with_the_title_it_was_offered_under(db, clock):
    conversation = await stored_conversation(db)
    await offer(db, conversation, Choice("Yes, please", "/affirm"))

    message = await receive_message(db, clock, conversation.id, an_inbound("forged", payload="/affirm"))

    assert (message.text, message.payload, message.seq) == ("Yes, please", "/affirm", 2)


@pytest.mark.parametrize("payload", ["/never_offered", "/AFFIRM", "", "/elsewhere"])
async def test_a_choice_that_was_not_offered_here_is_refused(db, clock, payload):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    await offer(db, conversation, Choice("Yes", "/affirm"))
    await offer(db, other, Choice("Elsewhere", "/elsewhere"))

    with pytest.raises(UnknownChoice):
        await receive_message(db, clock, conversation.id, an_inbound("", payload=payload))

    assert len(await messages_now(db, conversation.id)) == 1


async def test_a_payload_written_as_text_is_only_text(db, clock):
    conversation = await stored_conversation(db)
    await offer(db, conversation, Choice("Yes", "/affirm"))

    message = await receive_message(db, clock, conversation.id, an_inbound("/affirm"))

    assert (message.text, message.payload) == ("/affirm", None)


async def test_a_choice_sent_again_is_one_message_though_it_is_now_offered_under_another_title(db, clock):
    conversation = await stored_conversation(db)
    await offer(db, conversation, Choice("Find one order", "/track_order"))
    inbound = an_inbound("", payload="/track_order")
    first = await receive_message(db, clock, conversation.id, inbound)
    await offer(db, conversation, Choice("Try again", "/track_order"), seq=3)

    assert await receive_message(db, clock, conversation.id, inbound) == first


async def test_a_choice_sent_again_is_one_message_though_its_offer_is_long_gone(db, clock):
    conversation = await stored_conversation(db)
    await offer(db, conversation, Choice("Yes", "/affirm"))
    inbound = an_inbound("", payload="/affirm")
    first = await receive_message(db, clock, conversation.id, inbound)
    async with db.transaction() as work:
        for seq in range(3, 60):
            await work.messages.add(a_message(conversation, seq=seq, author=Author.BOT), channel="web")

    assert await receive_message(db, clock, conversation.id, inbound) == first
    with pytest.raises(DuplicateMessageId):
        await receive_message(db, clock, conversation.id, an_inbound("Yes", external_id=inbound.external_id))


# Reading and leaving


async def test_reading_goes_forward_and_not_past_the_end(db, clock):
    conversation = await stored_conversation(db, last_seq=5)

    marks = []
    for seq in (3, 1, -4, 5, 99):
        await mark_read(db, conversation.id, seq)
        marks.append((await conversation_now(db, conversation.id)).read_seq)

    assert marks == [3, 3, 3, 5, 5]
    await mark_read(db, "nothing", 1)


async def test_a_customer_who_leaves_is_still_answered(db, clock, shop):
    conversation = await stored_conversation(db)
    await written(db, clock, conversation)

    await end_conversation(db, clock, shop, conversation.id)

    assert [event.kind for event in await events_now(db, conversation.id)] == ["ended_by_customer"]
    assert (await conversation_now(db, conversation.id)).next_turn_at == NOW


# Accounts on a channel


async def test_an_account_keeps_its_conversation(db, clock):
    first = await open_channel_conversation(db, clock, channel="telegram", external_id="42")
    clock.advance(HOUR)

    assert await open_channel_conversation(db, clock, channel="telegram", external_id="42") == first
    assert (await open_channel_conversation(db, clock, channel="rest", external_id="42")).id != first.id
    assert (await open_channel_conversation(db, clock, channel="telegram", external_id="43")).id != first.id


async def test_an_account_that_knocks_many_times_at_once_gets_one_conversation(db, clock):
    opened = await asyncio.gather(
        *(open_channel_conversation(db, clock, channel="telegram", external_id="42") for _ in range(12))
    )

    assert len({conversation.id for conversation in opened}) == 1


# Visitors on the website


def proof(customer, lasts=HOUR):
    return ProvenIdentity(customer.external_id, customer.email, customer.name, NOW + lasts)


async def open_web(db, clock, conversation=None, identity=None):
    return await open_web_conversation(
        db, clock, conversation_id=conversation.id if conversation else None, identity=identity
    )


async def test_a_new_visitor_begins_a_conversation_as_nobody(db, clock):
    conversation, customer = await open_web(db, clock)

    assert customer is None
    assert (conversation.channel, conversation.owner, conversation.last_seq) == ("web", Owner.BOT, 0)
    assert await conversation_now(db, conversation.id) == conversation


async def test_an_anonymous_visitor_comes_back_to_their_conversation(db, clock):
    first, _ = await open_web(db, clock)

    assert await open_web(db, clock, first) == (first, None)
    assert await visible_conversation(db, clock, first.id) == first


async def test_two_new_visitors_have_nothing_in_common(db, clock):
    one, _ = await open_web(db, clock)
    two, _ = await open_web(db, clock)

    assert one.id != two.id
    assert one.identity_id != two.identity_id


async def test_signing_in_takes_the_conversation_along(db, clock):
    maria = await stored_customer(db)
    anonymous, _ = await open_web(db, clock)

    conversation, customer = await open_web(db, clock, anonymous, proof(maria))

    assert customer == maria
    assert (conversation.id, conversation.customer_id) == (anonymous.id, maria.id)
    assert conversation.verified_until == NOW + HOUR
    assert await conversation_now(db, conversation.id) == conversation


async def test_somebody_the_shop_vouches_for_becomes_a_customer_once(db, clock):
    identity = ProvenIdentity("S-77", " New@Example.com ", "New Customer", NOW + HOUR)

    _, customer = await open_web(db, clock, identity=identity)
    _, again = await open_web(db, clock, identity=identity)

    assert (customer.external_id, customer.email, customer.name) == ("S-77", "new@example.com", "New Customer")
    assert again == customer


async def test_a_new_customer_with_many_tabs_is_one_customer(db, clock):
    identity = ProvenIdentity("S-77", None, "New Customer", NOW + HOUR)

    opened = await asyncio.gather(*(open_web(db, clock, identity=identity) for _ in range(10)))

    assert len({customer.id for _, customer in opened}) == 1
    async with db.reading() as work:
        assert await work.customers.count() == 1


async def test_a_customer_stays_known_without_showing_the_proof_again_while_it_holds(db, clock):
    maria = await stored_customer(db)
    conversation, _ = await open_web(db, clock, identity=proof(maria))
    clock.advance(HOUR - timedelta(microseconds=1))

    assert await open_web(db, clock, conversation) == (conversation, maria)
    assert await visible_conversation(db, clock, conversation.id) == conversation


async def test_a_token_left_on_a_shared_computer_shows_nobodys_history(db, clock):
    maria = await stored_customer(db)
    conversation, _ = await open_web(db, clock, identity=proof(maria))
    await written(db, clock, conversation, "My address is …")
    clock.advance(HOUR)

    found, customer = await open_web(db, clock, conversation)

    assert customer is None
    assert found.id != conversation.id
    assert await messages_now(db, found.id) == []
    assert await visible_conversation(db, clock, conversation.id) is None


async def test_a_customer_who_proves_themselves_again_gets_their_history_back(db, clock):
    maria = await stored_customer(db)
    conversation, _ = await open_web(db, clock, identity=proof(maria))
    clock.advance(2 * HOUR)

    found, customer = await open_web(db, clock, conversation, proof(maria, lasts=3 * HOUR))

    assert (found.id, customer) == (conversation.id, maria)
    assert found.verified_customer(clock.now()) == maria.id


@pytest.mark.parametrize("later", [timedelta(0), 2 * HOUR], ids=["while the proof holds", "afterwards"])
async def test_another_customer_with_somebodys_token_gets_a_conversation_of_their_own(db, clock, later):
    maria, john = await stored_customer(db), await stored_customer(db, name="John Reyes")
    marias, _ = await open_web(db, clock, identity=proof(maria))
    clock.advance(later)

    found, customer = await open_web(db, clock, marias, proof(john, lasts=9 * HOUR))

    assert customer == john
    assert found.id != marias.id
    assert (await conversation_now(db, marias.id)).customer_id == maria.id


async def test_a_token_for_nothing_begins_anew(db, clock):
    found, customer = await open_web_conversation(db, clock, conversation_id="nothing", identity=None)

    assert customer is None
    assert found.id != "nothing"
    assert await visible_conversation(db, clock, "nothing") is None


async def test_a_conversation_of_another_channel_does_not_open_on_the_website(db, clock):
    telegram = await stored_conversation(db, channel="telegram")

    found, _ = await open_web(db, clock, telegram)

    assert found.id != telegram.id
    assert await visible_conversation(db, clock, telegram.id) is None
