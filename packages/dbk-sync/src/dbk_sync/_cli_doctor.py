"""`doctor`: what works here, line by line, for a person and for a bug report. Never shows a token."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from dbk_config import DbkError

from dbk_sync import _state
from dbk_sync._bodies import Bytes
from dbk_sync._job import Job
from dbk_sync._limits import size_text
from dbk_sync._scan import scan
from dbk_sync._stores import DbfsStore, Refused, Store, VolumeStore, WorkspaceStore


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    state: str
    """`ok`, `no` or `-` (not asked)."""
    text: str


def run_doctor(job: Job) -> int | None:
    """Prints each check; 1 when the workspace cannot be used at all."""
    lines = [_here(), _checked("source", lambda: _source(job)), _checked("cache", lambda: _state.cache_folder())]
    lines.append(_checked("settings", lambda: _settings(job)))
    reachable = lines[-1].state == "ok"
    user = ""
    if reachable:
        who = _checked("sign-in", lambda: _who(job))
        lines.append(who)
        reachable = who.state == "ok"
        user = who.text.partition(" ")[0]
    if reachable:
        lines += [_checked(name, lambda try_out=try_out: try_out()) for name, try_out in _stores(job, user)]  # type: ignore[misc]
    for line in lines:
        job.report.result({"check": line.name, "state": line.state, "text": line.text},
                          f"{line.state:<3} {line.name:<18} {line.text}")  # fmt: skip
    return 0 if reachable else 1


def _checked(name: str, check: Callable[[], str]) -> _Line:
    try:
        return _Line(name, "ok", check())
    except (DbkError, Refused, OSError) as error:
        return _Line(name, "no", " ".join(str(error).split()))


def _here() -> _Line:
    from importlib.metadata import version

    git = shutil.which("git") or "no git (not needed)"
    return _Line("here", "ok", f"dbk-sync {version('dbk-sync')}, Python {platform.python_version()}, {git}")


def _source(job: Job) -> str:
    found = scan(job.source, job.options, _state.load(job.state_key).cache)
    return f"{job.source}: {len(found.manifest)} files, {size_text(found.manifest.size_bytes)}"


def _settings(job: Job) -> str:
    job.settings.require("host")
    if job.settings.token is not None:
        how = "a token"
    else:
        how = os.environ.get("DATABRICKS_AUTH_TYPE") or "what the SDK finds"
    return f"{job.settings.host} ({job.settings.origin('host')}), signing in with {how}"


def _who(job: Job) -> str:
    job.http.attempts = 2  # a person is waiting to hear what does not work
    answer = job.http.request("GET", "/api/2.0/preview/scim/v2/Me").check()
    workspace = answer.headers.get("X-Databricks-Org-Id", "unknown")
    return f"{answer.json.get('userName')} in workspace {workspace}"


def _stores(job: Job, user: str) -> list[tuple[str, Callable[[], str]]]:
    """Each store, tried out by writing, reading and removing a small object."""
    checks = [("DBFS", lambda: _try_out(DbfsStore(job.http), "/tmp"))]
    volume = job.settings.sync.volume
    if volume:
        checks.append(("volume", lambda: _try_out(VolumeStore(job.http), volume.rstrip("/"))))
    checks.append(("workspace files", lambda: _try_out(WorkspaceStore(job.http), f"/Workspace/Users/{user}")))
    return checks


def _try_out(store: Store, folder: str) -> str:
    path = f"{folder}/dbk-sync-doctor-{os.getpid()}"
    store.put(path, Bytes(b"dbk-sync"))
    try:
        same = store.get(path) == b"dbk-sync"
    finally:
        store.delete(path)
    return f"{folder} can be written" + ("" if same else ", but what is read back differs")
