"""Reads packs and reads and writes manifests, in the formats of `dbk_sync._pack` and `dbk_sync._manifest`.

Written a second time because this runs on the driver, where `dbk_sync` is not installed; a test holds the two together.
A manifest is a dict here: path (bytes) to record (41 bytes: mode, size, SHA-256, as in the file).
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from ._refusals import BadPack, NeedFull

SLICE_BYTES = 1 << 20
RECORD = struct.Struct(">BQ32s")
MODE_644, MODE_755, MODE_LINK = 1, 2, 3

Manifest = dict[bytes, bytes]

_MANIFEST_HEAD = struct.Struct(">4sBI")
_PACK_HEAD = struct.Struct(">4sBB")
_HEADER = struct.Struct(">32s32sII")
_LENGTH = struct.Struct(">I")
_HEADER_LIMIT_BYTES = 1 << 29
_ZLIB = 1
_REUSING = 2
_UNSAFE = re.compile(rb"(?:^|/)(?:\.{0,2}|\.git|\.databricks)(?:/|$)|\0")


class Readable(Protocol):
    """Bytes, front to back."""

    def read(self, size: int, /) -> bytes: ...


class Put(NamedTuple):
    """One file or link to write: its path and its record, taken apart."""

    path: bytes
    record: bytes
    mode: int
    size_bytes: int
    sha256: bytes


class Header(NamedTuple):
    """What a pack is about. `base` is `""` when the puts are the whole tree; trees are hashes in hex."""

    base: str
    tree: str
    puts: list[Put]
    deletes: list[bytes]


class PackReader:
    """A pack read once, front to back, in bounded memory.

    Raises `BadPack` on the first byte that is wrong: sizes and hashes are checked as contents are given out.
    """

    def __init__(self, raw: Readable) -> None:
        self._raw = raw
        head = raw.read(_PACK_HEAD.size)
        magic, version, codec = _PACK_HEAD.unpack(head) if len(head) == _PACK_HEAD.size else (b"", 0, 0)
        if magic != b"DBKP" or version not in (1, _REUSING) or codec != _ZLIB:
            raise BadPack("These bytes are not a pack that this receiver reads.")
        self._reuses = version == _REUSING
        self._inflate = zlib.decompressobj()
        self._waiting = b""
        self.header = self._read_header()

    def contents(
        self, base: Manifest | None = None, open_file: Callable[[bytes], Iterator[bytes]] | None = None
    ) -> Iterator[tuple[Put, Iterator[bytes]]]:
        """Each put with its content in pieces, which must be used up before the next; then the end is checked.

        A pack may leave out what `base` has: `open_file` reads a file of it, by its path, for that.
        """
        held = files_by_hash(base or {}) if self._reuses else {}
        for put in self.header.puts:
            source = held.get(put.sha256) if put.mode != MODE_LINK else None
            if source is None or open_file is None:
                yield put, self._content(put)
            else:
                yield put, _reread(put, open_file(source))
        if self._take(1) or not self._inflate.eof or self._inflate.unused_data or self._raw.read(1):
            raise BadPack("The pack goes on after its last file, or stops short of its end.")

    def _content(self, put: Put) -> Iterator[bytes]:
        digest = hashlib.sha256()
        left = put.size_bytes
        while left:
            piece = self._take(min(left, SLICE_BYTES))
            if not piece:
                raise BadPack(f"The pack ends inside {put.path!r}.")
            digest.update(piece)
            left -= len(piece)
            yield piece
        if digest.digest() != put.sha256:
            raise BadPack(f"The content of {put.path!r} does not have the hash that the pack promises.")

    def _read_header(self) -> Header:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if not _HEADER.size <= length <= _HEADER_LIMIT_BYTES:
            raise BadPack("The header of the pack has an impossible length.")
        return parse_header(self._exactly(length))

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size:
            piece = self._take(min(size, SLICE_BYTES))
            if not piece:
                raise BadPack("The pack ends inside its header.")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _take(self, limit: int) -> bytes:
        """1 to `limit` unpacked bytes, or none at the end of the pack."""
        while not self._waiting:
            if self._inflate.eof:
                return b""
            compressed = self._inflate.unconsumed_tail or self._raw.read(SLICE_BYTES)
            try:
                # The bound keeps a pack that unpacks to far more than it says from filling the memory.
                self._waiting = self._inflate.decompress(compressed, SLICE_BYTES)
            except zlib.error as error:
                raise BadPack(f"The pack is damaged: {error}.") from error
            if not compressed and not self._waiting:
                return b""
        piece, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return piece


def files_by_hash(manifest: Manifest) -> dict[bytes, bytes]:
    """A path for each content that a file of the manifest has."""
    return {record[-32:]: path for path, record in manifest.items() if record[0] != MODE_LINK}


def _reread(put: Put, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A content that lies in the tree already, if it is still what was put there."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.digest() != put.sha256:
        raise NeedFull("A file that was to be used again is not what was put here.")


def parse_header(blob: bytes) -> Header:
    """The header of a pack, every name in it checked."""
    base, tree, puts, deletes = _HEADER.unpack_from(blob)
    names_at = _HEADER.size + puts * RECORD.size
    paths = blob[names_at:].split(b"\0")
    if len(blob) < names_at or len(paths) != puts + deletes + 1 or paths.pop():
        raise BadPack("The header of the pack is damaged.")
    check_paths(paths)
    records = [blob[at : at + RECORD.size] for at in range(_HEADER.size, names_at, RECORD.size)]
    return Header(
        "" if base == bytes(32) else base.hex(),
        tree.hex(),
        [Put(path, record, *RECORD.unpack(record)) for path, record in zip(paths, records)],  # noqa: B905
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
