"""Asks the workspace whether these settings can work, one finding after the other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from dbk_config import compute
from dbk_config._rest import Answer, Workspace, connect
from dbk_config._rules import is_loopback
from dbk_config._settings import Settings
from dbk_config.errors import DbkError

__all__ = ["Finding", "check", "find_user"]

Level = Literal["ok", "warning", "failed", "skipped"]


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


@dataclass(frozen=True)
class User:
    """Who the workspace says we are: the name it files us under, and the groups we are in."""

    name: str
    groups: tuple[str, ...] = ()


def check(settings: Settings, connect: Callable[[Settings], Workspace] = connect) -> Iterator[Finding]:
    """The findings, as they are made.

    Where the project's files would go, one empty file or folder is written and removed again.
    """
    try:
        workspace = connect(settings)
        answer = workspace.call("GET", "/api/2.0/preview/scim/v2/Me")
    except DbkError as error:
        name = "host" if settings.host is None or settings.token is not None else "credentials"
        yield Finding(name, "failed", error.message, error.hint)
        return
    found = find_user(answer, settings)
    if isinstance(found, Finding):
        yield found
        return
    yield _host(settings)
    yield Finding("credentials", "ok", f"{found.name}, by {settings.origin('token') if settings.token else 'the SDK'}")
    yield from _cluster(settings, workspace, found)
    if not settings.sync.enabled:
        yield Finding("files", "skipped", "sync.enabled is false")
        return
    yield from _store(settings, workspace)
    if settings.sync.extract_to == "workspace" or settings.sync.store == "workspace":
        yield _workspace_folder(workspace, found)


def find_user(answer: Answer, settings: Settings) -> User | Finding:
    """Who we are, from the answer of `scim/v2/Me`, or why we are nobody."""
    refused = answer.status == 401 or (answer.status == 403 and "token" in answer.message.lower())
    if refused:
        said = f"the workspace answers {answer.status} {'Unauthorized' if answer.status == 401 else 'Forbidden'}"
        origin = f" ({settings.origin('token')})" if settings.token else ""
        hint = f"Regenerate your Personal Access Token. It says: {answer.message}"
        return Finding("credentials", "failed", f"Invalid token{origin}: {said}", hint)
    if answer.status == 403:
        return Finding(
            "credentials", "failed", f"Permission denied: {answer.message}", "Ask an administrator for access."
        )
    name = answer.body.get("userName")
    if not answer.ok or not isinstance(name, str):
        hint = "Check DATABRICKS_HOST: it must be the address of a workspace, as in your browser."
        return Finding("host", "failed", f"{settings.host} does not answer as a workspace: {answer.message}", hint)
    return User(name, tuple(str(group.get("display", "")) for group in answer.body.get("groups") or ()))


def _host(settings: Settings) -> Finding:
    host = settings.host or ""
    message = f"{host}, by {settings.origin('host')}"
    if host.startswith("http://") and not is_loopback(host):
        return Finding("host", "warning", message, "http:// sends the token in clear over the network: use https://.")
    return Finding("host", "ok", message)


def _cluster(settings: Settings, workspace: Workspace, user: User) -> Iterator[Finding]:
    cluster_id = settings.cluster_id
    if cluster_id is None:
        hint = "Set DATABRICKS_CLUSTER_ID or configure in pyproject.toml: dbk-config init"
        yield Finding("cluster", "failed", "DATABRICKS_CLUSTER_ID not set", hint)
        return
    at_sight = compute.judge_id(cluster_id)
    if at_sight:
        yield Finding("cluster", at_sight.level, at_sight.message, at_sight.hint)
        return
    answer = workspace.call("GET", "/api/2.1/clusters/get", {"cluster_id": cluster_id})
    if not answer.ok:
        yield _no_cluster(settings, cluster_id, answer)
        return
    name = answer.body.get("cluster_name") or cluster_id
    yield _state(f"{name} ({cluster_id})", answer.body)
    for verdict in compute.judge(answer.body, user.name, user.groups):
        yield Finding("cluster", verdict.level, f"{name}: {verdict.message}", verdict.hint)


def _no_cluster(settings: Settings, cluster_id: str, answer: Answer) -> Finding:
    origin = settings.origin("cluster_id")
    if answer.status == 403 or answer.code == "PERMISSION_DENIED":
        hint = 'Ask for "Can Attach To" or "Can Restart" permission on the cluster.'
        return Finding(
            "cluster", "failed", f"Permission denied on cluster {cluster_id} ({origin}): {answer.message}", hint
        )
    gone = "does not exist" in answer.message or answer.code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_STATE")
    if gone or answer.status == 404:
        hint = "Verify cluster ID and your access permissions: dbk-config init lists the clusters you may use."
        return Finding("cluster", "failed", f"Cluster not found: {cluster_id} ({origin}): {answer.message}", hint)
    return Finding("cluster", "failed", f"Cluster {cluster_id} ({origin}): {answer.message}")


def _state(label: str, cluster: Any) -> Finding:
    state = str(cluster.get("state", "UNKNOWN"))
    said = f"{label}: {state.lower()}"
    if state in ("ERROR", "UNKNOWN"):
        return Finding(
            "cluster", "failed", f"{said}: {cluster.get('state_message', '')}", "See the cluster's event log."
        )
    if state in ("TERMINATED", "TERMINATING"):
        return Finding("cluster", "ok", f"{said}; the first cell starts it, which takes 5-6 minutes")
    return Finding("cluster", "ok", said)


def _store(settings: Settings, workspace: Workspace) -> Iterator[Finding]:
    """Whether the store that is tried first takes a file. None is a must: the next one is used where it does not."""
    name = f".dbk-config-check-{secrets.token_hex(8)}"
    if settings.sync.store == "dbfs":
        path = f"/tmp/{name}"
        answer = workspace.call("POST", "/api/2.0/dbfs/put", body={"path": path, "contents": "", "overwrite": False})
        if answer.ok:
            workspace.call("POST", "/api/2.0/dbfs/delete", body={"path": path})
        hint = "Large changes travel another way. Verify DBFS write access to `/tmp/`, or choose that way yourself: "
        yield _written("dbfs", "DBFS", "dbfs:/tmp/", answer, f"{hint}dbk-config set sync.store workspace")
    elif settings.sync.store == "volume":
        volume = settings.sync.volume or ""
        path = "/api/2.0/fs/files" + quote(f"{volume}/{name}")
        answer = workspace.call("PUT", path, data=b"")
        if answer.ok:
            workspace.call("DELETE", path)
        hint = "Large changes travel another way. Verify that sync.volume exists and that you have WRITE VOLUME on it."
        yield _written("volume", volume, volume, answer, hint)


def _workspace_folder(workspace: Workspace, user: User) -> Finding:
    home = f"/Workspace/Users/{user.name}/"
    path = f"{home}.dbk-config-check-{secrets.token_hex(8)}"
    answer = workspace.call("POST", "/api/2.0/workspace/mkdirs", body={"path": path})
    if answer.ok:
        workspace.call("POST", "/api/2.0/workspace/delete", body={"path": path, "recursive": True})
    hint = f"The files go to the driver's disk. Ask for read and write access to {home}, or choose the disk yourself: "
    return _written("workspace", home, home, answer, f"{hint}dbk-config set sync.extract_to driver")


def _written(name: str, what: str, path: str, answer: Answer, hint: str) -> Finding:
    if answer.ok:
        return Finding(name, "ok", f"{path} takes files")
    denied = answer.status == 403 or answer.code == "PERMISSION_DENIED"
    said = "Permission denied on" if denied else "Cannot write to"
    return Finding(name, "warning", f"{said} {what}: {answer.message}", hint)
