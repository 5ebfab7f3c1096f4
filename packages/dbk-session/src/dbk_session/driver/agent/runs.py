"""The runs of this interpreter: which ids were started, which one is now, and whose output a thread's output is."""

from __future__ import annotations

import contextvars
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REMEMBERED_IDS = 10_000
_THREAD_ATTRIBUTE = "_dbk_run"


class Run:
    """One execution of a cell, and where its records stand.

    The fields below the line belong to the scribe's thread: nobody else changes them.
    """

    def __init__(self, run_id: str, trailer: dict[str, Any]) -> None:
        self.id = run_id
        self.trailer = trailer
        self.count = 0
        self.state = "armed"  # then "running", then "done"
        self.status = ""
        # Any error, also one that a formatter or a callback reported while the cell went on.
        self.error: dict[str, Any] | None = None
        # An error came while a result was formatted: the cell's own code was through, yet the cell has failed.
        self.failed_display = False
        # Set when the code must not run: an attachment failed, or a cancel came before the first statement.
        self.blocked = False
        # -------
        self.last = 0
        self.length = 0
        self.done_last = 0
        self.done_length = -1
        self.done_sha256 = ""
        self.reported_length = 0

    @property
    def silent(self) -> bool:
        """Nothing is displayed as a result, nothing is kept in the history."""
        return bool(self.trailer.get("silent"))

    @property
    def keeps_history(self) -> bool:
        """The cell gets a number and a place in `In` and `Out`."""
        return not self.silent and bool(self.trailer.get("store_history", True))

    def fail(self, error: dict[str, Any], *, in_display: bool = False) -> None:
        """Remember an error; a later one counts more."""
        self.error = error
        self.failed_display = self.failed_display or in_display

    def describe(self) -> dict[str, Any]:
        """State, lengths and digest as the operations `runs` and `has` report them."""
        done = self.done_length >= 0
        return {
            "state": self.state,
            "status": self.status,
            "count": self.count,
            "last": self.done_last if done else self.last,
            "length": self.done_length if done else self.length,
            "sha256": self.done_sha256,
            "size": self.length,
        }


class Runs:
    """Remembers run ids, and answers whose output the caller's output is."""

    def __init__(self) -> None:
        self._started: OrderedDict[str, Run | None] = OrderedDict()
        self._context: contextvars.ContextVar[Run | None] = contextvars.ContextVar("dbk_run", default=None)
        self.active: Run | None = None
        self.latest: Run | None = None
        # What an operation of the client prints (a property with a `print` in it, say) belongs to no cell.
        self.nowhere = Run("nowhere", {})

    def start(self, run: Run) -> None:
        """Make `run` the running one."""
        self.register(run)
        self.active = self.latest = run
        self._context.set(run)

    def register(self, run: Run) -> None:
        """From here on the run's id is never accepted again."""
        self._started[run.id] = run
        while len(self._started) > REMEMBERED_IDS:
            self._started.popitem(last=False)
        run.state = "running"

    def finish(self, run: Run, status: str) -> None:
        """Nothing runs any more; output that still comes from its threads stays its own."""
        run.state, run.status = "done", status
        self.active = None
        self._context.set(None)

    def was_started(self, run_id: str) -> bool:
        """Whether this interpreter has begun the run, however long ago."""
        return run_id in self._started

    def get(self, run_id: str) -> Run | None:
        """The run, or None when it was never started or is no longer kept."""
        return self._started.get(run_id)

    def kept(self) -> list[Run]:
        """All runs whose records are still kept, oldest first."""
        return [run for run in self._started.values() if run is not None]

    def forget(self, run: Run) -> None:
        """Drop the run's records but not its id."""
        self._started[run.id] = None

    def inherit(self, other: Runs) -> None:
        """Take over the ids of the agent that this one replaces."""
        self._started.update(dict.fromkeys(other._started))

    @contextmanager
    def attributed(self, run: Run) -> Iterator[None]:
        """Within the block the caller's output is `run`'s."""
        token = self._context.set(run)
        try:
            yield
        finally:
            self._context.reset(token)

    def current(self) -> Run | None:
        """The run that the caller's output belongs to.

        A thread belongs to the run that started it, an asyncio task to the run that made it; a thread that nobody is
        known to have started belongs to the latest run, as in ipykernel. The main thread between two cells belongs to
        the host: its output must go the host's own way.
        """
        run = self._context.get()
        if run is not None:
            return run
        thread = threading.current_thread()
        if thread is threading.main_thread():
            return self.active
        return thread.__dict__.get(_THREAD_ATTRIBUTE) or self.latest

    def owner_in(self, context: contextvars.Context) -> Run | None:
        """The run in whose course something was made that keeps the context of its making."""
        return context.get(self._context)

    def adopt(self, thread: threading.Thread) -> None:
        """Mark a thread that is about to start as the current run's."""
        run = self.current()
        if run is not None:
            thread.__dict__[_THREAD_ATTRIBUTE] = run

    def live_threads(self, run: Run) -> int:
        """How many threads that the run started are still alive."""
        # IPython starts its history thread when it files an input; that one prints nothing.
        theirs = [each for each in threading.enumerate() if not type(each).__module__.startswith("IPython.")]
        return sum(thread.__dict__.get(_THREAD_ATTRIBUTE) is run for thread in theirs)
