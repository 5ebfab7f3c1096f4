# ruff: noqa: ARG001 - every endpoint takes the same two arguments
"""`/_local/*`: what a test or the start page asks of the workspace itself; no real workspace has these."""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ._call import Call
from ._cluster import Cluster
from ._cluster_states import PENDING, RUNNING, TERMINATED
from ._contexts import Context
from ._paths import clean, under
from ._replies import Reply, as_json, bad_value, not_found
from ._routes import Route, route
from ._site import DEFAULT_CLUSTER_ID, WORKSPACE_ID, Site
from .errors import LocalError

OWN = "own"


@route("GET", "/_local/status", OWN)
async def status(site: Site, call: Call) -> Reply:
    """Everything that changes: clusters, contexts, commands, options, faults."""
    clusters = [{**_cluster_row(cluster)} for cluster in site.clusters.values()]
    return as_json(
        {
            "version": version("dbk-local"),
            "host": site.host,
            "workspace_id": WORKSPACE_ID,
            "user_name": site.options.user_name,
            "now_ms": site.clock.unix_ms(),
            "clusters": clusters,
            "options": site.options.as_json(),
            "faults": [rule.as_json() for rule in site.faults.rules],
        }
    )


@route("GET", "/_local/requests", OWN)
async def requests(site: Site, call: Call) -> Reply:
    """The request log, from number `after` on; never a header, so never a token."""
    found = list(site.log.since(call.number("after", 0)))
    if limit := call.number("limit", 0):
        found = found[-limit:]
    return as_json({"requests": [request.as_json() for request in found]})


@route("DELETE", "/_local/requests", OWN)
async def clear_requests(site: Site, call: Call) -> Reply:
    """Forget the log; numbers go on."""
    site.log.clear()
    return as_json({})


@route("GET", "/_local/options", OWN)
async def options(site: Site, call: Call) -> Reply:
    """Every option and its value."""
    return as_json(site.options.as_json())


@route("POST", "/_local/options", OWN)
async def set_options(site: Site, call: Call) -> Reply:
    """Change options by name; they hold from the next request and the next command on."""
    try:
        site.options = site.options.changed(call.arguments)
    except LocalError as error:
        raise bad_value(str(error)) from None
    return as_json(site.options.as_json())


@route("GET", "/_local/faults", OWN)
async def faults(site: Site, call: Call) -> Reply:
    """The rules and how often each was met and hit."""
    return as_json({"faults": [rule.as_json() for rule in site.faults.rules]})


@route("POST", "/_local/faults", OWN)
async def add_fault(site: Site, call: Call) -> Reply:
    """Add a rule: `route`, `kind`, `times`, `after`, `probability`, `seed`, and what the kind takes."""
    try:
        return as_json(site.faults.add(call.arguments).as_json())
    except (LocalError, TypeError, ValueError) as error:
        raise bad_value(str(error)) from None


@route("DELETE", "/_local/faults", OWN)
async def clear_faults(site: Site, call: Call) -> Reply:
    """Remove every rule; an expired token works again."""
    site.faults.clear()
    site.token_is_valid = True
    return as_json({})


@route("GET", "/_local/contexts", OWN)
async def contexts(site: Site, call: Call) -> Reply:
    """The live contexts of a cluster: id, pid, status, what runs and waits."""
    found = _cluster(site, call).contexts
    return as_json({"contexts": [_context_row(context) for context in found] if found else []})


@route("POST", "/_local/evict", OWN)
async def evict(site: Site, call: Call) -> Reply:
    """Evict a context, as the platform does at its limit."""
    found = _cluster(site, call).contexts
    if not found or not await found.destroy(call.text("context_id")):
        raise not_found(f"There is no context {call.text('context_id')}")
    return as_json({})


@route("POST", "/_local/restart-driver", OWN)
async def restart_driver(site: Site, call: Call) -> Reply:
    """Crash the driver; answers when the new one is there, or at once with `wait: false`."""
    cluster = _cluster(site, call)
    cluster.crash()
    return await _settled(cluster, call)


@route("POST", "/_local/cluster-state", OWN)
async def cluster_state(site: Site, call: Call) -> Reply:
    """Bring a cluster to RUNNING, PENDING, RESTARTING or TERMINATED the way it goes there by itself."""
    cluster, state = _cluster(site, call), call.text("state")
    if state in (RUNNING, PENDING) and cluster.state == TERMINATED:
        cluster.start()
    elif state == "RESTARTING":
        cluster.restart()
    elif state in (TERMINATED, "TERMINATING"):
        code, kind = call.text("code", "USER_REQUEST"), call.text("type", "SUCCESS")
        cluster.terminate(code, kind, **call.arguments.get("parameters", {}))
    elif state != cluster.state and state != RUNNING:  # to RUNNING it goes by itself
        raise bad_value(f"A cluster in state {cluster.state} cannot be brought to {state}")
    return await _settled(cluster, call, default=state in (RUNNING, TERMINATED))


@route("GET", "/_local/files", OWN)
async def list_files(site: Site, call: Call) -> Reply:
    """What is in a folder of `root` `workspace`, `dbfs` or `volumes`, folders first; nothing when there is none."""
    roots = {"workspace": site.folders.workspace, "dbfs": site.folders.dbfs, "volumes": site.folders.volumes}
    root, path = call.text("root", "workspace"), clean(call.text("path", "/"))
    if root not in roots:
        raise bad_value(f"root is one of {', '.join(roots)}, not {root!r}")
    entries = await asyncio.to_thread(_entries, under(roots[root], path))
    return as_json({"path": path, "entries": entries})


@route("POST", "/_local/clock", OWN)
async def advance(site: Site, call: Call) -> Reply:
    """Let `seconds` pass at once for clusters, contexts and handles."""
    site.clock.advance(float(call.arguments.get("seconds", 0)))
    await asyncio.sleep(0)
    return as_json({"now_ms": site.clock.unix_ms()})


@route("POST", "/_local/reset", OWN)
async def reset(site: Site, call: Call) -> Reply:
    """As after the start: options, faults, log, time, no contexts, the first cluster where it began. Files stay."""
    site.faults.clear()
    site.clock.come_back()
    site.token_is_valid = True
    site.options = site.first_options
    for cluster in list(site.clusters.values()):
        if cluster.id != DEFAULT_CLUSTER_ID:
            del site.clusters[cluster.id]
            await cluster.close()
    await site.clusters[DEFAULT_CLUSTER_ID].reset(site.starts_running)
    site.log.clear()
    return as_json({})


def _entries(folder: Path) -> list[dict[str, Any]]:
    found = []
    for entry in os.scandir(folder) if folder.is_dir() else ():
        state = entry.stat(follow_symlinks=False)
        kind = {"name": entry.name, "is_dir": entry.is_dir(follow_symlinks=False)}
        found.append({**kind, "size": state.st_size, "modified_ms": int(state.st_mtime * 1000)})
    return sorted(found, key=lambda row: (not row["is_dir"], row["name"]))


def _cluster(site: Site, call: Call) -> Cluster:
    cluster_id = call.text("cluster_id", DEFAULT_CLUSTER_ID)
    if (cluster := site.clusters.get(cluster_id)) is None:
        raise not_found(f"There is no cluster {cluster_id}")
    return cluster


async def _settled(cluster: Cluster, call: Call, default: bool = True) -> Reply:
    if call.flag("wait", default):
        await cluster.settle()
    return as_json(_cluster_row(cluster))


def _cluster_row(cluster: Cluster) -> dict[str, Any]:
    found = cluster.contexts
    commands = list(cluster.commands.values())[-50:]
    return {
        "cluster_id": cluster.id,
        "cluster_name": cluster.settings.get("cluster_name", ""),
        "state": cluster.state,
        "state_message": cluster.state_message,
        "termination_reason": cluster.termination_reason,
        "contexts": [_context_row(context) for context in found] if found else [],
        "commands": [
            {
                "id": command.id,
                "context_id": command.context_id,
                "status": command.status,
                "language": command.language,
                "text": command.text[:500],
                "result": (command.results or {}).get("resultType"),
                "created_s": command.created_s,
                "started_s": command.started_s,
                "ended_s": command.ended_s,
            }
            for command in commands
        ],
    }


def _context_row(context: Context) -> dict[str, Any]:
    return {
        "id": context.id,
        "pid": context.handle.pid if context.handle else None,
        "language": context.language,
        "status": context.status,
        "running": context.running.id if context.running else None,
        "waiting": [command.id for command in context.waiting],
    }


ROUTES: tuple[Route, ...] = (
    status,
    requests,
    clear_requests,
    options,
    set_options,
    faults,
    add_fault,
    clear_faults,
    contexts,
    evict,
    restart_driver,
    cluster_state,
    list_files,
    advance,
    reset,
)
