"""Times, requests and bytes of a sync to a driver, beside `jupyter-databricks-kernel==1.4.1`, in one run.

    python packages/dbk-sync/tests/benchmarks/remote_phases.py [--files 1000 10000] [--latency-ms 100] [--peer PYTHON]

`--peer` is the interpreter of a virtual environment that has the peer; without it only our own figures are made. Both
drive the same embedded workspace, whose driver runs commands for real. What counts as a request is what its log has,
status polls included. Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbk_config import Secret, Settings
from dbk_local import Workspace
from dbk_sync import Sync
from dbk_sync._http import Http

PEER = """
import json, sys, time
from jupyter_databricks_kernel.config import Config
from jupyter_databricks_kernel.executor import DatabricksExecutor
from jupyter_databricks_kernel.sync import FileSync

config = Config.load()
executor, files = DatabricksExecutor(config), FileSync(config, "benchmark")
executor.create_context()
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    if files.needs_sync():
        stats = files.sync(executor=executor)
        for _, code in files.get_setup_steps(stats.cluster_zip_path):
            result = executor.execute(code, allow_reconnect=False)
            assert result.status == "ok", result
    print(time.perf_counter() - start, flush=True)
"""


class Interpreter:
    """A context, with the poll times of a session: at once, then 20 ms growing by half to a second."""

    def __init__(self, workspace: Workspace) -> None:
        self._http = Http(workspace.host, lambda: {"Authorization": f"Bearer {workspace.token}"})
        self._ids = {"clusterId": workspace.cluster_id}
        self._ids["contextId"] = self._post("contexts/create", language="python")["id"]

    def run(self, code: str) -> str:
        command = self._post("commands/execute", language="python", command=code)["id"]
        pause_s = 0.02
        while True:
            query = {**self._ids, "commandId": command}
            answer = self._http.request("GET", "/api/1.2/commands/status", query=query).check().json
            if answer["status"] in ("Finished", "Error", "Cancelled"):
                return str(answer["results"]["data"])
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 1.0)

    def _post(self, name: str, **arguments: str) -> dict[str, Any]:
        return self._http.request("POST", f"/api/1.2/{name}", json={**self._ids, **arguments}).check().json


@contextmanager
def ours(workspace: Workspace, root: Path) -> Iterator[Callable[[], float]]:
    """A function that syncs and gives the seconds it took."""
    settings = Settings(host=workspace.host, token=Secret(workspace.token), project_dir=root)
    with Sync(settings, driver=Interpreter(workspace)) as sync:

        def once() -> float:
            start = time.perf_counter()
            plan = sync.plan()
            if not plan.is_empty:
                sync.push(plan)
            return time.perf_counter() - start

        yield once


@contextmanager
def theirs(python: str, workspace: Workspace, root: Path) -> Iterator[Callable[[], float]]:
    """The same for the peer, in a process of its own."""
    environ = {**os.environ, **workspace.env(), "DATABRICKS_CONFIG_FILE": os.devnull}
    with subprocess.Popen(
        [python, "-c", PEER], cwd=root, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def once() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        try:
            yield once
        finally:
            process.stdin.close()


def measure(workspace: Workspace, root: Path, once: Callable[[], float]) -> dict[str, tuple[float, int, int]]:
    """Seconds, requests and bytes sent, by step."""
    edited = root / "pkg0" / "sub0" / "module_1.py"
    steps: dict[str, Callable[[], object]] = {
        "first sync": lambda: None,
        "nothing changed": lambda: None,
        "one file changed": lambda: edited.write_text("changed = True\n"),
        "one file deleted": lambda: edited.unlink(),
    }
    found = {}
    for name, change in steps.items():
        time.sleep(2.5)  # past the time in which time stamps prove nothing, as when a person edits
        change()
        workspace.clear_requests()
        seconds = once()
        requests = workspace.requests()
        found[name] = (seconds, len(requests), sum(one.bytes_in for one in requests))
    return found


def make_tree(root: Path, files: int) -> None:
    """The tree of the local benchmarks."""
    path = Path(__file__).with_name("local_phases.py")
    spec = importlib.util.spec_from_file_location("local_phases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make_tree(root, files)


def row(name: str, files: int, found: dict[str, tuple[float, int, int]]) -> str:
    cells = [f"{seconds:.2f} s, {count} req, {size / 1000:,.0f} kB" for seconds, count, size in found.values()]
    return f"| {files:,} | {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of a sync to a driver.")
    parser.add_argument("--files", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--peer", help="Python with jupyter-databricks-kernel==1.4.1")
    arguments = parser.parse_args()
    print(f"{arguments.latency_ms:.0f} ms for each request; load {os.getloadavg()[0]:.1f}\n")
    print("| files | | first sync | nothing changed | one file changed | one file deleted |")
    print("|---|---|---|---|---|---|")
    raw = {}
    for files in arguments.files:
        for name in ("dbk-sync", *(["1.4.1"] if arguments.peer else [])):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
                root = Path(folder) / "project"
                make_tree(root, files)
                with Workspace(spark=False, latency_s=arguments.latency_ms / 1000) as workspace:
                    tool = ours(workspace, root) if name == "dbk-sync" else theirs(arguments.peer, workspace, root)
                    with tool as once:
                        found = measure(workspace, root, once)
                print(row(name, files, found), flush=True)
                raw[f"{name} {files}"] = found
    print(f"\n<!-- {json.dumps(raw)} -->", file=sys.stderr)


if __name__ == "__main__":
    main()
