"""A pack cut in parts, so that one is on its way while the next is still being made.

The services want to be told the length of a body before its first byte, so a pack that is sent as one can only go when
all of it is there. The receiver reads the parts one after the other, as the one stream that they are.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

from dbk_sync._bodies import SPOOL_BYTES, Reader

FIRST_BYTES: Final = 7 << 18
"""Size of the first part; a pack that is no larger is a single one."""


def part_bytes(before_bytes: int) -> int:
    """The size of the part that begins after so many bytes, unless the pack ends in it.

    Each is half as large again as the one before: few parts, however large the pack, and the last one, which goes when
    all is packed, is no more than a third of it.
    """
    return FIRST_BYTES + before_bytes // 2


class Parts:
    """A stream that a thread of its own makes, kept for as long as this is open. Use it as a context manager.

    It is in memory while it is small, and in a temporary file when not. What goes wrong while it is made is raised to
    whoever waits for more of it.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.size_bytes = 0
        """What there is of it so far."""
        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 -- closed by __exit__
        self._changed = threading.Condition()
        self._ended = self._unwanted = False
        self._error: BaseException | None = None
        self._maker = threading.Thread(target=self._make, args=(pieces,), name="dbk-sync-pack", daemon=True)
        self._maker.start()

    @property
    def ended(self) -> bool:
        """Whether all of it is there."""
        return self._ended

    def fits(self, limit_bytes: int) -> bool:
        """Whether all of it is no more than that; waits until this can be said."""
        return self._wait_for(limit_bytes + 1) <= limit_bytes

    def __iter__(self) -> Iterator[Part]:
        """The parts in order, each as soon as it is there; any number of times."""
        begin = 0
        while size_bytes := min(part_bytes(begin), self._wait_for(begin + part_bytes(begin)) - begin):
            yield Part(self, begin, size_bytes)
            begin += size_bytes

    def open(self) -> Reader:
        """All of it, also what is not there yet."""
        return _Window(self, 0, None)

    def read_at(self, begin: int, size_bytes: int) -> bytes:
        """So many bytes from there, fewer at the end."""
        self._wait_for(begin + size_bytes)
        with self._changed:
            self._file.seek(begin)
            return self._file.read(size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unwanted = True
        self._maker.join()
        self._file.close()

    def _make(self, pieces: Iterable[bytes]) -> None:
        try:
            for piece in pieces:
                if self._unwanted:
                    break
                with self._changed:
                    self._file.seek(0, os.SEEK_END)
                    self.size_bytes += self._file.write(piece)
                    self._changed.notify_all()
        except BaseException as error:  # belongs to whoever waits
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _wait_for(self, size_bytes: int) -> int:
        """Waits until there is so much, or all of it; gives how much there is."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self.size_bytes >= size_bytes)
            if self._error is not None:
                raise self._error
            return self.size_bytes


class Part:
    """A body: some of a pack."""

    def __init__(self, parts: Parts, begin: int, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._parts = parts
        self._begin = begin

    def open(self) -> Reader:
        return _Window(self._parts, self._begin, self._begin + self.size_bytes)

    def sha256(self) -> str:
        """The hash of its bytes, in hex."""
        digest, file = hashlib.sha256(), self.open()
        while piece := file.read(1 << 20):
            digest.update(piece)
        return digest.hexdigest()


class _Window:
    """Bytes of a pack from `begin` up to `end`, or to its own end."""

    def __init__(self, parts: Parts, begin: int, end: int | None) -> None:
        self._parts = parts
        self._at = begin
        self._end = end

    def read(self, size: int = -1) -> bytes:
        if self._end is not None:
            left = self._end - self._at
            size = left if size < 0 else min(size, left)
        assert size >= 0, "there is no telling how much is still to come"
        piece = self._parts.read_at(self._at, size)
        self._at += len(piece)
        return piece
