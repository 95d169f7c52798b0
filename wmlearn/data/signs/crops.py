"""Photographs of single signs, drawn by rule: a plate, a sticker on it or not, and then the camera."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ... import progress
from ...errors import require
from ..samples import Samples, Splits
from . import de, se, us
from .backgrounds import Pieces, patches
from .camera import Camera, lit, over, pose, project, taken, weathered, wide
from .dice import Dice
from .plates import Sign, textures
from .stickers import Design, Sticker, check_sticker, paste

COUNTRIES: Mapping[str, tuple[Sign, ...]] = {"us": us.SIGNS, "se": se.SIGNS, "de": de.SIGNS}
CHUNK = 64  # pictures at a time: more would leave the processor's cache
OVERSAMPLING = 2  # pixels are averaged from finer ones, as on a sensor
TRAIN = 9_000  # signs that `load_signs` draws
TEST = 3_000
VARIANTS = 6  # plates of each sign, from different makers


def draw(
    country: str,
    n: int,
    *,
    seed: int,
    sticker: Sticker | Design | None = None,
    camera: Camera = Camera(),
    by_kind: bool = True,
    size: int = 32,
) -> Samples:
    """Photograph `n` signs of a country ("us", "se", "de"), (n, 3, size, size), labelled with the fine
    classes.

    With a `sticker`, every sign carries one; without, the same `seed` gives the same photographs but for the
    sticker. Kinds of sign (stop, speed limit, …) are equally frequent, or with `by_kind=False` the signs
    themselves. Another seed means other plates' wear, other streets, other light. Raises `ArgumentError` for
    an unknown country or a size that isn't a multiple of 8.
    """
    require(country in COUNTRIES, f"the country must be one of {', '.join(COUNTRIES)}", country)
    require(n >= 1, "n must be at least 1", n)
    check_sticker(sticker)
    require(size % 8 == 0, "size must be a multiple of 8", size, "JPEG works in blocks of 8 pixels.")
    signs = COUNTRIES[country]
    dice = Dice.of(seed)
    labels = _labels(signs, n, dice, by_kind)  # (n,)
    plates = textures(signs, variants=VARIANTS)  # (signs, variants, 4, T, T)
    makers = dice.below(VARIANTS, n)
    # it sticks with draws of its own, so that clean and stickered photographs are pairs
    hand = Dice.of(seed + 991)
    grounds = patches(3000, size * OVERSAMPLING, seed)
    parts = list(zip(labels.split(CHUNK), makers.split(CHUNK), strict=True))
    chunks = [
        _photograph(plates[label, maker], sticker, camera, grounds, size, dice, hand)
        for label, maker in progress.each(parts, "drawing")
    ]
    return Samples(torch.cat(chunks), labels, tuple(sign.name for sign in signs))


def load_signs(country: str, sticker: Sticker | None = None) -> Splits:
    """Draw 9,000 signs to learn from, and 3,000 before other streets to be tested on; always the same."""
    return Splits(draw(country, TRAIN, seed=0, sticker=sticker), draw(country, TEST, seed=1, sticker=sticker))


def in_good_light(x: Tensor, n: int = 6) -> Tensor:
    """Return the first `n` photographs (N, 3, H, W) that are neither very dark nor very pale, to look at."""
    return x[(x.mean((1, 2, 3)) > 0.25) & (x.std((1, 2, 3)) > 0.12)][:n]


def kinds(country: str) -> dict[str, str]:
    """Map the signs of a country to their kinds, for `regroup`."""
    require(country in COUNTRIES, f"the country must be one of {', '.join(COUNTRIES)}", country)
    return {sign.name: sign.kind for sign in COUNTRIES[country]}


def _labels(signs: tuple[Sign, ...], n: int, dice: Dice, by_kind: bool) -> Tensor:
    if not by_kind:
        return dice.below(len(signs), n)
    names = tuple(dict.fromkeys(sign.kind for sign in signs))
    kind = dice.below(len(names), n)
    within = dice.uniform(0, 1, n)  # which sign of its kind
    labels = torch.zeros(n, dtype=torch.int64)
    for i, name in enumerate(names):
        members = torch.tensor([j for j, sign in enumerate(signs) if sign.kind == name])
        rows = kind == i
        labels[rows] = members[(within[rows] * len(members)).long()]
    return labels


def _photograph(
    plates: Tensor,
    sticker: Sticker | Design | None,
    camera: Camera,
    grounds: Pieces,
    size: int,
    dice: Dice,
    hand: Dice,
) -> Tensor:
    """Turn plates (N, 4, T, T) into photographs (N, 3, size, size)."""
    n = len(plates)
    fine = size * OVERSAMPLING
    bare = weathered(plates, dice, camera.paint)
    plates = bare if sticker is None else paste(bare, sticker, hand)
    x, y = (fine / 2 + dice.uniform(-camera.shift, camera.shift, n) * fine for _ in range(2))
    half = dice.uniform(*camera.half, n) * fine
    back = _pole(_ground(grounds, n, camera, dice), x, y, dice)
    sign = project(plates, pose(n, dice, camera.tilt, camera.roll), fine, x, y, half)
    if camera.neighbours:
        back = over(_neighbour(bare, camera, fine, x, y, half, dice), back)
    sheen = 1 + wide(dice.uniform(-0.15, 0.15, n)) * torch.linspace(-1, 1, fine)[None, None, :, None]
    picture = sign[:, :3] * sheen + back * (1 - sign[:, 3:])
    picture = lit(F.avg_pool2d(picture, OVERSAMPLING), dice, camera.light, camera.weather)
    photograph = taken(
        picture, dice, blur=camera.blur, noise=camera.noise, jpeg=camera.jpeg, weather=camera.weather
    )
    return photograph.mul(255).round().div(255)  # a photograph has 256 levels


def _ground(grounds: Pieces, n: int, camera: Camera, dice: Dice) -> Tensor:
    ground = grounds[dice.below(len(grounds), n)].float() / 255
    ground = ground * wide(dice.geometric(*camera.behind, n))
    white = wide(dice.often(camera.white_sky, n))
    return ground * (1 - white) + white * (ground * 0.25 + 0.85)


def _pole(back: Tensor, x: Tensor, y: Tensor, dice: Dice) -> Tensor:
    """Stand a grey pole below the sign, in three of five pictures."""
    n = len(back)
    size = back.shape[-1]
    axis = torch.arange(size) + 0.5
    width = dice.uniform(0.02, 0.07, n) * size
    beside = (axis[None, None, :] - x[:, None, None]).abs()  # (N, 1, W)
    below = axis[None, :, None] > y[:, None, None]  # (N, H, 1)
    inside = (beside < width[:, None, None]) & below
    pole = inside.float()[:, None] * wide(dice.often(0.6, n))
    return back * (1 - pole) + pole * wide(dice.uniform(0.2, 0.7, n))


def _neighbour(
    plates: Tensor, camera: Camera, size: int, x: Tensor, y: Tensor, half: Tensor, dice: Dice
) -> Tensor:
    """Hang a second sign above or below, one of the batch without its sticker; empty where there is none."""
    n = len(plates)
    other = torch.randperm(n, generator=dice.generator)
    side = 1 - 2 * dice.often(0.5, n)
    away = side * half * (2 + dice.uniform(0.05, 0.4, n))
    poses = pose(n, dice, camera.tilt, camera.roll)
    aside = dice.normal(n) * size * 0.03
    drawn = project(plates[other], poses, size, x + aside, y + away, half)
    return drawn * wide(dice.often(camera.neighbours, n))
