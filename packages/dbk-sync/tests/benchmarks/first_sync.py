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
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from dbk_config import Secret, Settings
from dbk_local import Request, Workspace
from dbk_sync import Sync, _packing, _zstd

DRIVER = "import sys; sys.modules['backports.zstd'] = sys.modules['compression.zstd'] = None"
"""Leaves an interpreter what a driver of today has for zstd: pyarrow."""


def sibling(name: str) -> ModuleType:
    """The benchmark of that name in this directory."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def noted(pieces: Iterable[bytes], ended_s: list[float]) -> Iterator[bytes]:
    """The same pieces, and when the last one was there."""
    yield from pieces
    ended_s.append(time.time())


def measure(workspace: Workspace, root: Path) -> tuple[dict[str, tuple[float, float]], int, list[Request]]:
    """When each phase began and ended, in seconds; bytes of the pack; and the requests."""
    packed_s: list[float] = []
    pack = _packing.pack
    _packing.pack = lambda *given, **options: noted(pack(*given, **options), packed_s)
    settings = Settings(host=workspace.host, token=Secret(workspace.token), project_dir=root)
    interpreter = sibling("remote_phases").Interpreter(workspace)
    interpreter.run(DRIVER)  # a session has been opened before it is sent files
    with Sync(settings, driver=interpreter) as sync:
        workspace.clear_requests()
        begun_s = time.time()
        plan = sync.plan()
        planned_s = time.time()
        reply = sync.push(plan)
        ended_s = time.time()
    requests = [one for one in workspace.requests() if one.started_s < ended_s]
    uploads = [one for one in requests if one.path == "/api/2.0/dbfs/put"]
    arrived_s = max(one.ended_s for one in uploads)
    found = {
        "look for changes": (begun_s, planned_s),
        "pack": (planned_s, packed_s[0]),
        "ask for the user, ship the receiver": (requests[0].started_s, uploads[0].started_s),
        f"upload, in {len(uploads)} parts": (uploads[0].started_s, arrived_s),
        "unpack on the driver": (arrived_s, ended_s),
        "all": (begun_s, ended_s),
    }
    return {name: (start - begun_s, end - begun_s) for name, (start, end) in found.items()}, reply.sent_bytes, requests


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of a first sync over a slow line.")
    parser.add_argument("--source-mb", type=float, default=84)
    parser.add_argument("--largest-kb", type=float, default=45, help="leave out sources larger than this")
    parser.add_argument("--mbit", type=float, default=50)
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--zlib", action="store_true", help="as if there were no module for zstd here")
    chosen = parser.parse_args()
    if chosen.zlib:
        _zstd._module = lambda: None
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
    print(f"load {os.getloadavg()[0]:.1f}\n\n| phase | from, s | to, s | seconds |\n| --- | ---: | ---: | ---: |")
    for name, (start_s, end_s) in found.items():
        print(f"| {name} | {start_s:.2f} | {end_s:.2f} | {end_s - start_s:.2f} |")
    print(f"| the line alone, and four round trips | | | {bound_s:.2f} |")
    print(f"| ... all over that | | | {found['all'][1] / bound_s:.2f}x |")


if __name__ == "__main__":
    main()
