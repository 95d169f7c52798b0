"""The long experiments behind the figures: `wmlearn reproduce NAME` measures one again; the results ship in
`data/results/`.
"""

from . import (
    badnets,
    detection,
    false_claims,
    key_size,
    removal,
    signs,
    street,
    transfer,
    uchida_strength,
    watermarks,
)
from .experiment import Experiment as Experiment
from .experiment import Results as Results
from .experiment import run as run
from .experiment import shipped as shipped
from .paper import paper_rows as paper_rows

ALL = {
    experiment.name: experiment
    for experiment in (
        badnets.RECIPE_SEARCH,
        badnets.ALL_TO_ONE,
        badnets.SINGLE_TARGET,
        badnets.ALL_TO_ALL,
        badnets.POISON_RATE,
        badnets.FILTERS,
        *signs.EXPERIMENTS,
        signs.ROBUSTNESS,
        signs.PHOTOGRAPHS,
        signs.RENDERED_TO_REAL,
        street.STREET,
        transfer.TRANSFER,
        detection.DETECTION,
        watermarks.WATERMARKS,
        key_size.KEY_SIZE,
        uchida_strength.UCHIDA_STRENGTH,
        removal.REMOVAL,
        false_claims.FALSE_CLAIMS,
    )
}
