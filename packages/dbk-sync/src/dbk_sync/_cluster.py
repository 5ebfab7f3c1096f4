"""The target `cluster:ID`: a tree on the cluster's driver, or in the workspace folder it writes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dbk_sync._changing import again_when_changed
from dbk_sync._job import Job
from dbk_sync._plan import Plan
from dbk_sync._prepared import Guard
from dbk_sync._reply import Reply
from dbk_sync._summary import Summary
from dbk_sync._sync import Sync
from dbk_sync.errors import SyncError


def push_to_cluster(job: Job) -> int | None:
    """Starts an interpreter on the cluster, brings the tree there to the source, and leaves it.

    Raises:
        SyncError: `dbk-session` is not installed.
    """
    try:
        from dbk_session import Session
    except ImportError as error:
        raise SyncError(
            "Pushing to a cluster needs dbk-session.", 'Install it: pip install "dbk-sync[cluster]"'
        ) from error
    target = job.require_target()
    settings = replace(job.settings, cluster_id=target.path)
    arguments = job.arguments
    scanned = job.scan()  # what cannot be sent is said before a cluster is started for it
    with Session(settings, on_event=lambda event: _tell(job, event)) as session:
        sync = Sync(
            _with_source(settings, job),
            driver=_Call(session),
            notify=job.report.warn,
            progress=job.report.sent,
            name=f"{target.path} {job.source}",
            options=job.options,
        )
        with job.timed("read"):
            sync.renew()
        if arguments.full:
            sync.forget()
        plan, reply = again_when_changed(lambda: _pushed(job, sync))
        sync.close()
    summary = Summary(
        tree=plan.manifest.tree,
        files=len(scanned.manifest),
        size_bytes=plan.manifest.size_bytes,
        written=reply.written,
        deleted=reply.deleted,
        sent_bytes=reply.sent_bytes,
        requests=None,  # those of the session are most of them, and nobody counts them
        transport=reply.store,
        target=f"{target} in {reply.path or sync.path}",
        changed=not plan.is_empty,
        phases_ms=dict(job.phases_ms),
    )
    job.report.complete(plan, summary)
    return None


def _pushed(job: Job, sync: Sync) -> tuple[Plan, Reply]:
    plan = sync.plan()
    Guard(job.arguments.max_delete, job.arguments.allow_filter_deletes).check(plan)
    job.report.findings((*plan.warnings, *plan.skipped))
    job.report.start(plan, str(job.target), dry_run=False)
    with job.timed("send"):
        return plan, sync.push(plan)


class _Call:
    """A session as the `Driver` of a sync."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, code: str) -> str:
        return str(self._session.call(code))


def _with_source(settings: Any, job: Job) -> Any:
    """The settings of a sync whose source is the one of this command line."""
    return replace(settings, sync=replace(settings.sync, source=str(job.source)))


def _tell(job: Job, event: Any) -> None:
    if type(event).__name__ == "ClusterProgress":
        job.report.say(f"cluster: {event.state.lower()}, {event.elapsed_s:.0f} s")
