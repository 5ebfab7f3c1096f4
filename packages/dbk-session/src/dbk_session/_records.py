"""The agent's records as events."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from dbk_session._events import (
    Attachment,
    ClearOutput,
    Comm,
    Display,
    Event,
    ExecuteResult,
    Failure,
    InputRequest,
    Notice,
    Payload,
    SparkProgress,
    Started,
    Stream,
    Truncated,
)

__all__ = ["event_of"]

Record = Mapping[str, Any]


def event_of(record: Record) -> Event | None:
    """The event that a record tells about; None for `done`, which the session answers for, and for unknown types."""
    build = _BUILDERS.get(str(record.get("t")))
    return build(str(record["run"]), record) if build else None


def _started(run: str, record: Record) -> Event:
    return Started(run, record.get("count"))


def _stream(run: str, record: Record) -> Event:
    return Stream(run, str(record["name"]), str(record["text"]))


def _display(run: str, record: Record) -> Event:
    return Display(
        run,
        record["data"],
        record.get("metadata") or {},
        record.get("transient") or {},
        bool(record.get("update")),
        _buffers(record),
    )


def _clear(run: str, record: Record) -> Event:
    return ClearOutput(run, bool(record.get("wait")))


def _result(run: str, record: Record) -> Event:
    return ExecuteResult(run, record.get("count"), record["data"], record.get("metadata") or {})


def _failure(run: str, record: Record) -> Event:
    return Failure(run, str(record["ename"]), str(record["evalue"]), tuple(record.get("traceback") or ()))


def _input(run: str, record: Record) -> Event:
    return InputRequest(run, str(record["id"]), str(record.get("prompt") or ""), bool(record.get("password")))


def _payload(run: str, record: Record) -> Event:
    return Payload(run, record["payload"])


def _comm(run: str, record: Record) -> Event:
    content, metadata = record.get("content") or {}, record.get("metadata") or {}
    return Comm(run, str(record["msg_type"]), content, metadata, _buffers(record))


def _attachment(run: str, record: Record) -> Event:
    error = record.get("error")
    text = f"{error.get('ename')}: {error.get('evalue')}" if isinstance(error, Mapping) else error
    return Attachment(run, str(record["name"]), record.get("reply"), text)


def _progress(run: str, record: Record) -> Event:
    return SparkProgress(run, *(int(record.get(key) or 0) for key in ("jobs", "stages", "tasks_done", "tasks_total")))


def _truncated(run: str, record: Record) -> Event:
    return Truncated(run, int(record["limit_bytes"]))


def _notice(_run: str, record: Record) -> Event:
    return Notice(str(record["text"]))


def _buffers(record: Record) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(item) for item in record.get("buffers") or ())


_BUILDERS: Mapping[str, Callable[[str, Record], Event]] = {
    "attachment": _attachment,
    "clear": _clear,
    "comm": _comm,
    "display": _display,
    "error": _failure,
    "input": _input,
    "notice": _notice,
    "payload": _payload,
    "progress": _progress,
    "result": _result,
    "start": _started,
    "stream": _stream,
    "truncated": _truncated,
}
