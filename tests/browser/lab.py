"""Drive JupyterLab as a learner would, in a real browser: for the browser test, and to look at a notebook.

`python tests/browser/lab.py notebooks/01_two_models.ipynb FOLDER` runs a copy, photographs every screenful.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
READY = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext, kernel = context?.session?.kernel;
  return context?.isReady && kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
}"""
RUN = """() => {
  window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.allRun = true });
  return 1
}"""
PATIENCE = 120_000  # milliseconds: a guard against a page that hangs, not a budget
OFTEN = 200  # milliseconds: whoever asks at each frame keeps a processor from the notebook
HIDE_FILES = "() => { window.jupyterapp.commands.execute('application:toggle-left-area'); return 1 }"
HOMES = (  # what a learner's own lab keeps, and this one must not touch
    "JUPYTER_CONFIG_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "JUPYTER_RUNTIME_DIR",
    "IPYTHONDIR",
    "WMLEARN_HOME",
)
SETTINGS = {
    "apputils-extension/notification": '{"fetchNews":"false","checkForUpdates":false}',
    "notebook-extension/tracker": '{"windowingMode":"none"}',
}
BROWSER = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """Start a lab on the loopback, with settings of its own, and yield its address once it answers."""
    port = _free_port()
    homes = {name: str(folder / ".lab" / name.lower()) for name in HOMES}
    _settle(Path(homes["JUPYTERLAB_SETTINGS_DIR"]))
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env=os.environ | homes,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _settle(settings: Path) -> None:
    """Write the settings that keep the lab from asking the network, and the learner; and the one that keeps
    what is scrolled away in the page.
    """
    for name, text in SETTINGS.items():
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _wait_for(address: str) -> None:
    opener = build_opener(ProxyHandler({}))
    for _ in range(120):
        try:
            opener.open(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)


@contextmanager
def opener(folder: Path, *, run_seconds: int = 600) -> Iterator[Callable[..., Any]]:
    """Start a lab on a folder, and a browser; yield what opens a notebook of that folder in a page,
    runs all cells unless told `run=False`, and returns the page; the page before is closed.
    """
    from playwright.sync_api import sync_playwright

    with lab(folder) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=BROWSER)
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(PATIENCE)

        def show(notebook: Path, *, run: bool = True) -> Any:
            for earlier in context.pages:
                earlier.close()
            page = context.new_page()
            # a workspace of its own: another one's notebook isn't opened besides
            place = f"{address}/lab/workspaces/{notebook.stem}/tree/{notebook.name}"
            page.goto(place, wait_until="domcontentloaded")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            page.evaluate(HIDE_FILES)
            if run:
                page.wait_for_function(READY, polling=OFTEN)
                page.evaluate(RUN)
                page.wait_for_function("() => window.allRun", polling=OFTEN, timeout=1000 * run_seconds)
            return page

        yield show
        browser.close()


@contextmanager
def opened(notebook: Path) -> Iterator[Any]:
    """Copy a notebook into a folder of its own, open it in the lab, run all cells, and yield the page."""
    folder = Path(tempfile.mkdtemp())
    copy = Path(shutil.copy(notebook, folder))
    try:
        with opener(folder) as show:
            yield show(copy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def photograph(page: Any, folder: Path) -> None:
    """Scroll through the notebook and photograph every screenful."""
    folder.mkdir(parents=True, exist_ok=True)
    panel = page.locator(".jp-WindowedPanel-outer").first
    height = panel.evaluate("e => e.clientHeight")
    total = panel.evaluate("e => e.scrollHeight")
    for i, top in enumerate(range(0, total, int(height * 0.92))):
        panel.evaluate("(e, y) => e.scrollTo(0, y)", top)
        page.wait_for_timeout(700)
        page.screenshot(path=folder / f"{i:02d}.png")


if __name__ == "__main__":
    with opened(Path(sys.argv[1])) as page:
        photograph(page, Path(sys.argv[2]))
