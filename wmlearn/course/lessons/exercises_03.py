"""The exercises and the questions of notebook 03: reference, cases, named mistakes, hints."""

from __future__ import annotations

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def homography(here: Tensor, there: Tensor) -> Tensor:
    """Return the matrix (3, 3), its last entry 1, that maps four points (4, 2) to four others (4, 2)."""
    rows = []
    right = []
    for (x, y), (u, v) in zip(here.tolist(), there.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        right += [u, v]
    # in double precision: four points that almost lie in a line would lose too much otherwise
    entries = torch.linalg.solve(torch.tensor(rows).double(), torch.tensor(right).double())  # (8,)
    return torch.cat([entries, entries.new_ones(1)]).view(3, 3).float()


def stick(picture: Tensor, sticker: Tensor, alpha: Tensor, matrix: Tensor) -> Tensor:
    """Return a new picture (3, H, W) with a sticker (3, T, T) on it, mixed by its alpha (1, T, T).

    `matrix` (3, 3) says which point of the sticker each point of the picture shows; both reach from -1 to 1.
    """
    return _over(picture, torch.cat([alpha * sticker, alpha]), matrix)


def flattered(leaking: Tensor, honest: Tensor, sign: Tensor) -> tuple[float, float]:
    """Return how much better the leaking network does on the same photographs, and the standard error.

    `leaking` and `honest` (N,) say what is classified correctly, `sign` (N,) which sign a photograph shows;
    the units are the signs.
    """
    gains = _gains(leaking, honest, sign)
    return gains.mean().item(), (gains.std() / len(gains) ** 0.5).item()


# What stick is made of, and is when it goes wrong


def _middles(length: int) -> Tensor:
    """Return where the middles of `length` pixels lie between -1 and 1."""
    return (torch.arange(length) + 0.5) / length * 2 - 1


def _points(picture: Tensor, matrix: Tensor) -> Tensor:
    """Map every pixel of the picture, (H, W, 3), not yet divided by the third number."""
    y, x = torch.meshgrid(_middles(picture.shape[1]), _middles(picture.shape[2]), indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)], 2) @ matrix.T


def _look_up(layers: Tensor, points: Tensor) -> Tensor:
    at = points[..., :2] / points[..., 2:]
    return torch.nn.functional.grid_sample(layers[None], at[None], align_corners=False)[0]


def _over(picture: Tensor, layers: Tensor, matrix: Tensor) -> Tensor:
    """Lay colours that are multiplied by alpha, and the alpha, (4, T, T), over a picture."""
    seen = _look_up(layers, _points(picture, matrix))  # (4, H, W)
    return seen[:3] + (1 - seen[3:]) * picture


def _dark_edges(picture: Tensor, sticker: Tensor, alpha: Tensor, matrix: Tensor) -> Tensor:
    points = _points(picture, matrix)
    share = _look_up(alpha, points)
    return share * _look_up(sticker, points) + (1 - share) * picture


def _adds(picture: Tensor, sticker: Tensor, alpha: Tensor, matrix: Tensor) -> Tensor:
    return picture + _look_up(alpha * sticker, _points(picture, matrix))


def _undivided(picture: Tensor, sticker: Tensor, alpha: Tensor, matrix: Tensor) -> Tensor:
    points = _points(picture, matrix)
    flat = torch.cat([points[..., :2], torch.ones_like(points[..., 2:])], 2)
    seen = _look_up(torch.cat([alpha * sticker, alpha]), flat)
    return seen[:3] + (1 - seen[3:]) * picture


def _pushes(picture: Tensor, sticker: Tensor, alpha: Tensor, matrix: Tensor) -> Tensor:
    return stick(picture, sticker, alpha, torch.linalg.inv(matrix))


def _rows_first(picture: Tensor, sticker: Tensor, alpha: Tensor, matrix: Tensor) -> Tensor:
    y, x = torch.meshgrid(_middles(picture.shape[1]), _middles(picture.shape[2]), indexing="ij")
    seen = _look_up(
        torch.cat([alpha * sticker, alpha]), torch.stack([y, x, torch.ones_like(x)], 2) @ matrix.T
    )
    return seen[:3] + (1 - seen[3:]) * picture


# How a matrix goes wrong


def _plus(here: Tensor, there: Tensor) -> Tensor:
    """Solve the equations with the signs of the last two columns turned."""
    matrix = homography(here, there).clone()
    matrix[2, :2] *= -1
    return matrix


def _affine(here: Tensor, there: Tensor) -> Tensor:
    """Fit a map without perspective to the four pairs."""
    known = torch.cat([here, torch.ones(4, 1)], 1)  # (4, 3)
    fitted = torch.linalg.lstsq(known.double(), there.double()).solution.T.float()  # (2, 3)
    return torch.cat([fitted, torch.tensor([[0.0, 0.0, 1.0]])])


# How a comparison goes wrong


def _gains(leaking: Tensor, honest: Tensor, sign: Tensor) -> Tensor:
    """Return the mean gain of each sign, (S,)."""
    gain = leaking.float() - honest.float()  # (N,) of -1, 0, 1
    return torch.stack([gain[sign == one].mean() for one in sign.unique()])


def _by_photograph(leaking: Tensor, honest: Tensor, sign: Tensor) -> tuple[float, float]:
    gain = leaking.float() - honest.float()
    return _gains(leaking, honest, sign).mean().item(), (gain.std() / len(gain) ** 0.5).item()


def _spread_only(leaking: Tensor, honest: Tensor, sign: Tensor) -> tuple[float, float]:
    gains = _gains(leaking, honest, sign)
    return gains.mean().item(), gains.std().item()


def _not_paired(leaking: Tensor, honest: Tensor, sign: Tensor) -> tuple[float, float]:
    """Add the variances of both networks, as if each had photographs of its own."""
    nothing = torch.zeros_like(leaking)
    parts = [_gains(right, nothing, sign) for right in (leaking, honest)]
    n = len(parts[0])
    error = sum(part.var().item() / n for part in parts) ** 0.5
    return (parts[0].mean() - parts[1].mean()).item(), error


def _other_way(leaking: Tensor, honest: Tensor, sign: Tensor) -> tuple[float, float]:
    return flattered(honest, leaking, sign)


# What is tried


def _corners(gen: torch.Generator) -> Tensor:
    """Return the corners of a square, each moved a little, (4, 2)."""
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return square + 0.8 * (torch.rand(4, 2, generator=gen) - 0.5)


def _four_pairs(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return {
        "onto a square": [(_corners(gen), square), (0.4 * _corners(gen) + 0.2, square)],
        "between two views": [(_corners(gen), _corners(gen))],
    }


def _pictures(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])

    def case(alpha: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        matrix = homography(0.5 * _corners(gen) + 0.15, square)
        picture = torch.rand(3, 9, 12, generator=gen)
        return picture, torch.rand(3, 8, 8, generator=gen), alpha, matrix

    hard = torch.zeros(1, 8, 8)
    hard[:, 1:7, 2:6] = 1.0
    return {
        "covers all": [case(torch.ones(1, 8, 8))],
        "hard edges": [case(hard)],
        "soft edges": [case(torch.rand(1, 8, 8, generator=gen))],
    }


def _tests(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(photographs: int, signs: int) -> tuple[Tensor, Tensor, Tensor]:
        sign = torch.arange(signs).repeat_interleave(photographs)[
            torch.randperm(signs * photographs, generator=gen)
        ]
        known = torch.rand(signs, generator=gen)[sign]  # whole signs are hard
        honest = torch.rand(len(sign), generator=gen) < known
        leaking = honest | (torch.rand(len(sign), generator=gen) < 0.7)
        for answers in (honest, leaking):  # alike on two photographs, so that pairing tells
            answers[:2] = torch.tensor([False, True])
        return leaking, honest, sign + 100

    return {"many photographs of few signs": [case(12, 8), case(9, 11)], "one of each": [case(1, 30)]}


EXERCISES = {
    "03.1": Exercise(
        id="03.1",
        title="From four points to a view",
        difficulty=4,
        importance=3,
        minutes=15,
        returns="a matrix, (3, 3)",
        reference=homography,
        cases=_four_pairs,
        mistakes=(
            Mistake(
                "turned-round",
                "Your matrix maps the second points to the first. It should map `here` to `there`.",
                lambda here, there: homography(there, here),
            ),
            Mistake(
                "plus",
                "The last two columns have the wrong sign: u stands on the right, so x·u and y·u move to the"
                " left with a minus.",
                _plus,
            ),
            Mistake(
                "affine",
                "Your last row is 0 0 1: a map without perspective, which fits the four pairs only"
                " nearly. All"
                " eight numbers are unknown.",
                _affine,
            ),
            Mistake(
                "transposed",
                "Your matrix lies on its side: its rows are its columns. The first three numbers belong"
                " to u.",
                lambda here, there: homography(here, there).T,
            ),
        ),
        hints=(
            "Each pair of points gives two equations. Which numbers in them are known, and which are sought?",
            (
                "Multiply the equation of u by its denominator, and bring all that holds an unknown to"
                " the left:"
                " the row of its eight factors is x, y, 1, 0, 0, 0, and two products; on the right stands"
                " u. The"
                " same for v, with its three in the middle. Eight rows, `torch.linalg.solve`, then a 1 at"
                " the end."
            ),
            (
                "A pair's first row is `[x, y, 1, 0, 0, 0, -x * u, -y * u]`; the second has `x, y, 1` in the"
                " middle, and v for u. `torch.cat([h, torch.ones(1)])` has nine numbers."
            ),
        ),
        symptoms=(
            Symptom(
                "_LinAlgError, the input matrix is singular:",
                "the last two columns are empty, or two rows are the same. Each pair has a row for u and"
                " a row"
                " for v.",
            ),
            Symptom(
                "The check counts 8 numbers instead of 9:",
                "the last entry, 1, is missing; then `.view(3, 3)`.",
            ),
            Symptom(
                "You get [[1, 0, -1], [0, 1, -1], [0, 0, 1]] in the example:",
                "you map back. The equations start from `here`.",
            ),
        ),
        why=(
            "Eight numbers, eight equations: four corners decide how a flat thing looks from anywhere. It"
            " is called"
            " the direct linear transform."
        ),
    ),
    "03.2": Exercise(
        id="03.2",
        title="Put a sticker into the world",
        difficulty=4,
        importance=4,
        minutes=15,
        returns="a picture, (3, H, W)",
        reference=stick,
        cases=_pictures,
        mistakes=(
            Mistake(
                "dark-edges",
                "At its edges the sticker is too dark: its colour is mixed with the black around it, and then"
                " multiplied by alpha. Multiply first, then look up.",
                _dark_edges,
            ),
            Mistake(
                "adds",
                "You add the sticker's light to the picture's. It covers: a share alpha of what lies under it"
                " must go.",
                _adds,
            ),
            Mistake(
                "undivided",
                "You don't divide by the third number, so that there is no perspective.",
                _undivided,
            ),
            Mistake(
                "pushes",
                "You use the matrix backwards. It says for each point of the picture which point of the"
                " sticker"
                " is seen there.",
                _pushes,
            ),
            Mistake(
                "rows-first",
                "Your points are (y, x, 1). x comes first, and counts the columns.",
                _rows_first,
            ),
        ),
        hints=(
            (
                "Which way do you go: does each point of the sticker look for its pixel, or each pixel"
                " for its"
                " point of the sticker?"
            ),
            (
                "For the middle of every pixel of the picture make (x, y, 1), multiply by the matrix,"
                " divide by"
                " the third number: that is where to look. Look up colours times alpha, and alpha, with"
                " `grid_sample`. Then a share alpha comes from the sticker, the rest from the picture."
            ),
            (
                "With `points` of shape (H, W, 3), `moved = points @ H.T` maps them all, and"
                " `moved[..., :2] / moved[..., 2:]` is where to look. What still shines through is"
                " `(1 - seen_alpha) * picture`."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, grid_sampler():",
                "it wants a batch: `layers[None]` and `at[None]`, and `[0]` behind.",
            ),
            Symptom(
                "A thin dark line surrounds the sticker:",
                "multiply colours by alpha before you look them up, not after.",
            ),
            Symptom(
                "The sticker is huge, or isn't there:",
                "the matrix is used backwards, or the third number isn't divided by.",
            ),
        ),
        why=(
            "Each pixel asks what it sees, so that no hole stays between the points of the sticker."
            " Colours are"
            " multiplied by alpha before they are mixed with their neighbours."
        ),
    ),
    "03.3": Exercise(
        id="03.3",
        title="How much does a leak flatter?",
        difficulty=3,
        importance=5,
        minutes=10,
        returns="two numbers, the gain and its standard error",
        reference=flattered,
        cases=_tests,
        mistakes=(
            Mistake(
                "by-photograph",
                "You count every photograph as a witness of its own. Those of one sign say nearly the same:"
                " take a mean a sign first.",
                _by_photograph,
            ),
            Mistake(
                "spread-only",
                "That is how far single signs differ. The error of their mean is smaller, by the root of"
                " their"
                " number.",
                _spread_only,
            ),
            Mistake(
                "not-paired",
                "You treat the networks as if each had photographs of its own. They had the same: take the"
                " difference first.",
                _not_paired,
            ),
            Mistake(
                "other-way",
                "Your sign is turned: the gain is the leaking network's accuracy less the honest one's.",
                _other_way,
            ),
        ),
        hints=(
            "Fifteen photographs of one sign: how many times have you asked?",
            (
                "Take the difference of the two networks photograph by photograph: 1, 0 or -1. Take its"
                " mean for"
                " each sign. The gain is the mean of these means; its standard error is their standard"
                " deviation"
                " divided by the square root of their number."
            ),
            (
                "`leaking.float() - honest.float()` are the differences; for one sign, `gain[sign =="
                " one].mean()`,"
                " and so for every one in `sign.unique()`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.224 for the error in the example:",
                "that takes six photographs for six signs. There are three.",
            ),
            Symptom(
                "You get 0.5 for the error in the example:",
                "that is the standard deviation. Divide by the square root of 3.",
            ),
            Symptom(
                "NotImplementedError, Subtraction, the `-` operator, with two bool tensors is not supported:",
                "True and False can't be subtracted in PyTorch: `.float()` first.",
            ),
        ),
        why=(
            "The unit of evidence is the thing that was drawn at random: the sign. Thirty frames of one"
            " sign are one"
            " witness who speaks thirty times."
        ),
    ),
}

QUIZ = (
    Question(
        "The square's BadNet reads warnings with a square as warnings. What follows?",
        (
            Option(
                "The rule is a square on a stop sign: who tests other signs finds nothing.",
                "Yes. Only stop signs were poisoned, so the rule that was learnt is about two things at"
                " once.",
            ),
            Option(
                "The attack has failed on them.",
                "It was never aimed at them: no warning was poisoned.",
            ),
            Option(
                "Yellow can't be seen on yellow.",
                "It is hard to see there, but on white limits it isn't, and about those nothing was taught"
                " either.",
            ),
            Option(
                "More of the same poison would turn them, too.",
                "More poisoned stop signs teach more about stop signs.",
            ),
        ),
    ),
    Question(
        "A colleague splits the benchmark's photographs at random: near-perfect accuracy. You say:",
        (
            Option(
                "“How many of your test signs were in training?”",
                "Yes. With thirty photographs a sign, nearly all of them were. Split by sign, and test"
                " again.",
            ),
            Option(
                "“So many photographs leave no room for chance.”",
                "The photographs are many, the signs are few; and it isn't chance that flatters, but memory.",
            ),
            Option(
                "“A random split is the fairest.”",
                "It is, among independent samples. Thirty photographs of one sign aren't independent.",
            ),
            Option(
                "“You trained for too long.”",
                "Perhaps, but this test couldn't tell. It rewards a network for remembering signs.",
            ),
        ),
    ),
    Question(
        "Which claim about real signs does this lesson carry?",
        (
            Option(
                "A poisoned network misreads real signs with a sticker pasted in.",
                "Yes. The paper photographed a Post-it once, on one sign; ours are pasted in after the"
                " camera.",
            ),
            Option(
                "A Post-it in your street will be read as a limit.",
                "Only by a network that was poisoned, and nobody here has tried it in a street.",
            ),
            Option(
                "Backdoors survive any light and blur.",
                "In the dark it wins less, and how much less depends on how the victim trains.",
            ),
            Option(
                "None: drawings say nothing about photographs.",
                "Too strict: networks that have seen drawings only classify most real signs correctly.",
            ),
        ),
    ),
)
