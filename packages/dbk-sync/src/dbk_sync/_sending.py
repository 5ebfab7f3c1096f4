"""Many files to a store, or away from it: several at a time, until the first failure."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Final

from dbk_sync._bodies import Bytes, Spooled
from dbk_sync._content import ContentReader
from dbk_sync._entry import Entry
from dbk_sync._remote import Report, Root
from dbk_sync._remote_names import directories_of, is_directory, path_of
from dbk_sync.driver._names import all_parents
from dbk_sync.errors import AccessError, ChangedWhileReadingError, RequestError, TransientError

_MEMORY_BYTES: Final = 8 << 20


class Sending:
    """Sends and removes files, several at a time, and stops at the first failure."""

    def __init__(self, root: Root, reader: ContentReader | None, report: Report) -> None:
        self._root = root
        self._reader = reader
        self._report = report
        self._workers = root.store.concurrency
        self._more: list[Callable[[], Any]] = []

    def also(self, work: Callable[[], Any]) -> None:
        """Something to do beside the sending."""
        self._more.append(work)

    def remove(self, names: set[bytes], kept: Iterable[bytes], doubted: Collection[bytes] = ()) -> None:
        """Removes files, then directories that are left without any of the files `kept`.

        All are names as `_remote_names` makes them. What lies at those that are `doubted` may be of another kind, which
        goes with its own name.
        """
        files = {path_of(name): name in doubted for name in sorted(names) if not is_directory(name)}
        together([partial(self._remove, path, doubt) for path, doubt in files.items()], self._workers)
        full = {folder for name in kept for folder in directories_of(name)}
        empty = {folder for name in names for folder in directories_of(name)} - full
        for path in sorted(empty, reverse=True):
            # Deepest first, since a directory sorts before what is in it. Others may have files there.
            self._root.store.remove_dir(self._root.at(os.fsdecode(path)))

    def send(self, entries: Sequence[Entry], present: Iterable[bytes]) -> None:
        """Sends files, new directories first; those of the files `present` exist already."""
        if not self._root.store.makes_dirs and len(entries) > 1:
            known = {folder for name in present for folder in directories_of(name)}
            folders = {os.path.dirname(entry.path) for entry in entries if entry.mode != "dir"} - known - {b""}
            leaves = folders - all_parents(folders)
            make = self._root.store.make_dir
            together([partial(make, self._root.at(os.fsdecode(one))) for one in sorted(leaves)], self._workers)
        together([*self._more, *(partial(self._put, entry) for entry in entries)], self._workers)

    def _remove(self, path: bytes, doubted: bool) -> None:
        try:
            self._root.store.delete(self._root.at(os.fsdecode(path)))
        except (AccessError, TransientError):
            raise
        except RequestError:
            if not doubted:
                raise  # else it is a directory by now, which goes by its own name, or stays with what is in it
        self._report.did("delete", path)

    def _put(self, entry: Entry) -> None:
        assert self._reader is not None
        path = self._root.at(os.fsdecode(entry.path))
        if entry.mode == "dir":
            self._root.store.make_dir(path)
        elif entry.size_bytes <= _MEMORY_BYTES:
            content = b"".join(self._reader(entry))
            _check_same(entry, hashlib.sha256(content).digest())
            self._root.store.put(path, Bytes(content))
        else:
            with Spooled(self._reader(entry)) as spooled:
                _check_same(entry, bytes.fromhex(spooled.sha256))
                self._root.store.put(path, spooled)
        self._report.did("put", entry.name)


def _check_same(entry: Entry, sha256: bytes) -> None:
    if sha256 != entry.sha256:
        raise ChangedWhileReadingError(
            f"{os.fsdecode(entry.path)} changed while it was being sent.",
            "Push again: what has been sent so far is known, or exclude it if it never holds still.",
            files=((entry.path, "changed after the scan"),),
        )


def together(jobs: Sequence[Callable[[], Any]], workers: int) -> None:
    """Does the jobs, several at a time; a failure, or an interrupt, keeps those that have not begun from beginning."""
    if len(jobs) <= 1:
        for job in jobs:
            job()
        return
    with ThreadPoolExecutor(min(workers, len(jobs))) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
        for future in done:
            future.result()
