"""A model behind HTTP: what it answers, what it refuses, and a verifier that takes it for a suspect."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import torch
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from running import running
from torch import nn

import wmlearn as wm
from wmlearn.errors import DataError
from wmlearn.evidence import NO_ANSWER, against_decoys, answers, bystanders
from wmlearn.suspects import Limits, Remote, server, service
from wmlearn.watermarks import Adi2018

MANY = Limits(images=300, bytes=2**20, per_minute=10_000)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(service(bystanders.shipped("mnist", 0, 1)[0], limits=MANY)) as address:
        yield address


def body(x: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, x)
    return out.getvalue()


def header(shape: str) -> bytes:
    """Return the head of a NumPy file that claims a shape, and nothing behind it."""
    words = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(words).to_bytes(2, "little") + words


def post(url: str, content: bytes) -> httpx.Response:
    return httpx.post(f"{url}/predict", content=content, trust_env=False, verify=False, timeout=60)


def test_a_remote_suspect_gives_the_same_evidence_as_the_model(url: str, few: wm.Samples) -> None:
    model, scheme = bystanders.shipped("mnist", 0, 1)[0], Adi2018()
    key = scheme.keygen(model, few, seed=3)
    assert scheme.verify(Remote(url), key) == scheme.verify(model, key)


def test_decoys_are_asked_over_http_and_keep_to_the_budget(url: str, few: wm.Samples) -> None:
    model, scheme = bystanders.shipped("mnist", 0, 1)[0], Adi2018(n=20)
    key = scheme.keygen(model, few, seed=3)
    remote, local = (
        against_decoys(scheme, suspect, key, model=model, samples=few, stop=None, budget=200)
        for suspect in (Remote(url), model)
    )
    assert remote == local
    assert remote.rank is not None
    assert remote.rank.drawn == 9


def test_many_images_go_in_several_requests(url: str, few: wm.Samples) -> None:
    model = bystanders.shipped("mnist", 0, 1)[0]
    assert torch.equal(Remote(url, batch=70)(few.x[:300]), answers(model, few.x[:300]))


@pytest.mark.parametrize("n", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_many_clients_at_once_lose_no_request(url: str, few: wm.Samples, n: int) -> None:
    expected = answers(bystanders.shipped("mnist", 0, 1)[0], few.x[:n])
    gate = threading.Barrier(n)

    def ask(i: int) -> list[int]:
        gate.wait(60)
        remote = Remote(url, timeout=60)
        return [int(remote(few.x[i : i + 1])) for _ in range(3)]

    with ThreadPoolExecutor(n) as pool:
        replies = list(pool.map(ask, range(n)))
    assert replies == [[label] * 3 for label in expected.tolist()]


def test_probabilities_are_given_only_when_asked_for(few: wm.Samples) -> None:
    model = bystanders.shipped("mnist", 0, 1)[0]
    with running(service(model, "probabilities", MANY)) as address:
        found = post(address, body(few.x[:3].numpy())).json()
        assert torch.equal(Remote(address)(few.x[:9]), answers(model, few.x[:9]))
    assert list(found) == ["probabilities"]
    assert np.sum(found["probabilities"], axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


ONE = np.zeros((1, 1, 28, 28), np.float32)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"\x93", 400),
        (header("(1000000000000000, 1, 28, 28)"), 400),
        (header(f"({2**200}, 1, 1, 1)"), 400),
        (header("(-1, 1, 28, 28)"), 400),
        (header("(1.0, 1, 28, 28)"), 400),
        (header("(" * 300), 400),
        (header("(" * 9000), 400),
        (header("(1, 0, 28, 28)"), 400),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"{" * 1000, 400),
        (body(ONE) + b"x", 400),
        (body(ONE.astype(">f4")), 400),
        (body(np.full_like(ONE, 3e38)), 422),
        (body(np.zeros((1, 1, 2000, 2), np.float32)), 422),
        (body(np.zeros((1, 1, 200, 200), np.float32)), 413),
        (b"hello", 400),
        (body(ONE)[:200], 400),
        (body(ONE.astype(np.float64)), 400),
        (body(ONE[0]), 400),
        (body(ONE[:0]), 400),
        (body(ONE * np.float32("nan")), 400),
        (body(np.zeros((1, 3, 32, 32), np.float32)), 422),
        (body(np.repeat(ONE, 301, 0)), 413),
        (b"0" * (2**20 + 1), 413),
    ],
)
def test_bad_input_gets_a_clear_answer_and_the_service_lives(url: str, content: bytes, status: int) -> None:
    reply = post(url, content)
    assert (reply.status_code, len(reply.json()["error"]) > 10) == (status, True)
    assert post(url, body(ONE)).status_code == 200


def test_arrays_in_the_order_of_fortran_are_read_as_they_are_meant(url: str, few: wm.Samples) -> None:
    x = few.x[:4].numpy()
    assert post(url, body(np.asfortranarray(x))).json() == post(url, body(x)).json()


def test_a_refusal_tells_nothing_of_what_is_inside_the_network() -> None:
    with running(service(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)))) as address:
        reply = post(address, body(np.zeros((1, 1, 20, 20), np.float32)))
    assert reply.json() == {"error": "the model doesn't read inputs of shape (1, 20, 20)"}


def test_pickled_arrays_are_not_opened(url: str) -> None:
    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert post(url, out.getvalue()).status_code == 400


def test_who_asks_too_often_must_wait() -> None:
    with running(service(bystanders.shipped("mnist", 0, 1)[0], limits=Limits(per_minute=2))) as address:
        replies = [post(address, body(ONE)) for _ in range(3)]
        hasty = Remote(address, tries=2, pause=0.01, patience=0.5)
        assert hasty(torch.from_numpy(ONE)).tolist() == [NO_ANSWER]
    assert hasty.misses == {"status 429": 1}
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert 1 <= int(replies[2].headers["Retry-After"]) <= 61


def test_a_client_waits_as_long_as_the_service_asks_for() -> None:
    asked: list[float] = []
    app = FastAPI()

    async def busy(request: object) -> JSONResponse:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return JSONResponse({}, 429, {"Retry-After": "1"})
        return JSONResponse({"labels": [7]})

    app.add_route("/predict", busy, methods=["POST"])
    with running(app) as address:
        assert Remote(address, pause=0)(torch.from_numpy(ONE)).tolist() == [7]
    assert asked[1] - asked[0] >= 0.9


def test_a_client_asks_again_when_the_service_stumbles() -> None:
    asked, app = [], FastAPI()

    async def stumbling(request: object) -> JSONResponse:
        asked.append(1)
        return JSONResponse({"labels": [7]}, 200 if len(asked) == 3 else 503)

    app.add_route("/predict", stumbling, methods=["POST"])
    with running(app) as address:
        assert Remote(address, pause=0.01)(torch.from_numpy(ONE)).tolist() == [7]
    assert len(asked) == 3


def test_a_refusal_is_not_tried_again(url: str) -> None:
    remote = Remote(url, pause=30)
    assert remote(torch.zeros(1, 3, 32, 32)).tolist() == [NO_ANSWER]
    assert remote.misses == {"status 422": 1}


@pytest.mark.parametrize(
    ("what", "use"),
    [("uvicorn", lambda: server(None)), ("fastapi", lambda: service(nn.Flatten()))],
)
def test_a_missing_extra_is_named(
    what: str, use: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, what, None)
    with pytest.raises(
        DataError, match=rf'needs {what}, which is not installed\. Run pip install "wmlearn\[serve\]"'
    ):
        use()
