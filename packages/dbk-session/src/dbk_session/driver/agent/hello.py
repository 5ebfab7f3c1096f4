"""How the agent introduces itself: which interpreter this is, what it can do, where its records are."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from typing import Any

from .core import Core
from .spool import identity


def describe(core: Core, *, fresh: bool) -> dict[str, Any]:
    """The content of a `hello` frame.

    `key` is a secret: it comes as a result, which is not logged as command text is, and must not be logged here either.
    """
    import IPython

    return {
        "role": "agent",
        "version": core.version,
        **identity(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "ipython": IPython.__version__,
        "shell": type(core.shell).__name__,
        "runtime": os.environ.get("DATABRICKS_RUNTIME_VERSION", ""),
        "cwd": _folder(),
        "host": socket.gethostname(),
        # The number of this command itself, which it gives back at its end.
        "execution_count": core.shell.displayhook.prompt_count,
        "spool": core.spool.folder if core.spool else None,
        "key": core.key.hex(),
        "capabilities": sorted(_capabilities(core)),
        "fresh": fresh,
        "runs": {run.id: run.describe() for run in core.runs.kept()},
        "broken": sorted(core.seams.broken),
    }


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        # Somebody deleted it.
        return ""


def _capabilities(core: Core) -> set[str]:
    found = {name for name in ("comm", "matplotlib", "pandas", "pyspark") if importlib.util.find_spec(name)}
    if core.spool is not None:
        found.add("spool")
    return found
