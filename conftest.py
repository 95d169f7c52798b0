"""Notebooks that run as tests show no progress bars: their outputs are compared with the committed ones."""

import os

os.environ["WMLEARN_QUIET"] = "1"
