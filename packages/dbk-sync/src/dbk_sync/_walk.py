"""One pass over a source: selects, stats, and compares with what is known. Reads no file."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from dbk_sync._cache import STATUS, Statuses, status_of
from dbk_sync._findings import Finding, Kind
from dbk_sync._frame import Frame, Verdict
from dbk_sync._selection import Selection

Problem: TypeAlias = tuple[bytes, str]
"""A path and what is wrong with it."""
Found: TypeAlias = tuple[bytes, bytes, int, int]
"""A path with its status: packed, and size in bytes and mode word apart."""


@dataclass(slots=True)
class Walk:
    """What a walk found. Paths are below the source; directories themselves are not listed, as in git.

    Attributes:
        hits: Files that did not change since they were read.
        misses: Files to read, with their status.
        links: Symbolic links, with their status.
        skipped: Sockets, pipes and devices.
        warnings: A source that is ignored as a whole.
        unreadable: Directories and files whose status or listing was refused.
        directories: What was listed: prefixes, empty for the source, else ended by `/`.
        shared: Files with more than one name, which may change through the other one.
    """

    hits: list[bytes] = field(default_factory=list)
    misses: list[Found] = field(default_factory=list)
    links: list[Found] = field(default_factory=list)
    skipped: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    directories: list[bytes] = field(default_factory=list)
    shared: list[bytes] = field(default_factory=list)

    def keep(self, paths: Collection[bytes]) -> None:
        """Takes back all files and links that are not among `paths`."""
        self.hits = [path for path in self.hits if path in paths]
        self.misses = [one for one in self.misses if one[0] in paths]
        self.links = [one for one in self.links if one[0] in paths]
        self.skipped.clear()  # git tracks no such files
        above = [one[0] for one in self.unreadable if one[0].endswith(b"/")]
        needed = {prefix for prefix in above if any(path.startswith(prefix) for path in paths)}
        self.unreadable = [one for one in self.unreadable if one[0] in paths or one[0] in needed or one[0] == b"."]


def walk(selection: Selection, statuses: Statuses | None = None) -> Walk:
    """Walks the source of `selection`; `statuses` is what is known about its files.

    Raises:
        RulesError: An ignore file cannot be read.
    """
    found = Walk()
    start = selection.start()
    if start.ignored_by is None:
        _Walker(selection, {} if statuses is None else statuses, found).run(start.frame)
    else:
        found.warnings.append(_ignored_source(start.ignored_by, start.ignored_path))
    selection.check()
    return found


class _Walker:
    def __init__(self, selection: Selection, statuses: Statuses, found: Walk) -> None:
        self._selection = selection
        self._root = selection.source + b"/"
        self._known = statuses.get
        self._found = found
        self._pending: list[tuple[bytes, Frame]] = []

    def run(self, start: Frame) -> None:
        self._pending.append((b"", start))
        while self._pending:
            prefix, frame = self._pending.pop()
            self._found.directories.append(prefix)
            entries = self._listed(prefix)
            names = [entry.name for entry in entries]
            if prefix:
                frame = frame.enter(prefix)
            self._children(prefix, self._selection.enter(frame, prefix, names), names, entries)

    def _listed(self, prefix: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(self._root + prefix) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._found.unreadable.append((prefix or b".", f"cannot be listed: {error.strerror}"))
            return []

    def _children(
        self, prefix: bytes, frame: Frame, names: Sequence[bytes], entries: Sequence[os.DirEntry[bytes]]
    ) -> None:
        # The inner loop of every check before a cell: look-ups are bound to locals, and a file that did not change
        # costs two of them and one comparison besides its `lstat`.
        known, hit, pack = self._known, self._found.hits.append, STATUS.pack
        maybe, suffixes, glob = frame.names, frame.suffixes, frame.glob
        sure, sure_suffixes, sure_directories = frame.sure_names, frame.sure_suffixes, frame.sure_directories
        probes = [name.lower() for name in names] if frame.fold else names
        for probe, name, entry in zip(probes, names, entries, strict=True):
            if probe in maybe or probe.endswith(suffixes) or (glob is not None and glob(name)):
                if probe in sure or probe.endswith(sure_suffixes):
                    continue
                is_dir = entry.is_dir(follow_symlinks=False)
                if (is_dir and probe in sure_directories) or frame.excludes(name, prefix, is_dir):
                    continue
            path = prefix + name
            try:
                status = entry.stat(follow_symlinks=False)
                before = known(path)
                if before is not None and before == pack(
                    status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode
                ):
                    hit(path)
                    if status.st_nlink != 1:
                        self._found.shared.append(path)
                    continue
            except OSError as error:
                self._refused(path, error)
                continue
            except struct.error:
                pass  # a time outside of 64 bits: such a file is read each time
            self._other(path, status, frame)

    def _other(self, path: bytes, status: os.stat_result, frame: Frame) -> None:
        """Takes note of what is not a known, unchanged file."""
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            self._pending.append((path + b"/", frame))
        elif kind == stat.S_IFREG:
            self._found.misses.append((path, status_of(status), status.st_size, status.st_mode))
            if status.st_nlink != 1:
                self._found.shared.append(path)
        elif kind == stat.S_IFLNK:
            self._found.links.append((path, status_of(status), status.st_size, status.st_mode))
        else:
            name = _TYPES.get(kind, "Special")
            message = f"{name} file skipped: {os.fsdecode(path)} (only files and links can be synced)"
            self._found.skipped.append(Finding(Kind.SPECIAL, path, message))

    def _refused(self, path: bytes, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            self._found.unreadable.append((path, error.strerror or str(error)))


_TYPES = {
    stat.S_IFSOCK: "Socket",
    stat.S_IFIFO: "Pipe",
    stat.S_IFCHR: "Device",
    stat.S_IFBLK: "Device",
}


def _ignored_source(verdict: Verdict, path: bytes) -> Finding:
    rule = f"line {verdict.rule.line} of {os.fsdecode(verdict.placed.origin)}"
    message = (
        f"Nothing is selected: the source itself is ignored, because {rule} leaves out {os.fsdecode(path)}. "
        "Change the rule, or set use_gitignore = false."
    )
    return Finding(Kind.IGNORED_SOURCE, b"", message)
