"""What a session knows of one command, shared by the threads that work on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbk_session._bus import Bus
from dbk_session._events import Event, Failure, Finished, InputRequest, RunEvent, Started
from dbk_session._results import CommandResult, result_of
from dbk_session._states import COMMAND, COMMAND_START, COMMAND_UNSENT, Machine
from dbk_session.errors import ProtocolError

__all__ = ["Attachments", "Order", "Track"]

Attachments = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""Name to JSON value; or a function that gives them, called at the moment the command is sent."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, and how; see `Session.start`."""

    code: str
    run_id: str
    silent: bool = False
    store_history: bool = True
    allow_stdin: bool = False
    expressions: Mapping[str, str] = field(default_factory=dict)
    attachments: Attachments = field(default_factory=dict)
    execution_count: int | None = None
    language: str = "python"


class Track:
    """One command: its order, its state, and all its events so far. May be used from any thread.

    Attributes:
        order: what is to be run.
        over: set once it has its `Finished`.
        cancelled: set once somebody wants it stopped.
        look: set by whoever knows that its status is worth a look now.
    """

    def __init__(self, order: Order, bus: Bus) -> None:
        self.order = order
        self.over = threading.Event()
        self.cancelled = threading.Event()
        self.look = threading.Event()
        self._bus = bus
        self._machine = Machine(COMMAND, COMMAND_START)
        self._changed = threading.Condition(threading.RLock())
        self._events: list[Event] = []
        self._error: Exception | None = None
        self._asked: InputRequest | None = None
        self._started = False

    @property
    def run_id(self) -> str:
        """The id under which session, driver and events know it."""
        return self.order.run_id

    @property
    def state(self) -> str:
        """Where it is in the table `COMMAND`."""
        return self._machine.state

    def on(self, happening: str) -> None:
        """Moves through the table.

        What happens to a command after its end is of no interest any more: a cancel may end it while a request is
        under way.

        Raises:
            ProtocolError: the table has no such move, and the command is not over.
        """
        with self._changed:
            if not self._machine.try_on(happening) and not self.over.is_set():
                raise ProtocolError(f"{happening!r} cannot happen to a command that is {self.state!r}.")
            self._changed.notify_all()

    def try_cancel(self) -> None:
        """Notes that a running command is being cancelled; one that ends at this very moment just ends."""
        with self._changed:
            if self._machine.try_on("cancel"):
                self._changed.notify_all()

    @property
    def is_unsent(self) -> bool:
        """True while it is not known to be on the cluster, and not over."""
        return self.state in COMMAND_UNSENT

    def wait_until_sent(self) -> None:
        """Waits until it is on the cluster, or over."""
        with self._changed:
            self._changed.wait_for(lambda: not self.is_unsent)

    def wait_for_change(self, timeout_s: float, since: str | None) -> str:
        """See `Command.wait_for_change`."""
        with self._changed:
            before = self.state if since is None else since
            self._changed.wait_for(lambda: self.state != before, timeout_s)
            return self.state

    def emit(self, event: Event) -> None:
        """Takes an event. After the end only the session's listener hears of it: that is late output."""
        with self._changed:
            if self.over.is_set():
                self._bus.deliver(event)
                return
            self._ensure_started(event)
            self._append(event)

    def finish(self, event: Finished, error: Exception | None = None) -> bool:
        """Takes the last event; False when there was one already."""
        with self._changed:
            if self.over.is_set():
                return False
            if not self._machine.try_on("complete"):
                self._machine.on("drop")
            self._ensure_started(event)
            self._error = error
            self._append(event)
            self.over.set()
            self.look.set()
            self._changed.notify_all()
            return True

    def drop(self) -> None:
        """Ends a command that was never begun."""
        self.finish(Finished(self.run_id, "cancelled", reason="It was cancelled before it began."))

    @property
    def asks(self) -> bool:
        """True while it waits for an answer."""
        return self._asked is not None and not self.over.is_set()

    def take_request(self) -> InputRequest | None:
        """The request that waits for an answer, once; None when none does."""
        with self._changed:
            request, self._asked = self._asked, None
            return None if self.over.is_set() else request

    def saw_failure(self) -> Failure | None:
        """The exception among its events so far."""
        with self._changed:
            return next((event for event in reversed(self._events) if isinstance(event, Failure)), None)

    def events(self) -> Iterator[Event]:
        """See `Command.events`."""
        position = 0
        while True:
            with self._changed:
                while len(self._events) <= position and not self.over.is_set():
                    self._changed.wait()
                portion = self._events[position:]
            yield from portion
            position += len(portion)
            if not portion:
                break
        if self._error is not None:
            raise self._error

    def result(self, timeout_s: float | None) -> CommandResult:
        """See `Command.result`."""
        if not self.over.wait(timeout_s):
            raise TimeoutError(f"Command {self.run_id} has not ended within {timeout_s} s.")
        if self._error is not None:
            raise self._error
        return result_of(self.run_id, self._events)

    def _append(self, event: Event) -> None:
        if isinstance(event, InputRequest):
            self._asked = event
        self._events.append(event)
        self._bus.deliver(event)
        self._changed.notify_all()

    def _ensure_started(self, event: Event) -> None:
        """Run events begin with `Started`, also where the driver did not say so."""
        if isinstance(event, Started):
            self._started = True
        elif isinstance(event, RunEvent) and not self._started:
            self._started = True
            self._append(Started(self.run_id, self.order.execution_count))
