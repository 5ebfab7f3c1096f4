"""Spark jobs of a run: marked, so that they can be counted and cancelled; Spark itself is never started or imported."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from .core import Core
from .runs import Run

_GROUP = "spark.jobGroup.id"
_PROGRESS_S = 0.5


class Spark:
    """Tags the jobs of each run where a SparkContext or a Connect session is there already."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._watched: set[int] = set()
        self._last_progress_s = 0.0
        self._last_progress: tuple[str, dict[str, int]] = ("", {})

    def describe(self, run: Run) -> dict[str, Any]:
        """Mark what the run will start; how to find it again."""
        marks: dict[str, Any] = {"group": None, "tag": None, "connect": False}
        # Spark in an odd state is the user's business, and no reason for a notice.
        with contextlib.suppress(Exception):
            context = _classic()
            if context is not None:
                marks |= self._mark_classic(context, run)
        with contextlib.suppress(Exception):
            session = _connect()
            if session is not None:
                marks |= self._mark_connect(session, run)
        return marks

    def begin(self, run: Run) -> None:
        """The run was marked when it was described."""

    def end(self, run: Run) -> None:
        """Take the marks off; what an interrupted run has left running on the cluster is stopped."""
        interrupted = run.error is not None and run.error["ename"] == "KeyboardInterrupt"
        tag = _tag(run)
        with contextlib.suppress(Exception):
            context = _classic()
            if context is not None:
                if hasattr(context, "removeJobTag"):
                    context.removeJobTag(tag)
                if context.getLocalProperty(_GROUP) == run.id:
                    context.setLocalProperty(_GROUP, None)
        with contextlib.suppress(Exception):
            session = _connect()
            if session is not None and tag in session.getTags():
                session.removeTag(tag)
                if interrupted:
                    session.interruptTag(tag)

    def _mark_classic(self, context: Any, run: Run) -> dict[str, Any]:
        marks: dict[str, Any] = {}
        if hasattr(context, "addJobTag"):
            context.addJobTag(_tag(run))
            marks["tag"] = _tag(run)
        # The host cancels a command by the group that it has set: that one must stay.
        marks["group"] = context.getLocalProperty(_GROUP)
        if marks["group"] is None:
            context.setJobGroup(run.id, "a notebook cell")
            marks["group"] = run.id
        return marks

    def _mark_connect(self, session: Any, run: Run) -> dict[str, Any]:
        session.addTag(_tag(run))
        if id(session) not in self._watched and hasattr(session, "registerProgressHandler"):
            self._watched.add(id(session))
            session.registerProgressHandler(self._on_progress)
        return {"tag": _tag(run), "connect": True}

    def _on_progress(self, stages: Any, inflight_tasks: int, operation_id: Any, done: bool) -> None:  # noqa: ARG002
        run = self._core.runs.current()
        now_s = time.monotonic()
        if run is None or (now_s - self._last_progress_s < _PROGRESS_S and not done):
            return
        self._last_progress_s = now_s
        counts = [(int(stage.num_completed_tasks), int(stage.num_tasks)) for stage in stages or ()]
        progress = {
            "jobs": 0 if done else 1,
            "stages": len(counts),
            "tasks_done": sum(completed for completed, _ in counts),
            "tasks_total": sum(total for _, total in counts),
        }
        if (run.id, progress) != self._last_progress:
            self._last_progress = (run.id, progress)
            self._core.scribe.put(run, "progress", **progress)


def _tag(run: Run) -> str:
    return f"dbk-{run.id}"


def _classic() -> Any:
    context = getattr(getattr(sys.modules.get("pyspark"), "SparkContext", None), "_active_spark_context", None)
    return context if getattr(context, "_jsc", None) is not None else None


def _connect() -> Any:
    module = sys.modules.get("pyspark.sql.connect.session")
    return module.SparkSession.getActiveSession() if module is not None else None
