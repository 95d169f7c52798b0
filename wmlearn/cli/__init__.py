"""The command line, `wmlearn`."""

from .app import main as main
