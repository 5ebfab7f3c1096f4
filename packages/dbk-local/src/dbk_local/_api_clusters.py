# ruff: noqa: ARG001 - every endpoint takes the same two arguments
"""`/api/2.1/clusters/*`, answered under 2.0 as well."""

from __future__ import annotations

from typing import Any

from ._call import Call
from ._cluster import Cluster
from ._cluster_states import RUNNING, RUNTIMES
from ._replies import Reply, as_json, bad_value, permission_denied
from ._routes import route
from ._site import Site

BOTH = {"versions": ("2.0",)}
_RANKS = ("NONE", "CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE")


@route("GET", "/api/2.1/clusters/get", "live test", **BOTH)
async def get(site: Site, call: Call) -> Reply:
    """One cluster; an unknown id is 400 INVALID_PARAMETER_VALUE."""
    return as_json(_cluster(site, call).describe())


@route("GET", "/api/2.1/clusters/list", "documented", **BOTH)
async def list_(site: Site, call: Call) -> Reply:
    """All clusters, in pages of `page_size`."""
    size, start = call.number("page_size", 20) or 20, call.number("page_token", 0)
    everything = [cluster.describe() for cluster in site.clusters.values()]
    page: dict[str, Any] = {"clusters": everything[start : start + size]}
    if start + size < len(everything):
        page["next_page_token"] = str(start + size)
    return as_json(page)


@route("POST", "/api/2.1/clusters/create", "documented", **BOTH)
async def create(site: Site, call: Call) -> Reply:
    """A new cluster, which starts at once."""
    cluster = site.add_cluster(_settings(call))
    cluster.start()
    return as_json({"cluster_id": cluster.id})


@route("POST", "/api/2.1/clusters/edit", "documented", **BOTH)
async def edit(site: Site, call: Call) -> Reply:
    """New settings; a running cluster restarts with them, a terminated one stays so."""
    cluster = _cluster(site, call)
    _need(site, cluster, "CAN_MANAGE")
    cluster.settings.update(_settings(call))
    cluster.note("EDITED")
    if cluster.state == RUNNING:
        cluster.restart()
    return as_json({})


@route("POST", "/api/2.1/clusters/start", "reported", **BOTH)
async def start(site: Site, call: Call) -> Reply:
    """Start a terminated cluster; one in any other state is 400 INVALID_STATE."""
    cluster = _cluster(site, call)
    _need(site, cluster, "CAN_RESTART")
    cluster.start()
    return as_json({})


@route("POST", "/api/2.1/clusters/restart", "documented", **BOTH)
async def restart(site: Site, call: Call) -> Reply:
    """Restart a running cluster: every context is gone, and its id with it."""
    cluster = _cluster(site, call)
    _need(site, cluster, "CAN_RESTART")
    cluster.restart()
    return as_json({})


@route("POST", "/api/2.1/clusters/delete", "documented", **BOTH)
async def delete(site: Site, call: Call) -> Reply:
    """Terminate a cluster; its settings stay."""
    cluster = _cluster(site, call)
    _need(site, cluster, "CAN_RESTART")
    cluster.terminate("USER_REQUEST", "SUCCESS", username=site.options.user_name)
    return as_json({})


@route("POST", "/api/2.1/clusters/permanent-delete", "documented", **BOTH)
async def permanent_delete(site: Site, call: Call) -> Reply:
    """Terminate a cluster and forget it."""
    cluster = _cluster(site, call)
    _need(site, cluster, "CAN_MANAGE")
    del site.clusters[cluster.id]
    await cluster.close()
    return as_json({})


@route("POST", "/api/2.1/clusters/resize", "documented", **BOTH)
async def resize(site: Site, call: Call) -> Reply:
    """RUNNING, RESIZING, RUNNING; contexts live on."""
    cluster = _cluster(site, call)
    _need(site, cluster, "CAN_RESTART")
    cluster.resize(call.number("num_workers", 0), site.options.restart_s)
    return as_json({})


@route("POST", "/api/2.1/clusters/events", "documented", **BOTH)
async def events(site: Site, call: Call) -> Reply:
    """What happened to a cluster, newest first unless `order` is `ASC`."""
    found = list(_cluster(site, call).events)
    if kinds := call.arguments.get("event_types"):
        found = [event for event in found if event["type"] in kinds]
    if call.text("order", "DESC") != "ASC":
        found.reverse()
    start, limit = call.number("offset", 0), call.number("limit", 50)
    page: dict[str, Any] = {"events": found[start : start + limit], "total_count": len(found)}
    if start + limit < len(found):
        page["next_page"] = {"cluster_id": call.text("cluster_id"), "offset": start + limit, "limit": limit}
    return as_json(page)


@route("POST", "/api/2.1/clusters/pin", "documented", **BOTH)
async def pin(site: Site, call: Call) -> Reply:
    """Keep a terminated cluster in the list."""
    return _pin(_cluster(site, call), True)


@route("POST", "/api/2.1/clusters/unpin", "documented", **BOTH)
async def unpin(site: Site, call: Call) -> Reply:
    """Undo a pin."""
    return _pin(_cluster(site, call), False)


@route("GET", "/api/2.1/clusters/spark-versions", "live test", **BOTH)
async def spark_versions(site: Site, call: Call) -> Reply:
    """The runtimes that have presets here."""
    return as_json({"versions": [{"key": key, "name": name} for key, name in RUNTIMES.values()]})


@route("GET", "/api/2.1/clusters/list-node-types", "live test", **BOTH)
async def node_types(site: Site, call: Call) -> Reply:
    """One node type: this machine."""
    node = {
        "node_type_id": "local",
        "memory_mb": 16384,
        "num_cores": 4.0,
        "description": "this machine",
        "instance_type_id": "local",
        "category": "General Purpose",
        "is_deprecated": False,
        "is_hidden": False,
        "is_io_cache_enabled": True,
        "num_gpus": 0,
        "node_instance_type": {"instance_type_id": "local", "local_disks": 1, "local_disk_size_gb": 100},
        "node_info": {"available_core_quota": 100, "total_core_quota": 100, "status": []},
    }
    return as_json({"node_types": [node]})


@route("GET", "/api/2.1/clusters/list-zones", "documented", **BOTH)
async def zones(site: Site, call: Call) -> Reply:
    """One zone."""
    return as_json({"zones": ["local"], "default_zone": "local"})


def _cluster(site: Site, call: Call) -> Cluster:
    cluster_id = call.text("cluster_id")
    if (cluster := site.clusters.get(cluster_id)) is None:
        raise bad_value(f"Cluster {cluster_id} does not exist")
    return cluster


def _need(site: Site, cluster: Cluster, level: str) -> None:
    if _RANKS.index(site.options.permission) < _RANKS.index(level):
        me = site.options.user_name
        word = {"CAN_RESTART": "Restart", "CAN_MANAGE": "Manage"}[level]
        raise permission_denied(f"{me} does not have {word} permissions on Cluster with ID: {cluster.id}.")


def _settings(call: Call) -> dict[str, Any]:
    own = {"cluster_id", "apply_policy_default_values", "clone_from"}
    return {name: value for name, value in call.arguments.items() if name not in own}


def _pin(cluster: Cluster, pinned: bool) -> Reply:
    cluster.note("PINNED" if pinned else "UNPINNED")
    cluster.pinned = pinned
    return as_json({})


ROUTES = (
    get,
    list_,
    create,
    edit,
    start,
    restart,
    delete,
    permanent_delete,
    resize,
    events,
    pin,
    unpin,
    spark_versions,
    node_types,
    zones,
)
