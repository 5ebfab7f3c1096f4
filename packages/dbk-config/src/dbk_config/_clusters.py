"""The clusters of a workspace, for a person to choose from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from dbk_config import compute
from dbk_config._rest import Workspace
from dbk_config.errors import DbkError

__all__ = ["Choice", "choices"]


@dataclass(frozen=True)
class Choice:
    """One cluster: its ID and name, its state in lower case, its runtime, and why it will not do ("" when it will)."""

    cluster_id: str
    name: str
    state: str
    runtime: str
    against: str = ""


def choices(workspace: Workspace, user_name: str, groups: Collection[str]) -> list[Choice]:
    """All interactive clusters, those that will do first, running ones before stopped ones."""
    found = {cluster["cluster_id"]: cluster for cluster in _listed(workspace) if cluster.get("cluster_id")}
    made = [
        _choice(cluster, user_name, groups)
        for cluster in found.values()
        # A workspace lists the clusters of its jobs too, thousands of them.
        if cluster.get("cluster_source") not in ("JOB", "PIPELINE", "PIPELINE_MAINTENANCE")
    ]
    return sorted(made, key=lambda choice: (bool(choice.against), choice.state != "running", choice.name))


def _listed(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """Every cluster of every page; a cluster may come twice (API §3)."""
    query = {"page_size": "100"}
    while True:
        answer = workspace.call("GET", "/api/2.1/clusters/list", query)
        if not answer.ok:
            raise DbkError(f"The workspace does not list its clusters: {answer.message}", "Give one: --cluster-id ID")
        yield from answer.body.get("clusters") or ()
        token = answer.body.get("next_page_token")
        if not token:
            return
        query["page_token"] = token


def _choice(cluster: dict[str, Any], user_name: str, groups: Collection[str]) -> Choice:
    against = [v.message for v in compute.judge(cluster, user_name, groups) if v.level == "failed"]
    return Choice(
        cluster_id=cluster["cluster_id"],
        name=str(cluster.get("cluster_name") or ""),
        state=str(cluster.get("state", "unknown")).lower(),
        runtime=compute.runtime_of(cluster.get("spark_version") or "") or "?",
        against="; ".join(against),
    )
