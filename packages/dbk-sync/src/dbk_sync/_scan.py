"""The tree of a source: which files, and what is in them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from dbk_sync._cache import CHANGED, Fresh, HashCache
from dbk_sync._collector import collector_paused
from dbk_sync._empty_dirs import empty_directories
from dbk_sync._entry import directory
from dbk_sync._findings import Finding
from dbk_sync._limits import check_limits
from dbk_sync._manifest import Manifest
from dbk_sync._reading import Reading, by_path, listed
from dbk_sync._scan_options import ScanOptions
from dbk_sync._secrets import secret_reason
from dbk_sync._select import walked
from dbk_sync._selection import Selection
from dbk_sync._walk import Walk
from dbk_sync.errors import SecretsError


@dataclass(frozen=True, slots=True)
class Scan:
    """A source as it was at one moment of the scan, file by file.

    Attributes:
        source: The source directory, absolute and without links.
        cache: What is known about its files now; give it to the next scan.
        skipped: Selected paths that cannot be sent, with the reason.
        warnings: Remarks about the source as a whole.
        read_files: How many files had to be read.
        warns_of_secrets: Whether a plan mentions files that look like secrets.
        preserve_times: Whether files that are sent get the modification time they have here.
    """

    source: bytes
    cache: HashCache
    skipped: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    read_files: int = 0
    warns_of_secrets: bool = True
    preserve_times: bool = False

    @property
    def manifest(self) -> Manifest:
        """The tree."""
        return self.cache.manifest


def scan(
    source: str | os.PathLike[str],
    options: ScanOptions | None = None,
    cache: HashCache | None = None,
    *,
    clock_ns: Callable[[], int] = time.time_ns,
) -> Scan:
    """The tree of the directory `source`.

    Args:
        source: The directory.
        options: What to select and what to refuse.
        cache: What an earlier scan knew; files with the same status are not read again.
        clock_ns: Gives the time in nanoseconds since the epoch, by the clock of the file system.

    Raises:
        SourceError: `source` is not a directory, or git does not say what it tracks there.
        RulesError: An ignore file cannot be read.
        FileSizeError: A size limit is exceeded; raised before any file is read.
        UnreadableFilesError: Directories or files cannot be read; lists all.
        ChangedWhileReadingError: Something else took the place of files while they were read; lists all.
        LinkError: `links` is `error` and links leave the source; lists all.
        SecretsError: `secrets` is `error` and files look like secrets; lists all.
    """
    return scan_closely(source, options or ScanOptions(), cache or HashCache(), clock_ns=clock_ns)[0]


def scan_closely(
    source: str | os.PathLike[str],
    options: ScanOptions,
    cache: HashCache,
    *,
    clock_ns: Callable[[], int] = time.time_ns,
) -> tuple[Scan, Walk, Selection]:
    """`scan`, together with where it looked."""
    started_ns = clock_ns()
    selection = options.selection(source)
    with collector_paused():
        found = walked(selection, options, cache)
        _check_sizes(found, cache.manifest, options)
        reading = Reading(selection.source, started_ns, list(found.unreadable))
        links, refused = reading.links(found.links, options.links)
        fresh = [*reading.files(sorted(found.misses)), *links]
        if options.keeps_directories:
            taken = [*found.hits, *(one.entry.path for one in fresh)]
            empty = empty_directories(selection.source, found, taken)
            fresh += [Fresh(directory(path), CHANGED, 0) for path in empty]
        if options.skip_unreadable:
            refused += reading.unread()
        reading.check()
        updated = cache.updated(found.hits, fresh)
    _check_secrets(updated, options)
    skipped = (*found.skipped, *refused)
    result = Scan(
        source=selection.source,
        cache=updated,
        skipped=tuple(sorted(skipped, key=by_path)),
        warnings=tuple(found.warnings),
        read_files=len(found.misses),
        warns_of_secrets=options.secrets != "off",
        preserve_times=options.preserve_times,
    )
    return result, found, selection


def _check_sizes(found: Walk, known: Manifest, options: ScanOptions) -> None:
    if options.max_size_mb is not None or options.max_file_size_mb is not None:
        sizes = [(path, known.by_path[path].size_bytes) for path in found.hits]
        sizes += [(path, size_bytes) for path, _, size_bytes, _ in found.misses]
        check_limits(sizes, max_size_mb=options.max_size_mb, max_file_size_mb=options.max_file_size_mb)


def _check_secrets(cache: HashCache, options: ScanOptions) -> None:
    if options.secrets == "error" and cache.secrets:
        files = tuple((path, secret_reason(flags)) for path, flags in sorted(cache.secrets.items()))
        raise SecretsError(
            f"Files that look like secrets:\n{listed(files)}",
            'Ignore or exclude them, or set secrets = "warn".',
            files=files,
        )
