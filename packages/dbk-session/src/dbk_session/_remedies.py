"""Refusals of the workspace as errors that tell a person what to do."""

from __future__ import annotations

from collections.abc import Mapping

from dbk_session._answers import Refusal
from dbk_session._calls import Call
from dbk_session.errors import (
    AuthenticationError,
    ClusterNotFound,
    ClusterUnsupported,
    PermissionDenied,
    SessionError,
    WorkspaceError,
)

__all__ = ["error_of"]


def error_of(refusal: Refusal, call: Call) -> SessionError:
    """The error that tells a person what to do about a refusal."""
    cluster = _cluster_in(call.fields)
    if refusal.kind == "credentials":
        return AuthenticationError(
            f"Invalid token: the workspace answered {_phrase(refusal.status)} ({refusal.message}).",
            "Regenerate your Personal Access Token and set DATABRICKS_TOKEN, or log in to the profile again.",
        )
    if refusal.kind == "no_cluster":
        return ClusterNotFound(
            f"Cluster not found: {cluster} ({refusal.message})",
            "Verify the cluster ID (DATABRICKS_CLUSTER_ID or pyproject.toml) and your access permissions.",
        )
    if refusal.kind == "permission" and "Single-user check failed" in refusal.message:
        return ClusterUnsupported(refusal.message, "Use a cluster that is dedicated to you, or one in standard mode.")
    if refusal.kind == "permission":
        return PermissionDenied(
            f"Permission denied: {refusal.message}",
            f'Ask for the permission "Can Attach To" ("Can Restart" to start it) on cluster {cluster}.',
        )
    return WorkspaceError(
        f"The workspace refused {call.path}: {refusal.message}", status=refusal.status, code=refusal.code
    )


def _cluster_in(fields: Mapping[str, str]) -> str:
    return fields.get("clusterId") or fields.get("cluster_id") or "?"


def _phrase(status: int) -> str:
    return {401: "401 Unauthorized", 403: "403 Forbidden"}.get(status, str(status))
