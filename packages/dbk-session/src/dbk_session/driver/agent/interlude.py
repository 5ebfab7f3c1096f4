"""A run that is no cell: handling a message of the front end, whose outputs have a run id and records like a cell's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .content import error_content
from .core import Core
from .report import frame_of
from .runs import Run


class Frame(str):
    """An operation's answer that is already a frame."""


def perform(core: Core, run_id: str, action: Callable[[], Any]) -> Frame:
    """Do `action` as the run `run_id`, beside a cell or between two; its frame."""
    if not wire.RUN_ID.fullmatch(run_id):
        raise ValueError(f"{run_id!r} is not the name of a run")
    if core.runs.was_started(run_id):
        content = {"run": run_id, "reason": "started", "state": "done"}
        return Frame(wire.make_frame({"kind": "refused", "nonce": core.nonce, **content}))
    run = Run(run_id, {"store_history": False})
    core.runs.register(run)
    status, error = "ok", None
    with core.runs.attributed(run):
        core.scribe.put(run, "start", count=0)
        try:
            action()
        except BaseException as problem:  # an interrupt as well: it is reported, and the interpreter lives
            status = "error"
            error = error_content(type(problem), problem, [f"{type(problem).__name__}: {problem}"])
            core.scribe.put(run, "error", **error)
        core.scribe.put(run, "done", count=0, status=status, expressions={}, payload=[], error=error)
        core.scribe.flush()
    run.state, run.status = "done", status
    return Frame(frame_of(core, run, status))
