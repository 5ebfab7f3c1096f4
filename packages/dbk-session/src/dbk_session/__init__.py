"""Run code on a Databricks cluster from any script: live output, cancel, reconnect, clean up.

    from dbk_session import Session

    with Session() as session:
        print(session.run("1 + 1").text)

Importing this package contacts nothing and loads no Databricks SDK; the first command does.
"""

from __future__ import annotations

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
from dbk_session._results import CommandResult, Completeness, Completion, Inspection, Table
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
