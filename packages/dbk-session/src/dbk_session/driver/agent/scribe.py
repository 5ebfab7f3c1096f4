"""One thread that numbers, signs and stores the records of all runs.

An interrupt is raised in the main thread only, between any two of its instructions. So the main thread never numbers or
writes a record itself: it hands over (`SimpleQueue.put` cannot be torn by an exception), and this thread does the rest.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .journal import Journal
from .runs import Run

COALESCE_S = 0.05
# Long enough for a short cell to say all that it says in one piece, too short to be felt.
_FIRST_S = 0.02
_STEP_S = 0.005
STREAM_CHARS = 64 * 1024
# Text that was handed over and not yet written. More than this and the writer of it has to wait.
BACKLOG_CHARS = 8 * 1024 * 1024


class _Item(NamedTuple):
    run: Run
    kind: str
    content: dict[str, Any]
    time: float


class _Flush(NamedTuple):
    done: queue.SimpleQueue[None]


class Scribe:
    """Takes records from any thread, in order; streams are joined for 50 ms or 64 Ki characters."""

    def __init__(self, journal: Journal, report: Callable[[str], None], redact: Callable[[Any], Any]) -> None:
        self.journal = journal
        self._redact = redact
        self._report = report
        self._queue: queue.SimpleQueue[_Item | _Flush] = queue.SimpleQueue()
        self._urgent: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._given_chars = 0
        self._written_chars = 0
        self._last_write_s = 0.0
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._work, name="dbk-scribe", daemon=True)
        self._thread.start()

    def put(self, run: Run, kind: str, **content: Any) -> None:
        """Hand over one record."""
        self._queue.put(_Item(run, kind, content, time.time()))

    def stream(self, run: Run, name: str, text: str) -> None:
        """Hand over a piece of stdout or stderr; waits when the disk cannot keep up."""
        self._given_chars += len(text)
        self._queue.put(_Item(run, "stream", {"name": name, "text": text}, time.time()))
        if self._given_chars - self._written_chars > BACKLOG_CHARS:
            self.flush()

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until everything that was handed over so far is stored."""
        if os.getpid() != self._pid or threading.current_thread() is self._thread:
            return
        done: queue.SimpleQueue[None] = queue.SimpleQueue()
        # In this order: a word to hurry that is still there when its flush is done would cut the next output.
        self._urgent.put(None)
        self._queue.put(_Flush(done))
        try:
            done.get(timeout=timeout_s)
        except queue.Empty:
            return

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, _Item):
                self._gather()
            batch = [item, *self._waiting()]
            self._await_newline(batch)
            try:
                self._write([each for each in batch if isinstance(each, _Item)])
            except Exception as error:  # the thread must live: without it every later cell would wait
                self._report(f"records were lost: {error!r}")
            self._last_write_s = time.monotonic()
            flushes = [each for each in batch if isinstance(each, _Flush)]
            if flushes:
                self._calm_down()
            for flush in flushes:
                flush.done.put(None)

    def _gather(self) -> None:
        """Leave time for more; after a pause only a little."""
        rest_s = max(_FIRST_S, self._last_write_s + COALESCE_S - time.monotonic())
        try:
            self._urgent.get(timeout=rest_s)
        except queue.Empty:
            return

    def _await_newline(self, batch: list[_Item | _Flush]) -> None:
        """Adds to a batch that ends within a line what comes soon: on a busy driver `print` is slow with the rest."""
        for _ in range(round(COALESCE_S / _STEP_S)):
            last = batch[-1]
            if not isinstance(last, _Item) or last.kind != "stream" or last.content["text"].endswith("\n"):
                return
            with contextlib.suppress(queue.Empty):
                self._urgent.get(timeout=_STEP_S)
            batch += self._waiting()

    def _calm_down(self) -> None:
        while not self._urgent.empty():
            self._urgent.get()

    def _waiting(self) -> Iterator[_Item | _Flush]:
        while True:
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return

    def _write(self, items: list[_Item]) -> None:
        for item in _joined(items):
            self.journal.add(item.run, item.kind, self._redact(item.content), item.time)
        self.journal.store()
        self._written_chars += sum(len(item.content["text"]) for item in items if item.kind == "stream")


def _joined(items: list[_Item]) -> Iterator[_Item]:
    """The same records with neighbouring pieces of one stream made one, and no piece over 64 Ki characters."""
    start = 0
    while start < len(items):
        first = items[start]
        end = start + 1
        if first.kind != "stream":
            yield first
            start = end
            continue
        name = first.content["name"]
        while end < len(items) and _continues(items[end], first):
            end += 1
        text = "".join(item.content["text"] for item in items[start:end])
        for at in range(0, len(text), STREAM_CHARS):
            yield _Item(first.run, "stream", {"name": name, "text": text[at : at + STREAM_CHARS]}, first.time)
        start = end


def _continues(item: _Item, first: _Item) -> bool:
    return item.run is first.run and item.kind == "stream" and bool(item.content["name"] == first.content["name"])
