"""One stream for all contents of a plan.

A pack is (integers big-endian):

```
 4 bytes  b"DBKP"
 1 byte   version: 4
 1 byte   codec of the rest: 1 zlib (RFC 1950), 2 zstd (RFC 8878)
 rest     one compressed stream, which unpacks to
            4 bytes   length of the header, H
            H bytes   header, see `_pack_header`
            rest      the contents of the puts, one after the other, in header order; their sizes are in the header
```

A content that is sent has no hash beside it, which could not be compressed: whoever reads the pack computes the hashes
of all contents, and from these that of the tree, which covers each of them. A tree of another hash is not used.

Puts are ordered by extension, then path, which puts alike contents near each other. A link's content is its target, and
a directory has none. Equal plans give equal packs. One solid stream is about half of a zip of the same sources.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import struct
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Final, Literal, Protocol

from dbk_sync import _zstd
from dbk_sync._entry import Entry
from dbk_sync._pack_header import TimeOf, header, is_left_out
from dbk_sync._plan import Plan
from dbk_sync.driver._ahead import Ahead
from dbk_sync.errors import ChangedWhileReadingError, SyncError

Codec = Literal["zlib", "zstd"]
OpenContent = Callable[[Entry], Iterable[bytes]]

SLICE_BYTES: Final = 1 << 20
MAGIC: Final = b"DBKP"
VERSION: Final = 4
CODECS: Final[dict[Codec, int]] = {"zlib": 1, "zstd": 2}

_LENGTH = struct.Struct(">I")
_INPUT_BYTES = 1 << 18
_AHEAD_FROM_BYTES = 4 << 20


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def pack(
    plan: Plan,
    open_content: OpenContent,
    *,
    codec: Codec = "zlib",
    level: int | None = None,
    reuse: frozenset[bytes] = frozenset(),
    time_of: TimeOf | None = None,
) -> Iterator[bytes]:
    """The pack of `plan`, in slices of at most 1 MiB, so that compression overlaps the upload.

    Args:
        plan: What to pack: its puts with their contents, its deletes by name.
        open_content: Gives the content of an entry in pieces; a link's target for a link.
        codec: `zlib`, which every receiver reads, or `zstd`, smaller and faster where both ends have it.
        level: The codec's level; None is 6 for zlib, 5 for zstd.
        reuse: Hashes of contents to leave out, as `to_reuse` gives them: for a receiver that holds the base tree, not
            only knows it.
        time_of: Gives the modification time of an entry, for a plan that preserves them.

    Raises:
        ChangedWhileReadingError: A content is no longer the one the plan was made for.
        SyncError: `zstd` is asked for and no module for it is installed.
    """
    puts = sorted(plan.delta.puts, key=pack_order)
    head = header(plan.delta, puts, reuse, time_of if plan.preserve_times else None)
    sent = [entry for entry in puts if not is_left_out(entry, reuse)]
    contents = itertools.chain.from_iterable(_verified(entry, open_content) for entry in sent)
    pieces = _gathered(itertools.chain([_LENGTH.pack(len(head)) + head], contents))
    ahead = _read_ahead(pieces, sum(entry.size_bytes for entry in sent))
    prefix = MAGIC + bytes((VERSION, CODECS[codec]))
    with contextlib.closing(ahead):
        yield from _sliced(itertools.chain([prefix], _compressed(ahead, _compressor(codec, level))))


def pack_order(entry: Entry) -> tuple[bytes, bytes]:
    """The sort key of the contents in a pack: extension, then path."""
    name = entry.path.rpartition(b"/")[2]
    return name.rpartition(b".")[2], entry.path


def _read_ahead(pieces: Generator[bytes, None, None], size_bytes: int) -> Generator[bytes, None, None] | Ahead:
    """The pieces; those of a large pack are read by a thread, since compression needs another processor for itself."""
    return Ahead(pieces, "dbk-sync-read") if size_bytes >= _AHEAD_FROM_BYTES else pieces


def _gathered(pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same bytes in fewer pieces: one call per small file costs a fifth of the whole time."""
    waiting: list[bytes] = []
    waiting_bytes = 0
    for piece in pieces:
        waiting.append(piece)
        waiting_bytes += len(piece)
        if waiting_bytes >= _INPUT_BYTES:
            yield b"".join(waiting)
            waiting.clear()
            waiting_bytes = 0
    yield b"".join(waiting)


def _compressed(pieces: Iterable[bytes], compressor: _Compressor) -> Iterator[bytes]:
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


def _verified(entry: Entry, open_content: OpenContent) -> Iterator[bytes]:
    digest = hashlib.sha256()
    size_bytes = 0
    for piece in open_content(entry):
        digest.update(piece)
        size_bytes += len(piece)
        if size_bytes > entry.size_bytes:
            break
        yield piece
    if size_bytes != entry.size_bytes or digest.digest() != entry.sha256:
        raise ChangedWhileReadingError(
            f"{os.fsdecode(entry.path)} changed while it was being sent.",
            "Sync again; the target is unchanged, or exclude it if it never holds still.",
            files=((entry.path, "changed after the scan"),),
        )


def _sliced(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= SLICE_BYTES:
            yield bytes(waiting[:SLICE_BYTES])
            del waiting[:SLICE_BYTES]
    if waiting:
        yield bytes(waiting)


def _compressor(codec: Codec, level: int | None) -> _Compressor:
    if codec == "zlib":
        return zlib.compressobj(6 if level is None else level)
    compressor: _Compressor | None = _zstd.compressor(level)
    if compressor is None:
        raise SyncError("zstd is not available here.", "Install dbk-sync[zstd], or use the zlib codec.")
    return compressor
