"""Spark jobs of the running cell, seen from beside it: contexts on one driver share one SparkContext."""

from __future__ import annotations

import sys
from typing import Any


def progress(group: str | None, tag: str | None) -> dict[str, int] | None:
    """Jobs, stages and tasks of the cell's active Spark jobs; None when there are none or nobody can tell."""
    context = _context()
    if context is None:
        return None
    tracker = context.statusTracker()
    jobs = _job_ids(context, tracker, group, tag)
    stages = [tracker.getStageInfo(stage) for job in jobs for stage in getattr(tracker.getJobInfo(job), "stageIds", ())]
    known = [stage for stage in stages if stage is not None]
    if not jobs:
        return None
    return {
        "jobs": len(jobs),
        "stages": len(known),
        "tasks_done": sum(stage.numCompletedTasks for stage in known),
        "tasks_total": sum(stage.numTasks for stage in known),
    }


def cancel(group: str | None, tag: str | None) -> dict[str, Any]:
    """Cancel the cell's Spark jobs, by tag where Spark has tags, else by group."""
    context = _context()
    if context is None:
        return {"cancelled": False, "error": "there is no SparkContext in this context"}
    try:
        if tag and hasattr(context, "cancelJobsWithTag"):
            context.cancelJobsWithTag(tag)
        if group:
            context.cancelJobGroup(group)
    except Exception as error:
        return {"cancelled": False, "error": f"{type(error).__name__}: {error}"}
    return {"cancelled": bool(tag or group)}


def _job_ids(context: Any, tracker: Any, group: str | None, tag: str | None) -> list[int]:
    if tag:
        try:
            # Not in Python's tracker; the JVM's has it since Spark 3.5.
            found = context._jsc.sc().statusTracker().getJobIdsForTag(tag)
            return [job for job in found if job in set(tracker.getActiveJobsIds())]
        except Exception:
            tag = None
    active = set(tracker.getActiveJobsIds())
    return [job for job in (tracker.getJobIdsForGroup(group) if group else ()) if job in active]


def _context() -> Any:
    """The SparkContext of this interpreter.

    One that is there already, or the one that the host offers as `sc`. The client asks only when the user's cell has
    one, so that touching a lazy `sc` joins it and starts nothing.
    """
    pyspark = sys.modules.get("pyspark")
    active = getattr(getattr(pyspark, "SparkContext", None), "_active_spark_context", None)
    if active is not None:
        return active
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    offered = shell.user_ns.get("sc") if shell is not None else None
    try:
        return offered if offered is not None and hasattr(offered, "statusTracker") else None
    except Exception:
        return None
