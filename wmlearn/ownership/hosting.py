"""A platform behind HTTP: owners and judges with a token add to it, anybody asks its models and reads its
book.

- GET /book: the book; POST /book: a signed document, answered by its receipt.
- GET /models/NAME: the card; POST /models/NAME/predict: images, as `suspects.service` takes them.
- PUT /models/NAME?network=…: weights; POST /models/NAME/key: a key; POST /models/NAME/secret: DAWN's.
- GET /models/NAME/weights: what became of them, for their owner.

A token stands in `Authorization: Bearer`. Nothing here is encrypted: beyond one's own machine it needs a
proxy with TLS in front.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import WmlearnError
from ..suspects import Limits, running
from ..suspects.serving import CLOSE, Gate, Handler, Refusal, answering, application, received, told
from .documents import text
from .platforms import (
    MOST_WEIGHTS,
    Card,
    Platform,
    card_of,
    enter,
    hide,
    place,
    served,
    teach,
    weights_of,
    who,
)
from .registry import read_book

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

MOST_KEY = 16 * 2**20  # bytes
MOST_DOCUMENT = 2**18


def hosting(platform: Platform, limits: Limits = Limits()) -> FastAPI:
    """Build the web application of a platform.

    401 for no token, 403 for another's unreleased model, 404 for no such model, 409 for one that is not
    released, 413 for too much, 422 for what breaks a rule, 429 for too many requests. Raises `DataError`
    without the extra `serve`.
    """
    app = application()
    desk = _Desk(platform, limits, Gate(limits), asyncio.Lock(), {})
    for path, method, handle in (
        ("/book", "GET", desk.book),
        ("/book", "POST", desk.enter),
        ("/models/{name}", "GET", desk.card),
        ("/models/{name}", "PUT", desk.place),
        ("/models/{name}/key", "POST", desk.teach),
        ("/models/{name}/secret", "POST", desk.hide),
        ("/models/{name}/weights", "GET", desk.weights),
    ):
        app.add_route(path, told(desk.counted(handle)), methods=[method])
    app.add_route("/models/{name}/predict", told(desk.predict), methods=["POST"])
    return app


@contextmanager
def hosted(platform: Platform, limits: Limits = Limits(), port: int = 0) -> Iterator[str]:
    """Run a platform in a thread, on this machine only, for as long as the block runs; yield its URL."""
    with running(hosting(platform, limits), limits, port) as url:
        yield url


@dataclass(frozen=True, eq=False)
class _Desk:
    """What the requests to a platform share; one of them at a time may change it."""

    platform: Platform
    limits: Limits
    gate: Gate
    turn: asyncio.Lock
    answering: dict[str, Handler]

    def counted(self, handle: Handler) -> Handler:
        """Wrap a handler, so that its clients are held to the rate."""

        async def counting(request: Request) -> Response:
            self.gate.count(request)
            return await handle(request)

        return counting

    async def book(self, request: Request) -> Response:
        book = await _in_thread(read_book, self.platform.registry)
        entries = [asdict(entry) for entry in book.entries]
        return _json({"keeper": book.keeper, "entries": entries, "head": text(book.head)})

    async def enter(self, request: Request) -> Response:
        receipt = await self._changed(request, MOST_DOCUMENT, enter)
        return _json(json.loads(text(receipt)))

    async def card(self, request: Request) -> Response:
        card = self._card(request)
        if not card.answers and self._account(request) != card.by:
            # before the owner's release, nobody else may sign one of this fingerprint
            raise Refusal(403, "before its release, a model's card is for its owner", **CLOSE)
        return _json(asdict(card))

    async def place(self, request: Request) -> Response:
        network = request.query_params.get("network", "")
        return _json(asdict(await self._changed(request, MOST_WEIGHTS, place, _name(request), network)))

    async def teach(self, request: Request) -> Response:
        return _json(asdict(await self._changed(request, MOST_KEY, teach, _name(request))))

    async def hide(self, request: Request) -> Response:
        return _json(asdict(await self._changed(request, 32, hide, _name(request))))

    async def weights(self, request: Request) -> Response:
        from fastapi.responses import Response

        content = await _in_thread(weights_of, self.platform, self._account(request), _name(request))
        return Response(content, media_type="application/octet-stream")

    async def predict(self, request: Request) -> Response:
        card = self._card(request)
        if not card.answers:
            raise Refusal(409, "its owner must register its release first", **CLOSE)
        if card.name not in self.answering:
            model = await _in_thread(served, self.platform, card)
            self.answering.setdefault(card.name, answering(model, "labels", self.limits))
        return await self.answering[card.name](request)

    async def _changed(self, request: Request, most: int, change: Callable[..., Any], *words: str) -> Any:
        """Let an account change something by what it sends, `most` bytes."""
        account = self._account(request)
        limits = replace(self.limits, bytes=most)
        with self.gate.room() as taken:
            content = bytes(await received(request, limits, taken))
            async with self.turn:
                return await _in_thread(change, self.platform, account, *words, content)

    def _account(self, request: Request) -> str:
        """Return whose token a request has; raise `Refusal` for none."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        public = who(self.platform.folder, token) if scheme == "Bearer" else ""
        if not public:
            raise Refusal(401, "a token of this platform is needed", **CLOSE)
        return public

    def _card(self, request: Request) -> Card:
        card = card_of(self.platform, _name(request))
        if card is None:
            raise Refusal(404, "there is no such model", **CLOSE)
        return card


def _name(request: Request) -> str:
    return request.path_params["name"]


def _json(content: Any) -> Response:
    from fastapi.responses import JSONResponse

    return JSONResponse(content)


async def _in_thread(work: Callable[..., Any], *words: Any) -> Any:
    """Do what takes long beside the loop; a broken rule becomes a `Refusal`."""
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work, *words)
    except WmlearnError as error:
        raise Refusal(422, str(error)) from error
