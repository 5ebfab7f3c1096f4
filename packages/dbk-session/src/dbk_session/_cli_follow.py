"""A command in a terminal: shown to its end, stopped by Ctrl-C, answered, and its exit code."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from dbk_session._command import Command
from dbk_session._events import Event, Failure, Finished, InputRequest

__all__ = ["Face", "follow"]

_CANCELLED = 130
_FAILED = 1


class Face(Protocol):
    """What a person or a program sees of a command."""

    def show(self, event: Event) -> None:
        """Shows one event."""

    def ask(self, request: InputRequest) -> str:
        """The answer; raises `EOFError` when there is none."""


def follow(command: Command, face: Face) -> tuple[int, list[Event]]:
    """Shows a command to its end. Ctrl-C cancels it on the cluster; a second one presses harder."""
    seen: list[Event] = []
    with _Cancelling(command) as cancelling:
        for event in command.events():
            seen.append(event)
            face.show(event)
            if isinstance(event, InputRequest):
                with cancelling.paused():
                    _answer(command, event, face)
    return _exit_code(seen), seen


class _Cancelling:
    """Turns Ctrl-C into a cancel of the command, instead of an exception at any point of our own code."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._before: Any = None

    def __enter__(self) -> _Cancelling:
        self._before = signal.signal(signal.SIGINT, self._cancel)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While a person types, Ctrl-C interrupts that."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, self._cancel)

    def _cancel(self, _number: int, _frame: FrameType | None) -> None:
        # On a thread: a signal handler must not wait for a lock that the interrupted code may hold.
        threading.Thread(target=self._command.cancel, daemon=True).start()


def _answer(command: Command, request: InputRequest, face: Face) -> None:
    try:
        command.answer(face.ask(request))
    except EOFError:
        command.answer(None)
    except KeyboardInterrupt:
        command.cancel()


def _exit_code(events: list[Event]) -> int:
    finished = next((event for event in reversed(events) if isinstance(event, Finished)), None)
    if finished is None or finished.status == "lost":
        return _FAILED
    if finished.status == "cancelled":
        return _CANCELLED
    failure = finished.error or next((event for event in reversed(events) if isinstance(event, Failure)), None)
    if finished.status == "ok" or failure is None:
        return 0 if finished.status == "ok" else _FAILED
    return _exit_status(failure) if failure.ename == "SystemExit" else _FAILED


def _exit_status(failure: Failure) -> int:
    """What `sys.exit` was given, as Python itself takes it."""
    if failure.evalue in ("", "None"):
        return 0
    try:
        return int(failure.evalue) & 0xFF
    except ValueError:
        print(failure.evalue, file=sys.stderr)
        return _FAILED
