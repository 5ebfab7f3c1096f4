"""Time that a test can move: what lasts a while here ends when this clock says so, not when the machine's does."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class Timer:
    """Something to be done at a moment of the workspace's clock."""

    due_s: float
    order: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not call."""
        self.cancelled = True


class Clock:
    """The workspace's time: runs like the machine's, and jumps ahead when told to."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._wall_ahead_s = 0.0
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._wake: asyncio.TimerHandle | None = None

    def unix_s(self) -> float:
        """Wall time, seconds since the epoch."""
        return time.time() + self._wall_ahead_s

    def unix_ms(self) -> int:
        """Wall time as the REST API writes it."""
        return int(self.unix_s() * 1000)

    def now_s(self) -> float:
        """Time that never runs backwards."""
        return time.monotonic() + self._ahead_s

    def later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the loop after `delay_s` of this clock."""
        timer = Timer(self.now_s() + delay_s, next(self._order), callback)
        heapq.heappush(self._timers, timer)
        self._set()
        return timer

    async def sleep(self, delay_s: float) -> None:
        """Wait for `delay_s` of this clock."""
        if delay_s <= 0:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        timer = self.later(delay_s, wake)
        try:
            await done
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Jump ahead; everything that falls due is called in order."""
        self._ahead_s += seconds
        self._wall_ahead_s += seconds
        self._fire()

    def come_back(self) -> None:
        """The machine's wall time again; what lasts a while is not lengthened by it."""
        self._wall_ahead_s = 0.0

    def close(self) -> None:
        """Forget all timers."""
        self._timers.clear()
        self._set()

    def _set(self) -> None:
        if self._wake:
            self._wake.cancel()
            self._wake = None
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        if self._timers:
            wait_s = max(0.0, self._timers[0].due_s - self.now_s())
            self._wake = asyncio.get_running_loop().call_later(wait_s, self._fire)

    def _fire(self) -> None:
        while self._timers and (self._timers[0].cancelled or self._timers[0].due_s <= self.now_s()):
            timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.callback()
        self._set()
