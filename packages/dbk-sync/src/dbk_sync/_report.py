"""What a command says while it works: lines for a person, or events for a program, and annotations for a CI service."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from dbk_config import DbkError

from dbk_sync._bar import Bar
from dbk_sync._findings import Finding
from dbk_sync._limits import size_text
from dbk_sync._plan import Plan
from dbk_sync._quoting import quoted
from dbk_sync._service import Service
from dbk_sync._summary import Summary


class Reporter:
    """Says things on stderr, and on stdout as events when `events` is true.

    Args:
        events: JSON, one object a line, on stdout; nothing for people then.
        verbose: Whether each file is named.
        out, err: The two streams.
        service: The CI service this runs on; None elsewhere.
    """

    def __init__(
        self,
        *,
        events: bool = False,
        verbose: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
        service: Service | None = None,
    ) -> None:
        self._events = events
        self._verbose = verbose
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._service = service
        self._seq = 0
        self._lock = threading.Lock()
        self._bar = Bar(self._err) if not events and not verbose and self._err.isatty() else None
        self._files = (0, 1)
        self._part = 0
        """Twentieths of the upload that were told."""

    def start(self, plan: Plan, target: str, *, dry_run: bool) -> None:
        """A plan is about to be carried out, or only shown."""
        self._files = (0, len(plan.puts) + len(plan.deletes))
        if self._events:
            self._event("start", **_lists(plan), source=os.fsdecode(plan.source), target=target, dry_run=dry_run)

    def items(self, plan: Plan) -> None:
        """The plan file by file on stdout: `+` new, `~` changed, `-` deleted."""
        if self._events:
            return
        known = plan.base.by_path if plan.base is not None else {}
        self._out.writelines([f"{'~' if put.path in known else '+'} {_line_of(put.name)}\n" for put in plan.puts])
        self._out.writelines([f"- {_line_of(path)}\n" for path in plan.deletes])

    def did(self, action: str, path: bytes) -> None:
        """One file was sent (`put`), removed (`delete`) or read (`verify`)."""
        with self._lock:
            self._files = (self._files[0] + 1, self._files[1])
            if self._verbose and not self._events:
                self._err.write(f"{action} {_line_of(path)}\n")  # at once: the log writes to the same stream
            if self._bar is not None:
                self._bar.draw(*self._files, f"{self._files[0]} of {self._files[1]} files")
        self._event("progress", action=action, **_named(path), progress=1.0)

    def sent(self, sent_bytes: int, total_bytes: int) -> None:
        """So much of a pack has gone out."""
        if self._bar is not None:
            self._bar.draw(sent_bytes, total_bytes, f"{size_text(sent_bytes)} of {size_text(total_bytes)}")
        part = sent_bytes * 20 // max(total_bytes, 1)
        if part != self._part:
            self._part = part
            self._event("progress", action="upload", progress=part / 20, sent_bytes=sent_bytes, total_bytes=total_bytes)

    def warn(self, message: str, path: bytes | None = None) -> None:
        """A sentence for the user."""
        self._line(f"warning: {message}")
        self._event("warning", message=message, **({} if path is None else _named(path)))
        if self._service is not None:
            self._service.annotate("warning", message, _shown(path or b""))

    def findings(self, findings: Iterable[Finding]) -> None:
        """Remarks about files."""
        for finding in findings:
            self.warn(finding.message, finding.path)

    def say(self, message: str) -> None:
        """A line for a person alone."""
        self._line(message)

    def error(self, error: DbkError, code: str, status: int) -> None:
        """The command ends with `status` because of this."""
        self._line(f"error: {error.message}")
        if error.hint:
            self._line(f"hint: {error.hint}")
        files: Sequence[tuple[bytes, Any]] = getattr(error, "files", ()) or getattr(error, "offenders", ())
        paths = [_shown(path) for path, _ in files]
        self._event("error", code=code, status=status, message=error.message, hint=error.hint, paths=paths)
        if self._service is not None:
            text = f"{error.message}\n{error.hint}" if error.hint else error.message
            for path in paths[:10] or [""]:
                self._service.annotate("error", text, path)

    def complete(self, plan: Plan, summary: Summary) -> None:
        """All is done."""
        self._line(summary.as_text())
        if self._events:
            self._event("complete", **_lists(plan), dry_run=summary.dry_run)
        values = {name: getattr(summary, name) for name in Summary.__slots__}
        self._event("summary", **values)
        if self._service is not None and not summary.dry_run:
            self._service.summarise(summary.as_text(), values)
            changed = "true" if summary.changed else "false"
            self._service.output(tree=summary.tree, changed=changed, uploaded_bytes=str(summary.sent_bytes))

    def result(self, value: dict[str, Any], text: str) -> None:
        """The outcome of a command that shows something: text or an event, on stdout."""
        if self._events:
            self._event("result", **value)
        elif text:
            print(text, file=self._out)

    def end(self) -> None:
        """Nothing more is said."""
        if self._service is not None:
            self._service.end()

    def _line(self, text: str) -> None:
        if self._events:
            return
        with self._lock:
            if self._bar is not None:
                self._bar.clear()
            self._err.write(f"{text}\n")
            self._err.flush()

    def _event(self, kind: str, **values: Any) -> None:
        if not self._events:
            return
        with self._lock:
            self._seq += 1
            head = {"v": 1, "timestamp": datetime.now(UTC).isoformat(), "seq": self._seq, "type": kind}
            print(json.dumps({**head, **values}), file=self._out, flush=True)


def _lists(plan: Plan) -> dict[str, list[str]]:
    return {"put": [_shown(entry.name) for entry in plan.puts], "delete": [_shown(path) for path in plan.deletes]}


def _named(path: bytes) -> dict[str, str]:
    """A path as text, and exactly when text cannot say it."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path": _shown(path), "path_b64": base64.b64encode(path).decode("ascii")}


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _line_of(path: bytes) -> str:
    return quoted(path).decode()
