"""Backdoors, watermarks and ownership of neural networks, small enough to read; this is the public page."""

from importlib.metadata import version as _version

# Data and networks
from . import data as data
from . import memory as memory
from . import models as models
from . import training as training
from .data import Samples as Samples
from .data import Splits as Splits
from .data import load as load
from .data import split as split
from .training import Augment as Augment
from .training import Penalty as Penalty
from .training import Recipe as Recipe
from .training import TrainLog as TrainLog
from .training import accuracy as accuracy
from .training import best_device as best_device
from .training import has_bf16 as has_bf16
from .training import predict as predict
from .training import train as train
from .training import trained as trained

# Backdoors
from . import detection as detection
from . import poisoning as poisoning
from . import street_detector as street_detector
from . import transfer as transfer
from . import triggers as triggers
from .poisoning import Poisoned as Poisoned
from .poisoning import Target as Target
from .poisoning import Trigger as Trigger
from .poisoning import next_class as next_class
from .poisoning import poison as poison
from .poisoning import poison_clean_label as poison_clean_label
from .poisoning import success_rate as success_rate

# Watermarks, and who owns them
from . import courtroom as courtroom
from . import evidence as evidence
from . import intake as intake
from . import ownership as ownership
from . import privacy as privacy
from . import protocols as protocols
from . import removal as removal
from . import scorecard as scorecard
from . import suspects as suspects
from . import watermarks as watermarks
from .courtroom import court as court
from .evidence import Evidence as Evidence
from .evidence import Verdict as Verdict
from .evidence import bystanders as bystanders
from .evidence import decoy_p_value as decoy_p_value
from .evidence import judge as judge
from .evidence import rank_p_value as rank_p_value
from .evidence import significance as significance
from .protocols import Marked as Marked
from .protocols import Removal as Removal
from .protocols import Watermark as Watermark

# What can go wrong
from . import errors as errors
from .errors import ArgumentError as ArgumentError
from .errors import DataError as DataError
from .errors import NotEmbeddedWarning as NotEmbeddedWarning
from .errors import NothingStampedWarning as NothingStampedWarning
from .errors import OverlapWarning as OverlapWarning
from .errors import WmlearnError as WmlearnError

# What was measured, side by side, with a bar, and how its numbers are said
from . import experiments as experiments
from . import page as page
from . import parallel as parallel
from . import progress as progress
from . import words as words

# A lesson: pictures, and the verbs of its cells
from . import course as course
from . import plots as plots
from .course import Claim as Claim
from .course import all_hold as all_hold
from .course import challenge as challenge
from .course import check as check
from .course import claim as claim
from .course import grade as grade
from .course import guess as guess
from .course import paper_table as paper_table
from .course import quiz as quiz
from .course import ready as ready
from .course import reveal as reveal
from .course import shares as shares
from .course import show as show
from .course import start as start
from .course import table as table

__version__ = _version("wmlearn")
