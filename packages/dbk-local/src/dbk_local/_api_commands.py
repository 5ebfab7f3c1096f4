"""`/api/1.2/contexts/*` and `/api/1.2/commands/*`."""

from __future__ import annotations

from typing import Any

from ._call import Call
from ._cluster import Cluster
from ._cluster_states import PENDING, RESTARTING
from ._commands import Command
from ._contexts import Context, ContextLimit, Contexts
from ._replies import ApiError12, Reply, as_json, permission_denied
from ._routes import route
from ._site import Site

LANGUAGES = frozenset({"python", "scala", "sql", "r"})


@route("POST", "/api/1.2/contexts/create", "live test")
async def create_context(site: Site, call: Call) -> Reply:
    """Start an interpreter; answers at once, status `Pending` then `Running`."""
    cluster_id = _required(site, call, "clusterId")
    language = _language(site, call)
    contexts = _usable(site, cluster_id)
    try:
        context = await contexts.create(language)
    except ContextLimit:
        raise _error(site, site.options.context_limit_text) from None
    return as_json({"id": context.id})


@route("GET", "/api/1.2/contexts/status", "documented")
async def context_status(site: Site, call: Call) -> Reply:
    """`Pending`, `Running` or `Error`; an id that is unknown or lost answers as option `context_lost` says."""
    cluster_id, context_id = _required(site, call, "clusterId"), _required(site, call, "contextId")
    cluster = _cluster(site, cluster_id)
    context = cluster.contexts.get(context_id) if cluster.contexts else None
    if context is None and site.options.context_lost == "status-error":
        return as_json({"id": context_id, "status": "Error"})
    if context is None:
        raise _error(site, site.options.unknown_context_text.format(context_id=context_id))
    return as_json({"id": context.id, "status": context.status})


@route("POST", "/api/1.2/contexts/destroy", "documented")
async def destroy_context(site: Site, call: Call) -> Reply:
    """End an interpreter; a command that runs ends with the shutdown form of `CommandCancelledException`."""
    cluster_id, context_id = _required(site, call, "clusterId"), _required(site, call, "contextId")
    contexts, context = _context(site, cluster_id, context_id)
    await contexts.destroy(context.id)
    return as_json({"id": context_id})


@route("POST", "/api/1.2/commands/execute", "live test")
async def execute(site: Site, call: Call) -> Reply:
    """Queue a command; a context runs one at a time."""
    cluster_id, context_id = _required(site, call, "clusterId"), _required(site, call, "contextId")
    language = _language(site, call)
    text = _required(site, call, "command")
    contexts, context = _context(site, cluster_id, context_id)
    if 0 < site.options.command_limit_bytes < len(text.encode()):
        raise _error(
            site, f"IllegalArgumentException: requirement failed: command of {len(text.encode())} bytes is too large"
        )
    return as_json({"id": contexts.execute(context, language, text).id})


@route("GET", "/api/1.2/commands/status", "live test")
async def command_status(site: Site, call: Call) -> Reply:
    """Status and, once it is final, results; 500 while a structured stream of the command runs behind it."""
    cluster, command = _command(site, call)
    if cluster.contexts and await cluster.contexts.runs_behind(command):
        execution = f"ExecutionId({command.context_id})"
        raise ApiError12(500, f"RuntimeException: Unknown ExecutionStatus RunningInBackground({execution},Map())")
    if command.is_final:
        command.reads += 1
        if 0 < site.options.result_reads <= command.reads:
            del cluster.commands[command.id]
    return as_json(_described(site, command))


@route("POST", "/api/1.2/commands/cancel", "live test")
async def cancel(site: Site, call: Call) -> Reply:
    """Ask a command to stop: `Running`, `Cancelling`, `Finished` with an error result; harmless when it is over."""
    cluster, command = _command(site, call)
    if cluster.contexts:
        cluster.contexts.cancel(command)
    return as_json({"id": command.id})


def _described(site: Site, command: Command) -> dict[str, Any]:
    body: dict[str, Any] = {"id": command.id, "status": command.status}
    if command.is_final:
        return {**body, "results": command.results}
    return body if site.options.results_while_running == "absent" else {**body, "results": None}


def _error(site: Site, text: str) -> ApiError12:
    return ApiError12(site.options.error_status_12, text)


def _required(site: Site, call: Call, name: str) -> str:
    """A field, checked before any look-up as a live test shows."""
    if not (value := call.text(name, "")):
        raise _error(site, f"IllegalArgumentException: requirement failed: missing {name}")
    return value


def _language(site: Site, call: Call) -> str:
    language = _required(site, call, "language").lower()
    if language not in LANGUAGES:
        raise _error(site, f"IllegalArgumentException: requirement failed: unsupported language: {language}")
    return language


def _cluster(site: Site, cluster_id: str) -> Cluster:
    if (cluster := site.clusters.get(cluster_id)) is None:
        raise _error(site, site.options.unknown_cluster_text.format(cluster_id=cluster_id))
    check_access(site, cluster)
    return cluster


def check_access(site: Site, cluster: Cluster) -> None:
    """Refuse whoever may not run commands on a cluster.

    Raises:
        ApiError: 403; a dedicated cluster's owner counts for more than any granted permission.
    """
    owner = site.options.single_user_name or cluster.settings.get("single_user_name", "")
    me = site.options.user_name
    if cluster.settings.get("data_security_mode") == "SINGLE_USER" and owner != me:
        raise permission_denied(
            f"Single-user check failed: user '{me}' attempted to run a command on single-user cluster {cluster.id}, "
            f"but the single user of this cluster is '{owner}'"
        )
    if site.options.permission == "NONE":
        raise permission_denied(f"{me} lacks 'Attach' permissions on the underlying cluster {cluster.id}")


def _usable(site: Site, cluster_id: str) -> Contexts:
    """The contexts of a cluster that gives some."""
    cluster = _cluster(site, cluster_id)
    if cluster.is_ready and cluster.contexts:
        return cluster.contexts
    if cluster.state in (PENDING, RESTARTING) or cluster.is_starting_driver:
        raise ApiError12(500, f"ClusterNotReadyException: Cluster {cluster_id} is not ready (state {cluster.state})")
    raise _error(site, site.options.stopped_text.format(cluster_id=cluster_id, state=cluster.state))


def _context(site: Site, cluster_id: str, context_id: str) -> tuple[Contexts, Context]:
    cluster = _cluster(site, cluster_id)
    if cluster.contexts and (context := cluster.contexts.get(context_id)):
        return cluster.contexts, context
    raise _error(site, site.options.unknown_context_text.format(context_id=context_id))


def _command(site: Site, call: Call) -> tuple[Cluster, Command]:
    names = ("clusterId", "contextId", "commandId")
    cluster_id, context_id, command_id = (_required(site, call, name) for name in names)
    cluster = _cluster(site, cluster_id)
    command = cluster.commands.get(command_id)
    if command and command.context_id == context_id:
        return cluster, command
    if cluster.contexts is None or cluster.contexts.get(context_id) is None:
        raise _error(site, site.options.unknown_context_text.format(context_id=context_id))
    raise _error(site, site.options.unknown_command_text.format(command_id=command_id))


ROUTES = (create_context, context_status, destroy_context, execute, command_status, cancel)
