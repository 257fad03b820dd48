"""Two act on one conversation at the same moment: one of them wins, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from bot.core.conversations import ConversationId, Owner
from bot.core.handoffs import Step
from bot.errors import StepRefused
from bot.services.handoffs import take_step
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]

ROUNDS = 5


async def standing(gateway, chat):
    async with gateway.store.reading() as work:
        conversation = await work.conversations.get(ConversationId(chat.conversation_id))
        return conversation, await work.handoffs.open_for(conversation.id)


async def messages_of(gateway, chat):
    async with gateway.store.reading() as work:
        return await work.messages.after(ConversationId(chat.conversation_id), 0, 1_000)


async def customer_cancels(gateway, chat):
    """The customer goes back to the bot; whether that came in time."""
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(chat.conversation_id))
        try:
            await take_step(work, gateway.clock, gateway.shop, conversation, Step.CANCEL, by=None)
        except StepRefused:
            return False
    return True


def whole(messages):
    """Numbered without a gap, each once."""
    return [message.seq for message in messages] == list(range(1, len(messages) + 1))


async def test_of_two_who_claim_at_once_one_gets_it(desk_gateway, ana, ben, waiting):
    path = f"conversations/{waiting.conversation_id}"
    for _ in range(ROUNDS):
        answers = await asyncio.gather(ana.post(f"{path}/claim"), ben.post(f"{path}/claim"))

        assert sorted(status for status, _ in answers) == [200, 409]
        winner = (ana, ben)[[status for status, _ in answers].index(200)]
        conversation, handoff = await standing(desk_gateway, waiting)
        assert (conversation.owner, handoff.agent_id) == (Owner.AGENT, winner.agent.id)
        await winner.do(waiting.conversation_id, "transfer", topic="returns")
    joined = [one.text for one in await messages_of(desk_gateway, waiting) if "joined" in one.text]
    assert len(joined) == ROUNDS


async def test_a_claim_and_a_customer_who_leaves_the_line_end_in_one_of_both(desk_gateway, ana, waiting):
    (status, _), cancelled = await asyncio.gather(
        ana.post(f"conversations/{waiting.conversation_id}/claim"), customer_cancels(desk_gateway, waiting)
    )

    conversation, handoff = await standing(desk_gateway, waiting)
    if cancelled:
        assert (status, conversation.owner, handoff) == (409, Owner.BOT, None)
    else:
        assert (status, conversation.owner, handoff.agent_id) == (200, Owner.AGENT, ana.agent.id)
    assert whole(await messages_of(desk_gateway, waiting))


async def test_a_reply_and_a_transfer_leave_no_word_of_somebody_who_has_left(desk_gateway, ana, ben, helped):
    path = f"conversations/{helped.conversation_id}"
    for number in range(ROUNDS):
        has, gets = (ana, ben) if number % 2 == 0 else (ben, ana)
        body = {"text": f"Reply {number}", "client_id": str(uuid.uuid4())}
        (said, _), (passed, _) = await asyncio.gather(
            has.post(f"{path}/reply", body), has.post(f"{path}/transfer", {"agent_id": gets.agent.id})
        )
        assert passed == 200
        messages = await messages_of(desk_gateway, helped)
        left = max(one.seq for one in messages if "passed you on" in one.text)
        replies = [one.seq for one in messages if one.text == f"Reply {number}"]
        # It was said before the transfer, or it was refused.
        assert (said, len(replies)) in ((200, 1), (409, 0))
        assert all(seq < left for seq in replies)
        assert whole(messages)


async def test_what_the_customer_writes_while_it_is_given_back_is_answered_once(desk_gateway, ana, helped):
    path = f"conversations/{helped.conversation_id}"
    for number in range(ROUNDS):
        (status, _), _ = await asyncio.gather(ana.post(f"{path}/return"), helped.say(f"Question {number}"))
        assert status == 200
        # The bot works again, and answers it, whichever was first.
        await helped.expect("message", text=f"echo: Question {number}")
        assert await helped.ask(f"After {number}") == f"echo: After {number}"
        messages = await messages_of(desk_gateway, helped)
        assert [one.text for one in messages].count(f"echo: Question {number}") == 1
        assert whole(messages)
        await ana.do(helped.conversation_id, "takeover")


async def test_a_bot_reply_in_flight_is_dropped_when_somebody_steps_in_and_that_is_noted(desk_gateway, ana):
    chat = await desk_gateway.chat()
    await chat.ask("Hello")
    desk_gateway.answerer.may_answer.clear()
    desk_gateway.answerer.claimed.clear()
    await chat.say("Where is my order?")
    await asyncio.wait_for(desk_gateway.answerer.claimed.wait(), 10)

    await ana.do(chat.conversation_id, "takeover")
    desk_gateway.answerer.may_answer.set()
    seq = await ana.reply(chat.conversation_id, "I will look.")

    assert (await chat.expect("message", author="agent"))["seq"] == seq
    # The next turn comes after the one that was dropped.
    await ana.do(chat.conversation_id, "return")
    assert await chat.ask("Thanks") == "echo: Thanks"
    assert "echo: Where is my order?" not in [one.text for one in await messages_of(desk_gateway, chat)]
    view = await ana.get(f"conversations/{chat.conversation_id}")
    assert [event for event in view["events"] if event["kind"] == "turn_dropped"]


async def test_the_same_reply_sent_several_times_at_once_is_one_message(desk_gateway, ana, helped):
    body = {"text": "Hello", "client_id": str(uuid.uuid4())}

    answers = await asyncio.gather(*(ana.post(f"conversations/{helped.conversation_id}/reply", body) for _ in range(8)))

    assert {status for status, _ in answers} == {200}
    assert len({answer["seq"] for _, answer in answers}) == 1
    assert len([one for one in await messages_of(desk_gateway, helped) if one.text == "Hello" and one.agent_id]) == 1


async def test_replies_and_messages_at_once_are_all_there_in_one_order(desk_gateway, ana, helped):
    async def agent(number):
        return await ana.reply(helped.conversation_id, f"a{number}")

    await asyncio.gather(
        *(agent(number) for number in range(10)), *(helped.write(f"c{number}") for number in range(10))
    )
    for _ in range(10):
        await helped.expect("ack")

    messages = await messages_of(desk_gateway, helped)
    assert whole(messages)
    texts = [one.text for one in messages]
    assert all(texts.count(f"{who}{number}") == 1 for who in "ac" for number in range(10))


@pytest.mark.parametrize("what", ["resolve", "return"])
async def test_closing_twice_at_once_is_closing_once(desk_gateway, ana, helped, what):
    path = f"conversations/{helped.conversation_id}/{what}"

    answers = await asyncio.gather(ana.post(path), ana.post(path))

    assert sorted(status for status, _ in answers) == [200, 409]
