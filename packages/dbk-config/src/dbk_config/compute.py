"""Which compute this family of packages can run on, and why not: pure judgement of what `clusters/get` answers.

Only classic all-purpose clusters have the Command Execution API (databricks-sdk, `CommandExecutionAPI`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["RUNTIMES", "Verdict", "access_mode", "judge", "judge_id", "judge_runtime", "runtime_of"]

Level = Literal["ok", "warning", "failed"]

RUNTIMES: Mapping[str, str] = {"17.3": "Recommended", "16.4": "Recommended", "15.4": "Supported"}
"""Runtime -> status, newest first: the table of the README."""

_OLDEST = (15, 4)
_CHOOSE = "Choose an all-purpose cluster: dbk-config init"
_NEITHER_ALL_PURPOSE = {
    "JOB": "a job cluster, which lives only as long as its job",
    "PIPELINE": "a pipeline's cluster",
    "PIPELINE_MAINTENANCE": "a pipeline's cluster",
    "MODELS": "a model serving cluster",
    "SQL": "SQL-only compute, which runs no Python",
}
_MODES = {
    "SINGLE_USER": "dedicated",
    "DATA_SECURITY_MODE_DEDICATED": "dedicated",
    "LEGACY_SINGLE_USER": "dedicated",
    "LEGACY_SINGLE_USER_STANDARD": "dedicated",
    "USER_ISOLATION": "standard",
    "DATA_SECURITY_MODE_STANDARD": "standard",
    "NONE": "no isolation",
}


@dataclass(frozen=True)
class Verdict:
    """One thing found out: `ok`, a `warning`, or `failed`; what was found; and what to do about it ("" for nothing)."""

    level: Level
    message: str
    hint: str = ""


def judge_id(cluster_id: str) -> Verdict | None:
    """What the ID alone gives away, before asking the workspace: a warehouse, or serverless; None for nothing."""
    serverless = f"Serverless has no API for interactive Python; use Databricks Connect for it. {_CHOOSE}"
    if cluster_id.lower() in ("auto", "serverless"):
        return Verdict("failed", f"{cluster_id!r} means serverless compute, which is not supported", serverless)
    if re.fullmatch(r"[0-9a-f]{16}", cluster_id):
        return Verdict("failed", f"{cluster_id!r} is the ID of a SQL warehouse: it runs no Python", _CHOOSE)
    return None


def judge(cluster: Mapping[str, Any], user_name: str, groups: Collection[str] = ()) -> list[Verdict]:
    """Whether `user_name` can run Python on this cluster: kind, access mode and runtime, in this order.

    Args:
        cluster: the JSON object that `clusters/get` or `clusters/list` gives.
        user_name: as `scim/v2/Me` gives it; "" when unknown.
        groups: names of the groups the user is in.
    """
    source = cluster.get("cluster_source", "")
    if source in _NEITHER_ALL_PURPOSE:
        return [Verdict("failed", f"it is {_NEITHER_ALL_PURPOSE[source]}", _CHOOSE)]
    clients = (cluster.get("workload_type") or {}).get("clients") or {}
    if clients.get("notebooks") is False:
        return [Verdict("failed", "it is reserved for jobs: its workload type excludes notebooks", _CHOOSE)]
    return [_judge_access(cluster, user_name, groups), judge_runtime(cluster.get("spark_version") or "")]


def access_mode(cluster: Mapping[str, Any]) -> str:
    """The access mode as the workspace's pages call it: `dedicated`, `standard`, `no isolation`; or the API's word."""
    mode = cluster.get("data_security_mode") or "NONE"
    return _MODES.get(mode, mode)


def runtime_of(spark_version: str) -> str:
    """`16.4` of `16.4.x-scala2.12` and its ML and Photon variants; "" for a custom or unknown one."""
    found = re.match(r"(\d+\.\d+)\.", spark_version)
    return found[1] if found else ""


def judge_runtime(spark_version: str) -> Verdict:
    """Whether the runtime is one of those that are tested, too old to work, or merely untested."""
    runtime = runtime_of(spark_version)
    supported = "Supported are " + ", ".join(f"{version} LTS" for version in RUNTIMES) + "."
    if runtime in RUNTIMES:
        return Verdict("ok", f"runtime {runtime} LTS: {RUNTIMES[runtime].lower()}")
    if not runtime:
        return Verdict(
            "warning", f"runtime {spark_version or 'unknown'}: cannot tell whether it is supported", supported
        )
    if tuple(map(int, runtime.split("."))) < _OLDEST:
        return Verdict("failed", f"runtime {runtime} is too old", f"{supported} Edit the cluster's runtime.")
    return Verdict("warning", f"runtime {runtime} is not tested", supported)


def _judge_access(cluster: Mapping[str, Any], user_name: str, groups: Collection[str]) -> Verdict:
    mode = access_mode(cluster)
    owner = cluster.get("single_user_name") or ""
    if mode == "dedicated" and owner:
        if user_name and owner.casefold() != user_name.casefold() and owner not in groups:
            hint = f"Ask {owner}, or an administrator, for a cluster you may attach to. {_CHOOSE}"
            return Verdict("failed", f"it is dedicated to {owner}, and you are {user_name}", hint)
        return Verdict("ok", f"access mode: dedicated to {owner}")
    if mode.startswith("LEGACY"):
        hint = "If commands are refused, use a cluster with dedicated or standard access mode."
        return Verdict("warning", f"access mode: {mode}, which may refuse Python", hint)
    return Verdict("ok", f"access mode: {mode}")
