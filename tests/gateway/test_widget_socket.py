"""The website chat over a WebSocket, as a client on the network sees it."""

from __future__ import annotations


async def test_hello_is_answered_by_ready(gateway):
    chat = await gateway.chat()

    assert chat.ready["owner"] == "bot"
    assert chat.ready["seq"] == 0
    assert chat.ready["customer"] is None
    assert chat.ready["conversation_id"]
    assert chat.ready["visitor_token"]


async def test_a_message_is_answered(gateway):
    chat = await gateway.chat()

    assert await chat.ask("magandang umaga") == "echo: magandang umaga"
