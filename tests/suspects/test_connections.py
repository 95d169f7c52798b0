"""A connection's own settings: small answers leave at once."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from typing import Any

from wmlearn.suspects.connections import Door, Line


class _Talks:
    """Stand in for the server's protocol, which sees what is made of the connection."""

    def __init__(self) -> None:
        self.sends_at_once = -1

    def connection_made(self, transport: Any) -> None:
        made = transport.get_extra_info("socket")
        self.sends_at_once = made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def connection_lost(self, error: Exception | None) -> None:
        pass


async def _connected(talks: _Talks) -> None:
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))  # as `serve` does: without the name of its protocol
    made: Any = lambda: Line(Door(2, 5), talks)  # noqa: E731
    server = await loop.create_server(made, sock=listener)
    async with server:
        with closing(socket.create_connection(listener.getsockname())):
            for _ in range(200):
                await asyncio.sleep(0.01)
                if talks.sends_at_once >= 0:
                    return


def test_the_end_of_an_answer_waits_for_nobody() -> None:
    talks = _Talks()
    asyncio.run(_connected(talks))
    assert talks.sends_at_once == 1
