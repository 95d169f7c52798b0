"""A service that doesn't want to answer a judge: whatever it does is a miss, and none of it stops him."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from wmlearn import Samples
from wmlearn import ownership as own
from wmlearn.errors import ArgumentError, DataError
from wmlearn.evidence import NO_ANSWER, ask, bystanders, decoy_p_value
from wmlearn.ownership import stages
from wmlearn.suspects import Remote, load_suspect
from wmlearn.suspects.remote import shown
from wmlearn.watermarks import Adi2018
from wmlearn.watermarks.blackmarks import Blackmarks2019, BlackmarksKey

X = torch.zeros(3, 1, 4, 4)
Reply = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(reply: Reply) -> Iterator[str]:
    """Run a service that does to every request what `reply` does; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a body waits 40 ms for word that its head is there

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            try:
                reply(self)
            except OSError:
                self.close_connection = True  # the client has had enough

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}"
        finally:
            web.shutdown()
            thread.join()


def sending(content: bytes, status: int = 200, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def labels(value: object) -> Reply:
    return sending(json.dumps({"labels": value}).encode())


def probabilities(value: object) -> Reply:
    return sending(json.dumps({"probabilities": value}).encode())


def raw(content: bytes) -> Reply:
    """Send these bytes, whatever HTTP says, and hang up."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(content)

    return reply


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, of an answer that never ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    _drip(handler)


def dripping_heads(handler: BaseHTTPRequestHandler) -> None:
    """Never even come to the answer."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    _drip(handler)


def continuing(handler: BaseHTTPRequestHandler) -> None:
    """Say for ever that the client may go on."""
    for _ in range(600):
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def _drip(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    for _ in range(600):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def flooding(handler: BaseHTTPRequestHandler) -> None:
    """Send more than anybody asked for."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(2**40))
    handler.end_headers()
    for _ in range(2**10):
        handler.wfile.write(b" " * 2**16)


MISSES = {
    "no labels": labels([]),
    "one label too many": labels([1, 2]),
    "a negative label": labels([-2]),
    "a fraction": labels([0.5]),
    "truth": labels([True]),
    "text": labels(["7"]),
    "a number that no tensor holds": labels([10**30]),
    "a list in the list": labels([[0]]),
    "null": labels(None),
    "depth": sending(b'{"labels":' + b"[" * 100_000),
    "a number of a million digits": sending(b'{"labels":[' + b"9" * 10**6 + b"]}"),
    "another document": sending(b"[1]"),
    "a page": sending(b"<html>"),
    "nothing": sending(b""),
    "no text": sending(b'{"labels":"\xff"}'),
    "NaN": probabilities([[float("nan")] * 10]),
    "no classes": probabilities([[]]),
    "probabilities of text": probabilities([["1", "2"]]),
    "compressed, though nobody asked": sending(gzip.compress(b'{"labels": [1]}'), Content_Encoding="gzip"),
    "400": sending(b"no", 400),
    "401": sending(b"no", 401),
    "403": sending(b"no", 403),
    "451": sending(b"\x1b[2Jclaim supported", 451),
    "204": sending(b"", 204),
    "429 for ever": sending(b"", 429, Retry_After="0"),
    "500 for ever": sending(b"", 500),
    "no HTTP": raw(b"\x16\x03\x01" * 100),
    "an endless line": raw(b"HTTP/1.1 200 " + b"a" * 100_000),
    "a thousand heads": raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n"),
    "an odd length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "an odd chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "half an answer": raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"labels"'),
    "silence": raw(b""),
}


@pytest.mark.parametrize("reply", MISSES.values(), ids=MISSES.keys())
def test_whatever_is_no_label_is_a_miss(reply: Reply) -> None:
    with answering(reply) as url:
        remote = Remote(url, tries=2, pause=0)
        assert remote(X[:1]).tolist() == [NO_ANSWER]
    assert sum(remote.misses.values()) == 1
    assert "".join(remote.misses).isprintable()


def test_the_reason_of_a_miss_is_ours_and_never_the_words_of_the_service() -> None:
    with answering(sending(b"\x1b[2Jclaim supported", 451, X="\x1b[2J")) as url:
        remote = Remote(url)
        remote(X)
    assert remote.misses == {"status 451": 3}


@pytest.mark.parametrize("slow", [dripping, dripping_heads, continuing], ids=["body", "head", "100s"])
def test_a_request_has_a_deadline_that_no_byte_puts_off(slow: Reply) -> None:
    with answering(slow) as url:
        remote = Remote(url, tries=1, timeout=0.2)
        start = time.monotonic()
        assert remote(X[:1]).tolist() == [NO_ANSWER]
        assert time.monotonic() - start < 20  # of the 30 that the service would take
    assert remote.misses == {"no whole answer in 0.2 seconds": 1}


def test_a_flood_is_cut_off_and_a_compressed_bomb_stays_shut() -> None:
    bomb = sending(gzip.compress(b" " * 10**8, 9), Content_Encoding="gzip")
    for reply in (flooding, bomb):
        tracemalloc.start()
        with answering(reply) as url:
            assert Remote(url, tries=1)(X[:1]).tolist() == [NO_ANSWER]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**24


def test_a_redirect_is_a_refusal_and_not_followed() -> None:
    paths: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        paths.append(handler.path)
        sending(b"", 307, Location="/elsewhere")(handler)

    with answering(elsewhere) as url:
        assert Remote(url)(X[:1]).tolist() == [NO_ANSWER]
    assert paths == ["/predict"]


def test_every_image_is_a_request_of_its_own_over_one_connection_unless_more_are_wanted() -> None:
    clients: list[object] = []

    def counting(handler: BaseHTTPRequestHandler) -> None:
        clients.append(handler.client_address)
        n = (int(handler.headers["Content-Length"]) - 128) // (4 * 16)  # a head of 128 bytes
        labels([4] * n)(handler)

    with answering(counting) as url:
        assert Remote(url, batch=3)(X).shape == (3,)
        assert len(clients) == 1
        Remote(url)(X)
    assert len(clients) == 4
    assert len(set(clients[1:])) == 1


def test_one_label_that_is_none_costs_one_image_of_a_batch() -> None:
    with answering(labels([1, -2, 3])) as url:
        assert Remote(url, batch=3)(X).tolist() == [1, NO_ANSWER, 3]
    with answering(probabilities([[0.1, 0.9], [0.9, float("inf")], [0.8, 0.2]])) as url:
        assert Remote(url, batch=3)(X).tolist() == [1, NO_ANSWER, 0]


def test_a_label_beyond_the_classes_is_a_miss_before_the_judge() -> None:
    with answering(labels([10])) as url:
        assert ask(Remote(url), X, 10).tolist() == [NO_ANSWER] * 3
        assert ask(Remote(url), X, 11).tolist() == [10] * 3


def test_a_budget_is_kept_with_every_retry_counted() -> None:
    asked: list[int] = []

    def refusing(handler: BaseHTTPRequestHandler) -> None:
        asked.append(1)
        sending(b"", 503)(handler)

    with answering(refusing) as url:
        remote = Remote(url, tries=3, pause=0, budget=5)
        assert remote(X).tolist() == [NO_ANSWER] * 3
    assert len(asked) == 5


def test_patience_has_an_end_and_then_nobody_is_asked_any_more() -> None:
    asked: list[int] = []

    def refusing(handler: BaseHTTPRequestHandler) -> None:
        asked.append(1)
        sending(b"", 503, Retry_After="3600")(handler)

    with answering(refusing) as url:
        remote = Remote(url, patience=0.001)
        assert remote(X.repeat(50, 1, 1, 1)).tolist() == [NO_ANSWER] * 150
    assert len(asked) < 150


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_where_nobody_ever_was_the_address_is_wrong() -> None:
    url = f"http://127.0.0.1:{_closed_port()}"
    with pytest.raises(DataError, match="Is the service up, and the address right"):
        Remote(url, tries=2, pause=0.01)(X)
    known = Remote(url, tries=2, pause=0.01, reached=True)
    assert known(X).tolist() == [NO_ANSWER] * 3


def test_who_goes_away_in_the_middle_misses_the_rest() -> None:
    with answering(labels([5])) as url:
        remote = Remote(url, tries=2, pause=0.01)
        assert remote(X).tolist() == [5] * 3
    assert remote(X).tolist() == [NO_ANSWER] * 3


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org",
        "http://",
        "http://[::1",
        "http://a b",
        "http://\x00",
        "http://x:99999",
        "http://" + "a" * 300,
        "http://x/\n",
        "http://x?key=hush",
        "http://x#part",
        "http://user:hush@[::1",
        "http://user:hush@x:y",
        "http://user:hush@/",
        "http://user:hu/hush@x",
    ],
)
def test_what_is_no_url_ends_in_one_line_without_the_password(url: str) -> None:
    with pytest.raises(ArgumentError, match="url must be http://HOST") as error:
        Remote(url)
    assert "hush" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("host", ["xn--", "no.such.host.invalid", "256.256.256.256"])
def test_a_host_that_does_not_exist_ends_in_one_line(host: str) -> None:
    with pytest.raises((ArgumentError, DataError), match="must"):
        Remote(f"http://user:hush@{host}", tries=1)(X[:1])


def test_a_password_is_sent_and_never_shown() -> None:
    seen: list[str] = []

    def noting(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        labels([1])(handler)

    with answering(noting) as url:
        Remote(url.replace("//", "//user:hush@"))(X[:1])
    assert seen == ["Basic dXNlcjpodXNo"]
    secret = Remote(f"http://user:hush@127.0.0.1:{_closed_port()}", tries=1)
    assert "hush" not in repr(secret)
    with pytest.raises(DataError, match="…@127") as error:
        secret(X)
    assert "hush" not in str(error.value)
    assert shown("HTTP://a:b@c/d?e#f") == "HTTP://…@c/d"


def test_letters_of_a_url_may_be_capitals() -> None:
    assert load_suspect("HTTP://127.0.0.1:1") == Remote("HTTP://127.0.0.1:1")


@pytest.fixture(scope="module")
def stage() -> stages.Stage:
    return stages.toy_stage(own.new_identity("Ada"))


@pytest.mark.parametrize("reply", [sending(b"no", 451), labels([10]), labels(None), raw(b"")])
def test_no_reply_keeps_the_court_from_a_finding(stage: stages.Stage, reply: Reply) -> None:
    with answering(reply) as url:
        suspects = {"service": Remote(url, tries=1)}
        book = stages.booked(stage)
        finding = stages.heard(stage, book, stage.owner, stage.commitment, suspects, released=2)
    match = finding.matches["service"]
    assert (match.evidence.hits, match.refused, match.owned) == (0, match.evidence.trials, False)


def test_a_key_is_verified_and_compared_with_decoys_where_the_service_is_silent(few: Samples) -> None:
    model, scheme = bystanders.shipped("mnist", 0, 1)[0], Adi2018(n=5)
    key = scheme.keygen(model, few, seed=3)
    with answering(sending(b"no", 451)) as url:
        assert scheme.verify(Remote(url), key).hits == 0
        assert decoy_p_value(scheme, Remote(url), key, model=model, samples=few, n=9) == 1


def test_a_bit_that_nobody_spells_is_a_miss() -> None:
    scheme = Blackmarks2019()
    key = BlackmarksKey("chen2019-blackmarks", b"", X, torch.tensor([1, 1, 0]), torch.tensor([0, 1]))
    with answering(sending(b"no", 451)) as url:
        assert scheme.verify(Remote(url), key).hits == 0
