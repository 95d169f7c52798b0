"""Triggers: small changes to an image that a network can learn to obey. A function from images to images is
one, too.
"""

from ..data.signs import Sticker as Sticker
from .blend import Blend as Blend
from .patch import Patch as Patch
from .pattern import Pattern as Pattern
from .pixel import Pixel as Pixel
from .ramp import Ramp as Ramp

ALL = {
    "gu2017-pixel": Pixel(),
    "gu2017-pattern": Pattern(),
    "gu2017-patch": Patch(),
    "chen2017-blend": Blend(),
    "barni2019-ramp": Ramp(),
}
"""Citation-shaped id -> the trigger with its defaults, which suit MNIST."""
