"""Events on a terminal: output to standard output and error as the code made it, everything else as short lines."""

from __future__ import annotations

import getpass
import json
import re
import sys
from typing import TextIO

from dbk_session._events import (
    Blocked,
    ClusterProgress,
    ContextLost,
    Display,
    Event,
    ExecuteResult,
    Failure,
    Finished,
    InputRequest,
    Notice,
    Outage,
    Skipped,
    Started,
    Stream,
    Truncated,
    to_json,
)

__all__ = ["JsonLines", "Terminal"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class JsonLines:
    """Writes each event as one line of JSON."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def show(self, event: Event) -> None:
        """Writes one event."""
        self._out.write(json.dumps(to_json(event)) + "\n")
        self._out.flush()

    def ask(self, request: InputRequest) -> str:  # noqa: ARG002 - it was shown as an event
        """A line of standard input. Raises `EOFError` at its end."""
        return input()


class Terminal:
    """Shows events to a person.

    Args:
        with_results: also shows the value of the last expression.
    """

    def __init__(self, with_results: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._with_results = with_results
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._state = ""
        self._lost: ContextLost | None = None

    def show(self, event: Event) -> None:
        """Shows one event."""
        if not isinstance(event, (Started, Finished)):  # these two may be the end of a command that went down with it
            self._tell_of_loss()
        if isinstance(event, Stream):
            self._write(self._out if event.name == "stdout" else self._err, event.text)
        elif (isinstance(event, Display) and not event.update) or (
            isinstance(event, ExecuteResult) and self._with_results
        ):
            self._write(self._out, str(event.data.get("text/plain", "")) + "\n")
        elif isinstance(event, Failure) and event.ename != "SystemExit":
            self._write(
                self._err, self._coloured("\n".join(event.traceback) or f"{event.ename}: {event.evalue}") + "\n"
            )
        else:
            self._tell(event)

    def ask(self, request: InputRequest) -> str:
        """As Python asks: a person, or a file or pipe at standard input. Raises `EOFError` at its end."""
        return getpass.getpass(request.prompt) if request.password else input(request.prompt)

    def _tell(self, event: Event) -> None:
        if isinstance(event, ClusterProgress) and event.state != self._state:
            self._state = event.state
            self._say(f"cluster is {event.state}" + (f": {event.message}" if event.message else ""))
        elif isinstance(event, (Blocked, Notice, Outage)):
            self._say(event.text)
        elif isinstance(event, ContextLost):
            self._lost = event
        elif isinstance(event, Truncated):
            self._say(f"output is over {event.limit_bytes / 1e6:g} MB, the rest is left out (output_limit_mb)")
        elif isinstance(event, Skipped):
            self._say(f"{event.skipped_bytes / 1e6:.1f} MB of output before the interrupt were not fetched")
        elif isinstance(event, Finished) and event.status == "lost":
            self._lost = None
            self._say(event.reason)
        elif isinstance(event, Finished):
            self._tell_of_loss()

    def _tell_of_loss(self) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            self._say(f"the interpreter was replaced, its variables are gone: {lost.reason}")

    def _say(self, text: str) -> None:
        self._write(self._err, f"dbk-session: {text}\n")

    def _coloured(self, text: str) -> str:
        return text if self._err.isatty() else _COLOUR.sub("", text)

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        stream.write(text)
        stream.flush()
