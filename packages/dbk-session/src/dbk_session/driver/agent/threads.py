"""Threads remember the run that started them, so that their output has an owner after the cell has ended."""

from __future__ import annotations

import functools
import threading
from typing import Any

from .core import Core


def install(core: Core) -> None:
    """Patch `Thread.start`; everything that starts threads in Python goes through it."""
    original = threading.Thread.start

    @functools.wraps(original)
    def start(self: threading.Thread, *args: Any, **kwargs: Any) -> None:
        core.seams.attempt("thread attribution", lambda: core.runs.adopt(self))
        original(self, *args, **kwargs)

    threading.Thread.start = start  # type: ignore[method-assign]

    def undo() -> None:
        if threading.Thread.start is start:
            threading.Thread.start = original  # type: ignore[method-assign]

    core.seams.on_undo(undo)
