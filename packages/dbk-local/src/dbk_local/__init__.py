"""An embedded Databricks-compatible workspace on 127.0.0.1: real interpreters, real Apache Spark, no account."""

from __future__ import annotations

from ._client import Workspace
from ._log import Request
from .errors import BadFault, BadOption, LocalError, NotLoopback, SparkNotInstalled, StartFailed

__all__ = [
    "BadFault",
    "BadOption",
    "LocalError",
    "NotLoopback",
    "Request",
    "SparkNotInstalled",
    "StartFailed",
    "Workspace",
]
