"""What is known about files already read, so that an unchanged file is not read again."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple, TypeAlias

from dbk_sync._manifest import Entry, Manifest

RACY_WINDOW_NS: Final = 2_000_000_000
"""A file that changed this shortly before it was read may change again without its times telling: git's racy rule."""

STATUS: Final = struct.Struct("<qqQQI")
"""What tells that a file is unchanged: mtime and ctime in nanoseconds, size in bytes, inode, and mode word.

Packed, because one `bytes` is smaller than five numbers, and is saved and loaded as it is.
"""
_times = struct.Struct("<qq").unpack_from
_told = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino", "st_mode")
CHANGED: Final = bytes(STATUS.size)
"""A status that no file has."""


class Row(NamedTuple):
    """An entry with the status its file had *before* it was read.

    `status` is `CHANGED` where the entry must be made again each time: for links, and for files that changed within
    two seconds before the scan or in the future. `flags` is what `_secrets` found, 0 for nothing.
    """

    status: bytes
    flags: int
    entry: Entry


new_row: Final = partial(tuple.__new__, Row)
"""Makes a row of a tuple of its three parts."""

Rows: TypeAlias = dict[bytes, Row]
"""Rows by path."""


class HashCache:
    """All rows of one scan, and the manifest they make up. Do not change `rows`."""

    def __init__(self, rows: Rows | None = None, manifest: Manifest | None = None) -> None:
        self.rows: Rows = {} if rows is None else rows
        if manifest is not None:
            self.manifest = manifest

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of the rows' entries."""
        return Manifest(tuple(sorted([row[2] for row in self.rows.values()], key=itemgetter(0))))

    @cached_property
    def secrets(self) -> Mapping[bytes, int]:
        """The flags of files that look like secrets, by path."""
        return {path: row[1] for path, row in self.rows.items() if row[1]}

    def updated(self, hits: Sequence[Row], fresh: Sequence[Row]) -> HashCache:
        """The cache of exactly `hits` (rows of this cache) and `fresh`; this very cache if nothing differs."""
        old = self.rows
        if not old:
            return HashCache({row[2][0]: row for row in fresh}) if fresh else self
        same_paths = len(hits) + len(fresh) == len(old) and all(row[2][0] in old for row in fresh)
        changed = [row for row in fresh if old.get(row[2][0]) is not row]
        if same_paths and not changed:
            return self
        rows = dict(old)
        rows.update([(row[2][0], row) for row in changed])
        if len(rows) > len(hits) + len(fresh):
            for path in rows.keys() - {row[2][0] for row in hits} - {row[2][0] for row in fresh}:
                del rows[path]
        same_entries = same_paths and all(old[row[2][0]][2] is row[2] for row in changed)
        return HashCache(rows, self.manifest if same_entries else None)


def status_of(status: os.stat_result) -> bytes:
    """The part of a status that tells whether a file is unchanged, packed."""
    try:
        return STATUS.pack(*_told(status))
    except struct.error:  # a time after 2262 or before 1678, which some file systems keep
        times = [(time + 2**63) % 2**64 - 2**63 for time in (status.st_mtime_ns, status.st_ctime_ns)]
        return STATUS.pack(*times, status.st_size, status.st_ino % 2**64, status.st_mode)


def row_of(entry: Entry, status: bytes, flags: int, safe_ns: int, old: Row | None) -> Row:
    """The row of an entry whose file had `status` before it was read.

    Where it equals `old`, or its entry does, the old objects are given, so that equality is identity.

    Args:
        entry: What was read.
        status: The file's, or `CHANGED`.
        flags: What `_secrets` found.
        safe_ns: Times from this one on prove nothing: `RACY_WINDOW_NS` before the scan began.
        old: What was known.
    """
    mtime_ns, ctime_ns = _times(status)
    if mtime_ns >= safe_ns or ctime_ns >= safe_ns:
        status = CHANGED
    if old is None:
        return new_row((status, flags, entry))
    row = new_row((status, flags, old.entry if old.entry == entry else entry))
    return old if old == row else row
