"""SIGINT in a context: it stops the running command and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from dbk_local._driver._shelter import AGAIN, Shelter
from dbk_local._driver._signal_handler import interrupt_if

# What a shell says of a program that SIGINT has ended.
_EXIT_INTERRUPTED = 130
_AGAIN_AFTER_S = 0.02


class Interrupts:
    """Owns the handler. A signal is ignored while idle: a cancel that comes too late must not kill the interpreter."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pid = os.getpid()
        self._armed = False
        self._deferred = False
        self._waiting = False
        self._task: asyncio.Task[Any] | None = None
        self._other_unraisable = sys.unraisablehook
        sys.unraisablehook = self._unraisable
        self.seen = False
        """A signal arrived since the command started."""
        self.shelter = Shelter()
        """What must not be interrupted in the middle."""

    def install(self) -> None:
        """Take SIGINT (again: SparkContext and user code replace the handler)."""
        signal.signal(signal.SIGINT, interrupt_if(self._handle))
        signal.signal(AGAIN, interrupt_if(self._handle_again))

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
        self.shelter.clear()

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

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """An exception Python could only report, say from `__del__` or a fork hook: an interrupt must not end there."""
        if unraisable.exc_type is not KeyboardInterrupt or not self._armed:
            self._other_unraisable(unraisable)
            return
        if os.getpid() != self._pid:
            self._end_fork()
            raise KeyboardInterrupt
        # Not from here, where it would be lost again.
        threading.Timer(_AGAIN_AFTER_S, os.kill, (self._pid, signal.SIGINT)).start()

    @staticmethod
    def _end_fork() -> None:
        """End a process forked by user code that has not run another program yet.

        Only a worker of multiprocessing goes on, and gets its exception. In any other fork (`!`, a pseudo terminal)
        that would unwind into a second copy of the interpreter, which would answer for the first.
        """
        if multiprocessing.parent_process() is None:
            os._exit(_EXIT_INTERRUPTED)

    def _handle(self, frame: FrameType | None) -> bool:
        if os.getpid() != self._pid:
            self._end_fork()
            return True
        if not self._armed:
            return False
        self.seen = True
        return self._interrupts(frame)

    def _handle_again(self, frame: FrameType | None) -> bool:
        return os.getpid() == self._pid and self._armed and self.shelter.holds and self._interrupts(frame)

    def _interrupts(self, frame: FrameType | None) -> bool:
        """What an interrupt that came in `frame` has to do is raise; else it has been done, or waits."""
        if not self._deferred and self.shelter.take(frame):
            return False
        self.shelter.clear()
        if self._deferred:
            self._waiting = True
            return False
        if self._task is not None and asyncio.current_task(self._loop) is not self._task:
            self._loop.call_soon_threadsafe(self._task.cancel)
            return False
        return True
