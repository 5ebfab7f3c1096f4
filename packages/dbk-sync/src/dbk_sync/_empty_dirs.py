"""Which directories of a source have to be said, because no file below them says that they are there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from dbk_sync._walk import Walk
from dbk_sync.driver._names import all_parents, parents


def empty_directories(source: bytes, found: Walk, taken: Iterable[bytes]) -> list[bytes]:
    """The directories of a walk that would not be at a target that has `taken`, the innermost ones alone, sorted.

    Such a directory is empty, or what is in it is ignored or cannot be sent. One that cannot be listed is none of them:
    nobody knows what is in it.
    """
    closed = {path.rstrip(b"/") for path, _ in found.unreadable}
    listed = [prefix[:-1] for prefix in found.directories if prefix]
    return [path for path in innermost(listed, taken, closed) if os.path.isdir(os.path.join(source, path))]


def innermost(directories: Iterable[bytes], taken: Iterable[bytes], closed: Collection[bytes] = ()) -> list[bytes]:
    """Those of `directories` that are above none of the others, nor of `taken` or `closed`, nor one of `closed`."""
    full = all_parents((*taken, *closed)).union(closed)
    empty: list[bytes] = []
    for path in sorted(directories, reverse=True):  # deepest first: a directory sorts before what is in it
        if path not in full:
            empty.append(path)
            full.update(parents(path))
    return empty[::-1]
