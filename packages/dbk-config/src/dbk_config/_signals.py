"""Ending a command by a signal as by an interrupt: through its `with` and `finally` blocks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["ending_in_order"]


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Within the block SIGTERM (a service ends a job) and SIGHUP (a terminal is closed) raise `SystemExit(128 + n)`.

    So what was begun is ended, and cleaned up, as on Ctrl-C. A signal that is ignored (`nohup`) or has a handler stays
    so; outside the main thread, which alone may set handlers, nothing changes.
    """
    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
