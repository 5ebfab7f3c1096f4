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

    @property
    def offset(self) -> int:
        """How many bytes have been taken in: where to read on."""
        return self._read_bytes + len(self._pending)

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
        try:
            records, used = wire.read_records(bytes(self._pending), self._key)
        except wire.Forged as error:
            raise ProtocolError("Output of the command was changed on its way and is not shown.") from error
        self._take(records, used)
        return list(records)

    def agrees(self, length: int, sha256: str) -> bool:
        """True when the run is complete up to `done` and is what the driver says it wrote."""
        return self.done is not None and self._done_bytes == length and self._done_sha256 == sha256

    def _take(self, records: list[dict[str, Any]], used: int) -> None:
        lines = bytes(self._pending[:used]).splitlines(keepends=True)
        for line, record in zip(lines, records, strict=True):
            self._last += 1
            if record.get("n") != self._last or record.get("run") != self.run_id:
                raise ProtocolError(f"Record {self._last} of run {self.run_id} is missing.")
            if self.done is None:
                self._digest.update(line)
            if record["t"] == "start":
                self.start = record
            self._read_bytes += len(line)
            if record["t"] == "done":
                self.done = record
                self._done_bytes = self._read_bytes
                self._done_sha256 = self._digest.hexdigest()
        del self._pending[:used]
