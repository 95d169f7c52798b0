"""Removal attacks, one idea a file: a new model, from the attacker's own samples, without any key."""

from ..protocols import Removal
from ..training import Recipe
from .chain import Chain as Chain
from .distill import Distill as Distill
from .evade import Inputs as Inputs
from .evade import Refuse as Refuse
from .evade import Vote as Vote
from .extraction import Extract as Extract
from .extraction import ExtractionError as ExtractionError
from .extraction import extract as extract
from .fine_prune import FinePrune as FinePrune
from .fine_tune import FineTune as FineTune
from .mean_filter import MeanFilter as MeanFilter
from .neuron_prune import NeuronPrune as NeuronPrune
from .noise import Shift as Shift
from .overwrite import Overwrite as Overwrite
from .permute import Permute as Permute
from .prune import Prune as Prune
from .quantize import Quantize as Quantize
from .scratch import FromScratch as FromScratch
from .sharpness import SharpnessAware as SharpnessAware
from .unlearn import Unlearn as Unlearn

LARGE = Recipe(epochs=8, lr=2e-2, batch_size=128)
"""REFIT's idea: a rate that the mark doesn't survive, and epochs enough for the task to recover."""

ALL: dict[str, Removal] = {
    "from-scratch": FromScratch(),
    "adi2018-ftll": FineTune("last"),
    "adi2018-ftal": FineTune("all"),
    "adi2018-rtll": FineTune("last", reset_last=True),
    "adi2018-rtal": FineTune("all", reset_last=True),
    "chen2021-refit": FineTune("all", recipe=LARGE),
    "zhu2023-ft-sam": SharpnessAware(),
    "prune-50": Prune(0.5),
    "prune-80": Prune(0.8),
    "liu2018-fine-pruning": FinePrune(),
    "quantize-4-bits": Quantize(4),
    "mean-filter": MeanFilter(),
    "shift": Shift(),
    "yan2023-permute": Permute(),
    "distill-soft": Distill("soft"),
    "distill-odd": Distill("soft", odd=True),
    "shafieinejad2019-extract": Extract(),
    "overwrite-adi": Overwrite(),
    "wang2019-unlearning": Unlearn(),
    "wu2021-neuron-pruning": NeuronPrune(),
    "hitaj2019-vote": Vote(),
    "hitaj2019-refuse": Refuse(),
    "inputs-jpeg": Inputs("jpeg"),
    "inputs-smooth": Inputs("smooth"),
    "inputs-quantise": Inputs("quantise"),
    "chain-prune-refit": Chain((Prune(0.5), FineTune("all", recipe=LARGE))),
    "chain-fine-prune-overwrite": Chain((FinePrune(), Overwrite())),
}
"""Citation-shaped id -> the attack, set for MNIST, the paper's network and some 6,000 samples.

The first of them steals nothing: what it reaches is what all others have to beat.
"""
STEALS_NOTHING = "from-scratch"
