"""Reads packs, in the format of `dbk_sync._pack`, front to back and in bounded memory."""

from __future__ import annotations

import contextlib
import hashlib
import struct
from collections.abc import Callable, Generator, Iterator

from . import _zlib, _zstd
from ._header import LEAST_BYTES, Header, Put, parse_header
from ._manifest import RECORD, Manifest, files_by_hash
from ._refusals import BadPack, NeedFull
from ._stream import SLICE_BYTES, Readable, Stream

_PACK_HEAD = struct.Struct(">4sBB")
_LENGTH = struct.Struct(">I")
_HEADER_LIMIT_BYTES = 1 << 29
_AHEAD_FROM_BYTES = 4 << 20
_UNPACKED = {1: _zlib.unpacked, 2: _zstd.unpacked}
_VERSION = 4

Contents = Generator[tuple[Put, Iterator[bytes]], None, None]


class PackReader:
    """A pack read once, front to back, in bounded memory.

    Raises `BadPack` where it is damaged as a pack. Whether the contents are the right ones only the hash of the whole
    tree tells: `records` holds what was read of each path, to compute it from.
    """

    def __init__(self, raw: Readable) -> None:
        head = raw.read(_PACK_HEAD.size)
        magic, version, codec = _PACK_HEAD.unpack(head) if len(head) == _PACK_HEAD.size else (b"", 0, 0)
        if magic != b"DBKP" or version != _VERSION or codec not in _UNPACKED:
            raise BadPack("These bytes are not a pack that this receiver reads.")
        self._stream = Stream(_UNPACKED[codec](raw))
        self.records: Manifest = {}
        self.header = self._read_header()

    def contents(
        self, base: Manifest | None = None, open_file: Callable[[bytes], Iterator[bytes]] | None = None
    ) -> Contents:
        """Each put with its content in pieces, which must be used up before the next; then the end is checked.

        A pack may leave out what `base` has: `open_file` reads a file of it, by its path, for that. Close the generator
        where it is left before its end.
        """
        large = sum(put.size_bytes for put in self.header.puts) >= _AHEAD_FROM_BYTES
        with self._stream.ahead() if large else contextlib.nullcontext():
            yield from self._contents(base or {}, open_file)
            if self._stream.take(1):
                raise BadPack("The pack goes on after its last file.")

    def _contents(self, base: Manifest, open_file: Callable[[bytes], Iterator[bytes]] | None) -> Contents:
        held = files_by_hash(base) if any(put.reused for put in self.header.puts) else {}
        for put in self.header.puts:
            if not put.reused:
                yield put, self._hashed(put, self._content(put))
            elif put.reused in held and open_file is not None:
                yield put, self._hashed(put, open_file(held[put.reused]))
            else:
                raise BadPack(f"The pack has no content for {put.path!r}.")

    def _hashed(self, put: Put, pieces: Iterator[bytes]) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            yield piece
        sha256 = digest.digest()
        if put.reused and sha256 != put.reused:
            raise NeedFull("A file that was to be used again is not what was put here.")
        self.records[put.path] = RECORD.pack(put.mode, put.size_bytes, sha256)

    def _content(self, put: Put) -> Iterator[bytes]:
        left = put.size_bytes
        while left:
            piece = self._stream.take(min(left, SLICE_BYTES))
            if not piece:
                raise BadPack(f"The pack ends inside {put.path!r}.")
            left -= len(piece)
            yield piece

    def _read_header(self) -> Header:
        (length,) = _LENGTH.unpack(self._stream.exactly(_LENGTH.size))
        if not LEAST_BYTES <= length <= _HEADER_LIMIT_BYTES:
            raise BadPack("The header of the pack has an impossible length.")
        return parse_header(self._stream.exactly(length))
