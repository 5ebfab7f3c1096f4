"""Reads the header of a pack, in the format of `dbk_sync._pack_header`: what is to be done, and with which contents."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from ._manifest import MODE_644, MODE_755, MODE_DIR, MODE_LINK
from ._refusals import BadPack

_HEAD = struct.Struct(">32s32sII")
_PUT = struct.Struct(">BQ")
_TIME = struct.Struct(">q")
_HASH_BYTES = 32
_MODES = {MODE_644, MODE_755, MODE_LINK, MODE_DIR}
_REUSED, _TIMED, _MODE = 128, 64, 63
LEAST_BYTES = _HEAD.size

_UNSAFE = re.compile(rb"(?:^|/)(?:\.{0,2}|\.git|\.databricks)(?:/|$)|\0")


class Put(NamedTuple):
    """One file, link or empty directory to make.

    `reused` is the SHA-256 of a content that the tree has already, `b""` for others. `time_ns` is when it was modified,
    in nanoseconds since the epoch; None where that is not told.
    """

    path: bytes
    mode: int
    size_bytes: int
    reused: bytes
    time_ns: int | None


class Header(NamedTuple):
    """What a pack is about. `base` is `""` when the puts are the whole tree; trees are hashes in hex."""

    base: str
    tree: str
    puts: list[Put]
    deletes: list[bytes]


def parse_header(blob: bytes) -> Header:
    """The header of a pack, every name in it checked."""
    base, tree, puts, deletes = _HEAD.unpack_from(blob)
    hashes_at = _HEAD.size + puts * _PUT.size
    records = list(_PUT.iter_unpack(blob[_HEAD.size : hashes_at])) if len(blob) >= hashes_at else []
    times_at = hashes_at + _HASH_BYTES * sum(mode & _REUSED != 0 for mode, _ in records)
    names_at = times_at + _TIME.size * sum(mode & _TIMED != 0 for mode, _ in records)
    paths = blob[names_at:].split(b"\0")
    modes = {mode & _MODE for mode, _ in records}
    if len(blob) < names_at or len(paths) != puts + deletes + 1 or paths.pop() or not modes <= _MODES:
        raise BadPack("The header of the pack is damaged.")
    check_paths(paths)
    told = _puts(paths, records, blob[hashes_at:times_at], blob[times_at:names_at])
    return Header("" if base == bytes(32) else base.hex(), tree.hex(), told, paths[puts:])


def _puts(paths: list[bytes], records: list[tuple[int, int]], hashes: bytes, times: bytes) -> list[Put]:
    """The puts of `records`; those with a hash or a time take the next one of `hashes` or `times`."""
    next_hash = (hashes[at : at + _HASH_BYTES] for at in range(0, len(hashes), _HASH_BYTES))
    next_time = (time_ns for (time_ns,) in _TIME.iter_unpack(times))
    return [
        Put(
            path,
            mode & _MODE,
            size_bytes,
            next(next_hash) if mode & _REUSED else b"",
            next(next_time) if mode & _TIMED else None,
        )
        for path, (mode, size_bytes) in zip(paths, records)  # noqa: B905
    ]


def check_paths(paths: list[bytes]) -> None:
    """Refuses names that could reach outside the tree or into `.git` and `.databricks`, and doubles."""
    for path in paths:
        if _UNSAFE.search(path):
            raise BadPack(f"The pack names {path!r}, which is never written.")
    if len(set(paths)) != len(paths):
        raise BadPack("The pack names a path twice.")
