"""Who finds a backdoor, one paper a file: in a model, in its training set, or in what it is asked.

Detectors of models take (model, clean samples) and return a `Scan`; those of training sets take (model,
training samples), clustering also clean samples, those of queries (model, clean samples, images), and both
return a `Suspicion`. What they promise of false alarms is calibrated on the clean samples: `calibration`.
"""

from .activation_clustering import ActivationClustering as ActivationClustering
from .calibration import Alarms as Alarms
from .calibration import Rate as Rate
from .examination import Examination as Examination
from .examination import Finding as Finding
from .examination import examine as examine
from .findings import to_html as to_html
from .findings import to_json as to_json
from .neural_cleanse import NeuralCleanse as NeuralCleanse
from .neural_cleanse import Scan as Scan
from .onion import Onion as Onion
from .onion import bigrams as bigrams
from .onion import fit_onion as fit_onion
from .spectral import SpectralSignatures as SpectralSignatures
from .strip import Strip as Strip
from .suspicion import Suspicion as Suspicion
from .suspicion import auc as auc
from .ted import TopologicalEvolution as TopologicalEvolution

Detector = NeuralCleanse | ActivationClustering | SpectralSignatures | Strip | TopologicalEvolution

ALL: dict[str, Detector] = {
    "wang2019-neural-cleanse": NeuralCleanse(),
    "chen2018-activation-clustering": ActivationClustering(),
    "tran2018-spectral-signatures": SpectralSignatures(),
    "gao2019-strip": Strip(),
    "mo2024-ted": TopologicalEvolution(),
}
"""Citation-shaped id -> the detector with defaults that suit MNIST and the paper's network."""
