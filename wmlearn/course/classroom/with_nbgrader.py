"""Ask nbgrader to do its part."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_nbgrader(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run an nbgrader command in the folder of a class; it finds the programs of this environment."""
    # nbgrader starts `alembic` by its name, which lies beside Python even where nobody has activated anything
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    line = [sys.executable, "-m", "nbgrader", *words]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(line, cwd=where, env=environment, capture_output=True, text=True, errors="replace")
