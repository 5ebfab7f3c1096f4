"""What is stored of each run: numbered, signed lines in a file, or in memory when there is no disk.

Used by the scribe's thread alone, except for `opened` and `inline`, which only look.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .runs import Run, Runs
from .spool import Spool

OUTPUTS = wire.OUTPUTS
INLINE_BYTES = 512 * 1024
MEMORY_BYTES = 64 * 1024 * 1024
KEEP_RUNS = 50
KEEP_BYTES = 512 * 1024 * 1024
_OPEN_FILES = 8


class _Store:
    """The lines of one run."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.output_bytes = 0
        self.truncated = False
        self.digest = hashlib.sha256()
        # The start of the run, kept for the frame; None once the run is too long for one.
        self.start: list[bytes] | None = []
        self.pending: list[bytes] = []
        self.memory: list[bytes] | None = None
        self.descriptor = -1


class Journal:
    """The records of all runs."""

    def __init__(self, runs: Runs, key: bytes, spool: Spool | None, report: Callable[[str], None]) -> None:
        self._runs = runs
        self._key = key
        self._report = report
        self._stores: dict[Run, _Store] = {}
        self.spool = spool
        self.budget_bytes = 100_000_000

    def add(self, run: Run, kind: str, content: dict[str, Any], time_s: float) -> None:
        """Number one record and make its line; `store` writes it."""
        if run is self._runs.nowhere:
            return
        run, store = self._store_of(run)
        if (kind in OUTPUTS and store.truncated) or (kind == "done" and run.done_length >= 0):
            return
        if kind == "done":
            content = {**content, "events": run.last}
        line = self._line(run, kind, content, time_s)
        if kind in OUTPUTS and store.output_bytes + len(line) > store.budget_bytes:
            store.truncated = True
            kind = "truncated"
            line = self._line(run, kind, {"limit_bytes": store.budget_bytes}, time_s)
            self._tell_limit(run, store.budget_bytes)
        if kind in OUTPUTS:
            store.output_bytes += len(line)
        self._keep(run, store, line)
        if kind == "done":
            run.done_last, run.done_length, run.done_sha256 = run.last, run.length, store.digest.hexdigest()
            run.reported_length = run.length

    def store(self) -> None:
        """Write what was added, one call for each run."""
        for run, store in list(self._stores.items()):
            if store.pending:
                data = b"".join(store.pending)
                store.pending.clear()
                self._append(run, store, data)
        self._rotate()

    def inline(self, run: Run) -> str | None:
        """All lines of a run up to its `done`, or None when they are too many for a frame."""
        store = self._stores.get(run)
        if store is None or store.start is None or run.done_length < 0:
            return None
        return b"".join(store.start)[: run.done_length].decode("ascii")

    def opened(self, run: Run) -> BinaryIO:
        """The stored bytes of a run."""
        store = self._stores.get(run)
        if store is not None and store.memory is not None:
            return io.BytesIO(b"".join(store.memory))
        return io.BytesIO() if self.spool is None else open(self.spool.run_path(run.id), "rb")

    def _tell_limit(self, run: Run, limit_bytes: int) -> None:
        """Says beside the records that they end here: who reads them may be far behind."""
        if self.spool is not None:
            with contextlib.suppress(OSError):
                self.spool.write(self.spool.limit_name(run.id), str(limit_bytes).encode())

    def _store_of(self, run: Run) -> tuple[Run, _Store]:
        """Where the run's records go; output of a run that was dropped meanwhile goes to the latest."""
        store = self._stores.get(run)
        if store is None and run.last > 0 and self._runs.latest in self._stores:
            run = self._runs.latest
            store = self._stores[run]
        if store is None:
            budget = run.trailer.get("budget_bytes")
            store = self._stores[run] = _Store(self.budget_bytes if budget is None else int(budget))
        return run, store

    def _line(self, run: Run, kind: str, content: dict[str, Any], time_s: float) -> bytes:
        record = {"n": run.last + 1, "run": run.id, "t": kind, "time": round(time_s, 4), **content}
        return wire.record_line(record, self._key)

    def _keep(self, run: Run, store: _Store, line: bytes) -> None:
        run.last += 1
        run.length += len(line)
        store.digest.update(line)
        store.pending.append(line)
        if store.start is not None:
            store.start.append(line)
            if run.length > INLINE_BYTES:
                store.start = None

    def _append(self, run: Run, store: _Store, data: bytes) -> None:
        if store.memory is None:
            written = 0
            try:
                descriptor = self._open(run, store)
                while written < len(data):
                    written += os.write(descriptor, data[written:])
                return
            except OSError as error:
                self._leave_disk(run, store, written + run.length - len(data), error)
                data = data[written:]
        assert store.memory is not None
        store.memory.append(data)

    def _open(self, run: Run, store: _Store) -> int:
        if store.descriptor < 0:
            if self.spool is None:
                raise OSError("there is no folder for records")
            self._close_oldest()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            store.descriptor = os.open(self.spool.run_path(run.id), flags, 0o600)
        return store.descriptor

    def _close_oldest(self) -> None:
        opened = [store for store in self._stores.values() if store.descriptor >= 0]
        for store in opened[: max(0, len(opened) - _OPEN_FILES)]:
            os.close(store.descriptor)
            store.descriptor = -1

    def _leave_disk(self, run: Run, store: _Store, stored_bytes: int, error: OSError) -> None:
        """Go on in memory, with what the file has so far, so that one place has it all."""
        store.memory = []
        store.budget_bytes = min(store.budget_bytes, store.output_bytes + MEMORY_BYTES)
        if self.spool is not None:
            with contextlib.suppress(OSError), open(self.spool.run_path(run.id), "rb") as file:
                store.memory.append(file.read(stored_bytes))
            self._report(f"the driver's disk took no more records ({error}): they are kept in memory")

    def _rotate(self) -> None:
        """Drop the oldest finished runs beyond what is kept."""
        total = sum(run.length for run in self._stores)
        if len(self._stores) <= KEEP_RUNS and total <= KEEP_BYTES:
            return
        finished = [run for run in self._stores if run.state == "done" and run is not self._runs.latest]
        while finished and (len(self._stores) > KEEP_RUNS or total > KEEP_BYTES):
            run = finished.pop(0)
            total -= run.length
            self._drop(run)

    def _drop(self, run: Run) -> None:
        store = self._stores.pop(run)
        if store.descriptor >= 0:
            os.close(store.descriptor)
        if self.spool is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.spool.run_path(run.id))
            with contextlib.suppress(OSError):
                os.unlink(self.spool.path(self.spool.limit_name(run.id)))
        self._runs.forget(run)

    def close(self) -> None:
        """Close all files."""
        for store in self._stores.values():
            if store.descriptor >= 0:
                os.close(store.descriptor)
                store.descriptor = -1
