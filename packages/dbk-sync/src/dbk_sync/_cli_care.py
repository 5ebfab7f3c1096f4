"""`verify`, `gc`, `clean`, `pull-manifest`: look after what is at a target."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Final

from dbk_sync._held import Held
from dbk_sync._job import Job
from dbk_sync._push import remote_of
from dbk_sync._remote import Remote
from dbk_sync._stores import DbfsStore, Refused, Store, VolumeStore, WorkspaceStore
from dbk_sync._summary import Summary
from dbk_sync._transfer import PACK_PREFIX, PACK_SUFFIX
from dbk_sync.errors import AccessError, TargetError, VerificationError

_HOUR_S: Final = 3600.0


def run_verify(job: Job) -> int | None:
    """Reads everything at the target again and compares it with what the target says it holds."""
    remote, held = _held(job)
    checked = remote.verify(held, job.report)
    value = {
        "files": checked.files,
        "missing": [path.decode("utf-8", "backslashreplace") for path in checked.missing],
        "changed": [path.decode("utf-8", "backslashreplace") for path in checked.changed],
        "uncompared": len(checked.uncompared),
    }
    for path in checked.missing:
        job.report.warn("is missing at the target", path)
    for path in checked.changed:
        job.report.warn("is not what was pushed", path)
    notebooks = f" {len(checked.uncompared)} notebooks are not compared." if checked.uncompared else ""
    bad = len(checked.missing) + len(checked.changed)
    job.report.result(value, "" if bad else f"All {checked.files} files are as they were pushed.{notebooks}")
    if bad:
        raise VerificationError(
            f"{bad} of {checked.files} files at {job.target} are not as they were pushed: "
            f"{len(checked.missing)} missing, {len(checked.changed)} changed.",
            "Push with --full to send all of them again.",
        )
    return None


def run_gc(job: Job) -> int | None:
    """Removes what killed runs left: packs that nothing refers to, and packs on their way to a driver."""
    older_than_s = job.arguments.older_than * _HOUR_S
    found = 0
    if job.target is not None:
        remote, held = _held(job)
        names = remote.stale(held, older_than_s)
        found += len(names)
        for name in names:
            job.report.result({"action": "delete", "path": f"{job.target}/{name}"}, f"- {job.target}/{name}")
        if not job.arguments.dry_run:
            remote.remove(names)
    for store, folder in _transit_folders(job):
        for path in _left_packs(store, folder, older_than_s):
            found += 1
            job.report.result({"action": "delete", "path": path}, f"- {path}")
            if not job.arguments.dry_run:
                store.delete(path)
    job.report.say(f"{found} objects {'would be' if job.arguments.dry_run else 'were'} removed.")
    return None


def run_clean(job: Job) -> int | None:
    """Removes from the target all that was pushed to it; files of others stay."""
    remote, held = _held(job)
    held = remote.settle(held)
    summary = Summary(
        files=len(held.manifest or ()), deleted=len(held.manifest or ()), target=str(job.target), changed=True
    )
    if job.arguments.dry_run:
        for entry in held.manifest or ():
            job.report.result({"action": "delete", "path": entry.path.decode("utf-8", "backslashreplace")},
                              f"- {entry.path.decode('utf-8', 'backslashreplace')}")  # fmt: skip
        job.report.say(f"Would remove {summary.deleted} files from {job.target}.")
        return None
    remote.clean(held, job.report)
    job.report.say(f"Removed {replace(summary).deleted} files from {job.target}.")
    return None


def run_pull_manifest(job: Job) -> int | None:
    """Prints what the target says it holds: a line for each file, with mode, SHA-256 and size."""
    _, held = _held(job)
    text = held.manifest.to_text() if held.manifest is not None else ""
    if job.arguments.output == "-":
        sys.stdout.write(text)
    else:
        with open(job.arguments.output, "w", encoding="ascii") as file:
            file.write(text)
    return None


def _held(job: Job) -> tuple[Remote, Held]:
    target = job.require_target()
    if target.kind == "cluster":
        raise TargetError(f"{job.arguments.run_name} does not work on clusters.", "Push again: that checks the files.")
    take_over = getattr(job.arguments, "break_lock", False)
    remote = remote_of(target, job.http, job.arguments.layout, take_over=take_over)
    held = remote.read()
    if held.manifest is None:
        raise TargetError(f"Nothing was pushed to {target} yet.", "See dbk-sync push.")
    return remote, held


def _transit_folders(job: Job) -> list[tuple[Store, str]]:
    """Where packs lie on their way to a driver; killed kernels may have left some."""
    folders: list[tuple[Store, str]] = [(DbfsStore(job.http), "/tmp")]
    volume = job.settings.sync.volume
    if volume:
        folders.append((VolumeStore(job.http), volume.rstrip("/")))
    answer = job.http.request("GET", "/api/2.0/preview/scim/v2/Me")
    if answer.signed_out:
        raise answer.error()
    user = answer.json.get("userName")
    if user:
        folders.append((WorkspaceStore(job.http), f"/Workspace/Users/{user}/.dbk"))
    return folders


def _left_packs(store: Store, folder: str, older_than_s: float) -> list[str]:
    try:
        found = list(store.list(folder))
    except (Refused, AccessError):
        return []  # where we may not look we have not written either
    now_s = time.time()
    return [
        f"{folder}/{one.name}"
        for one in found
        if one.name.startswith(PACK_PREFIX)
        and one.name.endswith(PACK_SUFFIX)
        and now_s - one.modified_s >= older_than_s
    ]
