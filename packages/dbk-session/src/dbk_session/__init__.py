"""Run code on a Databricks cluster from any script: live output, cancel, reconnect, clean up.

    from dbk_session import Session

    with Session() as session:
        print(session.run("1 + 1").text)

Importing this package contacts nothing and loads no Databricks SDK; the first command does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbk_session._async import AsyncCommand, AsyncSession
    from dbk_session._command import Command
    from dbk_session._events import (
        Attachment,
        Blocked,
        ClearOutput,
        ClusterProgress,
        Comm,
        ContextLost,
        ContextOpened,
        Display,
        Event,
        ExecuteResult,
        Failure,
        Finished,
        InputRequest,
        Notice,
        Outage,
        Payload,
        RunEvent,
        Skipped,
        SparkProgress,
        Started,
        Stream,
        Truncated,
        to_json,
    )
    from dbk_session._introspection import Completeness, Completion, Inspection
    from dbk_session._results import CommandResult, Table
    from dbk_session._session import Session

__all__ = [
    "AsyncCommand",
    "AsyncSession",
    "Attachment",
    "Blocked",
    "ClearOutput",
    "ClusterProgress",
    "Comm",
    "Command",
    "CommandResult",
    "Completeness",
    "Completion",
    "ContextLost",
    "ContextOpened",
    "Display",
    "Event",
    "ExecuteResult",
    "Failure",
    "Finished",
    "InputRequest",
    "Inspection",
    "Notice",
    "Outage",
    "Payload",
    "RunEvent",
    "Session",
    "Skipped",
    "SparkProgress",
    "Started",
    "Stream",
    "Table",
    "Truncated",
    "to_json",
]

_HOMES = {
    "_async": (
        "AsyncCommand",
        "AsyncSession",
    ),
    "_command": ("Command",),
    "_events": (
        "Attachment",
        "Blocked",
        "ClearOutput",
        "ClusterProgress",
        "Comm",
        "ContextLost",
        "ContextOpened",
        "Display",
        "Event",
        "ExecuteResult",
        "Failure",
        "Finished",
        "InputRequest",
        "Notice",
        "Outage",
        "Payload",
        "RunEvent",
        "Skipped",
        "SparkProgress",
        "Started",
        "Stream",
        "Truncated",
        "to_json",
    ),
    "_introspection": (
        "Completeness",
        "Completion",
        "Inspection",
    ),
    "_results": (
        "CommandResult",
        "Table",
    ),
    "_session": ("Session",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
_MODULES = ("errors",)


def __getattr__(name: str) -> Any:
    """Imports the module of a public name when the name is first used: the command line needs few of them."""
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
