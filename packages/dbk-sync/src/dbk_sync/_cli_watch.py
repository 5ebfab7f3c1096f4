"""`watch`: push after every edit, until Ctrl-C."""

from __future__ import annotations

import time

from dbk_sync._cache import HashCache
from dbk_sync._cli_push import push_once
from dbk_sync._job import Job
from dbk_sync._watch import Watch
from dbk_sync.errors import ChangedWhileReadingError, SyncError, TargetError, TransientError


def run_watch(job: Job) -> int | None:
    """Looks at the source again and again, and pushes what has changed; troubles that pass do not end it."""
    target = job.require_target()
    if target.kind == "cluster":
        raise TargetError("Watching does not work on clusters.", "Use a /Workspace or /Volumes directory.")
    seen = ""
    cache = HashCache()
    watch = Watch(job.source, job.options)
    failed = ""
    while True:
        try:
            job.begin()
            with job.timed("scan"):
                found = watch.scan(cache)
            cache = found.cache
            if found.manifest.tree != seen:
                push_once(job, found)
                if not seen:
                    job.report.say(f"Watching {job.source}: every edit is pushed to {target}. Ctrl-C ends it.")
                seen, failed = found.manifest.tree, ""
        except (TransientError, ChangedWhileReadingError) as error:
            failed = _once(job, error, failed)
        except SyncError as error:
            if not seen:
                raise  # what is wrong from the start is for the user to mend
            failed = _once(job, error, failed)
        time.sleep(job.arguments.interval)


def _once(job: Job, error: SyncError, before: str) -> str:
    """Says what is wrong, when it is not what was said last."""
    if error.message != before:
        job.report.warn(error.message)
    return error.message
