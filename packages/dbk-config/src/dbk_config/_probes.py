"""Finds out whether we have a right by using it, and takes back what that made."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from dbk_config._rest import Answer, Unreachable, Workspace
from dbk_config._settings import SyncSettings

__all__ = ["Finding", "attach", "home", "store"]

Level = Literal["ok", "warning", "failed", "skipped"]
_ANOTHER_WAY = "Large changes travel another way."


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: `host`, `credentials`, `cluster`, `dbfs`, `volume` or `workspace`.
        level: `ok`; `warning`: it may work; `failed`: it cannot; `skipped`: not looked at, because of another failure.
        message: what was found, with the value.
        hint: what to do; "" for nothing.
    """

    name: str
    level: Level
    message: str
    hint: str = ""


def attach(workspace: Workspace, cluster_id: str, name: str) -> Finding:
    """Whether a running cluster gives us an execution context: no description of it tells."""
    body = {"clusterId": cluster_id, "language": "python"}
    try:
        answer = workspace.call("POST", "/api/1.2/contexts/create", body=body)
    except Unreachable as error:
        return Finding("cluster", "warning", f"{name}: no execution context: {error.message}", error.hint)
    if answer.ok:
        body = {"clusterId": cluster_id, "contextId": str(answer.body.get("id"))}
        workspace.call("POST", "/api/1.2/contexts/destroy", body=body)
        return Finding("cluster", "ok", f"{name}: you may attach to it")
    if answer.status == 403:
        hint = 'Ask for "Can Attach To" or "Can Restart" permission on the cluster.'
        return Finding("cluster", "failed", f"{name}: Permission denied: {answer.message}", hint)
    hint = "Look at the cluster's page: it may be busy, or have reached its limit of 145 contexts (dbk-session sweep)."
    return Finding("cluster", "failed", f"{name}: no execution context: {answer.message}", hint)


def store(sync: SyncSettings, workspace: Workspace) -> Iterator[Finding]:
    """Whether the store that is tried first takes a file. None is a must: the next one is used where it does not."""
    name = f".dbk-config-check-{secrets.token_hex(8)}"
    if sync.store == "dbfs":
        path = f"/tmp/{name}"
        answer = workspace.call("POST", "/api/2.0/dbfs/put", body={"path": path, "contents": "", "overwrite": False})
        if answer.ok:
            workspace.call("POST", "/api/2.0/dbfs/delete", body={"path": path})
        choose = "dbk-config set sync.store workspace"
        if "DBFS_DISABLED" in answer.message:
            hint = f"{_ANOTHER_WAY} To choose it, and see no more of this: {choose}"
            yield Finding("dbfs", "warning", "DBFS is disabled in this workspace", hint)
            return
        hint = f"{_ANOTHER_WAY} Verify DBFS write access to `/tmp/`, or choose that way yourself: {choose}"
        yield _written("dbfs", "DBFS", "dbfs:/tmp/", answer, hint)
    elif sync.store == "volume":
        volume = sync.volume or ""
        path = "/api/2.0/fs/files" + quote(f"{volume}/{name}")
        answer = workspace.call("PUT", path, data=b"")
        if answer.ok:
            workspace.call("DELETE", path)
        hint = f"{_ANOTHER_WAY} Verify that sync.volume exists and that you have WRITE VOLUME on it."
        yield _written("volume", volume, volume, answer, hint)


def home(workspace: Workspace, user_name: str) -> Finding:
    """Whether our own folder in the workspace takes files."""
    folder = f"/Workspace/Users/{user_name}/"
    path = f"{folder}.dbk-config-check-{secrets.token_hex(8)}"
    answer = workspace.call("POST", "/api/2.0/workspace/mkdirs", body={"path": path})
    if answer.ok:
        workspace.call("POST", "/api/2.0/workspace/delete", body={"path": path, "recursive": True})
    hint = (
        f"The files go to the driver's disk. Ask for read and write access to {folder}, or choose the disk yourself: "
    )
    return _written("workspace", folder, folder, answer, f"{hint}dbk-config set sync.extract_to driver")


def _written(name: str, what: str, path: str, answer: Answer, hint: str) -> Finding:
    if answer.ok:
        return Finding(name, "ok", f"{path} takes files")
    denied = answer.status == 403 or answer.code == "PERMISSION_DENIED"
    said = "Permission denied on" if denied else "Cannot write to"
    return Finding(name, "warning", f"{said} {what}: {answer.message}", hint)
