"""SIGINT in a context: it stops the running command and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Interrupts:
    """Owns the handler. A signal is ignored while idle: a cancel that comes too late must not kill the interpreter."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._armed = False
        self._deferred = False
        self._waiting = False
        self._task: asyncio.Task[Any] | None = None
        self.seen = False
        """A signal arrived since the command started."""

    def install(self) -> None:
        """Take SIGINT (again: SparkContext and user code replace the handler)."""
        signal.signal(signal.SIGINT, self._handle)

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        """Within the block a SIGINT raises `KeyboardInterrupt`, which does not leave it."""
        self.install()
        self.seen = False
        try:
            try:
                self._armed = True
                yield
            finally:
                self._armed = False
        except KeyboardInterrupt:
            # Raised in the few instructions around the user's code.
            self._armed = False

    @contextlib.contextmanager
    def cancels(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """Within the block a SIGINT that finds the event loop idle cancels `task`, the cell with a top-level await."""
        self._task = task
        try:
            yield
        finally:
            self._task = None

    @contextlib.contextmanager
    def deferred(self) -> Iterator[Callable[[], bool]]:
        """Within the block nothing is raised but what the block raises itself, asking the given function.

        An interrupt that came and was not asked for is raised at the end. For the main thread; elsewhere signals are
        not seen, and the function always says no.
        """
        if threading.current_thread() is not threading.main_thread():
            yield lambda: False
            return
        self._waiting, self._deferred = False, True
        try:
            yield lambda: self._waiting
        finally:
            self._deferred = False
        if self._waiting:
            raise KeyboardInterrupt

    def _handle(self, _signum: int, _frame: FrameType | None) -> None:
        if not self._armed:
            return
        self.seen = True
        if self._deferred:
            self._waiting = True
            return
        if self._task is not None and asyncio.current_task(self._loop) is not self._task:
            self._loop.call_soon_threadsafe(self._task.cancel)
            return
        raise KeyboardInterrupt
