"""A conversation in which too much is written at once: all of it is kept, and nobody else waits for it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bot.core.conversations import Author, Owner, Reply, TurnState
from bot.services.conversations import FLOOD, WAITING_AT_MOST, receive_message
from bot.services.turns import begin_turn, claim_turn, finish_turn
from tests.builders import a_handoff, an_inbound, messages_now, stored_conversation, written

MOMENT = timedelta(milliseconds=10)


async def flood(db, clock, conversation, number):
    for n in range(number):
        await receive_message(db, clock, conversation.id, an_inbound(f"flood {n}"))
        clock.advance(MOMENT)


async def answer(db, clock, shop, turn):
    async with db.transaction() as work:
        conversation = await begin_turn(work, clock, turn)
        await finish_turn(work, clock, shop, turn, [Reply(f"re: {turn.message.text}")], conversation)
    clock.advance(MOMENT)


async def answer_all(db, clock, shop):
    answered = []
    while (turn := await claim_turn(db, clock, "worker-1")) is not None:
        await answer(db, clock, shop, turn)
        answered.append(turn.message.text)
    return answered


async def test_all_of_a_flood_is_kept_and_the_customer_is_told_once(db, clock, shop):
    talk = await stored_conversation(db)
    await flood(db, clock, talk, 500)

    messages = await messages_now(db, talk.id)
    states = Counter(message.turn_state for message in messages if message.author is Author.CUSTOMER)
    assert states == {TurnState.PENDING: WAITING_AT_MOST, TurnState.NOT_FOR_BOT: 500 - WAITING_AT_MOST}
    assert [message.text for message in messages if message.author is Author.BOT] == [FLOOD]
    assert [message.seq for message in messages] == list(range(1, 502))


async def test_what_came_first_is_answered_one_by_one_and_then_all_is_as_before(db, clock, shop):
    talk = await stored_conversation(db)
    await flood(db, clock, talk, 50)

    assert await answer_all(db, clock, shop) == [f"flood {n}" for n in range(WAITING_AT_MOST)]
    await written(db, clock, talk, "sorry, where is my order?")
    assert await answer_all(db, clock, shop) == ["sorry, where is my order?"]


async def test_while_a_flood_is_answered_more_of_it_changes_nothing(db, clock, shop):
    talk = await stored_conversation(db)
    await flood(db, clock, talk, 30)
    for _ in range(5):
        await answer(db, clock, shop, await claim_turn(db, clock, "worker-1"))
        await flood(db, clock, talk, 3)

    said = [message.text for message in await messages_now(db, talk.id) if message.author is Author.BOT]
    assert said.count(FLOOD) == 1
    assert len(await answer_all(db, clock, shop)) == WAITING_AT_MOST - 5


async def test_a_second_flood_is_told_of_again(db, clock, shop):
    talk = await stored_conversation(db)
    for _ in range(2):
        await flood(db, clock, talk, WAITING_AT_MOST + 5)
        await answer_all(db, clock, shop)

    said = [message.text for message in await messages_now(db, talk.id) if message.author is Author.BOT]
    assert said.count(FLOOD) == 2


async def test_as_many_as_may_wait_are_no_flood(db, clock, shop):
    talk = await stored_conversation(db)
    await flood(db, clock, talk, WAITING_AT_MOST)

    assert FLOOD not in [message.text for message in await messages_now(db, talk.id)]
    assert len(await answer_all(db, clock, shop)) == WAITING_AT_MOST


async def test_what_people_are_to_read_is_never_a_flood(db, clock, shop):
    talk = await stored_conversation(db, owner=Owner.QUEUE)
    async with db.transaction() as work:
        await work.handoffs.add(a_handoff(talk))
    await flood(db, clock, talk, 50)

    assert FLOOD not in [message.text for message in await messages_now(db, talk.id)]


async def test_a_flood_in_one_conversation_does_not_starve_another(sql_db, clock, shop):
    loud, quiet = await stored_conversation(sql_db), await stored_conversation(sql_db)
    await flood(sql_db, clock, loud, 500)
    await written(sql_db, clock, quiet, "Where is my order?")
    clock.advance(MOMENT)

    claimed = []
    for _ in range(4):
        turn = await claim_turn(sql_db, clock, "worker-1")
        claimed.append(turn.conversation.id)
        await answer(sql_db, clock, shop, turn)

    # Whoever has just been answered stands behind those who came meanwhile.
    assert claimed == [loud.id, quiet.id, loud.id, loud.id]
