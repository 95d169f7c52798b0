"""How long a verification of 100 triggers takes, on the model itself and over HTTP on this machine: `python
benchmarks/serving.py`.
"""

from __future__ import annotations

import socket
import threading
import time
from statistics import median

import torch
import uvicorn

from wmlearn import load
from wmlearn.evidence import Suspect, bystanders
from wmlearn.suspects.remote import Remote
from wmlearn.suspects.serving import Limits, service
from wmlearn.watermarks import Adi2018

RUNS = 10


def seconds(suspect: Suspect) -> float:
    """Return the median time of a verification, after one to warm up."""
    taken = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        SCHEME.verify(suspect, KEY)
        taken.append(time.perf_counter() - start)
    return median(taken[1:])


torch.set_num_threads(1)
MODEL, SCHEME = bystanders.shipped("mnist", 0, 1)[0], Adi2018()
KEY = SCHEME.keygen(MODEL, load("mnist").train[:2000])
with socket.create_server(("127.0.0.1", 0)) as listener:
    server = uvicorn.Server(
        uvicorn.Config(service(MODEL, limits=Limits(per_minute=10_000)), log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        here, there = seconds(MODEL), seconds(Remote(f"http://127.0.0.1:{listener.getsockname()[1]}"))
    finally:
        server.should_exit = True
        thread.join()
print(
    f"{len(KEY)} triggers, median of {RUNS}, one thread: {here:.3f} s on the model, {there:.3f} s over HTTP"
)
