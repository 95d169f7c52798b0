"""The door of a service: how many connections are open, and how long each may keep it waiting.

uvicorn bounds the time between two requests only. Who opens a connection and says nothing, sends a byte now
and then, or never takes the answer, would hold it for ever. Here each connection has a deadline, which no
byte puts off: for the whole of a request, for the whole of an answer, and for the next request. While the
model works, the clock stands still. Where all places are taken, the one that has kept the service waiting
longest goes.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Application = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""What speaks ASGI, https://asgi.readthedocs.io: called with scope, receive and send."""


class Door:
    """All connections of one service: `limit` at most, each with `seconds` for what its client has to do."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.lines: dict[object, Line] = {}
        self.waiting: OrderedDict[Line, None] = OrderedDict()  # for their clients, the longest first

    def enter(self, line: Line) -> None:
        """Let a connection in, in the place of another where all are taken."""
        if len(self.lines) >= self.limit:
            oldest = next(iter(self.waiting), line)  # where all are at work, the new one goes
            oldest.leave()
        self.lines[line.client] = line

    def watched(self, app: Application) -> Application:
        """Wrap the application, so that the door learns whose turn it is: the client's or the model's."""

        async def watching(scope: Any, receive: Any, send: Any) -> None:
            line = self.lines.get(_client(scope["client"]))
            if scope["type"] != "http" or line is None:  # no HTTP, or hung up already
                await asyncio.sleep(0)
                return
            line.wait()
            is_answered = False

            async def received() -> Message:
                message = await receive()
                if not message.get("more_body", False):
                    line.work()
                return message

            async def sent(message: Message) -> None:
                nonlocal is_answered
                if line.is_open:
                    line.wait()
                    await send(message)
                    is_answered = message["type"] == "http.response.body" and not message.get("more_body")

            try:
                await app(scope, received, sent)
            except asyncio.CancelledError:  # the service ends, and nobody has to be told
                line.leave()
            if not is_answered and not line.is_open:
                line.leave()
                await asyncio.sleep(0)  # until the server knows that there is nobody to answer

        return watching


class Line:
    """One connection: a protocol of asyncio around that of a server, which does the talking."""

    def __init__(self, door: Door, protocol: Any) -> None:
        self.door = door
        self.protocol = protocol
        self.client: object = None
        self.transport: Any = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, on our side."""
        return not self.transport.is_closing()

    def wait(self) -> None:
        """Give the client its seconds, from now on."""
        self.work()
        if self.is_open:
            self.timer = asyncio.get_running_loop().call_later(self.door.seconds, self.leave)
            self.door.waiting[self] = None

    def work(self) -> None:
        """Let the clock stand still."""
        self.door.waiting.pop(self, None)
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def leave(self) -> None:
        """Close the connection at once, whatever is on its way."""
        self._forget()
        self.transport.abort()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.client = _client(transport.get_extra_info("peername"))
        _send_at_once(transport.get_extra_info("socket"))
        self.door.enter(self)
        self.protocol.connection_made(transport)
        self.wait()

    def data_received(self, data: bytes) -> None:
        if not self.is_open:
            return
        try:
            self.protocol.data_received(data)
        except Exception:  # broken HTTP at a bad moment: there is nobody to answer
            self.leave()

    def eof_received(self) -> bool | None:
        return self.protocol.eof_received()

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._forget()
        self.protocol.connection_lost(error)

    def _forget(self) -> None:
        self.work()
        if self.door.lines.get(self.client) is self:
            del self.door.lines[self.client]


def _client(address: Any) -> tuple[str, int] | None:
    """Return host and port of a client, as uvicorn's scopes name it."""
    return (str(address[0]), int(address[1])) if address else None


def _send_at_once(line: socket.socket | None) -> None:
    """Let an answer's last bytes not wait for the client to confirm its first ones, 40 ms each time. (asyncio
    asks for that only where a socket was made by the name of its protocol.)
    """
    if line is not None and line.family in (socket.AF_INET, socket.AF_INET6):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
