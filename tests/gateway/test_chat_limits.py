"""Too much at once."""

from __future__ import annotations

import pytest

from bot.gateway import application


async def test_a_flood_is_limited_and_says_when_to_try_again(quiet_gateway):
    chat = await quiet_gateway.chat()
    ids = [await chat.write(f"flood {number}") for number in range(40)]

    for client_id in ids[: application.MESSAGES_AT_ONCE]:
        await chat.expect("ack", client_id=client_id)
    error = await chat.error()

    assert error["code"] == "rate_limited"
    assert error["client_id"] in ids
    assert isinstance(error["retry_after"], int)
    assert error["retry_after"] >= 1
    assert not chat.socket.closed


async def test_a_flood_in_one_conversation_does_not_slow_another_from_the_same_address(gateway):
    flooding, patient = await gateway.chat(), await gateway.chat()
    for number in range(40):
        await flooding.write(f"flood {number}")
    await flooding.expect("error", code="rate_limited")

    assert await patient.ask("only me") == "echo: only me"


async def test_a_second_socket_of_the_same_conversation_shares_its_limit(quiet_gateway):
    first = await quiet_gateway.chat()
    for number in range(40):
        await first.write(f"flood {number}")
    await first.expect("error", code="rate_limited")
    second = await quiet_gateway.chat(visitor_token=first.visitor_token)
    for number in range(5):
        await second.write(f"more {number}")

    assert (await second.error())["code"] == "rate_limited"


@pytest.mark.parametrize("frame", [{"type": "typing"}, {"type": "read", "seq": 1}, {"type": "end"}], ids=str)
async def test_frames_without_a_message_are_limited_too_and_messages_are_not_charged_for_them(gateway, frame):
    chat = await gateway.chat()
    for _ in range(40):
        await chat.send(frame)

    assert (await chat.error())["code"] == "rate_limited"
    assert await chat.say("hello") == 1
