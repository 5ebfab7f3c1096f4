"""How many interrupts have reached the running cell, kept where the control context can read it.

Code may catch an interrupt and take its time: to save what a training loop has learned, say. A second signal in the
middle of that would spoil it, so nobody sends one without knowing that the first has not come through.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .core import Core
from .runs import Run
from .spool import INTERRUPTS


class Interrupts:
    """Stands before the handler of SIGINT. A handler that the user's code sets takes its place."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._pid = os.getpid()
        self._next: Callable[[int, FrameType | None], Any] | None = None
        self._file = -1
        core.seams.on_undo(self._withdraw)

    def begin(self, run: Run) -> None:  # noqa: ARG002 - see `Around`
        """None has come yet."""
        handler, spool = signal.getsignal(signal.SIGINT), self._core.spool
        if spool is None or not callable(handler) or threading.current_thread() is not threading.main_thread():
            return
        self._file = os.open(spool.path(INTERRUPTS), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        if handler != self._handle:
            self._next = handler
            signal.signal(signal.SIGINT, self._handle)

    def end(self, run: Run) -> None:  # noqa: ARG002
        """What comes now is not the run's. The handler stays: interrupts are off while a run is ended."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        # Not through the scribe: its locks may be held by the very code that is interrupted.
        if self._file >= 0 and os.getpid() == self._pid:
            os.write(self._file, b".")
        if self._next is not None:
            self._next(signum, frame)

    def _withdraw(self) -> None:
        if self._next is not None and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self._next)


@contextmanager
def deaf() -> Iterator[None]:
    """Interrupts are ignored within the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        # None: it was not set from Python, and Python cannot set it again.
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)
