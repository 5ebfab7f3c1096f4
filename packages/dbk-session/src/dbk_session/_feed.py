"""A run's records on their way to the command's handle, from several readers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbk_session._events import Failure, Notice, Skipped, Truncated
from dbk_session._interrupt import as_interrupt
from dbk_session._ledger import Ledger
from dbk_session._records import event_of
from dbk_session._track import Track
from dbk_session.driver import wire
from dbk_session.errors import ProtocolError

__all__ = ["Feed"]

# What is read of the outputs of a command that was interrupted: a few thousand lines, and a few answers.
_TAIL_BYTES = 256 * 1024


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
        self._limit_told = False
        self._skipped_bytes = 0

    @property
    def offset(self) -> int:
        """Where to read on, in bytes."""
        return self._ledger.offset

    @property
    def question(self) -> dict[str, Any]:
        """What to ask the driver for next: all, or, once the command was interrupted, the end of a long output."""
        if self.track.cancelled.is_set():
            return {"run": self.track.run_id, "offset": self._ledger.boundary, "tail_bytes": _TAIL_BYTES}
        return {"run": self.track.run_id, "offset": self.offset}

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
        self._emit(lambda: self._ledger.feed(offset, data))

    def take_answer(self, answer: Mapping[str, Any]) -> bool:
        """Emits what is new in the answer to a `question`; False when nothing is."""
        before = self.offset
        if answer.get("limit_bytes"):
            self._tell_limit(int(answer["limit_bytes"]))
        cut: dict[str, Any] | None = answer.get("cut")
        if cut:
            self._skip(int(cut["to"]), wire.unpack_piece(cut), int(cut["bytes"]))
        self.take(int(answer["offset"]), wire.unpack_piece(dict(answer)))
        return self.offset > before

    def _skip(self, offset: int, kept: bytes, skipped_bytes: int) -> None:
        if offset > self.offset:
            self._emit(lambda: self._ledger.skip(offset, kept))
            with self._lock:
                self._skipped_bytes += skipped_bytes
                if self.done is not None:
                    self._tell_skipped()

    def _emit(self, read: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        with self._lock:
            if self._broken:
                return
            try:
                records = list(read())
            except ProtocolError as error:
                self._broken = True
                self.track.emit(Notice(str(error)))
                return
            if records:
                self._tell_skipped()
            for record in records:
                self._emit_one(record)
        if self._ledger.done is not None:
            self.track.look.set()

    def _emit_one(self, record: Mapping[str, Any]) -> None:
        event = event_of(record)
        if isinstance(event, Failure) and self.track.cancelled.is_set():
            event = as_interrupt(event)
        if isinstance(event, Truncated):
            if self._limit_told:
                return
            self._limit_told = True
        if event is not None:
            self.track.emit(event)

    def _tell_limit(self, limit_bytes: int) -> None:
        """The driver records no more output; what it has may take a while to be read."""
        with self._lock:
            if not self._limit_told:
                self._limit_told = True
                self.track.emit(Truncated(self.track.run_id, limit_bytes))

    def _tell_skipped(self) -> None:
        skipped, self._skipped_bytes = self._skipped_bytes, 0
        if skipped:
            self.track.emit(Skipped(self.track.run_id, skipped))

    def agrees(self, frame: Mapping[str, Any]) -> bool:
        """True when all records up to `done` are here, byte for byte as the driver wrote them."""
        with self._lock:
            return self._ledger.agrees(int(frame.get("length", -1)), str(frame.get("sha256", "")))
