"""An iterator whose values are made by a thread, some of them ahead of whoever takes them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any

_AHEAD = 4


class Ahead:
    """The values of `values`, one after the other. Close it where it is left before its end."""

    def __init__(self, values: Iterator[bytes], name: str) -> None:
        self._made: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._unwanted = False
        self._maker = threading.Thread(target=self._make, args=(values,), name=name, daemon=True)
        self._maker.start()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        value: bytes | BaseException = self._made.get()
        if isinstance(value, BaseException):
            self._made.put(value)  # for whoever asks again
            raise value
        return value

    def close(self) -> None:
        """Ends the thread, at the latest after the value it is at."""
        self._unwanted = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._made.get_nowait()  # room for what the thread may be about to give
        self._maker.join()

    def _make(self, values: Iterator[bytes]) -> None:
        end: BaseException = StopIteration()
        try:
            for value in values:
                self._made.put(value)
                if self._unwanted:
                    return
        except BaseException as error:  # belongs to whoever takes the values
            end = error
        self._made.put(end)
