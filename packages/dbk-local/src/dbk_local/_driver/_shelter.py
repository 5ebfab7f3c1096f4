"""Code of a library that an exception raised in the middle of it would wreck: an interrupt waits until it is left.

gRPC takes the lock of a channel in Python code (`threading.Condition.__enter__`). A `KeyboardInterrupt` that is raised
when the lock is taken, and the caller's `with` block not yet entered, leaves it taken for ever: every later call of the
channel stands still. A call left half done in its C half aborts the process.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

_MODULE = "grpc"
_AGAIN_AFTER_S = 0.02
# Code that has stayed there so long waits for something, in a way nobody knows to be safe or not.
_AT_MOST_S = 2.0

AGAIN = signal.SIGURG
"""Reminds the main thread of an interrupt that waits; by default ignored, so it can do no harm elsewhere."""


class Shelter:
    """Closed until `open`. Its methods are for the main thread, `take` for its signal handlers."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._wake: int | None = None

    def open(self) -> None:
        """Shelter the library from now on."""
        if self._wake is None:
            read, self._wake = os.pipe()
            threading.Thread(target=self._remind, args=(read,), name="dbk-interrupts", daemon=True).start()

    @property
    def holds(self) -> bool:
        """An interrupt waits."""
        return self._since_s is not None

    def take(self, frame: FrameType | None) -> bool:
        """Keep an interrupt that came in `frame`, if it must wait; no lock is taken here."""
        if self._wake is None or not _is_sheltered(frame):
            return False
        if self._since_s is None:
            self._since_s = time.monotonic()
            os.write(self._wake, b"!")
        return time.monotonic() - self._since_s < _AT_MOST_S

    def clear(self) -> None:
        """No interrupt waits any more."""
        self._since_s = None

    def release(self) -> None:
        """Called where the library waits and can be left.

        Raises:
            KeyboardInterrupt: an interrupt has waited.
        """
        if self._since_s is not None and threading.current_thread() is threading.main_thread():
            self.clear()
            raise KeyboardInterrupt

    def _remind(self, read: int) -> NoReturn:
        main = threading.main_thread().ident
        assert main is not None
        while True:
            os.read(read, 1)
            while self.holds:
                time.sleep(_AGAIN_AFTER_S)
                signal.pthread_kill(main, AGAIN)


def _is_sheltered(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == _MODULE:
            return True
        frame = frame.f_back
    return False
