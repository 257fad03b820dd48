"""The tests' own guard: no test reaches another machine unnoticed."""

import asyncio
import contextlib
import socket

import pytest


async def test_a_connection_to_the_outside_is_refused_and_noted(outside_connections):
    with pytest.raises(OSError, match="may not connect"), socket.socket() as one:
        one.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="may not connect"):
        socket.getaddrinfo("shop.example", 443)
    with pytest.raises(OSError, match="may not connect"):
        await asyncio.open_connection("192.0.2.2", 443)

    assert outside_connections == ["192.0.2.1", "shop.example", "192.0.2.2"]
    outside_connections.clear()


async def test_this_machine_may_be_reached(outside_connections):
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    _, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    server.close()

    assert outside_connections == []
