"""Backdoors, watermarks and ownership of neural networks, small enough to read. This page is the public API."""

from . import bystanders as bystanders
from . import models as models
from . import triggers as triggers
from . import watermarks as watermarks
from .course import check as check
from .course import claim as claim
from .course import guess as guess
from .course import paper_table as paper_table
from .course import ready as ready
from .course import reveal as reveal
from .course import shares as shares
from .course import show as show
from .course import start as start
from .course import table as table
from .data import Samples as Samples
from .data import Splits as Splits
from .data import load as load
from .data import split as split
from .errors import ArgumentError as ArgumentError
from .errors import DataError as DataError
from .errors import NotEmbeddedWarning as NotEmbeddedWarning
from .errors import WmlearnError as WmlearnError
from .evidence import Evidence as Evidence
from .evidence import Verdict as Verdict
from .evidence import judge as judge
from .evidence import rank_p_value as rank_p_value
from .poisoning import Poisoned as Poisoned
from .poisoning import Target as Target
from .poisoning import Trigger as Trigger
from .poisoning import next_class as next_class
from .poisoning import poison as poison
from .poisoning import success_rate as success_rate
from .protocols import Marked as Marked
from .protocols import Removal as Removal
from .protocols import Watermark as Watermark
from .training import Penalty as Penalty
from .training import Recipe as Recipe
from .training import TrainLog as TrainLog
from .training import accuracy as accuracy
from .training import best_device as best_device
from .training import has_bf16 as has_bf16
from .training import predict as predict
from .training import train as train
from .training import trained as trained

__version__ = "0.1.0"
