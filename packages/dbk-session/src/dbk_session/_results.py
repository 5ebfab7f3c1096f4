"""What a finished command left: one frozen value built from its events."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbk_session._events import (
    Display,
    Event,
    ExecuteResult,
    Failure,
    Finished,
    RunEvent,
    Started,
    Status,
    Stream,
)
from dbk_session.errors import CommandCancelled, CommandFailed, ContextLostError

__all__ = ["CommandResult", "Table"]

TABLE_MIME = "application/vnd.dataresource+json"
_BINARY = ("image/png", "image/jpeg", "image/gif", "application/pdf")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that `display(frame)` made.

    Attributes:
        columns: the column names.
        rows: JSON values, one tuple a row.
        truncated: True when the driver kept rows back.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command from beginning to end.

    Attributes:
        run_id: the id under which the driver knows it.
        status: `"ok"`, `"error"`, `"cancelled"` or `"lost"`.
        events: everything it emitted, in order, `Finished` last.
    """

    run_id: str
    status: Status
    events: tuple[Event, ...]

    @property
    def stdout(self) -> str:
        """All it printed."""
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        """All it wrote to standard error."""
        return self._stream("stderr")

    @property
    def execution_count(self) -> int | None:
        """Its number (`In [n]`), None where it was not counted."""
        for event in reversed(self.events):
            if isinstance(event, (Finished, Started)) and event.execution_count is not None:
                return event.execution_count
        return None

    @property
    def displays(self) -> tuple[Display, ...]:
        """What it displayed, in order; an output that was updated appears once, with its last content."""
        kept: list[Display] = []
        by_id: dict[str, int] = {}
        for event in self.events:
            if not isinstance(event, Display):
                continue
            key = str(event.transient.get("display_id", ""))
            if event.update and key in by_id:
                kept[by_id[key]] = event
                continue
            if key:
                by_id[key] = len(kept)
            kept.append(event)
        return tuple(kept)

    @property
    def result(self) -> ExecuteResult | None:
        """The value of its last expression, None when there was none."""
        return next((event for event in reversed(self.events) if isinstance(event, ExecuteResult)), None)

    @property
    def error(self) -> Failure | None:
        """The exception that ended it, None when it ended well."""
        failure = next((event for event in reversed(self.events) if isinstance(event, Failure)), None)
        return failure or (self._finished.error if self._finished else None)

    @property
    def text(self) -> str:
        """What a terminal would show of its good output: stdout and the plain text of every output, in order."""
        parts = (_as_text(event) for event in self.events)
        return "".join(part for part in parts if part).rstrip("\n")

    def data(self, mime: str) -> Any:
        """The content of one mime type: of the last expression, else of the last display that has it, else None."""
        bundles = [self.result.data] if self.result is not None else []
        bundles += [display.data for display in reversed(self.displays)]
        return next((bundle[mime] for bundle in bundles if mime in bundle), None)

    @property
    def images(self) -> tuple[bytes, ...]:
        """Its raster images and PDF pages, decoded, in order."""
        bundles = [event.data for event in self.events if isinstance(event, (Display, ExecuteResult))]
        return tuple(base64.b64decode(bundle[mime]) for bundle in bundles for mime in _BINARY if mime in bundle)

    @property
    def table(self) -> Table | None:
        """The rows of the last table it displayed, None when there was none."""
        content = self.data(TABLE_MIME)
        return None if content is None else _table(content)

    @property
    def expressions(self) -> Mapping[str, Any]:
        """The answers to `expressions`, by name (see `Finished`)."""
        return self._finished.expressions if self._finished else {}

    @property
    def payload(self) -> tuple[Mapping[str, Any], ...]:
        """What the front end should do (see `Finished`)."""
        return self._finished.payload if self._finished else ()

    def raise_for_error(self) -> CommandResult:
        """This result when it ended well.

        Raises:
            CommandFailed: the code raised.
            CommandCancelled: it was cancelled.
            ContextLostError: the interpreter or the connection went away under it.
        """
        if self.status == "ok":
            return self
        reason = self._finished.reason if self._finished else ""
        if self.status == "cancelled":
            raise CommandCancelled(reason or "The command was cancelled.")
        if self.status == "lost":
            raise ContextLostError(
                reason or "The command was lost.", "Its variables are gone; run what it needs again, then the command."
            )
        failure = self.error or Failure(self.run_id, "Error", reason)
        raise CommandFailed(failure.ename, failure.evalue, failure.traceback)

    @property
    def _finished(self) -> Finished | None:
        return next((event for event in reversed(self.events) if isinstance(event, Finished)), None)

    def _stream(self, name: str) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Stream) and event.name == name)


def _as_text(event: Event) -> str:
    if isinstance(event, Stream):
        return event.text if event.name == "stdout" else ""
    if isinstance(event, (Display, ExecuteResult)) and not getattr(event, "update", False):
        return str(event.data.get("text/plain", "")) + "\n"
    return ""


def _table(content: Mapping[str, Any]) -> Table:
    columns = tuple(str(field["name"]) for field in content["schema"]["fields"])
    rows = tuple(tuple(row.get(name) for name in columns) for row in content["data"])
    return Table(columns, rows, bool(content.get("truncated", False)))


def result_of(run_id: str, events: Sequence[Event]) -> CommandResult:
    """The result that a command's events add up to; without a `Finished` among them it counts as lost."""
    own = [event for event in events if not isinstance(event, RunEvent) or event.run_id == run_id]
    last = next((event for event in reversed(own) if isinstance(event, Finished)), None)
    return CommandResult(run_id, last.status if last else "lost", tuple(own))
