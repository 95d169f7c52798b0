"""A service, run for a test on the loopback, at any free port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wmlearn.suspects.serving import Limits, server


@contextmanager
def running(app: Any, limits: Limits = Limits(), proxy: str | None = None) -> Iterator[str]:
    """Run an application as `wmlearn serve` does; yield its URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        web = server(app, limits, proxy)
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            end = time.monotonic() + 20
            while not web.started and time.monotonic() < end:
                time.sleep(0.01)
            assert web.started
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            web.should_exit = True
            thread.join(20)
