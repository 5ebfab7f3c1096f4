"""Reads packs and reads and writes manifests, in the formats of `dbk_sync._pack` and `dbk_sync._manifest`.

Written a second time because this runs on the driver, where `dbk_sync` is not installed; a test holds the two together.
A manifest is a dict here: path (bytes) to record (41 bytes: mode, size, SHA-256, as in the file).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import struct
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import NamedTuple

from ._refusals import BadPack, NeedFull
from ._stream import SLICE_BYTES, Readable, Stream

RECORD = struct.Struct(">BQ32s")
MODE_644, MODE_755, MODE_LINK = 1, 2, 3
_MODES = {MODE_644, MODE_755, MODE_LINK}

Manifest = dict[bytes, bytes]

_MANIFEST_HEAD = struct.Struct(">4sBI")
_PACK_HEAD = struct.Struct(">4sBB")
_HEADER = struct.Struct(">32s32sII")
_LENGTH = struct.Struct(">I")
_PUT = struct.Struct(">BQ")
_HEADER_LIMIT_BYTES = 1 << 29
_AHEAD_FROM_BYTES = 4 << 20
_ZLIB = 1
_VERSION = 3
_REUSED = 128
_UNSAFE = re.compile(rb"(?:^|/)(?:\.{0,2}|\.git|\.databricks)(?:/|$)|\0")


class Put(NamedTuple):
    """One file or link to write. `reused` is the SHA-256 of a content that the tree has already, `b""` for others."""

    path: bytes
    mode: int
    size_bytes: int
    reused: bytes


class Header(NamedTuple):
    """What a pack is about. `base` is `""` when the puts are the whole tree; trees are hashes in hex."""

    base: str
    tree: str
    puts: list[Put]
    deletes: list[bytes]


Contents = Generator[tuple[Put, Iterator[bytes]], None, None]


class PackReader:
    """A pack read once, front to back, in bounded memory.

    Raises `BadPack` where it is damaged as a pack. Whether the contents are the right ones only the hash of the whole
    tree tells: `records` holds what was read of each path, to compute it from.
    """

    def __init__(self, raw: Readable) -> None:
        head = raw.read(_PACK_HEAD.size)
        magic, version, codec = _PACK_HEAD.unpack(head) if len(head) == _PACK_HEAD.size else (b"", 0, 0)
        if magic != b"DBKP" or version != _VERSION or codec != _ZLIB:
            raise BadPack("These bytes are not a pack that this receiver reads.")
        self._stream = Stream(raw)
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
        if not _HEADER.size <= length <= _HEADER_LIMIT_BYTES:
            raise BadPack("The header of the pack has an impossible length.")
        return parse_header(self._stream.exactly(length))


def files_by_hash(manifest: Manifest) -> dict[bytes, bytes]:
    """A path for each content that a file of the manifest has."""
    return {record[-32:]: path for path, record in manifest.items() if record[0] != MODE_LINK}


def parse_header(blob: bytes) -> Header:
    """The header of a pack, every name in it checked."""
    base, tree, puts, deletes = _HEADER.unpack_from(blob)
    hashes_at = _HEADER.size + puts * _PUT.size
    found = list(_PUT.iter_unpack(blob[_HEADER.size : hashes_at])) if len(blob) >= hashes_at else []
    names_at = hashes_at + 32 * sum(mode >= _REUSED for mode, _ in found)
    paths = blob[names_at:].split(b"\0")
    modes = {mode & ~_REUSED for mode, _ in found}
    if len(blob) < names_at or len(paths) != puts + deletes + 1 or paths.pop() or not modes <= _MODES:
        raise BadPack("The header of the pack is damaged.")
    check_paths(paths)
    hashes = (blob[at : at + 32] for at in range(hashes_at, names_at, 32))
    return Header(
        "" if base == bytes(32) else base.hex(),
        tree.hex(),
        [
            Put(path, mode & ~_REUSED, size_bytes, next(hashes) if mode & _REUSED else b"")
            for path, (mode, size_bytes) in zip(paths, found)  # noqa: B905
        ],
        paths[puts:],
    )


def check_paths(paths: list[bytes]) -> None:
    """Refuses names that could reach outside the tree or into `.git` and `.databricks`, and doubles."""
    for path in paths:
        if _UNSAFE.search(path):
            raise BadPack(f"The pack names {path!r}, which is never written.")
    if len(set(paths)) != len(paths):
        raise BadPack("The pack names a path twice.")


def manifest_bytes(manifest: Mapping[bytes, bytes]) -> bytes:
    """The canonical form of a manifest; the tree hash is its SHA-256."""
    paths = sorted(manifest)
    head = _MANIFEST_HEAD.pack(b"DBKM", 1, len(paths))
    return head + b"".join([manifest[path] for path in paths]) + b"".join([path + b"\0" for path in paths])


def parse_manifest(blob: bytes) -> Manifest | None:
    """The manifest whose canonical form is `blob`, or None when it is not one to the last byte."""
    if len(blob) < _MANIFEST_HEAD.size:
        return None
    magic, version, count = _MANIFEST_HEAD.unpack_from(blob)
    names_at = _MANIFEST_HEAD.size + count * RECORD.size
    paths = blob[names_at:].split(b"\0")[:-1]
    if magic != b"DBKM" or version != 1 or len(paths) != count:
        return None
    records = [blob[at : at + RECORD.size] for at in range(_MANIFEST_HEAD.size, names_at, RECORD.size)]
    manifest = dict(zip(paths, records))  # noqa: B905
    return manifest if manifest_bytes(manifest) == blob else None


def tree_hash(blob: bytes) -> str:
    """The hash of the tree whose manifest in canonical form is `blob`."""
    return hashlib.sha256(blob).hexdigest()
