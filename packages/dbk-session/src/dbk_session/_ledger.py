"""One run's records, whatever way and in whatever portions they come: each is let through once, in order.

The driver keeps a run's records as one growing sequence of bytes. The spool, the frame of the command's own result and
later reads all give parts of it, which may overlap. The ledger takes what continues it and knows when it is complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from dbk_session.driver import wire
from dbk_session.errors import ProtocolError

__all__ = ["Ledger"]


class Ledger:
    """What is known of one run's records. Not for several threads at once.

    Attributes:
        run_id: the run.
        done: its `done` record, None while it has not come.
        start: its `start` record, None while it has not come.
    """

    def __init__(self, run_id: str, key: bytes) -> None:
        self.run_id = run_id
        self.done: Mapping[str, Any] | None = None
        self.start: Mapping[str, Any] | None = None
        self._key = key
        self._pending = bytearray()
        self._read_bytes = 0
        self._digest = hashlib.sha256()
        self._last = 0
        self._done_bytes = 0
        self._done_sha256 = ""
        self._has_gaps = self._may_jump = False

    @property
    def offset(self) -> int:
        """How many bytes have been taken in: where to read on."""
        return self._read_bytes + len(self._pending)

    @property
    def boundary(self) -> int:
        """Where the first record begins that is not known as a whole, in bytes."""
        return self._read_bytes

    def skip(self, offset: int, kept: bytes) -> list[Mapping[str, Any]]:
        """Goes on `offset` bytes into the run; of what was left out before, `kept` are the records to be known.

        Raises:
            ProtocolError: see `feed`.
        """
        if offset <= self.offset:
            return []
        records = [record for record in self._records_of(kept)[0] if record["n"] > self._last]
        self._pending.clear()
        self._has_gaps = True
        for record in records:
            self._may_jump = True
            self._note(record)
        self._may_jump = True
        self._read_bytes = offset
        return list(records)

    def feed(self, offset: int, data: bytes) -> list[Mapping[str, Any]]:
        """Takes `data`, which begins `offset` bytes into the run, and gives the records that it completes.

        A part beyond the end of what is known is not taken: `offset` stays, and it has to be read again.

        Raises:
            ProtocolError: the bytes were not written by the session's own agent, or a record is missing.
        """
        known = self.offset - offset
        if known < 0 or known >= len(data):
            return []
        self._pending += data[known:]
        records, used = self._records_of(bytes(self._pending))
        self._take(records, used)
        return list(records)

    def agrees(self, length: int, sha256: str) -> bool:
        """True when the run is complete up to `done` and is what the driver says it wrote, but for what was skipped."""
        whole = self._done_bytes == length and self._done_sha256 == sha256
        return self.done is not None and (whole or self._has_gaps)

    def _records_of(self, data: bytes) -> tuple[list[dict[str, Any]], int]:
        try:
            return wire.read_records(data, self._key)
        except wire.Forged as error:
            raise ProtocolError("Output of the command was changed on its way and is not shown.") from error

    def _take(self, records: list[dict[str, Any]], used: int) -> None:
        lines = bytes(self._pending[:used]).splitlines(keepends=True)
        for line, record in zip(lines, records, strict=True):
            if self.done is None:
                self._digest.update(line)
            self._read_bytes += len(line)
            self._note(record)
        del self._pending[:used]

    def _note(self, record: dict[str, Any]) -> None:
        number = int(record.get("n") or 0)
        follows = number > self._last if self._may_jump else number == self._last + 1
        if not follows or record.get("run") != self.run_id:
            raise ProtocolError(f"Record {self._last + 1} of run {self.run_id} is missing.")
        self._last, self._may_jump = number, False
        if record["t"] == "start":
            self.start = record
        elif record["t"] == "done":
            self.done = record
            self._done_bytes = self._read_bytes
            self._done_sha256 = self._digest.hexdigest()
