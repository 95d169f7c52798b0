"""A suspect behind HTTP: it answers questions and shows no weights."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, require


@dataclass(frozen=True)
class Remote:
    """A suspect at a URL: called with images (N, C, H, W), it answers with labels (N,) int64.

    Asks `batch` images at a time; when the service is out of reach, busy (429) or broken (5xx), it asks
    `tries` times in all, after pauses that double. Raises `DataError` when that doesn't help, the answer
    isn't one of ours, or the extra `serve` is missing, and `ArgumentError` when the service refuses.
    """

    url: str
    batch: int = 250
    tries: int = 4
    pause: float = 0.25  # seconds before the second try
    timeout: float = 30.0  # seconds

    def __post_init__(self) -> None:
        fits = self.url.startswith(("http://", "https://"))
        require(fits, "url must start with http:// or https://", self.url)
        require(
            self.batch >= 1 and self.tries >= 1,
            "batch and tries must be at least 1",
            (self.batch, self.tries),
        )

    def __call__(self, x: Tensor) -> Tensor:
        try:
            import httpx
        except ImportError as error:
            raise DataError(
                'Asking a service needs httpx, which is not installed. Run pip install "wmlearn[serve]".'
            ) from error
        with httpx.Client(trust_env=False, timeout=self.timeout) as client:
            return torch.cat([self._labels(client, part) for part in x.split(self.batch)]).to(x.device)

    def _labels(self, client: Any, x: Tensor) -> Tensor:
        """Ask about one batch, again and again while the service stumbles."""
        body = io.BytesIO()
        np.save(body, x.detach().cpu().float().numpy())
        why = ""
        for attempt in range(self.tries):
            if attempt:
                time.sleep(self.pause * 2 ** (attempt - 1))
            reply, why = self._post(client, body.getvalue())
            if not why:
                return self._read(reply, len(x))
        raise DataError(
            f"{self.url} must answer, got {why} in {self.tries} tries. Is the service up, and the address"
            " right?"
        )

    def _post(self, client: Any, body: bytes) -> tuple[Any, str]:
        """Return the reply, and why to ask again; "" where the reply is an answer."""
        import httpx

        try:
            reply = client.post(f"{self.url.rstrip('/')}/predict", content=body)
        except httpx.TransportError as error:
            return None, f"{type(error).__name__}: {error}"
        if reply.status_code == 429 or reply.status_code >= 500:
            return reply, f"status {reply.status_code}"
        require(
            reply.status_code < 400,
            f"{self.url} must accept the images",
            f"status {reply.status_code}: {reply.text[:200]}",
        )
        return reply, ""

    def _read(self, reply: Any, n: int) -> Tensor:
        """Return the labels (n,) of an answer."""
        try:
            labels = _labels_of(reply.json())
        except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
            raise DataError(
                f"{self.url} must answer with labels or probabilities, got {reply.text[:80]!r}."
            ) from error
        if labels.shape != (n,) or labels.is_floating_point():
            raise DataError(
                f"{self.url} must answer with {n} labels, got {labels.dtype} of shape {tuple(labels.shape)}."
            )
        return labels


def _labels_of(answer: Any) -> Tensor:
    if "labels" in answer:
        return torch.tensor(answer["labels"])
    return torch.tensor(answer["probabilities"]).argmax(1)
