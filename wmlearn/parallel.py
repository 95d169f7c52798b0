"""Many cells: here, in processes, or on a Dask cluster; one interface.

Processes and clusters are driven by the same lines: both hand out futures.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from queue import SimpleQueue
from typing import Any, TypeVar

import torch

from .errors import WmlearnError, require

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Value = TypeVar("Value")

PATIENCE = 20  # seconds in which a Dask scheduler, and a worker of it, must answer


def completed(
    measure: Callable[[Shared, Item], Value],
    shared: Shared,
    items: Sequence[Item],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Iterator[Value]:
    """Yield `measure(shared, item)` for every item, in the order in which they are done.

    One job runs here, with all threads; more are processes of one thread each. `scheduler` is the address of
    a Dask cluster that works instead, each cell with one thread, or "local" for one of `jobs` processes that
    is started here (extra `cluster`). Name your own only: what a scheduler sends is pickled, and a hostile
    one can run any code here. `shared` travels once to each process or machine. Processes know functions by
    their names, so these must stand in a module; a cluster takes those of a notebook, too.

    Whoever stops reading does not wait for the cells under way. Raises `ArgumentError` when `jobs` is below
    1, and `WmlearnError` when a process dies, Dask is not installed, or no scheduler answers.
    """
    require(jobs >= 1, "jobs must be at least 1", jobs)
    if jobs == 1 and scheduler is None:
        for item in items:
            yield measure(shared, item)
    elif items:
        with _team(shared, jobs, scheduler) as team:
            yield from _gather(measure, team, items)


@dataclass(frozen=True, eq=False)
class _Team:
    """How to hand a call to those who measure, and what stands for the shared value in it."""

    submit: Callable[..., Any]  # -> a future, of Python's own kind or of Dask's
    shared: Any


def _team(shared: object, jobs: int, scheduler: str | None) -> AbstractContextManager[_Team]:
    return _processes(shared, jobs) if scheduler is None else _machines(shared, jobs, scheduler)


def _gather(measure: Callable[[Any, Item], Value], team: _Team, items: Sequence[Item]) -> Iterator[Value]:
    # by a queue, as `as_completed` forgets which was done first: a cell that fails must not hide one that was
    # done before it
    done: SimpleQueue[Any] = SimpleQueue()
    with _undisturbed():
        for item in items:
            team.submit(_alone, measure, team.shared, item).add_done_callback(done.put)
    for _ in items:
        yield done.get().result()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put Ctrl-C off until the processes are started, and keep it from them: who is stopped while it begins
    writes a traceback, and a process that is told to end needs no signal of its own.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield  # no other thread hears it, and no Windows has it
        return
    resource_tracker.ensure_running()  # where it starts by itself, it lets the signal in again
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # which processes inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _alone(measure: Callable[[Any, Item], Value], shared: Any, item: Item) -> Value:
    # as many cells as cores: threads of their own would only stand in each other's way
    torch.set_num_threads(1)
    return measure(_Kept.value if isinstance(shared, _Kept) else shared, item)


class _Kept:
    """Stands in a call for what the process was given when it began."""

    value: Any = None


def _keep(shared: object) -> None:
    _Kept.value = shared


@contextmanager
def _processes(shared: object, jobs: int) -> Iterator[_Team]:
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")  # a forked torch may hang
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_keep, initargs=(shared,))
    try:
        yield _Team(pool.submit, _Kept())
    except BrokenProcessPool as error:
        raise WmlearnError(
            "Every process must live until its cell is measured, but one ended before. Put functions of a"
            " notebook into a module, see that there is memory for all jobs, or take one job."
        ) from error
    except BaseException:  # Ctrl-C, too: whoever stops does not wait for the cells under way
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _machines(shared: object, jobs: int, scheduler: str) -> Iterator[_Team]:
    with cluster(jobs, scheduler) as client:
        [remote] = client.scatter([shared], broadcast=True, hash=False)
        # not `client.get_executor`: it fetches a value before that counts as done; an error may overtake it
        yield _Team(partial(client.submit, pure=False), remote)


@contextmanager
def cluster(jobs: int, scheduler: str) -> Iterator[Any]:
    """Yield a client of the Dask cluster at the address `scheduler`, or of a "local" one: `jobs` processes
    that end with the context.

    Raises `WmlearnError` when Dask is not installed, or no scheduler with a worker answers in `PATIENCE`
    seconds.
    """
    try:
        from dask.distributed import Client, LocalCluster, TimeoutError
    except ImportError as error:
        raise WmlearnError(
            'A scheduler needs Dask, which is not installed. Run pip install "wmlearn[cluster]".'
        ) from error
    with ExitStack() as stack:
        where: Any = scheduler
        if scheduler == "local":
            page = "127.0.0.1:0"  # for this machine's eyes only, at any free port
            where = stack.enter_context(
                LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=page)
            )
        try:
            client = stack.enter_context(Client(where, timeout=PATIENCE))
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            raise WmlearnError(
                "scheduler must be local, or the address of a Dask scheduler with workers, got"
                f" {scheduler!r}. Start them with `dask scheduler` and `dask worker`."
            ) from error
        yield client
