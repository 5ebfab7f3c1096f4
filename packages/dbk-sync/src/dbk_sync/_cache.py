"""What is known about files already read, so that an unchanged file is not read again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from dbk_sync._manifest import Entry, Manifest

RACY_WINDOW_NS: Final = 2_000_000_000
"""A file that changed this shortly before it was read may change again without its times telling: git's racy rule."""

_NEVER_NS: Final = -1


class Row(NamedTuple):
    """An entry with the identity its file had *before* it was read.

    Times in nanoseconds since the epoch. `mtime_ns` is -1, which no file has, where the entry must be made again each
    time: links, and files that changed within two seconds before the scan or in the future. `st_mode` is the whole
    mode word; `flags` is what `_secrets` found, 0 for nothing.
    """

    mtime_ns: int
    ctime_ns: int
    size_bytes: int
    inode: int
    st_mode: int
    flags: int
    entry: Entry


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
        return Manifest(tuple(sorted([row[6] for row in self.rows.values()], key=itemgetter(0))))

    @cached_property
    def secrets(self) -> Mapping[bytes, int]:
        """The flags of files that look like secrets, by path."""
        return {path: row[5] for path, row in self.rows.items() if row[5]}

    def updated(self, hits: Sequence[Row], fresh: Sequence[Row]) -> HashCache:
        """The cache of exactly `hits` (rows of this cache) and `fresh`; this very cache if nothing differs."""
        old = self.rows
        same_paths = len(hits) + len(fresh) == len(old) and all(row[6][0] in old for row in fresh)
        changed = [row for row in fresh if old.get(row[6][0]) is not row]
        if same_paths and not changed:
            return self
        rows = dict(old)
        rows.update([(row[6][0], row) for row in changed])
        if len(rows) > len(hits) + len(fresh):
            for path in rows.keys() - {row[6][0] for row in hits} - {row[6][0] for row in fresh}:
                del rows[path]
        same_entries = same_paths and all(old[row[6][0]][6] is row[6] for row in changed)
        return HashCache(rows, self.manifest if same_entries else None)


def row_of(entry: Entry, status: os.stat_result, flags: int, scanned_ns: int, old: Row | None) -> Row:
    """The row of an entry whose file had `status` before it was read, by a scan that started at `scanned_ns`.

    Where it equals `old`, or its entry does, the old objects are given, so that equality is identity.
    """
    if old is not None and old.entry == entry:
        entry = old.entry
    racy = max(status.st_mtime_ns, status.st_ctime_ns) >= scanned_ns - RACY_WINDOW_NS
    mtime_ns = _NEVER_NS if racy or entry.mode == "link" else status.st_mtime_ns
    row = Row(mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode, flags, entry)
    return old if old is not None and old == row else row
