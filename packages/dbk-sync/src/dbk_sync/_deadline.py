"""The end of a run that takes too long."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from dbk_sync.errors import TransientError

EXIT_CODE: Final = 75
GRACE_S: Final = 10.0
"""How long a run may take to leave in order: to give a lock back, to close a session."""


class _TimeIsUp(BaseException):
    """No `Exception`, as `KeyboardInterrupt` is none: nobody on the way may take it for a failure of his own."""


@contextmanager
def ending_after(timeout_s: float | None) -> Iterator[None]:
    """Leaves the block after so many seconds; with None, never.

    A request that hangs in another thread cannot be told to end, so ten seconds later the process ends without more
    ado: then a lock may be left, as by a run that was killed.

    Raises:
        TransientError: Time was up.
    """
    if timeout_s is None:
        yield
        return
    clock = _Clock()
    before = signal.signal(signal.SIGALRM, clock.rings)
    timer = signal.setitimer(signal.ITIMER_REAL, timeout_s, GRACE_S)
    try:
        yield
    except _TimeIsUp:
        raise TransientError(
            f"Not done after {timeout_s:g} s (--timeout).", "Run it again: it goes on from what is at the target."
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


class _Clock:
    def __init__(self) -> None:
        self._rang = False

    def rings(self, _number: int, _frame: FrameType | None) -> None:
        if self._rang:
            os.write(2, b"error: Not done after --timeout, and a request does not end.\n")
            os._exit(EXIT_CODE)
        self._rang = True
        raise _TimeIsUp
