"""Watermarks, a paper a file: `keygen` a secret key, `embed` it in a copy of a model, `verify` a suspect."""

from typing import Any

from ..models.matching import matched as matched
from ..protocols import Watermark
from ..training import Recipe
from .adi import Adi2018 as Adi2018
from .blackmarks import Blackmarks2019 as Blackmarks2019
from .blackmarks import BlackmarksKey as BlackmarksKey
from .controls import Unmarked as Unmarked
from .controls import compared as compared
from .controls import draw_keys as draw_keys
from .controls import unmarked as unmarked
from .dawn import Dawn2021 as Dawn2021
from .drawn_chords import chords as chords
from .drawn_rows import odd_rows as odd_rows
from .drawn_rows import rows as rows
from .ewe import Jia2021 as Jia2021
from .frontier import LeMerrer2019 as LeMerrer2019
from .green_list import GreenList as GreenList
from .gu import Gu2017 as Gu2017
from .keys import load_key as load_key
from .keys import save_key as save_key
from .margin import Kim2023 as Kim2023
from .regression import Lounici2021 as Lounici2021
from .regression import NumberKey as NumberKey
from .secret import new_secret as new_secret
from .trigger_set import TriggerKey as TriggerKey
from .trigger_set import own_key as own_key
from .uchida import Uchida2017 as Uchida2017
from .uchida import UchidaKey as UchidaKey
from .word_keys import WordSalad as WordSalad
from .zhang import Zhang2018 as Zhang2018

ALL: dict[str, Watermark[Any]] = {
    "adi2018": Adi2018(),
    "adi2018-pretrained": Adi2018(share=0.2, recipe=Recipe(epochs=1, lr=2e-3)),
    "zhang2018-content": Zhang2018("content"),
    "zhang2018-unrelated": Zhang2018("unrelated"),
    "zhang2018-noise": Zhang2018("noise"),
    "gu2017-patch": Gu2017(),
    "uchida2017": Uchida2017(),
    "szyller2021-dawn": Dawn2021(),
    "chen2019-blackmarks": Blackmarks2019(),
    "kim2023-margin": Kim2023(),
    "lemerrer2019": LeMerrer2019(),
    "jia2021-ewe": Jia2021(),
}
"""Citation-shaped id -> the scheme with defaults that suit MNIST and the paper's network."""
KEYS: dict[str, type[Any]] = {kind.__name__: kind for kind in (TriggerKey, UchidaKey, BlackmarksKey)}
"""The kinds of key that can be saved."""
