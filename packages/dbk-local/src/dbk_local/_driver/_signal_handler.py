"""A handler of signals that is no frame in the traceback of what it raises: that ends at the user's line, as usual."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


class _Interrupt:
    """Compared with anything it raises `KeyboardInterrupt`, in C code."""

    __lt__ = staticmethod(functools.partial(signal.default_int_handler, signal.SIGINT))


_INTERRUPT = _Interrupt()
_NOTHING = 0


def interrupt_if(decide: Callable[[FrameType | None], bool]) -> Callable[[int, FrameType | None], Any]:
    """A handler that asks `decide`, given the frame that was running, and raises `KeyboardInterrupt` when it says so.

    Python code that raises would be the last frame of the traceback, also of one that the interrupted code makes
    itself. `min` is not: of the handler's two arguments it asks for a key, and then compares the keys.
    """

    def key(argument: int | FrameType | None) -> object:
        if isinstance(argument, int):  # the number of the signal
            return _NOTHING
        return _INTERRUPT if decide(argument) else _NOTHING

    return functools.partial(min, key=key)
