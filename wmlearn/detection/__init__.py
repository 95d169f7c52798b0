"""Who finds a backdoor, one paper a file: in a model, in a training set, or in what is asked of a model."""

from .neural_cleanse import Scan as Scan
from .neural_cleanse import scan as scan
