"""Who finds a backdoor, one paper a file: in a model, in its training set, or in what it is asked.

Detectors of models take (model, clean samples) and return a `Scan`; those of training sets take (model,
training samples), those of queries (model, clean samples, images), and both return a `Suspicion`.
"""

from collections.abc import Callable

from .activation_clustering import ActivationClustering as ActivationClustering
from .neural_cleanse import Scan as Scan
from .neural_cleanse import scan as scan
from .spectral import SpectralSignatures as SpectralSignatures
from .strip import Strip as Strip
from .suspicion import Suspicion as Suspicion
from .suspicion import auc as auc
from .ted import TopologicalEvolution as TopologicalEvolution

ALL: dict[str, Callable[..., Scan | Suspicion]] = {
    "wang2019-neural-cleanse": scan,
    "chen2018-activation-clustering": ActivationClustering(),
    "tran2018-spectral-signatures": SpectralSignatures(),
    "gao2019-strip": Strip(),
    "mo2024-ted": TopologicalEvolution(),
}
"""Citation-shaped id -> the detector with defaults that suit MNIST and the paper's network."""
