"""Notebooks that run as tests draw no bars and train every network, which other tests then remember; their
kernels part from a process that has imported what all import, which takes six seconds of a processor.
"""

from __future__ import annotations

import atexit
import itertools
import multiprocessing
import os
import shutil
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["WMLEARN_QUIET"] = "1"
os.environ["WMLEARN_RETRAIN"] = "1"
if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers share the folder of the process that started them
    os.environ["WMLEARN_MEMORY"] = tempfile.mkdtemp(prefix="wmlearn-memory-")
    # larger pages for large tensors: the same numbers in a twentieth less time; glibc 2.35 and later know it
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    atexit.register(shutil.rmtree, os.environ["WMLEARN_MEMORY"], ignore_errors=True)
else:  # the first to be registered is the last to run
    atexit.register(os._exit, 0)  # to free a worker's objects one by one takes up to ten seconds, for nobody

TESTS = Path(__file__).parent / "tests"
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ELSEWHERE = 5 * (os.getpid() % 160)  # than another run at the same time
PORTS = itertools.count(20_000 + 1_000 * (WORKER % 12) + ELSEWHERE)
IMPORTED = [
    "wmlearn.cli",
    "wmlearn.course.lessons.lesson_12",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
]
KERNEL = """
import gc, os, sys
gc.freeze()  # what was imported is no garbage
os.setsid()  # a signal to the kernel's group is for nobody else
os.environ.clear()
os.environ.update(environment)
os.environ["JPY_PARENT_PID"] = str(os.getppid())  # it ends when this one does
os.chdir(folder)
nowhere = os.open(os.devnull, os.O_RDWR)
for stream in range(3):
    os.dup2(nowhere, stream)
sys.argv[:] = arguments
sys.path[:] = path
from ipykernel.kernelapp import launch_new_instance
launch_new_instance()
"""


class ReadyKernel:
    """What jupyter_client holds of a kernel's process, as of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, names: dict[str, Any]) -> None:
        self._process = _context().Process(target=exec, args=(KERNEL, names), daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0
        while self.poll() is None and os.getpgid(self.pid) != self.pid:
            time.sleep(0.005)

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    from wmlearn.course.classroom import running

    context.set_forkserver_preload([*IMPORTED, *running.SLOW, "ipykernel.kernelapp", "ipykernel.zmqshell"])
    return context


def _free_port(_: object, ip: str) -> int:
    """Return a free port of this worker's thousand, none of which the system gives away by itself.

    Seconds pass until a kernel asks for its port. One that the system named could be another's by then, and
    the kernel would die.
    """
    while True:
        port = next(PORTS)
        with socket.socket() as taker, suppress(OSError):
            taker.bind((ip, port))
            return port


def pytest_configure() -> None:
    """Let kernels of this process part from a ready one, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    from jupyter_client.connect import LocalPortCache
    from jupyter_client.provisioning import local_provisioner

    LocalPortCache.find_available_port = _free_port
    usual = local_provisioner.launch_kernel

    def launch(command: list[str], **given: Any) -> Any:
        if "ipykernel_launcher" not in command:
            return usual(command, **given)
        place = command.index("ipykernel_launcher")
        return ReadyKernel(
            {
                "environment": dict(given.get("env") or os.environ),
                "folder": str(given.get("cwd") or os.getcwd()),
                "arguments": command[place:],
                "path": [entry for entry in sys.path if not Path(entry).is_relative_to(TESTS)],
            }
        )

    local_provisioner.launch_kernel = launch
