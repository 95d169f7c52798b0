"""The exercises of notebook 11: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Solution, Symptom
from ..quizzes import Option, Question

Ask = Callable[[Tensor], Tensor]


def gather(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    """Return the labels (N,) that `ask` gives to images `x` (N, C, H, W), asked `batch` at a time, -1 where
    none came: a request that fails is sent `tries` times in all, and then the rest is left.
    """
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        part = slice(first, first + batch)
        reply = _answered(ask, x[part], tries)
        if reply is None:
            break
        labels[part] = reply
    return labels


def answer(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    """Return the label that a service with DAWN gives to an image (C, H, W) in [0, 1]: a keyed hash of its
    pixels says whether it lies, and which of the other labels it gives.
    """
    pick, turn = _numbers_of(hmac.digest(secret, _pixels(image), "sha256"))
    return _lie(honest, turn, classes) if pick < rate * 2**32 else honest


def caught(members: Tensor, strangers: Tensor, alarms: float) -> float:
    """Return the share of losses `members` (M,) whose p-value among losses of `strangers` (N,) is at most
    `alarms`.
    """
    return _share_caught(_as_small(members, strangers), len(strangers), alarms)


# 11.1: answers, gathered


def _answered(ask: Ask, x: Tensor, tries: int) -> Tensor | None:
    """Send one request up to `tries` times; return nothing where it never succeeds."""
    for _ in range(tries):
        try:
            return ask(x)
        except OSError:
            continue
    return None


MOST_REQUESTS = 300


@dataclass
class _Service:
    """An API that reads an image by its brightness, and fails at the requests named (`dies` on: at all that
    follow).
    """

    fails: frozenset[int]
    dies: int
    requests: int = 0
    images: list[int] = field(default_factory=list)

    def __call__(self, x: Tensor) -> Tensor:
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise RuntimeError(f"{MOST_REQUESTS} requests, and no end")
        self.images.append(len(x))
        if self.requests in self.fails or self.requests >= self.dies:
            raise ConnectionError("no answer")
        return (100 * x.flatten(1).mean(1)).long()


def _gathered(f: Solution, x: Tensor, fails: list[int], dies: int, plan: tuple[int, int]) -> list[float]:
    """Gather by `f`; return labels, and what was asked: images, request by request."""
    service = _Service(frozenset(fails), dies)
    found = torch.as_tensor(f(service, x, *plan)).flatten().tolist()
    return [*map(float, found), *map(float, service.images)]


NEVER = 10**6


def _services(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def images(n: int) -> Tensor:
        return torch.rand(n, 1, 2, 2, generator=gen)

    def number(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=gen))

    second = number(3, 6)
    return {
        "an API that answers": [
            (images(23), [], NEVER, (5, 3)),
            (images(number(12, 18)), [], NEVER, (20, 2)),
        ],
        "an API that fails at times": [
            (images(24), [2, second + 2, second + 3], NEVER, (4, 3)),
            (images(13), [1, 4], NEVER, (3, 2)),
        ],
        "an API that dies": [(images(22), [2], number(4, 6), (5, 3)), (images(8), [], 1, (3, 2))],
    }


def _whole_batches(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    labels = torch.full((len(x),), -1)
    whole = len(x) // batch * batch
    labels[:whole] = gather(ask, x[:whole], batch, tries)
    return labels


def _once(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        part = slice(first, first + batch)
        reply = _answered(ask, x[part], 1)
        if reply is not None:
            labels[part] = reply
    return labels


def _one_more(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    return gather(ask, x, batch, tries + 1)


def _goes_on(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        part = slice(first, first + batch)
        reply = _answered(ask, x[part], tries)
        if reply is not None:
            labels[part] = reply
    return labels


def _from_the_start(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    labels = torch.full((len(x),), -1)
    failures = 0
    first = 0
    while first < len(x):
        reply = _answered(ask, x[first : first + batch], 1)
        failures = 0 if reply is not None else failures + 1
        if failures == tries:
            break
        if reply is not None:
            labels[first : first + batch] = reply
        first = 0 if reply is None else first + batch
    return labels


def _cut_short(ask: Ask, x: Tensor, batch: int, tries: int) -> Tensor:
    labels = gather(ask, x, batch, tries)
    return labels[labels >= 0]


# 11.2: a keyed hash


def _pixels(image: Tensor) -> bytes:
    return (image * 255).round().to(torch.uint8).cpu().contiguous().numpy().tobytes()


def _numbers_of(digest: bytes, order: Literal["big", "little"] = "big") -> tuple[int, int]:
    """Read two numbers of 32 bits."""
    pick = int.from_bytes(digest[:4], order)
    return pick, int.from_bytes(digest[4:8], order)


def _lie(honest: int, turn: int, classes: int) -> int:
    return (honest + 1 + turn % (classes - 1)) % classes


def _each_answer(
    f: Solution, secret: bytes, images: Tensor, honest: list[int], classes: int, rate: float
) -> list[int]:
    """Ask `f` about each image."""
    return [f(secret, image, y, classes, rate) for image, y in zip(images, honest, strict=True)]


def _queries(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    secret = bytes(torch.randint(256, (16,), generator=gen).tolist())

    def images(n: int) -> Tensor:
        return torch.randint(256, (n, 1, 3, 3), generator=gen).float() / 255

    def honest(n: int, classes: int) -> list[int]:
        return torch.randint(classes, (n,), generator=gen).tolist()

    faint = images(40)
    moved = (faint + 0.001 * (torch.rand(faint.shape, generator=gen) - 0.5)).clamp(0, 1)
    return {
        "one that lies to half": [(secret, images(60), honest(60, 10), 10, 0.5)],
        "one that lies to all": [(secret, images(40), honest(40, 7), 7, 1.0)],
        "pixels that are not quite whole": [(secret, moved, honest(40, 10), 10, 0.5)],
    }


def _no_key(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    pick, turn = _numbers_of(hashlib.sha256(_pixels(image)).digest())
    return _lie(honest, turn, classes) if pick < rate * 2**32 else honest


def _may_agree(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    pick, turn = _numbers_of(hmac.digest(secret, _pixels(image), "sha256"))
    return (honest + turn) % classes if pick < rate * 2**32 else honest


def _one_number(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    pick, _ = _numbers_of(hmac.digest(secret, _pixels(image), "sha256"))
    return _lie(honest, pick, classes) if pick < rate * 2**32 else honest


def _floats(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    pick, turn = _numbers_of(hmac.digest(secret, image.cpu().contiguous().numpy().tobytes(), "sha256"))
    return _lie(honest, turn, classes) if pick < rate * 2**32 else honest


def _floor(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    whole = (image * 255).to(torch.uint8).cpu().contiguous().numpy().tobytes()
    pick, turn = _numbers_of(hmac.digest(secret, whole, "sha256"))
    return _lie(honest, turn, classes) if pick < rate * 2**32 else honest


def _little(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    pick, turn = _numbers_of(hmac.digest(secret, _pixels(image), "sha256"), "little")
    return _lie(honest, turn, classes) if pick < rate * 2**32 else honest


def _others(secret: bytes, image: Tensor, honest: int, classes: int, rate: float) -> int:
    pick, turn = _numbers_of(hmac.digest(secret, _pixels(image), "sha256"))
    return honest if pick < rate * 2**32 else _lie(honest, turn, classes)


# 11.3: who was trained on


def _as_small(members: Tensor, strangers: Tensor) -> Tensor:
    """Count for each member the strangers whose loss is as small, (M,)."""
    return (strangers[None] <= members[:, None]).sum(1)


def _share_caught(counts: Tensor, n: int, alarms: float) -> float:
    p = (1 + counts.double()) / (1 + n)
    return float((p <= alarms).double().mean())


def _losses(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def rising(n: int) -> Tensor:
        """Draw losses of strangers, the smallest first, with room between them."""
        return (0.1 + torch.arange(n) + 0.3 * torch.rand(n, generator=gen)) * 0.02

    def between(strangers: Tensor, *counts: int) -> Tensor:
        """Return losses with so many strangers below 0, 1, 2, ... of them, in a random order."""
        edges = torch.cat([torch.zeros(1), strangers])
        places = [place for place, count in enumerate(counts) for _ in range(count)]
        middles = (edges[places] + edges[[place + 1 for place in places]]) / 2
        return middles[torch.randperm(len(middles), generator=gen)]

    def shuffled(values: Tensor) -> Tensor:
        return values[torch.randperm(len(values), generator=gen)]

    first = rising(39)
    second = rising(39)
    third = rising(19)
    some = int(torch.randint(2, 5, (), generator=gen))
    return {
        "learnt by heart": [
            (between(first, 6, some, 2, 3, 0, 0, 4), shuffled(first), 0.05),
            (between(first, 5, 2, some, 3, 0, 0, 4), shuffled(first), 0.06),
        ],
        "hardly learnt": [
            (between(second, 1, 2, 3, 2, 2, 2, 6), shuffled(second), 0.1),
            (between(second, 0, 3, 2, 2, 1, 2, 6), shuffled(second), 0.11),
        ],
        "losses that tie": [(shuffled(third[:6].repeat(2)), shuffled(third), 0.2)],
    }


def _without_one(members: Tensor, strangers: Tensor, alarms: float) -> float:
    p = _as_small(members, strangers).double() / len(strangers)
    return float((p <= alarms).double().mean())


def _strict_count(members: Tensor, strangers: Tensor, alarms: float) -> float:
    return _share_caught((strangers[None] < members[:, None]).sum(1), len(strangers), alarms)


def _strict_level(members: Tensor, strangers: Tensor, alarms: float) -> float:
    return caught(members, strangers, alarms - 1e-6)


def _larger(members: Tensor, strangers: Tensor, alarms: float) -> float:
    return _share_caught((strangers[None] >= members[:, None]).sum(1), len(strangers), alarms)


def _roles_exchanged(members: Tensor, strangers: Tensor, alarms: float) -> float:
    return caught(strangers, members, alarms)


def _advantage(members: Tensor, strangers: Tensor, alarms: float) -> float:
    lines = torch.cat([members, strangers])
    hit = (members[None] <= lines[:, None]).double().mean(1)
    false = (strangers[None] <= lines[:, None]).double().mean(1)
    return float((hit - false).max())


EXERCISES = {
    "11.1": Exercise(
        id="11.1",
        title="Gather answers",
        difficulty=3,
        importance=4,
        minutes=15,
        returns="one label an image, -1 where none came",
        reference=gather,
        probe=_gathered,
        example=torch.zeros(1, dtype=torch.int64),
        cases=_services,
        mistakes=(
            Mistake(
                "last-batch",
                "The last request is smaller where batches don't come out even; you leave it out."
                " range(0, len(x), batch) ends with it.",
                _whole_batches,
            ),
            Mistake(
                "once",
                "You send each request once. One that fails is sent again, `tries` times in all.",
                _once,
            ),
            Mistake(
                "one-more",
                "You send a failing request once too often: `tries` counts the first one, too.",
                _one_more,
            ),
            Mistake(
                "goes-on",
                "You go on asking an API that is dead. After `tries` failures stop; the rest stays at -1.",
                _goes_on,
            ),
            Mistake(
                "from-the-start",
                "After a failure you ask about the first images again. Repeat only the request that failed:"
                " each query costs.",
                _from_the_start,
            ),
            Mistake(
                "cut-short",
                "You leave out images without an answer, so that labels no longer stand beside their images."
                " Give -1 for those.",
                _cut_short,
            ),
        ),
        hints=(
            "What do you know of the images that were not asked about yet, and how could the answer say so?",
            "Start with -1 everywhere. For each batch try up to `tries` times; put the labels in their place,"
            " or stop for good.",
            "`labels = torch.full((len(x),), -1)`, and in a loop over `range(0, len(x), batch)`:"
            " `try: labels[first:first + batch] = ask(x[first:first + batch])`, `except OSError`.",
        ),
        symptoms=(
            Symptom(
                "ConnectionError, no answer:",
                "that is the API which fails. Catch `OSError`, of which ConnectionError is a kind.",
            ),
            Symptom(
                "RuntimeError, 300 requests, and no end:",
                "you repeat a request for ever. Count its tries.",
            ),
        ),
        why=(
            "Labels are what a theft costs, so none is thrown away and none is asked for twice. What is kept"
            " in place can be gone on with tomorrow."
        ),
    ),
    "11.2": Exercise(
        id="11.2",
        title="A service that lies on purpose",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="one label",
        reference=answer,
        probe=_each_answer,
        example=0,
        cases=_queries,
        mistakes=(
            Mistake(
                "no-key",
                "You hash the pixels alone. Anybody can compute that, and knows where you lie: the secret is"
                " the key of the HMAC.",
                _no_key,
            ),
            Mistake(
                "may-agree",
                "Your lie may be the truth. Turn the honest label by 1 to classes - 1 places.",
                _may_agree,
            ),
            Mistake(
                "one-number",
                "You use one number twice. Where few are picked it is small, so that lies are not uniform:"
                " take bytes 4 to 7 for the label.",
                _one_number,
            ),
            Mistake(
                "floats",
                "You hash floats. Round to whole grey levels first: 0.5 and 0.5000001 are one image.",
                _floats,
            ),
            Mistake(
                "floor",
                "You cut grey levels off. Round them: 127.9999 is level 128.",
                _floor,
            ),
            Mistake(
                "little-endian",
                "You read the bytes from the small end. Read them big-endian.",
                _little,
            ),
            Mistake(
                "the-others",
                "You lie to those who are not picked. Lie where the first number is below rate x 2^32.",
                _others,
            ),
        ),
        hints=(
            "Which part of the digest decides whether to lie, and which part what to say?",
            "Round pixels to bytes, compute the HMAC under the secret, and read two numbers of four bytes."
            " The first, against rate x 2^32, says whether; the second turns the honest label.",
            "`pick = int.from_bytes(digest[:4], 'big')`, `turn` from `digest[4:8]`, and the lie is"
            " `(honest + 1 + turn % (classes - 1)) % classes`.",
        ),
        symptoms=(
            Symptom(
                "You get 3 in the example:",
                "with a rate of 1 every answer is a lie, and a lie is never the honest label.",
            ),
            Symptom(
                "TypeError, a bytes-like object is required:",
                "HMAC takes bytes: `.numpy().tobytes()` of a uint8 tensor.",
            ),
        ),
        why=(
            "Who asks twice gets the same answer, and without the secret nobody can tell a lie from an error,"
            " nor make up lies afterwards that this service never told."
        ),
    ),
    "11.3": Exercise(
        id="11.3",
        title="Who was trained on?",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="one number",
        reference=caught,
        cases=_losses,
        mistakes=(
            Mistake(
                "no-one",
                "Your p-value can be 0. The image that you ask about is one of n + 1: add 1 above and below.",
                _without_one,
            ),
            Mistake(
                "ties-lost",
                "A stranger whose loss is exactly as small counts, too: <=, not <.",
                _strict_count,
            ),
            Mistake(
                "below-the-level",
                "A p-value that equals the level is caught: p <= alarms.",
                _strict_level,
            ),
            Mistake(
                "large-losses",
                "You look for large losses. A network is sure of what it was trained on: small ones count.",
                _larger,
            ),
            Mistake(
                "roles-exchanged",
                "You judge the strangers by the members. Strangers set the line, members are judged.",
                _roles_exchanged,
            ),
            Mistake(
                "best-line",
                "You choose the line that tells both groups apart best. Who asks about one image doesn't know"
                " it: keep to the level.",
                _advantage,
            ),
        ),
        hints=(
            "How small must a loss be before only a share `alarms` of strangers gets there?",
            "For each member count the strangers whose loss is at most its own. Add 1 above and below: its"
            " p-value. Return the share of members with a p-value of at most `alarms`.",
            "All counts at once: `(strangers[None] <= members[:, None]).sum(1)`.",
        ),
        symptoms=(
            Symptom(
                "You get 0 in the example:",
                "p of the first member is 1/4, and at most 0.25. Compare with <=.",
            ),
            Symptom(
                "RuntimeError, The size of tensor a:",
                "compare every member with every stranger: `strangers[None] <= members[:, None]`.",
            ),
        ),
        why=(
            "Strangers say how often other images look like members. Without them a small loss says that an"
            " image is easy, and most are."
        ),
    ),
}

QUIZ = (
    Question(
        "A copy repeats 26 of the 43 lies of a service, and p is 1e-14. Its seller says he only bought labels"
        " from somebody else. What follows?",
        (
            Option(
                "His copy goes back to the service's answers.",
                "Yes: that is all. Who asked, and whether he knew, the mark can't say.",
            ),
            Option(
                "He broke into the service.",
                "Every customer gets these answers. The mark sees answers, no persons.",
            ),
            Option(
                "Nothing: labels can't be marked.",
                "An innocent names a lie in one of nine cases at most, so 26 of 43 is no chance.",
            ),
            Option(
                "His weights are the owner's.",
                "He trained weights of his own. Only the answers are from the service.",
            ),
        ),
    ),
    Question(
        "A network gives an image a confidence of 99.9 %. Was it trained on it?",
        (
            Option(
                "That depends on how often it is as sure of images it never saw.",
                "Yes. Here it is as sure of nineteen strangers in twenty.",
            ),
            Option(
                "Yes: nobody is so sure of what is new.",
                "Digits are easy. The network is as sure of nearly all of them.",
            ),
            Option(
                "With probability 99.9 %.",
                "That number is about the class, not about the training set.",
            ),
            Option(
                "No: confidence and training have nothing to do with each other.", "A little: see the AUC."
            ),
        ),
    ),
    Question(
        "Your service bars clients whose queries look strange. Who is still served?",
        (
            Option(
                "A thief who asks about images of the task.",
                "Yes. His queries are those of any customer, and they make the best copies.",
            ),
            Option("Nobody who steals.", "The watch sees strange queries, no intentions."),
            Option("Every honest customer.", "Who sends each image twice, or dark scans, is barred, too."),
            Option("A thief who asks about noise.", "It depends on the watch: one saw it, the other didn't."),
        ),
    ),
)
