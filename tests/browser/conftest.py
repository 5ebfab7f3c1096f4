"""JupyterLab in a real headless Chromium, on an embedded workspace: one of each for a module's tests."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import pytest
from dbk_local import Workspace

# Generous on purpose: two slow cores, many processes. Nothing here waits that long when all is well.
PATIENCE_S = 60.0
STOP_S = 20.0
MARK = "DBK_BROWSER_TEST"
KERNEL = {"name": "databricks", "display_name": "Databricks Session", "language": "python"}
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
# Read here, as every test starts without the DBK_ variables of whoever runs it.
SCREENSHOTS = bool(os.environ.get("DBK_SCREENSHOTS"))
CHROMIUM_FLAGS = [
    "--no-sandbox",  # it does not start as root otherwise; the only site it opens is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm is small in containers
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# No toasts over the notebook, every cell in the document whether or not it is in view, and room for the pictures.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # A completion that comes after a second is dropped, and on a busy machine it does.
    "@jupyterlab/completer-extension:manager": {"providerTimeout": 60_000},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/statusbar-extension:plugin": {"visible": False},
}


def until(condition, what):
    """The first true value of `condition`, asked again and again."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE_S:g} s: {what}")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab server: its address (ends in `/`), its token and the folder of its notebooks."""

    url: str
    token: str
    folder: Path

    def ask(self, method, path):
        """The JSON answer of its REST API, None for an empty one."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            body = reply.read()
        return json.loads(body) if body else None

    def stop_kernels(self):
        until(self._no_kernel_is_left, "the end of the kernels")

    def _no_kernel_is_left(self):
        try:
            for kernel in self.ask("GET", "api/kernels"):
                self.ask("DELETE", f"api/kernels/{kernel['id']}")
            return not self.ask("GET", "api/kernels")
        except urllib.error.HTTPError as refused:  # one is just starting or ending
            refused.close()
            return False


class Notebook:
    """A notebook open in the browser, handled as a person would: by what is seen, clicked and typed."""

    def __init__(self, page, file):
        self.page = page
        self.file = file

    def cell(self, number):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def editor(self, number):
        return self.cell(number).locator(".cm-content")

    def prompt(self, number):
        """Where `[*]:` stands for a running cell, and `[1]:` for one that has run."""
        return self.cell(number).locator(".jp-InputPrompt")

    def outputs(self, number):
        return self.cell(number).locator(".jp-OutputArea-output")

    def start(self, number):
        """Click into a code cell and press Shift+Enter."""
        self.editor(number).click()
        self.page.keyboard.press("Shift+Enter")

    def run(self, number):
        """Start a code cell and wait for its end."""
        from playwright.sync_api import expect

        self.start(number)
        expect(self.prompt(number)).to_have_text(re.compile(r"\[\d+\]:"))

    def press(self, button):
        """Click a button of the notebook's toolbar: `interrupt`, `restart`, `save`, ..."""
        self.page.locator(f'.jp-NotebookPanel-toolbar [data-jp-item-name="{button}"] jp-button').click()

    def save(self):
        """Press Ctrl+S and give the notebook as it is on disk then."""
        before = self.file.read_bytes()
        self.page.keyboard.press("Control+s")
        until(lambda: self.file.read_bytes() != before, "a saved notebook")
        return nbformat.read(self.file, as_version=4)


@pytest.fixture(scope="module")
def workspace():
    """One embedded workspace; Spark starts only for the test that uses it."""
    with Workspace() as running:
        yield running


@pytest.fixture(scope="module")
def mark():
    """A word in the environment of every process of the module; none that carries it outlives the module."""
    word = secrets.token_hex(8)
    yield word
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == word:
                process.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


@pytest.fixture(scope="module")
def lab(workspace, mark, tmp_path_factory):
    """One JupyterLab server with folders of its own, its environment pointing at the workspace."""
    home = tmp_path_factory.mktemp("lab")
    settings = home / "config" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(LAB_SETTINGS), "utf-8")
    (home / "notebooks").mkdir()
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--IdentityProvider.token={token}"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={home / 'notebooks'}"]
    command += [f"--LabApp.workspaces_dir={home / 'workspaces'}", f"--LabApp.user_settings_dir={home / 'settings'}"]
    command += ["--LabApp.extension_manager=readonly"]  # asks no package index
    environment = server_environment(home, workspace, mark)
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, env=environment, start_new_session=True
        )
    try:
        running = Lab(until(lambda: address(home, server), "the address of JupyterLab"), token, home / "notebooks")
        until(lambda: answers(running), "an answer of JupyterLab")
        yield running
    finally:
        stop(server)


def server_environment(home, workspace, mark):
    """The variables of the server: nothing of this machine's user, and the workspace."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "DBK_", "JUPYTER"))
    }
    private = {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DATABRICKS_CONFIG_FILE": os.devnull,
        MARK: mark,
    }
    return {**kept, **private, **workspace.env()}


def address(home, server):
    """The address that the server wrote down for whoever looks for it, None before it did."""
    if server.poll() is not None:
        raise AssertionError((home / "server.log").read_text("utf-8", "replace"))
    for file in (home / "runtime").glob("jpserver-*.json"):
        try:
            return json.loads(file.read_text("utf-8"))["url"]
        except ValueError:  # half written
            continue
    return None


def answers(lab):
    try:
        return lab.ask("GET", "api/status")
    except urllib.error.HTTPError as refused:
        refused.close()
    except OSError:
        pass
    return None


def stop(server):
    """End the server politely, so that it ends its kernels; then what is left of it in any way."""
    server.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture(scope="module")
def window(lab, mark, tmp_path_factory):
    """One headless Chromium, logged in to the server; its profile is on disk, so that scripts are compiled once."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=shutil.which("chromium"),
            args=CHROMIUM_FLAGS,
            env={**os.environ, MARK: mark},
            viewport={"width": 1280, "height": 800},
        )
        try:
            chromium.set_default_timeout(PATIENCE_S * 1000)
            chromium.request.get(f"{lab.url}lab?token={lab.token}")  # leaves a cookie
            yield chromium
        finally:
            chromium.close()


@pytest.fixture
def page(window, lab):
    """A browser tab; with it go the kernels that the test started."""
    tab = window.new_page()
    yield tab
    tab.close()
    lab.stop_kernels()


@pytest.fixture
def open_notebook(page, lab):
    """Opens a notebook of the given code cells, in a folder of its own, with a kernel of its own."""
    from playwright.sync_api import expect

    def open_(*cells, name):
        """Writes and opens `<name>/<name>.ipynb`, or only opens it when it is there."""
        file = lab.folder / name / f"{name}.ipynb"
        if not file.exists():
            file.parent.mkdir()
            code = [nbformat.v4.new_code_cell(source) for source in cells]
            nbformat.write(nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": KERNEL}), file)
        page.goto(f"{lab.url}lab/workspaces/{name}/tree/{name}/{name}.ipynb")
        expect(page.locator(".jp-NotebookPanel .jp-Toolbar-kernelName")).to_have_text("Databricks Session")
        expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle")
        return Notebook(page, file)

    return open_


@pytest.fixture(scope="session")
def screenshot():
    """Keeps a picture of the page for the documentation, when it was asked for by `DBK_SCREENSHOTS=1`."""

    def keep(page, name):
        if SCREENSHOTS:
            page.mouse.move(640, 790)  # away from anything that shows a tip
            page.screenshot(path=IMAGES / name)

    return keep


@pytest.fixture(scope="session")
def wait_until():
    """Waits for a condition: see `until`."""
    return until
