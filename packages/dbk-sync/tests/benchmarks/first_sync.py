"""A first sync of 84 MB over a line of 50 Mbit/s with 100 ms for each request, on the embedded workspace.

    python packages/dbk-sync/tests/benchmarks/first_sync.py [--source-mb 84] [--mbit 50] [--latency-ms 100]

The bound is what no tool can beat: the packed bytes at the speed of the line, and four round trips. Prints where the
time goes, and the load of the machine, on which packing and unpacking depend.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
import time
from pathlib import Path
from types import ModuleType

from dbk_config import Secret, Settings
from dbk_local import Request, Workspace
from dbk_sync import Sync


def sibling(name: str) -> ModuleType:
    """The benchmark of that name in this directory."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(workspace: Workspace, root: Path) -> tuple[dict[str, float], int, list[Request]]:
    """Seconds by phase, bytes of the pack, and the requests."""
    settings = Settings(host=workspace.host, token=Secret(workspace.token), project_dir=root)
    with Sync(settings, driver=sibling("remote_phases").Interpreter(workspace)) as sync:
        workspace.clear_requests()
        begun_s = time.time()
        plan = sync.plan()
        planned_s = time.time()
        reply = sync.push(plan)
        ended_s = time.time()
    requests = [one for one in workspace.requests() if one.started_s < ended_s]
    (upload,) = (one for one in requests if one.bytes_in >= reply.sent_bytes)
    found = {
        "look for changes": planned_s - begun_s,
        "pack": requests[0].started_s - planned_s,
        "ask for the user, ship the receiver": upload.started_s - requests[0].started_s,
        "upload": upload.ended_s - upload.started_s,
        "unpack on the driver": ended_s - upload.ended_s,
        "all": ended_s - begun_s,
    }
    return found, reply.sent_bytes, requests


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of a first sync over a slow line.")
    parser.add_argument("--source-mb", type=float, default=84)
    parser.add_argument("--largest-kb", type=float, default=45, help="leave out sources larger than this")
    parser.add_argument("--mbit", type=float, default=50)
    parser.add_argument("--latency-ms", type=float, default=100)
    chosen = parser.parse_args()
    line_bytes_per_s, latency_s = chosen.mbit * 1e6 / 8, chosen.latency_ms / 1000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
        root = Path(folder) / "project"
        count, size_bytes = sibling("local_phases").gather_sources(
            root, int(chosen.source_mb * 1e6), int(chosen.largest_kb * 1000)
        )
        options = {"bandwidth_bytes_per_s": int(line_bytes_per_s)}
        with Workspace(spark=False, latency_s=latency_s, options=options) as workspace:
            found, sent_bytes, requests = measure(workspace, root)
    polls = sum(one.path.endswith("commands/status") for one in requests)
    bound_s = sent_bytes / line_bytes_per_s + 4 * latency_s
    print(f"{count:,} files, {size_bytes / 1e6:.1f} MB; {chosen.mbit:.0f} Mbit/s, {chosen.latency_ms:.0f} ms for each")
    print(f"{sent_bytes / 1e6:.1f} MB packed; {len(requests) - polls} requests and {polls} status polls")
    print(f"load {os.getloadavg()[0]:.1f}\n\n| phase | seconds |\n| --- | ---: |")
    for name, seconds in found.items():
        print(f"| {name} | {seconds:.2f} |")
    print(f"| the line alone, and four round trips | {bound_s:.2f} |")
    print(f"| ... all over that | {found['all'] / bound_s:.2f}x |")


if __name__ == "__main__":
    main()
