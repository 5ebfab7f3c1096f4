"""Reads what a walk found, and collects what cannot be read or sent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator

from dbk_sync._cache import CHANGED, RACY_WINDOW_NS, Fresh, kept_status, new_fresh
from dbk_sync._content import ChangingError, read_content
from dbk_sync._entry import Entry, mode_of, new_entry
from dbk_sync._findings import Finding, Kind
from dbk_sync._links import link_finding, link_problem
from dbk_sync._scan_options import LinkPolicy
from dbk_sync._secrets import secret_flags
from dbk_sync._walk import Found, Problem
from dbk_sync.errors import ChangedWhileReadingError, LinkError, UnreadableFilesError


class Reading:
    """One reading of the source, which began at `started_ns`; `unreadable` is what could not even be found."""

    def __init__(self, source: bytes, started_ns: int, unreadable: list[Problem]) -> None:
        self._source = source
        self._safe_ns = started_ns - RACY_WINDOW_NS
        self._unreadable = unreadable
        self._changing: list[Problem] = []

    def files(self, misses: Iterable[Found]) -> Iterator[Fresh]:
        root = self._source + b"/"
        for path, found, found_bytes, found_mode in misses:
            try:
                sha256, head, status, size_bytes, st_mode = read_content(root + path, found, found_bytes, found_mode)
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted meanwhile: as if it had not been found
            except ChangingError:
                self._changing.append((path, "no regular file any more when it was read"))
                continue
            except OSError as error:
                self._unreadable.append((path, error.strerror or str(error)))
                continue
            entry = new_entry((path, mode_of(st_mode), size_bytes, sha256))
            yield new_fresh((entry, kept_status(status, self._safe_ns), secret_flags(path, head)))

    def links(self, found: Iterable[Found], policy: LinkPolicy) -> tuple[list[Fresh], list[Finding]]:
        read: list[Fresh] = []
        refused: list[Finding] = []
        for path, *_ in found:
            try:
                target = os.readlink(os.path.join(self._source, path))
            except OSError:
                continue  # deleted or replaced meanwhile
            problem = "links are skipped" if policy == "skip" else link_problem(self._source, path, target)
            if problem is None:
                entry = Entry(path, "link", len(target), hashlib.sha256(target).digest())
                read.append(Fresh(entry, CHANGED, 0))
            else:
                refused.append(link_finding(path, problem))
        if refused and policy == "error":
            raise _links_error(refused)
        return read, refused

    def unread(self) -> list[Finding]:
        """Takes what cannot be read for skipped."""
        unreadable, self._unreadable = self._unreadable, []
        return [
            Finding(Kind.UNREADABLE, path, f"{os.fsdecode(path)} is skipped, since it cannot be read: {reason}")
            for path, reason in unreadable
        ]

    def check(self) -> None:
        refuse_unreadable(self._unreadable)
        if self._changing:
            raise ChangedWhileReadingError(
                f"Files that changed into something else while they were read:\n{listed(self._changing)}",
                "Sync again when they are at rest, or exclude them.",
                files=tuple(self._changing),
            )


def refuse_unreadable(unreadable: list[Problem]) -> None:
    """Raises `UnreadableFilesError` naming all, if there are any."""
    if unreadable:
        files = tuple(sorted(unreadable))
        raise UnreadableFilesError(
            f"Files that cannot be read:\n{listed(files)}",
            "Make them readable, or exclude them.",
            files=files,
        )


def _links_error(refused: list[Finding]) -> LinkError:
    files = tuple((finding.path, finding.message) for finding in sorted(refused, key=by_path))
    listed = "\n".join(f"  {message}" for _, message in files)
    return LinkError(f"Links that cannot be sent:\n{listed}", 'Exclude them, or set links = "skip".', files=files)


def listed(files: Iterable[Problem]) -> str:
    """One line for each."""
    return "\n".join(f"  {os.fsdecode(path)}: {reason}" for path, reason in files)


def by_path(finding: Finding) -> bytes:
    """The sort key of remarks."""
    return finding.path
