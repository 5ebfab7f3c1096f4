"""The frame at the end of a run: how far its records go, and the records themselves when they are few."""

from __future__ import annotations

from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .core import Core
from .runs import Run


def frame_of(core: Core, run: Run, status: str) -> str:
    """One line for the command's own result."""
    content: dict[str, Any] = {
        "kind": "run",
        "nonce": core.nonce,
        "run": run.id,
        "status": status,
        "count": run.count,
        "last": run.done_last,
        "length": run.done_length,
        "sha256": run.done_sha256,
        "late": late(core),
        "live": live(core, run),
    }
    limit = run.trailer.get("inline_chars")
    limit = core.options.inline_chars if limit is None else int(limit)
    lines = core.journal.inline(run) if limit else None
    if lines is not None:
        frame = wire.make_frame({**content, "payload": lines})
        if len(frame) <= limit:
            return frame
    return wire.make_frame({**content, "payload": None})


def live(core: Core, run: Run) -> int:
    """How many threads, tasks and child processes of the run may still write."""
    return core.runs.live_threads(run) + core.live_children(run) + core.live_tasks(run)


def late(core: Core) -> dict[str, int]:
    """Earlier runs that went on writing after their end, and how long their records are now."""
    grown = {}
    for run in core.runs.kept():
        if run.state == "done" and run.length > run.reported_length:
            grown[run.id] = run.reported_length = run.length
    return grown
