"""After a command's end: gathers what of its output is still on the driver, and says how it ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from dbk_session._events import Failure, Finished, Status
from dbk_session._feed import Feed
from dbk_session._interpreter import Interpreter
from dbk_session._interrupt import NAME, as_interrupt
from dbk_session.errors import ProtocolError

__all__ = ["finished_of", "read_rest"]

_STANDSTILLS = 3


def read_rest(interpreter: Interpreter, feed: Feed, until_bytes: int | None, stop: threading.Event) -> str:
    """Reads a run on in pieces, through the interpreter itself, which must be idle; gives the state it is in.

    Args:
        interpreter: where it ran.
        feed: takes the pieces.
        until_bytes: read at least up to here; up to the run's `done` when None.
        stop: when set, reading ends.

    Returns:
        `"done"`, `"running"`, or `"never"` when the driver does not know this run.

    Raises:
        NoAgent, Gone, Stopped, SessionError: see `Context.ask`.
    """
    room = interpreter.room
    standstills = 0
    while True:
        before, chars = feed.offset, room.chars
        try:
            answer = interpreter.ask("read", {**feed.question, "max_chars": chars}, stop)
        except ProtocolError:
            # The piece was cut on its way: this runtime gives less text than expected.
            room.was_cut(chars)
            continue
        state = str(answer.get("state"))
        if state == "never":
            return state
        feed.take_answer(answer)
        if feed.offset >= (until_bytes or 0) and (until_bytes is not None or feed.done is not None):
            return state
        standstills = standstills + 1 if feed.offset == before else 0
        if standstills >= _STANDSTILLS:
            return state


def finished_of(feed: Feed, cancelled: bool) -> Finished:
    """The last event of a run whose `done` record is there."""
    done: Mapping[str, Any] = feed.done or {}
    error = _failure(feed.track.run_id, done.get("error"))
    if error is not None and cancelled:
        error = as_interrupt(error)
    error = error or feed.track.saw_failure()
    status: Status = "ok" if done.get("status") == "ok" else "error"
    if status == "error" and cancelled and (error is None or error.ename == NAME):
        status = "cancelled"
    return Finished(
        feed.track.run_id,
        status,
        done.get("count"),
        tuple(done.get("payload") or ()),
        done.get("expressions") or {},
        error=error if status == "error" else None,
    )


def _failure(run_id: str, error: Any) -> Failure | None:
    if not isinstance(error, Mapping):
        return None
    return Failure(run_id, str(error.get("ename")), str(error.get("evalue")), tuple(error.get("traceback") or ()))
