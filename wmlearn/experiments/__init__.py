"""The long experiments behind the figures: `wmlearn reproduce NAME` measures one again; the results ship in
`data/results/`.
"""

from . import price as price
from .experiment import Comparison as Comparison
from .experiment import Experiment as Experiment
from .experiment import Results as Results
from .experiment import Row as Row
from .experiment import run as run
from .experiment import shipped as shipped
from .paper import ALL as ALL
from .paper import compare as compare
from .paper import paper_rows as paper_rows
