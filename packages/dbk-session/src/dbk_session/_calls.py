"""The requests a session makes, and what good answers to them say: values in, values out, no network.

Shapes and their sources: the Command Execution API 1.2 (camelCase on the wire, errors as `{"error": "Name: text"}`)
and the Clusters API 2.1 (snake_case, errors as `{"error_code": ..., "message": ...}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dbk_session.errors import ProtocolError

__all__ = [
    "Call",
    "Cluster",
    "CommandStatus",
    "cancel_command",
    "cluster_of",
    "command_status",
    "command_status_of",
    "context_status",
    "context_status_of",
    "create_context",
    "destroy_context",
    "execute",
    "get_cluster",
    "id_of",
    "start_cluster",
]

FINAL = frozenset({"finished", "cancelled", "error"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: `"GET"` or `"POST"`.
        path: from the host on.
        fields: query of a GET, JSON body of a POST.
        repeatable: sending it twice does the same as sending it once.
    """

    method: Literal["GET", "POST"]
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """Answer of commands/status: `state` in lower case (`queued`, `running`, `cancelling`, or final), and results."""

    state: str
    results: Mapping[str, Any] | None

    @property
    def is_final(self) -> bool:
        """True when it will not change any more."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Cluster:
    """Answer of clusters/get, as far as it matters here; missing texts are "", a missing time is 0.

    Attributes:
        started_s: when its driver was started last, in Unix seconds: nothing on it is older.
    """

    state: str
    message: str
    reason: str
    access_mode: str
    single_user: str
    runtime: str
    name: str
    started_s: float = 0.0


def create_context(cluster_id: str) -> Call:
    """Asks for a Python context. Not repeatable: a second one would be left behind."""
    fields = {"clusterId": cluster_id, "language": "python"}
    return Call("POST", "/api/1.2/contexts/create", fields, repeatable=False)


def context_status(cluster_id: str, context_id: str) -> Call:
    """Asks whether a context lives."""
    return Call("GET", "/api/1.2/contexts/status", {"clusterId": cluster_id, "contextId": context_id})


def destroy_context(cluster_id: str, context_id: str) -> Call:
    """Ends a context and whatever runs in it."""
    return Call("POST", "/api/1.2/contexts/destroy", {"clusterId": cluster_id, "contextId": context_id})


def execute(cluster_id: str, context_id: str, command: str, language: str = "python") -> Call:
    """Runs a command. Not repeatable: it would run twice, and the API has no key against that."""
    fields = {"clusterId": cluster_id, "contextId": context_id, "language": language, "command": command}
    return Call("POST", "/api/1.2/commands/execute", fields, repeatable=False)


def command_status(cluster_id: str, context_id: str, command_id: str) -> Call:
    """Asks how a command is doing."""
    return Call(
        "GET",
        "/api/1.2/commands/status",
        {"clusterId": cluster_id, "contextId": context_id, "commandId": command_id},
    )


def cancel_command(cluster_id: str, context_id: str, command_id: str) -> Call:
    """Asks for a command to be stopped."""
    return Call(
        "POST",
        "/api/1.2/commands/cancel",
        {"clusterId": cluster_id, "contextId": context_id, "commandId": command_id},
    )


def get_cluster(cluster_id: str) -> Call:
    """Asks for the state of a cluster."""
    return Call("GET", "/api/2.1/clusters/get", {"cluster_id": cluster_id})


def start_cluster(cluster_id: str) -> Call:
    """Starts a terminated cluster. On any other it is refused with INVALID_STATE, so repeating it is harmless."""
    return Call("POST", "/api/2.1/clusters/start", {"cluster_id": cluster_id})


def id_of(body: Mapping[str, Any]) -> str:
    """The id in the answer of create and execute: an opaque string, although it may look like a number."""
    value = body.get("id")
    if value is None or value == "":
        raise ProtocolError("The workspace accepted the request but gave no id.")
    return str(value)


def context_status_of(body: Mapping[str, Any]) -> str:
    """`"pending"`, `"running"` or `"error"`; newer documents spell it `CONTEXT_RUNNING`, both are taken."""
    return str(body.get("status", "")).lower().removeprefix("context_")


def command_status_of(body: Mapping[str, Any]) -> CommandStatus:
    """Reads commands/status. `results` may be null, absent or late."""
    state = str(body.get("status", "")).lower().removeprefix("command_")
    results = body.get("results")
    return CommandStatus(state, results if isinstance(results, dict) else None)


def cluster_of(body: Mapping[str, Any]) -> Cluster:
    """Reads clusters/get."""
    reason = body.get("termination_reason")
    return Cluster(
        state=str(body.get("state", "UNKNOWN")).upper(),
        message=str(body.get("state_message") or ""),
        reason=str(reason.get("code") or "") if isinstance(reason, dict) else "",
        access_mode=str(body.get("data_security_mode") or ""),
        single_user=str(body.get("single_user_name") or ""),
        runtime=str(body.get("spark_version") or ""),
        name=str(body.get("cluster_name") or ""),
        started_s=max(int(body.get(key) or 0) for key in ("start_time", "last_restarted_time")) / 1000,
    )
