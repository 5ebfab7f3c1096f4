"""Asks the workspace whether these settings can work, one finding after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dbk_config import _probes, compute
from dbk_config._probes import Finding
from dbk_config._rest import Answer, Workspace, connect
from dbk_config._rules import is_loopback
from dbk_config._settings import Settings
from dbk_config.errors import DbkError

__all__ = ["Finding", "check", "find_user"]


@dataclass(frozen=True)
class User:
    """Who the workspace says we are: the name it files us under, and the groups we are in."""

    name: str
    groups: tuple[str, ...] = ()


def check(settings: Settings, connect: Callable[[Settings], Workspace] = connect) -> Iterator[Finding]:
    """The findings, as they are made.

    Where the project's files would go, one empty file or folder is written and removed again; on a running cluster, an
    execution context is opened and destroyed again.
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
    yield from _probes.store(settings.sync, workspace)
    if settings.sync.extract_to == "workspace" or settings.sync.store == "workspace":
        yield _probes.home(workspace, found.name)


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
    verdicts = compute.judge(answer.body, user.name, user.groups)
    for verdict in verdicts:
        yield Finding("cluster", verdict.level, f"{name}: {verdict.message}", verdict.hint)
    if answer.body.get("state") == "RUNNING" and all(verdict.level != "failed" for verdict in verdicts):
        yield _probes.attach(workspace, cluster_id, name)


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
    hint = "Look at the cluster's page in the workspace, and check again in a while."
    return Finding("cluster", "failed", f"Cluster {cluster_id} ({origin}): {answer.message}", hint)


def _state(label: str, cluster: Any) -> Finding:
    state = str(cluster.get("state", "UNKNOWN"))
    said = f"{label}: {state.lower()}"
    if state in ("ERROR", "UNKNOWN"):
        return Finding(
            "cluster", "failed", f"{said}: {cluster.get('state_message', '')}", "See the cluster's event log."
        )
    if state in ("TERMINATED", "TERMINATING"):
        so = 'the first cell starts it, which takes 5-6 minutes and needs "Can Restart" permission'
        return Finding("cluster", "ok", f"{said}; {so}")
    return Finding("cluster", "ok", said)
