"""The requests a session makes and what their answers mean: values in, values out, no network.

Shapes and their sources: the Command Execution API 1.2 (camelCase on the wire, errors as `{"error": "Name: text"}`)
and the Clusters API 2.1 (snake_case, errors as `{"error_code": ..., "message": ...}`).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dbk_session.errors import ProtocolError

__all__ = [
    "Answer",
    "Call",
    "Cluster",
    "CommandStatus",
    "Refusal",
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
    "refusal_of",
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
class Answer:
    """What came back: HTTP status, body text, and the seconds of a `Retry-After` header."""

    status: int
    text: str
    retry_after_s: float | None = None

    def json(self) -> dict[str, Any]:
        """The body as an object; empty for an empty body.

        Raises:
            ProtocolError: it is something else, for instance a sign-in page.
        """
        try:
            value = json.loads(self.text) if self.text.strip() else {}
        except ValueError as error:
            raise ProtocolError(f"The workspace did not answer with JSON: {_readable(self.text)!r}.") from error
        if not isinstance(value, dict):
            raise ProtocolError(f"The workspace answered with a {type(value).__name__} instead of an object.")
        return value


RefusalKind = Literal[
    "credentials", "permission", "no_cluster", "cluster_state", "not_ready", "too_many", "unavailable", "other"
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with an error.

    Attributes:
        kind: what it means for the caller; `too_many` and `unavailable` pass by themselves.
        status: HTTP status.
        code: the workspace's error code or exception name, "" when the body had none.
        message: its text, without markup.
        handled: True when the workspace itself answered, so that the request certainly had no effect; False when
            something on the way did, which may have passed it on before.
    """

    kind: RefusalKind
    status: int
    code: str
    message: str
    handled: bool


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


def refusal_of(answer: Answer) -> Refusal | None:
    """What an answer refuses, None when it is a good one.

    The error text decides before the HTTP status does: one token arrives with several statuses.
    """
    if answer.status < 400 and not _is_page(answer.text):
        return None
    code, message, handled = _error_of(answer)
    kind = _kind(answer.status, code, message, handled)
    return Refusal(kind, answer.status, code, message, handled and kind not in ("too_many", "unavailable"))


_BY_CODE: Mapping[str, RefusalKind] = {
    "UNAUTHENTICATED": "credentials",
    "PERMISSION_DENIED": "permission",
    "RESOURCE_DOES_NOT_EXIST": "no_cluster",
    "INVALID_STATE": "cluster_state",
    "REQUEST_LIMIT_EXCEEDED": "too_many",
    "RESOURCE_EXHAUSTED": "too_many",
    "TEMPORARILY_UNAVAILABLE": "unavailable",
}
_BY_STATUS: Mapping[int, RefusalKind] = {401: "credentials", 403: "permission", 429: "too_many"}
_GATEWAY = frozenset({502, 503, 504})


def _kind(status: int, code: str, message: str, handled: bool) -> RefusalKind:
    if "Invalid access token" in message:
        return "credentials"
    if "Single-user check failed" in message or "'Attach' permission" in message:
        return "permission"
    if "ClusterNotReadyException" in code or "ClusterNotReadyException" in message:
        return "not_ready"
    if re.search(r"Cluster \S+ does not exist", message):
        return "no_cluster"
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "unavailable" if status in _GATEWAY or not handled else "other"


def _error_of(answer: Answer) -> tuple[str, str, bool]:
    """(code, message, whether the workspace itself wrote it)."""
    try:
        body = answer.json()
    except ProtocolError:
        return "", _readable(answer.text) or f"HTTP {answer.status}", False
    if "error" in body:
        text = str(body["error"])
        name, separator, rest = text.partition(": ")
        return (name, text, True) if separator and re.fullmatch(r"[\w.$]+", name) and rest else ("", text, True)
    message = body.get("message") or body.get("detail") or f"HTTP {answer.status}"
    return str(body.get("error_code") or ""), str(message), bool(body)


def _is_page(text: str) -> bool:
    return text.lstrip()[:200].lower().startswith(("<!doctype html", "<html"))


def _readable(text: str) -> str:
    """The words of an HTML error page (its `<pre>` or `<title>`), or the start of any other text."""
    for tag in ("pre", "title"):
        found = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", text, re.DOTALL | re.IGNORECASE)
        if found:
            text = found.group(1)
            break
    words = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return " ".join(words.split())[:300]
