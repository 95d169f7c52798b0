"""A model behind HTTP: a service that answers with labels, or with probabilities.

`service` is the application, `server` runs it with limits on connections, `serve` is what the command calls,
and `running` what a notebook does. Clients are told apart by the address that their connection comes from,
never by what they say of themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from ..errors import ArgumentError, DataError, require
from ..training import predict
from .arrays import unpacked
from .connections import Application, Door, Line

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

Answers = Literal["labels", "probabilities"]
Handler = Callable[["Request"], Awaitable["Response"]]
"""What answers a request."""
BACKLOG = 128  # connections that wait to be let in, and are let in at a time
CLIENTS = 10_000  # remembered by the rate limit
FREE = 2**16  # bytes of a request that never wait for room, so that a small one always passes
GRACE = 1  # seconds that requests under way have when the service ends
LEAVING = 8 * BACKLOG  # requests whose clients are gone, and that take a few turns of the loop to end
INSTALL = 'which is not installed. Run pip install "wmlearn[serve]".'
ODD_BODY = (
    "the body must be the bytes of a NumPy array as np.save writes it, little-endian, finite, nothing empty:"
    " float32 (N, C, H, W) or (N, F), or int64 (N, L)"
)


@dataclass(frozen=True)
class Limits:
    """What one service lets through: images and bytes a request, numbers an image, bytes of all requests
    under way, requests a minute from one address, connections, and seconds in which a client sends a request
    or takes an answer.
    """

    images: int = 1000
    values: int = 3 * 64 * 64
    bytes: int = 16 * 2**20
    buffered: int = 64 * 2**20
    per_minute: int = 600
    connections: int = 384
    seconds: float = 10.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            require(value > 0, f"{name} must be positive", value)


def service(model: nn.Module, answers: Answers = "labels", limits: Limits = Limits()) -> FastAPI:
    """Build the web application: POST /predict takes inputs of any kind as the bytes of a NumPy array
    (`arrays`) and answers JSON, GET /health says ok.

    400 for what is no such array, 408 for a body that is too slow, 413 for too much of it, 422 for images
    that the model doesn't read, 429 for too many requests, 503 where others fill the memory. Raises
    `DataError` without the extra `serve`.
    """
    app = application()

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "answers": answers}

    app.add_route("/predict", answering(model, answers, limits), methods=["POST"])
    return app


def answering(model: nn.Module, answers: Answers = "labels", limits: Limits = Limits()) -> Handler:
    """Build what answers the POST requests of `service`, for an application that has other pages, too."""
    from fastapi.responses import JSONResponse

    require(answers in ("labels", "probabilities"), "answers must be labels or probabilities", answers)
    desk = _Desk(model, Gate(limits))

    async def label(request: Request) -> Response:
        desk.gate.count(request)
        with desk.gate.room() as taken:
            x = await _images(request, limits, taken)
            logits = await _logits(desk, x)  # (N, classes)
        rows = logits.argmax(1) if answers == "labels" else logits.softmax(1)
        return JSONResponse({answers: rows.tolist()})

    return told(label)


def told(handle: Handler) -> Handler:
    """Wrap what answers requests, so that a `Refusal` becomes an answer, and a client who left, none."""
    from fastapi.responses import JSONResponse
    from starlette.requests import ClientDisconnect

    async def telling(request: Request) -> Response:
        try:
            return await handle(request)
        except Refusal as refusal:
            return JSONResponse({"error": refusal.why}, refusal.status, refusal.headers)
        except ClientDisconnect:
            return JSONResponse(None)  # to nobody

    return telling


def application() -> FastAPI:
    """Build an application without pages, and without pages about itself.

    Raises `DataError` without the extra `serve`.
    """
    try:
        from fastapi import FastAPI
    except ImportError as error:
        raise DataError(f"A service needs fastapi, {INSTALL}") from error
    return FastAPI(title="wmlearn", docs_url=None, redoc_url=None, openapi_url=None)


def server(app: Any, limits: Limits = Limits(), proxy: str | None = None) -> uvicorn.Server:
    """Build the server of an application: `run(sockets=[…])` serves until `should_exit`.

    Connections are bounded in number and time, and a client who hangs up leaves nothing in the log. `proxy`
    is the address of a proxy in front of the service, the only one whose X-Forwarded-For is believed. Raises
    `DataError` without the extra `serve`.
    """
    try:
        import uvicorn
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise DataError(f"Serving needs uvicorn, {INSTALL}") from error
    if proxy is not None:
        app = ProxyHeadersMiddleware(app, trusted_hosts=str(_address(proxy)))
    most = _affordable(limits.connections, 3)
    door = Door(most, limits.seconds + 1)  # a body that is too slow is told so first

    def protocol(**state: Any) -> Line:
        return Line(door, H11Protocol(**state))

    config = uvicorn.Config(
        door.watched(_http(app)),
        http=protocol,  # pyrefly: ignore[bad-argument-type]
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_affordable(BACKLOG, 1),
        limit_concurrency=most + LEAVING,
        timeout_keep_alive=max(1, round(limits.seconds)),
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=2**14,
    )
    return uvicorn.Server(config)


def serve(app: Any, host: str, port: int, limits: Limits = Limits(), proxy: str | None = None) -> None:
    """Serve an application at an address until Ctrl-C, which ends it within five seconds.

    Raises `DataError` for an address that can't be had.
    """
    running = server(app, limits, proxy)
    with _listener(host, port) as listener:
        try:
            running.run(sockets=[listener])
        except KeyboardInterrupt:  # uvicorn raises it again when all is done
            return


@contextmanager
def running(app: Any, limits: Limits = Limits(), port: int = 0) -> Iterator[str]:
    """Serve an application in a thread, on this machine only, for as long as the block runs; yield its URL.

    Port 0 is any free one. Raises `DataError` for a port that can't be had.
    """
    web = server(app, limits)
    with _listener("127.0.0.1", port) as listener:
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not web.started and thread.is_alive():
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            web.should_exit = True
            thread.join()


def _http(app: Any) -> Application:
    return app


def _listener(host: str, port: int) -> socket.socket:
    """Listen at an address; raise `DataError` where that is impossible."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise DataError(f"host and port must be free to listen on, got {host!r} {port}: {error}.") from error


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise ArgumentError(f"proxy must be the address of one machine, got {text!r}.") from error


def _affordable(connections: int, eighths: int) -> int:
    """Return how many connections there may be, of `eighths` of the files that the system lets be open.

    Those who are let in, those who are being let in (twice) and those just closing come to less than all.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return connections
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return connections if files < 0 else max(1, min(connections, files * eighths // 8))


class Refusal(Exception):
    """A request that is refused: the status of HTTP, why, and what else the client should know."""

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.headers = headers


CLOSE = {"Connection": "close"}  # where the rest of a body would still come


@dataclass
class Gate:
    """What the requests to one service share: who asked when, and the memory for their bodies."""

    limits: Limits
    clients: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    held: int = 0

    def count(self, request: Request) -> None:
        """Count a request; raise `Refusal` when its client has sent too many."""
        client = _household(request.client.host if request.client else "")
        wait = _wait(self.clients, client, self.limits.per_minute)
        if wait:
            why = f"more than {self.limits.per_minute} requests a minute"
            raise Refusal(429, why, **{"Retry-After": str(wait)})

    @contextmanager
    def room(self) -> Iterator[Room]:
        """Give room for one request's body, until it is answered."""
        taken = Room(self)
        try:
            yield taken
        finally:
            self.held -= taken.size


@dataclass
class _Desk:
    """A model, one forward pass at a time, behind the gate of its service."""

    model: nn.Module
    gate: Gate
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, x: Tensor, gone: threading.Event) -> Tensor:
        """Return the logits (N, classes) of images (N, C, H, W), unless the client is `gone`."""
        parts = []
        for part in x.split(128):
            with self.lock:  # one model, one forward pass at a time
                if gone.is_set():
                    raise Refusal(503, "the client is gone")
                parts.append(_forward(self.model, part))
        logits = torch.cat(parts)
        if not logits.isfinite().all():
            raise Refusal(422, "the model has no finite answer to such numbers")
        return logits


@dataclass
class Room:
    """The memory that one body takes, beyond what is free."""

    gate: Gate
    size: int = 0

    def grow(self, size: int) -> None:
        """Take room for a body of `size` bytes; raise `Refusal` where there is none."""
        more = max(0, size - FREE) - self.size
        if self.gate.held + more > self.gate.limits.buffered:
            raise Refusal(503, "too many requests are under way", **CLOSE, **{"Retry-After": "1"})
        self.gate.held += more
        self.size += more


async def _images(request: Request, limits: Limits, taken: Room) -> Tensor:
    """Read the images (N, C, H, W) of a request; raise `Refusal` for anything else, or too much."""
    body = await received(request, limits, taken)
    try:
        x = unpacked(body)
    except ValueError as error:
        raise Refusal(400, f"{ODD_BODY}; got {error}") from error
    if len(x) > limits.images:
        raise Refusal(413, f"a request may hold {limits.images} inputs, got {len(x)}")
    if x[0].numel() > limits.values:
        raise Refusal(413, f"an input may hold {limits.values} numbers, got {x[0].numel()}")
    return x


async def received(request: Request, limits: Limits, taken: Room) -> bytearray:
    """Read the body of a request; raise `Refusal` for too much of it, or too slow a client."""
    try:
        return await asyncio.wait_for(_body(request, limits, taken), limits.seconds)
    except asyncio.TimeoutError as error:
        why = f"a request must be here within {limits.seconds:g} seconds"
        raise Refusal(408, why, **CLOSE) from error


async def _body(request: Request, limits: Limits, taken: Room) -> bytearray:
    body = bytearray()
    async for chunk in request.stream():
        size = len(body) + len(chunk)
        if size > limits.bytes:
            raise Refusal(413, f"a request may hold {limits.bytes} bytes", **CLOSE)
        taken.grow(size)
        body += chunk
    return body


async def _logits(desk: _Desk, x: Tensor) -> Tensor:
    """Ask the model in a thread; where the task is cancelled, it stops at the next batch."""
    gone = threading.Event()
    try:
        return await asyncio.get_running_loop().run_in_executor(None, desk.ask, x, gone)
    finally:
        gone.set()


def _forward(model: nn.Module, x: Tensor) -> Tensor:
    """Return the logits (N, classes) of images (N, C, H, W); raise `Refusal` where it can't read them."""
    try:
        return predict(model, x)
    except ArgumentError as error:  # in our own words
        raise Refusal(422, str(error)) from error
    except (ValueError, TypeError, IndexError, RuntimeError, MemoryError) as error:
        # the network's own words tell its inner sizes
        raise Refusal(422, f"the model doesn't read inputs of shape {tuple(x.shape[1:])}") from error


def _household(host: str) -> str:
    """Return whose address it is: that of one machine, or of a network (/64), as a household has in IPv6."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def _wait(clients: OrderedDict[str, deque[float]], client: str, per_minute: int) -> int:
    """Count a request of `client`; return 0, or the seconds after which the next is let through."""
    now = time.monotonic()
    times = clients.setdefault(client, deque())
    clients.move_to_end(client)
    if len(clients) > CLIENTS:
        clients.popitem(last=False)  # the one that has been silent longest
    while times and now - times[0] >= 60:
        times.popleft()
    if len(times) >= per_minute:
        return int(60 - (now - times[0])) + 1
    times.append(now)
    return 0
