"""Which paths of a source are selected, without reading a file."""

from __future__ import annotations

import os
from collections.abc import Callable

from dbk_sync._cache import HashCache
from dbk_sync._empty_dirs import empty_directories
from dbk_sync._findings import Finding
from dbk_sync._links import link_finding, link_problem
from dbk_sync._reading import refuse_unreadable
from dbk_sync._scan_options import ScanOptions
from dbk_sync._selection import Selection
from dbk_sync._tracked import tracked_paths
from dbk_sync._walk import Walk, walk


def select(source: str | os.PathLike[str], options: ScanOptions | None = None) -> list[bytes]:
    """The selected paths of `source` in byte order: what `git ls-files` would list, links included. Reads no content.

    Directories without files, where they are kept, end with `/`.

    Raises:
        SourceError: `source` is not a directory.
        RulesError: An ignore file cannot be read.
        UnreadableFilesError: Directories cannot be listed.
    """
    return _selected(source, options or ScanOptions(), lambda _path: True)


def sendable(source: str | os.PathLike[str], options: ScanOptions) -> tuple[list[bytes], list[Finding]]:
    """`select` without the links that cannot be sent, and what is to be said about those."""
    root = os.fsencode(os.path.realpath(source))
    refused: list[Finding] = []

    def can_be_sent(path: bytes) -> bool:
        trouble = link_trouble(root, path, options)
        if trouble is not None:
            refused.append(link_finding(path, trouble))
        return trouble is None

    return _selected(source, options, can_be_sent), refused


def link_trouble(source: bytes, path: bytes, options: ScanOptions) -> str | None:
    """Why the link at `path` cannot be sent; None when it can, or is none (any more)."""
    try:
        target = os.readlink(os.path.join(source, path))
    except OSError:
        return None
    return "links are skipped" if options.links == "skip" else link_problem(source, path, target)


def walked(selection: Selection, options: ScanOptions, cache: HashCache) -> Walk:
    """What a walk finds, after all options."""
    found = walk(selection, cache.statuses)
    if options.tracked_only:
        found.keep(tracked_paths(selection.source))
    return found


def _selected(source: str | os.PathLike[str], options: ScanOptions, wanted: Callable[[bytes], bool]) -> list[bytes]:
    selection = options.selection(source)
    found = walked(selection, options, HashCache())
    refuse_unreadable(found.unreadable)
    taken = [path for path in sorted(path for path, *_ in (*found.misses, *found.links)) if wanted(path)]
    if not options.keeps_directories:
        return taken
    return sorted([*taken, *(path + b"/" for path in empty_directories(selection.source, found, taken))])
