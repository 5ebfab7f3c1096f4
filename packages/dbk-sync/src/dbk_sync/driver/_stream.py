"""The stream in a pack, unpacked slice by slice; that of a large one by a thread that is some slices ahead.

Unpacking and writing take about as long as one another, and neither needs the other's processor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from ._ahead import Ahead
from ._refusals import BadPack

SLICE_BYTES = 1 << 20


class Readable(Protocol):
    """Bytes, front to back."""

    def read(self, size: int, /) -> bytes: ...


class Stream:
    """The bytes of `slices`, read once; a slice is unpacked when the one before it is used up."""

    def __init__(self, slices: Iterator[bytes]) -> None:
        self._slices = slices
        self._slice = b""
        self._at = 0

    def take(self, limit: int) -> bytes:
        """1 to `limit` bytes, or none at the end, where it must be whole and nothing may follow it."""
        if self._at == len(self._slice):
            self._slice, self._at = next(self._slices, b""), 0
        piece = self._slice[self._at : self._at + limit]
        self._at += len(piece)
        return piece

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        pieces = []
        while size:
            piece = self.take(min(size, SLICE_BYTES))
            if not piece:
                raise BadPack("The pack ends inside its header.")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    @contextlib.contextmanager
    def ahead(self) -> Iterator[None]:
        """While this is open, a thread unpacks what is asked for next."""
        ahead = Ahead(self._slices, "dbk-sync-unpack")
        self._slices = ahead
        try:
            yield
        finally:
            ahead.close()
