"""What an endpoint answers with: a reply, or one of the error shapes the real API has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One HTTP answer. `body` is bytes, or a file that is sent in pieces from `start` on for `length` bytes."""

    status: int = 200
    body: bytes | Path = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    start: int = 0
    length: int | None = None


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})})


class ApiError(Exception):
    """An error in the 2.x shape: `{"error_code", "message", "details"?}`."""

    def __init__(self, status: int, code: str, message: str, reason: str = "", domain: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason
        self.domain = domain

    def reply(self) -> Reply:
        """The answer on the wire."""
        body: dict[str, Any] = {"error_code": self.code, "message": str(self)}
        if self.reason:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason, "domain": self.domain}
            body["details"] = [info]
        return as_json(body, self.status)


class ApiError12(ApiError):
    """An error of API 1.2: `{"error": "<ExceptionSimpleName>: <message>"}`, nothing else."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, "", text)

    def reply(self) -> Reply:
        """The answer on the wire."""
        return as_json({"error": str(self)}, self.status)


class ScimError(ApiError):
    """An error of the SCIM API: `{"schemas", "detail", "status", "scimType"?}`."""

    def __init__(self, status: int, detail: str, kind: str = "") -> None:
        super().__init__(status, kind, detail)

    def reply(self) -> Reply:
        """The answer on the wire."""
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "detail": str(self),
            "status": str(self.status),
        }
        return as_json({**body, "scimType": self.code} if self.code else body, self.status)


def not_found(message: str) -> ApiError:
    """404 RESOURCE_DOES_NOT_EXIST."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def exists_already(message: str) -> ApiError:
    """400 RESOURCE_ALREADY_EXISTS: the HTTP status does not follow from the code on DBFS and workspace."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)


def bad_value(message: str) -> ApiError:
    """400 INVALID_PARAMETER_VALUE."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def permission_denied(message: str) -> ApiError:
    """403 PERMISSION_DENIED."""
    return ApiError(403, "PERMISSION_DENIED", message)
