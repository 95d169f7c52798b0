"""A suspect behind HTTP: it answers questions and shows no weights. Whoever runs it may not want to answer.

What a service does with a query is its answer, and no error of the judge's: a refusal, silence, a byte now
and then, a flood, nonsense. Each becomes `NO_ANSWER` for the images in question, and is counted. Only what
the judge can mend is an error: a URL that is none, and an address where nobody ever was.
"""

from __future__ import annotations

import base64
import functools
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import torch
from torch import Tensor

from ..errors import ArgumentError, DataError, require
from ..evidence import NO_ANSWER
from .arrays import packed

LONGEST_URL = 2000
LONGEST_WAIT = 60.0  # seconds, whatever Retry-After says
QUICK = 1.0  # seconds of a request that don't count as lost
AGAIN = (0, 408, 425, 429)  # no status at all, too slow, too early, too many: worth another try, as 5xx is


@dataclass
class _Tally:
    """What one suspect has cost so far, and how often it gave no answer, by the reason."""

    reached: bool = False
    asked: int = 0  # images sent, again and again
    lost: float = 0.0  # seconds
    misses: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, repr=False)
class Remote:
    """A suspect at a URL: called with inputs of any kind, it answers with labels (N,) int64.

    It asks `batch` images a request, one by default, over one connection a call. A request that fails, or
    that the service puts off (429, 5xx), is tried `tries` times in all, after pauses that double, or as long
    as Retry-After says. What then has no label is `NO_ANSWER`: so are refusals (4xx, redirects), answers that
    are none, and everything after `patience` seconds were lost to failures, pauses and slow answers, or after
    `budget` images were sent. `misses` says how many, and why.

    `DataError` is raised only by the first call, where no connection can be opened at all: most likely the
    address is wrong. With `reached` (the service has answered before, in another session), and after the
    first connection, silence is a miss like any other. Raises `ArgumentError` for a URL that is none; a
    password in it is sent, and never shown.
    """

    url: str
    batch: int = 1
    tries: int = 4
    pause: float = 0.25  # seconds before the second try
    timeout: float = 10.0  # seconds a request may take in all, the connection included
    patience: float = 600.0  # seconds
    budget: int | None = None  # images
    reached: bool = False
    _tally: _Tally = field(default_factory=_Tally, init=False, compare=False)

    def __post_init__(self) -> None:
        _address(self.url)
        counts = (self.batch, self.tries)
        require(min(counts) >= 1, "batch and tries must be at least 1", counts)
        seconds = (self.pause, self.timeout, self.patience)
        require(self.pause >= 0 and min(seconds[1:]) > 0, "seconds must be positive", seconds)
        require(self.budget is None or self.budget >= 1, "budget must be at least 1", self.budget)
        self._tally.reached = self.reached

    def __repr__(self) -> str:
        return f"Remote({shown(self.url)!r})"

    @property
    def misses(self) -> Mapping[str, int]:
        """How many images got no answer so far, by the reason."""
        return dict(self._tally.misses)

    def __call__(self, x: Tensor) -> Tensor:
        labels: list[int] = []
        with closing(_Wire(_address(self.url), self.timeout)) as wire:
            for part in x.split(self.batch):
                labels += self._labels(wire, part)
        return torch.tensor(labels, dtype=torch.int64, device=x.device)

    def _labels(self, wire: _Wire, x: Tensor) -> list[int]:
        """Return the labels of one batch, after as many tries as it takes and is worth."""
        body = packed(x)
        reply = _Reply(why="no time or no query was left for it")
        for attempt in range(self.tries):
            if not self._go_on(attempt, reply, len(x)):
                break
            start = time.monotonic()
            reply = self._post(wire, body, len(x))
            seconds = time.monotonic() - start
            self._tally.lost += seconds if reply.why else max(0.0, seconds - QUICK)
            if not reply.is_worth_another:
                break
        self._check_reached(reply)
        labels = list(reply.labels) or [NO_ANSWER] * len(x)
        missed = labels.count(NO_ANSWER)
        if missed:
            self._tally.misses[reply.why or "no label"] += missed
        return labels

    def _go_on(self, attempt: int, reply: _Reply, n: int) -> bool:
        """Pause before another attempt; return False where time or queries are at an end."""
        tally = self._tally
        wait = 0.0
        if attempt:
            wait = max(self.pause * 2 ** (attempt - 1), min(reply.after, LONGEST_WAIT))
        if tally.lost + wait >= self.patience:
            return False
        if self.budget is not None and tally.asked + n > self.budget:
            return False
        time.sleep(wait)
        tally.lost += wait
        return True

    def _post(self, wire: _Wire, body: bytes, n: int) -> _Reply:
        try:
            wire.connect()
        except (OSError, ValueError) as error:
            return _Reply(why=f"out of reach ({_printable(error)})", is_away=True)
        self._tally.reached = True
        self._tally.asked += n
        return wire.post(body, n)

    def _check_reached(self, reply: _Reply) -> None:
        if reply.is_away and not self._tally.reached:
            raise DataError(
                f"{shown(self.url)} must answer, got {reply.why} in {self.tries} tries. Is the service up,"
                " and the address right?"
            )


@dataclass(frozen=True)
class _Reply:
    """What came of one request: labels, or why not; the status of HTTP, and when to ask again (seconds)."""

    status: int = 0
    labels: Sequence[int] = ()
    why: str = ""
    after: float = 0.0
    is_away: bool = False  # there was no connection

    @property
    def is_worth_another(self) -> bool:
        """Whether the service may answer next time."""
        return bool(self.why) and (self.status in AGAIN or self.status >= 500)


@dataclass(frozen=True)
class _Address:
    """Where a service is."""

    host: str
    port: int
    path: str
    is_secure: bool
    authorization: str  # a header's value, or ""


class _Wire:
    """A connection to a service, kept from one request to the next; no request takes longer than `timeout`.

    It is read with the standard library, a capped number of bytes, uncompressed; nothing is redirected.
    """

    def __init__(self, address: _Address, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self.deadline = 0.0
        self.line: HTTPConnection | None = None

    def connect(self) -> None:
        """Open the connection, unless it is open; raise `OSError` where that fails."""
        self.deadline = time.monotonic() + self.timeout
        if self.line is not None:
            return
        where = self.address
        opened = _opened(where, self.deadline)
        opened.settimeout(self.timeout)
        if where.is_secure:
            opened = _trusted().wrap_socket(opened, server_hostname=where.host)
        kind = HTTPSConnection if where.is_secure else HTTPConnection
        self.line = kind(where.host, where.port)
        self.line.sock = opened

    def close(self) -> None:
        """Close the connection."""
        if self.line is not None:
            self.line.close()
            self.line = None

    def post(self, body: bytes, n: int) -> _Reply:
        """Ask about the images in `body`; whatever goes wrong becomes a reply without labels."""
        assert self.line is not None
        late = threading.Event()
        watch = threading.Timer(self.deadline - time.monotonic(), _cut, (self.line.sock, late))
        watch.daemon = True
        watch.start()
        try:
            reply = self._exchange(self.line, body, n)
        except Exception as error:  # foreign bytes meet a parser: whatever it says, there is no answer
            reply = _Reply(why=f"a broken answer ({type(error).__name__})")
        finally:
            watch.cancel()
        if late.is_set():
            reply = _Reply(why=f"no whole answer in {self.timeout:g} seconds")
        if not reply.status:
            self.close()
        return reply

    def _exchange(self, line: HTTPConnection, body: bytes, n: int) -> _Reply:
        line.request("POST", self.address.path, body, _headers(self.address))
        response = line.getresponse()
        most = 2**20 + 2**15 * n
        text = response.read(most + 1)
        if len(text) <= most and response.length:
            raise IncompleteRead(b"", response.length)
        if len(text) > most or response.will_close:
            self.close()
        if response.status != 200:
            after = _after(response.headers.get("Retry-After", ""))
            return _Reply(response.status, (), f"status {response.status}", after)
        plain = response.headers.get("Content-Encoding", "identity").lower() == "identity"
        labels = _read(text, n) if plain and len(text) <= most else None
        if labels is None:
            return _Reply(200, (), "an answer without labels")
        return _Reply(200, labels)


def _opened(where: _Address, deadline: float) -> socket.socket:
    """Connect to one of a host's addresses before the deadline, or raise `OSError`."""
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        where.host, where.port, type=socket.SOCK_STREAM
    ):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(left)
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
        except OSError as error:
            opened.close()
            failure = error
    raise failure


def _cut(opened: socket.socket, late: threading.Event) -> None:
    """End a connection under the hands of whoever reads from it."""
    late.set()
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


@functools.cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _headers(address: _Address) -> dict[str, str]:
    headers = {"Content-Type": "application/octet-stream", "Accept": "application/json"}
    headers["Accept-Encoding"] = "identity"
    if address.authorization:
        headers["Authorization"] = address.authorization
    return headers


def _after(text: str) -> float:
    """Return the seconds that Retry-After names; 0 for a date, nonsense, or nothing."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def _read(text: bytes, n: int) -> list[int] | None:
    """Read `n` labels, with `NO_ANSWER` for what is no label; None where the answer is another altogether."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    meaning = _label if "labels" in answer else _most_probable
    rows = answer.get("labels" if "labels" in answer else "probabilities")
    if not isinstance(rows, list) or len(rows) != n:
        return None
    return [meaning(row) for row in rows]


def _label(value: object) -> int:
    is_label = type(value) is int and 0 <= value < 2**31  # a bool is no label
    return value if is_label else NO_ANSWER


def _most_probable(row: object) -> int:
    if not isinstance(row, list) or not row or not all(_is_number(value) for value in row):
        return NO_ANSWER
    return row.index(max(row))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -1e30 < value < 1e30


def _address(url: str) -> _Address:
    """Read a URL; raise `ArgumentError` for what is none."""
    rule = "url must be http://HOST or https://HOST, with PORT and PATH where needed"
    fits = len(url) <= LONGEST_URL and url.isprintable() and not set(url) & set(" \\?#")
    require(fits, rule, shown(url))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        host.encode("idna")
    except ValueError:
        raise ArgumentError(f"{rule}, got {shown(url)!r}.") from None  # its words may show a password
    require(bool(host) and parts.scheme in ("http", "https"), rule, shown(url))
    is_secure = parts.scheme == "https"
    if port is None:
        port = 443 if is_secure else 80
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~") + "/predict"
    return _Address(host, port, path, is_secure, _authorization(parts.username, parts.password))


def _authorization(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def shown(url: str) -> str:
    """Return a URL as it may be shown: without user and password, without a query, and not too long."""
    scheme, slashes, rest = url[:LONGEST_URL].partition("://")
    if not slashes:
        return scheme.rpartition("@")[2][:100]
    _, at, place = rest.rpartition("@")
    place = place.partition("?")[0].partition("#")[0]
    return f"{scheme}{slashes}{'…@' if at else ''}{place}"[:100]


def _printable(error: Exception) -> str:
    """Return the words of the system, or of a foreign certificate, without control characters."""
    words = str(error)[:120]
    return "".join(letter if letter.isprintable() else "?" for letter in words) or type(error).__name__
