"""Triggers: small changes to an image that a network can learn to obey. Any function of images is one, too.

A `Sticker` lies with the data, since signs are drawn with it; called on photographs, it is a trigger, too.
`Signed` needs a secret, and a network that checks signatures (`signed.Gate`): none learns it from examples.
`Sound` changes sounds, and refuses images.
`InputAware` needs two networks, which learn beside the one that obeys (`experiments.input_aware`).
"""

from ..data.signs import Sticker as Sticker
from .blend import Blend as Blend
from .columns import Columns as Columns
from .input_aware import InputAware as InputAware
from .insertion import Words as Words
from .low_frequency import LowFrequency as LowFrequency
from .patch import Patch as Patch
from .pattern import Pattern as Pattern
from .pixel import Pixel as Pixel
from .ramp import Ramp as Ramp
from .signed import Signed as Signed
from .sine import Sine as Sine
from .sound import Sound as Sound
from .sound import melody as melody
from .warp import Warp as Warp

ALL = {
    "gu2017-pixel": Pixel(),
    "gu2017-pattern": Pattern(),
    "gu2017-patch": Patch(),
    "chen2017-blend": Blend(),
    "barni2019-ramp": Ramp(),
    "barni2019-sine": Sine(),
    "nguyen2021-warp": Warp(),
    "zeng2021-low-frequency": LowFrequency(),
}
"""Citation-shaped id -> the trigger with its defaults, which suit MNIST."""
