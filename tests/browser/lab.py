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
STARTED = "() => window.jupyterapp?.restored.then(() => true)"
OPEN = """async path => {
  const {commands, serviceManager: {kernels}} = window.jupyterapp;
  await commands.execute('docmanager:save-all');  // or it asks whether to
  await commands.execute('application:close-all');
  await kernels.refreshRunning();
  const [kernel] = kernels.running();
  await commands.execute('docmanager:open', {path, factory: 'Notebook', kernel});
  window.allRun = false;
}"""
KERNELS = ".kernels"
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
    homes = _homes(folder)
    _settle(Path(homes["JUPYTERLAB_SETTINGS_DIR"]))
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.allow_external_kernels=True",
        f"--ServerApp.external_connection_dir={folder / KERNELS}",
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


def _homes(folder: Path) -> dict[str, str]:
    return {name: str(folder / ".lab" / name.lower()) for name in HOMES}


@contextmanager
def kernel(folder: Path, code: str) -> Iterator[Callable[[], Any]]:
    """Start a kernel that the lab on a folder takes for all its notebooks, and let it run code: before the
    lab has started. Yield what waits for the reply to it, and returns that.
    """
    from jupyter_client.manager import KernelManager

    (folder / KERNELS).mkdir()
    (folder / ".lab").mkdir()
    manager = KernelManager(connection_file=str(folder / KERNELS / "kernel.json"))
    manager.start_kernel(env=os.environ | _homes(folder), cwd=str(folder))
    client = manager.client()
    client.start_channels(iopub=False, stdin=False, hb=False)
    client.execute(code)
    try:
        yield lambda: client.get_shell_msg(timeout=PATIENCE / 1000)["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


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
    """Start a lab on a folder, and a browser; yield what opens a notebook of that folder in the lab's page,
    runs all cells unless told `run=False`, and returns the page; the notebook before is closed.
    """
    from playwright.sync_api import sync_playwright

    with lab(folder) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=BROWSER)
        page: Any = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/lab", wait_until="domcontentloaded")
        page.wait_for_function(STARTED, polling=OFTEN)
        page.evaluate(HIDE_FILES)

        def show(notebook: Path, *, run: bool = True) -> Any:
            page.evaluate(OPEN, notebook.name)
            page.wait_for_selector(".jp-Notebook .jp-Cell")
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
