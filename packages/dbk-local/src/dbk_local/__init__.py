"""An embedded Databricks-compatible workspace on 127.0.0.1: real interpreters, real Apache Spark, no account."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import BadFault, BadOption, LocalError, NotLoopback, SparkNotInstalled, StartFailed

if TYPE_CHECKING:
    from ._client import Workspace
    from ._log import Request

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

_HOME_OF = {"Workspace": "_client", "Request": "_log"}


def __getattr__(name: str) -> Any:
    """Imports the module of a public name when the name is first used: the command line needs few of them."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
