"""Loads what completion needs in an idle moment, so that the first question for names is answered like the others.

Loading takes about a second, and a front end may not wait as long for an answer (JupyterLab does not). It is done once,
when a while has passed after a command, and step by step: a command that begins meanwhile shares the interpreter with
one step at most.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from .core import Core
from .introspect import Introspection

IDLE_S = 1.0


class Warmup:
    """A thread that waits for the idle moment and ends with it; made only where names will be asked for."""

    def __init__(self, core: Core, introspection: Introspection) -> None:
        self._core = core
        self._steps: list[Any] = introspection.warming()
        self._ended = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def after(self) -> None:
        """A command has ended."""
        self._ended.set()
        if self._thread is None and self._core.options.completion:
            self._thread = threading.Thread(target=self._work, name="dbk-warmup", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Begin no further step."""
        self._closed = True
        self._ended.set()

    def _work(self) -> None:
        with self._core.runs.attributed(self._core.runs.nowhere):
            while self._steps and not self._closed:
                self._ended.clear()
                # The end of another command begins the while anew; so does one that runs now, when it ends.
                if not self._ended.wait(IDLE_S) and self._core.runs.active is None:
                    # What goes wrong is met again, and told, where names are asked for.
                    with contextlib.suppress(Exception):
                        self._steps.pop(0)()
