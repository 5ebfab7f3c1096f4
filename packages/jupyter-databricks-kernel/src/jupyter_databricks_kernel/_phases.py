"""What a person reads while a cell waits: session events in words."""

from dbk_session import ClusterProgress, Outage, SparkProgress

from jupyter_databricks_kernel._progress import Phase

__all__ = ["BLOCKED", "OPENING", "SCANNING", "SENDING", "cluster_phase", "outage_phase", "spark_phase"]

BLOCKED = Phase("waiting for the cell that was interrupted and still runs", detail="a restart of the kernel ends it")
OPENING = Phase("opening a session on the cluster", expected="10-30 s")
SCANNING = Phase("looking for changed files")
SENDING = Phase("sending changed files")

_DOING = {
    "PENDING": "starting the cluster",
    "RESTARTING": "restarting the cluster",
    "RESIZING": "resizing the cluster",
    "TERMINATING": "waiting for the cluster to stop, to start it again",
    "TERMINATED": "starting the cluster",
}


def cluster_phase(event: ClusterProgress, link: str) -> Phase | None:
    """The wait for a cluster that is not ready yet, None for one that is. `link` is the cluster's page."""
    if event.state == "RUNNING":
        return None
    doing = _DOING.get(event.state, "waiting for the cluster")
    return Phase(doing, expected="3-6 min", detail=_short(event.message), link=link)


def spark_phase(event: SparkProgress) -> Phase | None:
    """The work of Spark for the running cell, None when it does none."""
    if not event.jobs:
        return None
    jobs = "1 Spark job" if event.jobs == 1 else f"{event.jobs} Spark jobs"
    tasks = f"{event.tasks_done} of {event.tasks_total} tasks done" if event.tasks_total else ""
    return Phase(f"running {jobs}", detail=tasks)


def outage_phase(event: Outage) -> Phase | None:
    """The wait for a workspace that does not answer, None when it answers again."""
    return None if event.is_over else Phase("no answer from the workspace, trying again", detail=_short(event.cause))


def _short(text: str, limit: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
