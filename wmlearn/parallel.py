"""Many cells: here, in processes, or on a Dask cluster; one interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .errors import WmlearnError

PATIENCE = 20  # seconds in which a Dask scheduler, and a worker of it, must answer


@contextmanager
def cluster(jobs: int, scheduler: str) -> Iterator[Any]:
    """Yield a client of the Dask cluster at the address `scheduler`, or of a "local" one: `jobs` processes
    that end with the context.

    Raises `WmlearnError` when Dask is not installed, or no scheduler with a worker answers in `PATIENCE`
    seconds.
    """
    try:
        from dask.distributed import Client, LocalCluster, TimeoutError  # pyright: ignore[reportMissingImports]
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
            what = "scheduler must be local, or the address of a Dask scheduler with workers"
            raise WmlearnError(
                f"{what}, got {scheduler!r}. Start them with `dask scheduler` and `dask worker`."
            ) from error
        yield client
