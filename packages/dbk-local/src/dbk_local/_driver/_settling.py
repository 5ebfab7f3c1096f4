"""How a forked process becomes the Python of a notebook: its standard streams, its folders, its environment."""

from __future__ import annotations

import io
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from dbk_local._driver._mounts import cover_tmp
from dbk_local._driver._wire import truth_from_json
from dbk_local._seam import Truth


def take_standard_streams(pipe: int) -> int:
    """Put the pipe at descriptors 1 and 2, nothing at 0; gives a private descriptor of the pipe for the markers."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(pipe, 1)
    os.dup2(pipe, 2)
    os.close(null)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - lives as long as the process
    # Line buffering keeps the order with what child processes write.
    sys.stdout = sys.__stdout__ = _text_stream(1)  # type: ignore[misc]  # the fork has its own streams
    sys.stderr = sys.__stderr__ = _text_stream(2)  # type: ignore[misc]  # as above
    return pipe


def _text_stream(fd: int) -> io.TextIOWrapper:
    raw = open(fd, "wb", closefd=False)  # noqa: SIM115 - lives as long as the process
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def settle(spec: dict[str, Any]) -> None:
    """Have folders, environment and `sys` of a notebook's Python; `spec` is that of `run_context`."""
    truth = truth_from_json(spec["truth"])
    home = Path(spec["home"])
    home.mkdir(parents=True, exist_ok=True)
    if not truth.shared_tmp:
        _leave_shared_tmp(truth, home)
    os.environ.update(truth.spark_env_vars)
    os.environ["DATABRICKS_RUNTIME_VERSION"] = truth.runtime
    os.environ["TZ"] = "Etc/UTC"
    time.tzset()
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    os.environ["IPYTHONDIR"] = str(home / "ipython")
    os.chdir(spec["cwd"])
    sys.argv = [""]
    sys.path.insert(0, "")
    random.seed()  # the state was copied by the fork


def _leave_shared_tmp(truth: Truth, home: Path) -> None:
    """A `/tmp` of this context alone; where the platform allows none, at least other temporary names."""
    kept = [home, truth.dbfs_root, truth.workspace_root, truth.volumes_root, truth.local_disk]
    kept += map(Path, [sys.prefix, sys.base_prefix, *filter(None, sys.path)])
    if not cover_tmp(home / "tmp", kept):
        os.environ["TMPDIR"] = str(home / "tmp")
