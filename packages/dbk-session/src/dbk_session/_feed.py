"""A run's records on their way to the command's handle, from several readers at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from dbk_session._events import Failure, Notice
from dbk_session._interrupt import as_interrupt
from dbk_session._ledger import Ledger
from dbk_session._records import event_of
from dbk_session._track import Track
from dbk_session.errors import ProtocolError

__all__ = ["Feed"]


class Feed:
    """Takes what readers find of one run, and emits what is new. May be used from any thread.

    Args:
        track: whose run it is.
        key: proves that a record is the agent's own.
    """

    def __init__(self, track: Track, key: bytes) -> None:
        self.track = track
        self._ledger = Ledger(track.run_id, key)
        self._lock = threading.Lock()
        self._broken = False

    @property
    def offset(self) -> int:
        """Where to read on, in bytes."""
        return self._ledger.offset

    @property
    def start(self) -> Mapping[str, Any]:
        """The run's `start` record, empty while it has not come."""
        return self._ledger.start or {}

    @property
    def done(self) -> Mapping[str, Any] | None:
        """The run's `done` record, None while it has not come."""
        return self._ledger.done

    def take(self, offset: int, data: bytes) -> None:
        """Emits the events that `data`, found `offset` bytes into the run, adds to what is known."""
        with self._lock:
            if self._broken:
                return
            try:
                records = self._ledger.feed(offset, data)
            except ProtocolError as error:
                self._broken = True
                self.track.emit(Notice(str(error)))
                return
            for record in records:
                event = event_of(record)
                if isinstance(event, Failure) and self.track.cancelled.is_set():
                    event = as_interrupt(event)
                if event is not None:
                    self.track.emit(event)
        if self._ledger.done is not None:
            self.track.look.set()

    def agrees(self, frame: Mapping[str, Any]) -> bool:
        """True when all records up to `done` are here, byte for byte as the driver wrote them."""
        with self._lock:
            return self._ledger.agrees(int(frame.get("length", -1)), str(frame.get("sha256", "")))
