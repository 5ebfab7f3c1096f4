"""Time and waiting, as something that can be handed in."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "RealClock"]


class Clock(Protocol):
    """What the session knows of time."""

    def now(self) -> float:
        """Seconds since some fixed moment; never runs backwards."""

    def wait(self, signal: threading.Event, timeout_s: float) -> bool:
        """Waits until `signal` is set or `timeout_s` seconds have passed; True when it is set."""


class RealClock:
    """The machine's own time.

    `time.monotonic` stands still on Linux and macOS while a laptop sleeps, which is what deadlines want here: an hour
    with the lid closed must not count as an hour without an answer.
    """

    def now(self) -> float:
        """Seconds of being awake."""
        return time.monotonic()

    def wait(self, signal: threading.Event, timeout_s: float) -> bool:
        """See `Clock.wait`."""
        return signal.wait(max(0.0, timeout_s))
