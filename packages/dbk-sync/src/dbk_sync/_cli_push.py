"""`push`, `plan`, `check`: bring a target to the source, or say what that would take."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dbk_sync import _plan, _state
from dbk_sync._changing import again_when_changed
from dbk_sync._exit_codes import DIFFERS
from dbk_sync._held import Held
from dbk_sync._job import Job
from dbk_sync._limits import size_text
from dbk_sync._plan import Plan
from dbk_sync._prepared import Guard, Prepared, Wish
from dbk_sync._scan import Scan
from dbk_sync._summary import Summary
from dbk_sync.errors import TargetError

if TYPE_CHECKING:
    from dbk_sync._remote import Remote

_NO_TARGET: Final = "Name a target, such as dbfs:/DIR, /Volumes/..., /Workspace/... or cluster:ID."


def run_push(job: Job) -> int | None:
    """Brings the target to the source."""
    arguments = job.arguments
    if job.target is not None and job.target.kind == "cluster" and not arguments.dry_run and not arguments.check:
        from dbk_sync._cluster import push_to_cluster

        if arguments.concurrency or arguments.bwlimit:
            raise TargetError("--concurrency and --bwlimit do not work on clusters.", "Push to a directory.")
        return push_to_cluster(job)
    if arguments.dry_run or arguments.check:
        return _show(job, DIFFERS if arguments.check else 0)
    job.require_target()
    again_when_changed(lambda: push_once(job, job.scan()))
    return None


def run_plan(job: Job) -> int | None:
    """Says what a push would do; or why one path is selected or not."""
    if job.arguments.explain:
        from dbk_sync._cli_ls import explain_path

        explain_path(job)
        return None
    return _show(job, DIFFERS if job.arguments.exit_code else 0)


def run_check(job: Job) -> int | None:
    """Whether the source can be pushed, and whether the target has it already."""
    return _show(job, DIFFERS, quiet=True)


def push_once(job: Job, scanned: Scan) -> bool:
    """One push of a scan to a target that keeps files; whether anything had to be done."""
    from dbk_sync._push import prepare, push

    remote, wish = _remote(job), _wish(job.arguments)
    with job.timed("read"):
        prepared = prepare(scanned, remote, wish)
    job.report.findings((*prepared.warnings, *prepared.plan.skipped))
    job.report.start(prepared.plan, str(job.target), dry_run=False)
    with job.timed("send"):
        done, sent_bytes = push(scanned, remote, wish, prepared, job.report)
    _state.save(job.state_key, done.plan)
    summary = _summary(job, done, remote.layout)
    changed = not done.plan.is_empty or bool(done.held.doubts)
    job.report.complete(done.plan, replace(summary, sent_bytes=sent_bytes, changed=changed))
    return changed


def _show(job: Job, differs: int, *, quiet: bool = False) -> int:
    """Prints the plan; nothing is sent. `differs` is the exit code when there is something to do."""
    scanned = job.scan()
    prepared, transport = _compared(job, scanned)
    plan = prepared.plan
    job.report.findings((*prepared.warnings, *plan.skipped))
    job.report.start(plan, str(job.target or ""), dry_run=True)
    if not quiet:
        job.report.items(plan)
    if not plan.manifest:
        job.report.say(f"No file is selected in {job.source}.")
    if job.target is None:
        where = job.settings.cluster_id
        go = f"Without a target, push takes the project's cluster, cluster:{where}." if where else _NO_TARGET
        job.report.say(f"{len(plan.manifest)} files, {size_text(plan.manifest.size_bytes)}, could be sent. {go}")
        return 0
    changed = bool(plan.puts or plan.deletes or prepared.held.doubts)
    job.report.complete(plan, replace(_summary(job, prepared, transport), changed=changed, dry_run=True))
    return differs if changed else 0


def _compared(job: Job, scanned: Scan) -> tuple[Prepared, str]:
    """The plan for what the target holds, or for an empty one where it cannot be asked."""
    offline = getattr(job.arguments, "no_remote", False)
    if job.target is None or job.target.kind == "cluster" or offline or job.settings.host is None:
        if job.target is not None and not offline:
            why = "a cluster is not asked" if job.target.kind == "cluster" else "DATABRICKS_HOST not set"
            job.report.say(f"Compared with an empty target: {why}.")
        plan = _plan.plan(scanned, None)
        return Prepared(plan, Held(), plan.warnings), ""
    from dbk_sync._push import prepare

    remote = _remote(job)
    with job.timed("read"):
        return prepare(scanned, remote, _wish(job.arguments)), remote.layout


def _remote(job: Job) -> Remote:
    arguments = job.arguments
    take_over = getattr(arguments, "break_lock", False)
    from dbk_sync._push import remote_of

    remote = remote_of(job.require_target(), job.http, arguments.layout, take_over=take_over)
    if remote.layout == "packs" and not arguments.delete:
        raise TargetError(
            "Packs hold whole trees: nothing can be kept in them.", "Use --layout files with --no-delete."
        )
    return remote


def _wish(arguments: argparse.Namespace) -> Wish:
    guard = Guard(arguments.max_delete, arguments.allow_filter_deletes)
    return Wish(guard, arguments.delete, arguments.full)


def _summary(job: Job, prepared: Prepared, transport: str) -> Summary:
    plan: Plan = prepared.plan
    return Summary(
        tree=plan.manifest.tree,
        files=len(plan.manifest),
        size_bytes=plan.manifest.size_bytes,
        written=len(plan.puts),
        deleted=len(plan.deletes),
        requests=job.requests,
        transport=transport,
        target=str(job.target or ""),
        phases_ms=dict(job.phases_ms),
    )
