"""A workspace of which a run takes only a share: so many requests at a time, so many bytes a second."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from dbk_sync._answer import Answer
from dbk_sync._bodies import Body, Reader
from dbk_sync._http import Http

_BURST_S: Final = 0.25
"""A pause is made when it is at least so long: many small bodies make no pause each."""


class Pace:
    """Bytes a second, of all that goes out together.

    Args:
        rate: The bytes a second.
        clock: Gives seconds that only grow.
        sleep: Waits.
    """

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_s = 0.0
        """When the line is free again."""
        self._lock = threading.Lock()
        self.piece_bytes = max(int(rate / 2), 1 << 10)
        """What should go out in one piece."""

    def spend(self, size_bytes: int) -> None:
        """Waits until so many bytes have gone out at this pace."""
        with self._lock:
            now_s = self._clock()
            self._free_s = max(self._free_s, now_s) + size_bytes / self._rate
            wait_s = self._free_s - now_s
        if wait_s >= _BURST_S:
            self._sleep(wait_s)


class Throttled(Http):
    """The same workspace as `http`, with limits; None is no limit.

    Args:
        http: How to reach it.
        concurrency: Most requests at a time.
        rate: Most bytes of bodies that are sent in a second.
    """

    def __init__(self, http: Http, concurrency: int | None, rate: float | None) -> None:
        super().__init__(http.host, http._authenticate, sleep=http._sleep)
        self._turns: Any = threading.BoundedSemaphore(concurrency) if concurrency else contextlib.nullcontext()
        self._pace = Pace(rate) if rate else None

    def _once(
        self,
        method: str,
        path: str,
        query: Any,
        body: Body | None,
        content_type: str,
        progress: Callable[[int], None] | None,
    ) -> Answer:
        if body is not None and self._pace is not None:
            body = _Paced(body, self._pace)
        with self._turns:
            return super()._once(method, path, query, body, content_type, progress)


class _Paced:
    """A body that is read no faster than it may be sent."""

    def __init__(self, body: Body, pace: Pace) -> None:
        self._body = body
        self._pace = pace
        self.size_bytes = body.size_bytes

    def open(self) -> Reader:
        return _PacedReader(self._body.open(), self._pace)


class _PacedReader:
    def __init__(self, file: Reader, pace: Pace) -> None:
        self._file = file
        self._pace = pace

    def read(self, size: int = -1, /) -> bytes:
        """A piece, of half a second at most, after the time it takes: a service gives up a line that is silent."""
        piece = self._file.read(min(size, self._pace.piece_bytes) if size >= 0 else size)
        self._pace.spend(len(piece))
        return piece
