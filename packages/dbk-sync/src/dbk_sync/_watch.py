"""Scans of one source again and again, where a scan that cannot find anything new is left out.

An earlier scan still holds when, since before it began,

- nothing happened in any directory it listed, as the operating system tells;
- what decides about the selection from elsewhere (git's configuration, ignore files above the source, the state of
  `.git` in it) reads the same;
- its links lead where they led.

Any doubt means a scan: an overflow, a directory that came or went, a file with a second name (changes through that are
not told), a network or shared file system, a machine without inotify, too many directories, or five minutes gone by.
The five minutes are for what no file system tells: writes through mapped memory, and through a name that a file was
given elsewhere in the meantime.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from dbk_sync._cache import HashCache
from dbk_sync._inotify import Inotify, is_local
from dbk_sync._links import link_problem
from dbk_sync._scan import Scan, scan_closely
from dbk_sync._scan_options import ScanOptions
from dbk_sync._tracked import tracked_paths

LOG = logging.getLogger("dbk.sync")
FULL_SCAN_AFTER_S: Final = 300.0
_MOST_DIRECTORIES: Final = 50_000
_MOST_LINKS: Final = 50


@dataclass(frozen=True, slots=True)
class _Trusted:
    """A scan with all that has to stay the same."""

    scan: Scan
    started_s: float
    surroundings: object


class _Looked(NamedTuple):
    """Where a scan looked: directories it listed, those with a `.git`, and links."""

    directories: frozenset[bytes]
    gits: tuple[bytes, ...]
    links: tuple[bytes, ...]


class Watch:
    """The scans of `source`.

    Args:
        source: The directory.
        options: What to select and what to refuse.
        enabled: Whether scans may be left out at all.
        clock: Gives seconds that only grow.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        options: ScanOptions,
        *,
        enabled: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._options = options
        self._enabled = enabled
        self._clock = clock
        self._trusted: _Trusted | None = None
        self._inotify: Inotify | None = None
        self._armed: frozenset[bytes] = frozenset()
        self._known: _Looked | None = None

    def scan(self, cache: HashCache) -> Scan:
        """The tree of the source now; `cache` is what the last scan knew. Raises what `_scan.scan` raises."""
        trusted, self._trusted = self._trusted, None
        if trusted is not None and self._is_quiet(trusted):
            self._trusted = trusted
            return trusted.scan
        started_s = self._clock()
        before = self._prepare()
        scan, walk, selection = scan_closely(self._source, self._options, cache)
        looked = _Looked(
            frozenset(walk.directories), tuple(sorted(selection.gits)), tuple(sorted(path for path, *_ in walk.links))
        )
        if before is not None and looked == self._known and not walk.shared:
            self._trusted = _Trusted(scan, started_s, before)
        self._known = looked
        return scan

    def close(self) -> None:
        """Ends the watch; a later scan begins another."""
        self._trusted = None
        self._disarm()

    def _is_quiet(self, trusted: _Trusted) -> bool:
        if self._inotify is None or self._known is None:
            return False
        happened, of_directories = self._inotify.taken()
        if of_directories:
            self._disarm()
        if happened or self._clock() - trusted.started_s >= FULL_SCAN_AFTER_S:
            return False
        if self._surroundings(self._known) == trusted.surroundings:
            return True
        self._disarm()
        return False

    def _prepare(self) -> object:
        """Watches over what the last scan listed, before the next one begins: what is told then, is told since.

        Gives the surroundings of the scan that follows; None when it cannot be trusted for longer than it takes.
        """
        known = self._known
        if not self._enabled or known is None:
            return None
        if len(known.directories) > _MOST_DIRECTORIES or len(known.links) > _MOST_LINKS:
            return None
        if self._inotify is not None and (self._armed != known.directories or self._inotify.taken()[1]):
            self._disarm()
        try:
            if self._inotify is None:
                self._arm(known.directories)
            return self._surroundings(known)
        except (FileNotFoundError, NotADirectoryError):
            self._disarm()  # something went while we looked; the scan after the next one may be trusted
        except OSError as error:
            LOG.info("Files are looked at before each cell, since they cannot be watched over: %s", error)
            self._disarm()
            self._enabled = False
        return None

    def _arm(self, directories: frozenset[bytes]) -> None:
        source = os.path.realpath(os.fsencode(self._source))
        paths = [os.path.join(source, prefix) for prefix in sorted(directories)]  # what is above comes first
        if not is_local(source, paths):
            raise OSError("a file system that others change")
        self._inotify = Inotify()
        for path in paths:
            self._inotify.add(path)
        self._armed = directories

    def _disarm(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
        self._inotify, self._armed = None, frozenset()

    def _surroundings(self, known: _Looked) -> object:
        """All that a scan depends on beside the directories it lists.

        The device and inode of the source tell whether another directory has taken its name.
        """
        selection = self._options.selection(self._source)
        status = os.stat(selection.source)
        links = [_link(selection.source, path) for path in known.links]
        tracked = tracked_paths(selection.source) if self._options.tracked_only else None
        return status.st_dev, status.st_ino, selection.ground(known.gits), links, tracked


def _link(source: bytes, path: bytes) -> tuple[bytes, str | None] | None:
    """Where a link leads, and what is wrong with that: it may lead through directories that nobody watches over."""
    try:
        target = os.readlink(os.path.join(source, path))
    except OSError:
        return None
    return target, link_problem(source, path, target)
