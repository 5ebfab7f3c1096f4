"""What is known about files already read, so that an unchanged file is not read again."""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple, TypeAlias, TypeVar

from dbk_sync._entry import Entry
from dbk_sync._manifest import Manifest

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

Statuses: TypeAlias = dict[bytes, bytes]
"""The status that each file had *before* it was read, by path.

`CHANGED` where the entry must be made again each time: for links, and for files that changed within two seconds before
the scan or in the future.
"""
_Value = TypeVar("_Value")


class Fresh(NamedTuple):
    """What was just read. `flags` is what `_secrets` found, 0 for nothing."""

    entry: Entry
    status: bytes
    flags: int


new_fresh: Final = partial(tuple.__new__, Fresh)
"""Makes one of a tuple of its three parts, at half the cost."""


class HashCache:
    """What one scan found out. Do not change its tables.

    They stand beside each other, without an object for each file that holds them together: to make, save and load
    100,000 of those takes as long as a third of all the rest, and every pass of the collector meets them again.

    Attributes:
        manifest: The entries of the files.
        statuses: Their statuses.
        secrets: The flags of those that look like secrets, by path.
    """

    def __init__(
        self,
        manifest: Manifest | None = None,
        statuses: Statuses | None = None,
        secrets: Mapping[bytes, int] | None = None,
    ) -> None:
        self.manifest = Manifest() if manifest is None else manifest
        self.statuses: Statuses = {} if statuses is None else statuses
        self.secrets: Mapping[bytes, int] = {} if secrets is None else secrets

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HashCache):
            return NotImplemented
        mine, theirs = ((one.manifest, one.statuses, one.secrets) for one in (self, other))
        return mine == theirs

    __hash__ = None  # type: ignore[assignment]  # the tables have none

    def updated(self, hits: Sequence[bytes], fresh: Sequence[Fresh]) -> HashCache:
        """The cache of exactly `hits` (paths of this cache) and `fresh`; this very cache if nothing differs."""
        known = self.statuses
        if not known:
            return _first(fresh) if fresh else self
        same_paths = len(hits) + len(fresh) == len(known) and all(one.entry.path in known for one in fresh)
        changed = [one for one in fresh if not self._has(one)]
        if same_paths and not changed:
            return self
        paths = None if same_paths else {*hits, *[one.entry.path for one in fresh]}
        statuses = _merged(known, {one.entry.path: one.status for one in changed}, paths)
        flags = _merged(self.secrets, {one.entry.path: one.flags for one in changed}, paths)
        secrets = {path: flag for path, flag in flags.items() if flag}
        return HashCache(self._entries([one.entry for one in changed], paths), statuses, secrets)

    def _has(self, one: Fresh) -> bool:
        path = one.entry.path
        same = self.statuses.get(path) == one.status and self.secrets.get(path, 0) == one.flags
        return same and self.manifest.by_path.get(path) == one.entry

    def _entries(self, changed: Sequence[Entry], paths: Collection[bytes] | None) -> Manifest:
        """The manifest with `changed`, of `paths` alone (None: of all it has); this very one if nothing differs."""
        known = self.manifest.by_path
        differing = {entry.path: entry for entry in changed if known.get(entry.path) != entry}
        if paths is None and not differing:
            return self.manifest
        return Manifest(tuple(sorted(_merged(known, differing, paths).values(), key=itemgetter(0))))


def status_of(status: os.stat_result) -> bytes:
    """The part of a status that tells whether a file is unchanged, packed."""
    try:
        return STATUS.pack(*_told(status))
    except struct.error:  # a time after 2262 or before 1678, which some file systems keep
        times = [(time + 2**63) % 2**64 - 2**63 for time in (status.st_mtime_ns, status.st_ctime_ns)]
        return STATUS.pack(*times, status.st_size, status.st_ino % 2**64, status.st_mode)


def kept_status(status: bytes, safe_ns: int) -> bytes:
    """The status to remember of a file that had `status` before it was read.

    From `safe_ns` on, which is `RACY_WINDOW_NS` before the scan began, times prove nothing.
    """
    mtime_ns, ctime_ns = _times(status)
    return CHANGED if mtime_ns >= safe_ns or ctime_ns >= safe_ns else status


def _first(fresh: Sequence[Fresh]) -> HashCache:
    entries = sorted([one[0] for one in fresh], key=itemgetter(0))
    statuses = {one[0][0]: one[1] for one in fresh}
    return HashCache(Manifest(tuple(entries)), statuses, {one[0][0]: one[2] for one in fresh if one[2]})


def _merged(
    known: Mapping[bytes, _Value], changed: Mapping[bytes, _Value], paths: Collection[bytes] | None
) -> dict[bytes, _Value]:
    """`known` with `changed`; without what is not in `paths`, if these are given."""
    merged = {**known, **changed}
    if paths is not None and len(paths) != len(merged):
        for path in [path for path in merged if path not in paths]:
            del merged[path]
    return merged
