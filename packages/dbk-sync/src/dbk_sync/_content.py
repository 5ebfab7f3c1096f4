"""Reads the files of a source: without following links, without blocking on pipes, and noticing changes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import Final, TypeAlias

from dbk_sync._cache import CHANGED, status_of
from dbk_sync._entry import Entry

PIECE_BYTES: Final = 1 << 20
_ATTEMPTS: Final = 3

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)


Content: TypeAlias = tuple[bytes, bytes, bytes, int, int]
"""What a file contained: its SHA-256 and its first bytes (up to 1 MiB), and its status before it was read: packed, size
in bytes, and mode word."""


class ChangingError(Exception):
    """Something else takes the file's place each time it is read."""


class ContentReader:
    """Gives the content of entries of the source, as `pack` needs it.

    Calling it with an entry gives its bytes in pieces of at most 1 MiB; a link's are its target, and a directory has
    none. A file that has only grown since gives what it had then. One that cannot be read any more has no bytes, so
    that `pack` reports it as changed.
    """

    def __init__(self, source: bytes) -> None:
        self._root = source + b"/"
        self.given_bytes = 0
        """How much was read of files so far."""

    def __call__(self, entry: Entry) -> Iterator[bytes]:
        path = self._root + entry.path
        try:
            if not entry.is_file:
                yield os.readlink(path) if entry.mode == "link" else b""
                return
            descriptor = os.open(path, _FLAGS)
        except OSError:
            return
        try:
            for piece in _first(descriptor, entry.size_bytes):
                self.given_bytes += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def modified_ns(self, entry: Entry) -> int | None:
        """When a file was modified, in nanoseconds since the epoch; None for what has no such time of its own."""
        if not entry.is_file:
            return None
        try:
            return os.lstat(self._root + entry.path).st_mtime_ns
        except OSError:
            return None


def read_content(path: bytes, status: bytes, size_bytes: int, st_mode: int) -> Content:
    """Reads the whole file `path`, which had this status when it was found.

    The digest belongs to the status given: the file had it before the first byte was read and still after the last. A
    file that is written all the time, such as a log, is taken as it was read the last time, with the status `CHANGED`,
    so that it is read again by the next scan.

    Raises:
        ChangingError: It is no regular file any more, each of three times.
        OSError: It cannot be opened or read.
    """
    left = _ATTEMPTS
    while True:
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            break  # a link has taken its place
        try:
            # One read for a small file: a byte more than expected shows whether it has grown.
            head = os.read(descriptor, (size_bytes if size_bytes < PIECE_BYTES else PIECE_BYTES) + 1)
            read_bytes = len(head)
            if read_bytes == size_bytes:
                sha256 = hashlib.sha256(head).digest()
            else:  # large, changed, or given in parts by an unusual file system
                sha256, read_bytes = _digested(descriptor, head)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        status_after = status_of(after)
        if read_bytes == size_bytes and status_after == status:
            return sha256, head, status, size_bytes, st_mode
        left -= 1
        if not stat.S_ISREG(after.st_mode):
            break
        if not left:
            return _as_it_is(path)
        status, size_bytes, st_mode = status_after, after.st_size, after.st_mode
    raise ChangingError


def _as_it_is(path: bytes) -> Content:
    """What is read of a file that does not hold still: as much as it has when it is opened, and no more."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ChangingError from None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise ChangingError
        head, digest, length = b"", hashlib.sha256(), 0
        for piece in _first(descriptor, about.st_size):
            head = head or piece
            digest.update(piece)
            length += len(piece)
    finally:
        os.close(descriptor)
    return digest.digest(), head, CHANGED, length, about.st_mode


def _digested(descriptor: int, head: bytes) -> tuple[bytes, int]:
    """Digest and length of `head` and what the descriptor gives after it."""
    digest, length = hashlib.sha256(head), len(head)
    while piece := os.read(descriptor, PIECE_BYTES):
        digest.update(piece)
        length += len(piece)
    return digest.digest(), length


def _first(descriptor: int, size_bytes: int) -> Iterator[bytes]:
    """The first bytes that the descriptor gives, in pieces."""
    left_bytes = size_bytes
    while left_bytes and (piece := os.read(descriptor, min(left_bytes, PIECE_BYTES))):
        left_bytes -= len(piece)
        yield piece
