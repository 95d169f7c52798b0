"""A model behind HTTP: a service that answers with labels, or with probabilities."""

from __future__ import annotations

import io
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import DataError, require
from ..training import predict

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

Answers = Literal["labels", "probabilities"]
CLIENTS = 10_000  # remembered by the rate limit


@dataclass(frozen=True)
class Limits:
    """What one service lets through: images and bytes a request, requests a minute from one address."""

    images: int = 1000
    bytes: int = 16 * 2**20
    per_minute: int = 600


def service(model: nn.Module, answers: Answers = "labels", limits: Limits = Limits()) -> FastAPI:
    """Build the web application: POST /predict takes the bytes of a NumPy array (N, C, H, W) float32 and
    answers JSON, GET /health says ok.

    400 for what is no such array, 413 for too much of it, 422 for images of a shape that the model doesn't
    read, 429 for too many requests. Raises `DataError` without the extra `serve`.
    """
    try:
        from fastapi import FastAPI
        from fastapi.concurrency import run_in_threadpool
        from fastapi.responses import JSONResponse
    except ImportError as error:
        raise DataError(
            'A service needs fastapi, which is not installed. Run pip install "wmlearn[serve]".'
        ) from error
    require(answers in ("labels", "probabilities"), "answers must be labels or probabilities", answers)
    app = FastAPI(title="wmlearn", docs_url=None, redoc_url=None, openapi_url=None)
    lock = threading.Lock()
    clients: OrderedDict[str, deque[float]] = OrderedDict()

    def ask(x: Tensor) -> Tensor:
        try:
            with lock:  # one model, one forward pass at a time
                return predict(model, x)
        except (ValueError, RuntimeError) as error:  # the network's own word on a shape
            raise _Refusal(422, str(error).splitlines()[0]) from error

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "answers": answers}

    async def label(request: Request) -> JSONResponse:
        try:
            _count(request, clients, limits)
            x = await _images(request, limits)
            logits = await run_in_threadpool(ask, x)  # (N, classes)
        except _Refusal as refusal:
            return JSONResponse({"error": refusal.why}, refusal.status, refusal.headers)
        rows = logits.argmax(1) if answers == "labels" else logits.softmax(1)
        return JSONResponse({answers: rows.tolist()})

    app.add_route("/predict", label, methods=["POST"])
    return app


class _Refusal(Exception):
    """A request that is not answered: the status of HTTP, why, and what else the client should know."""

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.headers = headers


def _count(request: Request, clients: OrderedDict[str, deque[float]], limits: Limits) -> None:
    """Count a request; raise `_Refusal` when its client has sent too many."""
    wait = _wait(clients, request.client.host if request.client else "", limits.per_minute)
    if wait:
        why = f"more than {limits.per_minute} requests a minute"
        raise _Refusal(429, why, **{"Retry-After": str(wait)})


async def _images(request: Request, limits: Limits) -> Tensor:
    """Read the images (N, C, H, W) of a request; raise `_Refusal` for anything else, or too much."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.bytes:
            raise _Refusal(413, f"a request may hold {limits.bytes} bytes")
    try:
        x = _array(bytes(body))
    except ValueError as error:
        why = f"the body must be a NumPy array (N, C, H, W), float32, finite, N >= 1: {error}"
        raise _Refusal(400, why) from error
    if len(x) > limits.images:
        raise _Refusal(413, f"a request may hold {limits.images} images, got {len(x)}")
    return x


def _array(body: bytes) -> Tensor:
    """Read images (N, C, H, W); raise `ValueError` for anything else."""
    try:
        x = np.load(io.BytesIO(body), allow_pickle=False)
    except (EOFError, OSError, SyntaxError, TypeError) as error:
        raise ValueError("not the bytes of an array") from error
    is_batch = isinstance(x, np.ndarray) and x.dtype == np.float32 and x.ndim == 4 and len(x) > 0
    if not is_batch or not np.isfinite(x).all():
        raise ValueError(f"{getattr(x, 'dtype', type(x).__name__)} of shape {getattr(x, 'shape', ())}")
    return torch.from_numpy(np.ascontiguousarray(x))


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
