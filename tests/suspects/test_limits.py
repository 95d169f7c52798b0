"""A service under attack: what one client does takes nothing from the others, and writes nothing."""

from __future__ import annotations

import gc
import io
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from running import running
from torch import nn

from wmlearn.cli import app
from wmlearn.data import files
from wmlearn.errors import ArgumentError, DataError
from wmlearn.suspects import Limits, serve, server, service, serving

MODEL = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
OPENING = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
UNFINISHED = (b"", b"POST /pre", OPENING, OPENING + b"\x93NUMPY")
PATIENCE = 30  # seconds, far more than any of this takes


def body(n: int = 1) -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros((n, 1, 4, 4), np.float32))
    return out.getvalue()


def post(url: str, content: bytes = body(), headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.post(
        f"{url}/predict", content=content, headers=headers, trust_env=False, verify=False, timeout=PATIENCE
    )


def opened(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def rest(client: socket.socket) -> bytes:
    """Read until the service hangs up; fail if it doesn't."""
    said = b""
    while True:
        try:
            part = client.recv(2**16)
        except ConnectionError:
            return said
        if not part:
            return said
        said += part


def test_whoever_claims_to_be_another_is_counted_as_himself() -> None:
    limits = Limits(per_minute=3)
    with running(service(MODEL, limits=limits), limits) as url:
        heads = [{"X-Forwarded-For": f"10.0.0.{i}", "Forwarded": f"for=10.0.0.{i}"} for i in range(8)]
        codes = [post(url, headers=head).status_code for head in heads]
    assert codes == [200] * 3 + [429] * 5


def test_only_the_proxy_that_was_named_is_believed() -> None:
    limits = Limits(per_minute=1)
    with running(service(MODEL, limits=limits), limits, proxy="127.0.0.1") as url:
        codes = [post(url, headers={"X-Forwarded-For": f"10.0.0.{i % 2}"}).status_code for i in range(4)]
    assert codes == [200, 200, 429, 429]
    with running(service(MODEL, limits=limits), limits, proxy="10.9.9.9") as url:
        codes = [post(url, headers={"X-Forwarded-For": f"10.0.0.{i}"}).status_code for i in range(2)]
    assert codes == [200, 429]
    for proxy in ("*", "10.0.0.0/8", "proxy.example"):
        with pytest.raises(ArgumentError, match="the address of one machine"):
            server(service(MODEL), proxy=proxy)


def test_a_connection_that_keeps_the_service_waiting_is_closed() -> None:
    limits = Limits(seconds=0.2)
    with running(service(MODEL, limits=limits), limits) as url, ExitStack() as stack:
        clients = [stack.enter_context(opened(url)) for _ in range(20)]
        for i, client in enumerate(clients):
            client.sendall(UNFINISHED[i % 4])
        said = [rest(client) for client in clients]
        assert post(url).status_code == 200
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in said if answer)


def test_a_byte_now_and_then_puts_no_deadline_off() -> None:
    limits = Limits(seconds=0.2)
    with running(service(MODEL, limits=limits), limits) as url, opened(url) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nx: ")
        with pytest.raises(ConnectionError):
            _drip(client)
        assert post(url).status_code == 200


def _drip(client: socket.socket) -> None:
    for _ in range(PATIENCE * 10):
        client.sendall(b"x")
        time.sleep(0.1)


def test_a_client_that_asks_and_never_listens_is_closed() -> None:
    size = 20 * 10**6  # more than any socket keeps

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size})

    with running(app, Limits(seconds=0.2)) as url, opened(url) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(3)  # far longer than the limit
        assert 0 < len(rest(client)) < size


def test_idle_connections_make_room_for_those_who_ask() -> None:
    limits = Limits(connections=10)
    with running(service(MODEL, limits=limits), limits) as url, ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(opened(url)).sendall(OPENING)
        for _ in range(5):
            assert post(url).status_code == 200


def test_open_uploads_fill_no_more_memory_than_there_is_for_them() -> None:
    limits = Limits(bytes=2**20, buffered=2**20)
    with running(service(MODEL, limits=limits), limits) as url, ExitStack() as stack:
        clients = [stack.enter_context(opened(url)) for _ in range(4)]
        codes: list[bytes] = []
        for client in clients:
            client.sendall(f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {2**20}\r\n\r\n".encode())
            client.sendall(b"\0" * 600_000)
            client.settimeout(1)
            try:
                codes.append(client.recv(12))
            except TimeoutError:
                codes.append(b"")
            except ConnectionError:
                codes.append(b"HTTP/1.1 503")  # it came before the rest was sent
        assert codes == [b"", *[b"HTTP/1.1 503"] * 3]
        assert post(url).status_code == 200  # a small one always passes
        clients[0].close()
        end = time.monotonic() + PATIENCE
        while post(url, b"\0" * 10**6).status_code == 503 and time.monotonic() < end:
            time.sleep(0.05)
        assert post(url, b"\0" * 10**6).status_code == 400  # the room is free again


def test_a_model_that_fails_in_any_way_refuses_in_one_line() -> None:
    class Failing(nn.Module):
        def forward(self, x: object) -> object:
            raise MemoryError

    with running(service(Failing())) as url:
        reply = post(url)
    assert (reply.status_code, list(reply.json())) == (422, ["error"])


@pytest.mark.parametrize(
    "sent",
    [
        OPENING + b"abc",
        b"\x16\x03\x01\x02" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        b"POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeZZ\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"POST /predict HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    ],
)
def test_broken_requests_and_those_who_hang_up_write_nothing(
    sent: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(service(MODEL)) as url:
        for _ in range(10):
            with opened(url) as client:
                try:
                    client.sendall(sent)
                except ConnectionError:
                    continue
        assert post(url).status_code == 200
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_it_ends_while_clients_keep_it_waiting(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    limits = Limits(seconds=600)  # of which the end waits for none
    with ExitStack() as stack:
        with running(service(MODEL, limits=limits), limits) as url:
            for _ in range(40):
                stack.enter_context(opened(url)).sendall(OPENING)
            assert post(url).status_code == 200
        left = set(threading.enumerate()) - before  # the clients are still there
    assert not [thread for thread in left if type(thread).__name__ != "TMonitor"]
    assert "Traceback" not in capfd.readouterr().err


def test_the_command_ends_without_a_last_look_through_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[int] = []
    monkeypatch.setattr(serving, "serve", lambda *_: frozen.append(gc.get_freeze_count()))
    weights = files.ROOT / "models" / "bystander-mnist-20.safetensors"
    try:
        app.serve(weights, "badnet_cnn")
    finally:
        gc.unfreeze()
    assert frozen[0] > 10_000


def test_an_address_that_cannot_be_had_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(DataError, match="free to listen on"):
        serve(service(MODEL), "127.0.0.1", taken.getsockname()[1])
    with pytest.raises(DataError, match="free to listen on"):
        serve(service(MODEL), "no.such.host.invalid", 0)


@contextmanager
def command(*extra: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `wmlearn serve` in a process of its own; yield it, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    weights = files.ROOT / "models" / "bystander-mnist-20.safetensors"
    line = [sys.executable, "-c", "from wmlearn.cli import main; main()", "serve", str(weights)]
    line += ["--network", "badnet_cnn", "--port", str(port), *extra]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 120
        try:
            while time.monotonic() < end:
                try:
                    httpx.get(f"{url}/health", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield process, url
        finally:
            process.kill()


def megabytes(process: subprocess.Popen[str]) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_forty_open_uploads_cost_little_memory_and_the_command_ends_in_time() -> None:
    with command("--per-minute", "100000") as (process, url), ExitStack() as stack:
        image = io.BytesIO()
        np.save(image, np.zeros((1, 1, 28, 28), np.float32))
        assert post(url, image.getvalue()).status_code == 200
        idle = megabytes(process)
        peak = idle
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {15 * 2**20 + 100}\r\n\r\n".encode()
        for _ in range(40):
            client = stack.enter_context(opened(url))
            threading.Thread(target=_filling, args=(client, head + b"\0" * 15 * 2**20)).start()
        for _ in range(30):
            time.sleep(0.1)
            peak = max(peak, megabytes(process))
        assert post(url, image.getvalue()).status_code == 200
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        said = process.communicate(timeout=60)
        seconds = time.monotonic() - start
    print(f"{peak - idle:.0f} MiB above {idle:.0f}, stopped in {seconds:.1f} s")
    assert peak - idle < 300
    assert seconds < 20  # 2 on a machine with nothing else to do
    assert "Traceback" not in "".join(said)


def _filling(client: socket.socket, content: bytes) -> None:
    try:
        client.sendall(content)
    except OSError:
        return
