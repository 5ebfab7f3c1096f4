"""What a session reports while it works: frozen values, in the order in which things happened.

Two kinds. *Session events* tell about the cluster and the context. *Run events* belong to one command and carry its
`run_id`; for each command they start with `Started` and end with exactly one `Finished`. Output that a thread of a
finished command makes later still carries that command's `run_id` and comes after its `Finished`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

__all__ = [
    "Attachment",
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
    "Payload",
    "RunEvent",
    "Skipped",
    "SparkProgress",
    "Started",
    "Status",
    "Stream",
    "Truncated",
    "to_json",
]

Status = Literal["ok", "error", "cancelled", "lost"]
"""How a command ended. `lost`: interpreter or connection went away; whether the code ran to its end is unknown."""


@dataclass(frozen=True, slots=True)
class Event:
    """Anything a session reports."""


@dataclass(frozen=True, slots=True)
class ClusterProgress(Event):
    """The cluster is being started, or was found in a state that has to be waited out.

    Attributes:
        state: `PENDING`, `RESTARTING`, `RESIZING`, `TERMINATING`, `RUNNING` and so on, as the Clusters API names them.
        message: the workspace's own words about it, "" when it has none.
        elapsed_s: seconds since the session began to wait.
    """

    state: str
    message: str
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """One line a person should read once: a fallback, a reconnect, a disabled feature."""

    text: str


@dataclass(frozen=True, slots=True)
class Outage(Event):
    """The workspace has not answered for some seconds; requests are sent again until it does.

    Attributes:
        cause: what became of the last request, in a few words.
        is_over: True when it has answered again.
    """

    cause: str
    is_over: bool = False

    @property
    def text(self) -> str:
        """One line for a person."""
        return "Connected again." if self.is_over else f"Connection lost ({self.cause}); trying again."


@dataclass(frozen=True, slots=True)
class Blocked(Event):
    """A command's turn has come, but one that was cancelled and did not stop still runs: the command waits for it."""

    @property
    def text(self) -> str:
        """One line for a person."""
        return "Waits for the command that was cancelled before and still runs."


@dataclass(frozen=True, slots=True)
class ContextOpened(Event):
    """A fresh interpreter is ready on the cluster.

    Attributes:
        context_id: the workspace's id of it.
        channel: `"spool"`, `"result"` or `"plain"`: how output will arrive.
        python: its version, for instance `"3.12.3"`, "" on the plain channel.
    """

    context_id: str
    channel: str
    python: str = ""


@dataclass(frozen=True, slots=True)
class ContextLost(Event):
    """The interpreter was replaced or went away: all variables are gone. No user code was run again."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunEvent(Event):
    """Anything that belongs to one command."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Started(RunEvent):
    """The command has begun to run.

    Attributes:
        execution_count: the number IPython gives it (`In [n]`), None where it is unknown or not counted.
    """

    execution_count: int | None = None


@dataclass(frozen=True, slots=True)
class Stream(RunEvent):
    """Text the code wrote; `name` is `"stdout"` or `"stderr"`."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Display(RunEvent):
    """Rich output.

    Attributes:
        data: mime type to content; binary kinds are base64 text, JSON kinds are JSON values.
        metadata: by mime type, as in the Jupyter protocol.
        transient: holds `display_id` when the output can be updated.
        update: True when this replaces the earlier output of the same `display_id`.
        buffers: raw bytes that belong to it (widgets).
    """

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    transient: Mapping[str, Any] = field(default_factory=dict)
    update: bool = False
    buffers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ClearOutput(RunEvent):
    """Drop the output so far; with `wait` only when the next output arrives."""

    wait: bool = False


@dataclass(frozen=True, slots=True)
class ExecuteResult(RunEvent):
    """The value of the last expression, as a mime bundle (see `Display`)."""

    execution_count: int | None
    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure(RunEvent):
    """The code raised: class name, text, and the lines of the traceback with terminal colours."""

    ename: str
    evalue: str
    traceback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputRequest(RunEvent):
    """The code waits for a line from the user: `Command.answer` sends it. `password`: do not echo it."""

    id: str
    prompt: str
    password: bool = False


@dataclass(frozen=True, slots=True)
class Payload(RunEvent):
    """Something for the front end to do (`set_next_input`, `page`, ...), as IPython's payload manager makes it."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comm(RunEvent):
    """A message to the widgets of the front end: `comm_open`, `comm_msg` or `comm_close`."""

    msg_type: str
    content: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    buffers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment(RunEvent):
    """What the driver made of one attachment; with `error` set the user's code did not run."""

    name: str
    reply: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SparkProgress(RunEvent):
    """How far Spark is with the running command.

    Attributes:
        jobs: active jobs.
        stages: active stages.
        tasks_done: finished tasks of the active stages.
        tasks_total: all tasks of the active stages.
    """

    jobs: int
    stages: int
    tasks_done: int
    tasks_total: int


@dataclass(frozen=True, slots=True)
class Truncated(RunEvent):
    """The command made more output than `output_limit_mb` allows; what follows was dropped on the driver."""

    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Skipped(RunEvent):
    """Output of a command that was interrupted, which was not fetched: its end is shown, and all that is no output."""

    skipped_bytes: int


@dataclass(frozen=True, slots=True)
class Finished(RunEvent):
    """The command is over and all its output has been delivered.

    Attributes:
        status: how it ended.
        execution_count: its number, None where unknown.
        payload: what the front end should do, all `Payload` events again.
        expressions: name to `{"status": "ok", "data": ..., "metadata": ...}` or `{"status": "error", ...}`.
        reason: for `lost` and `cancelled`, one line that says why; "" otherwise.
        error: the exception that ended it. There may be one without a `Failure` before it: IPython prints the message
            of a wrongly used magic itself.
    """

    status: Status
    execution_count: int | None = None
    payload: tuple[Mapping[str, Any], ...] = ()
    expressions: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    error: Failure | None = None


def _plain(value: Any) -> Any:
    if isinstance(value, Event):
        return to_json(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def to_json(event: Event) -> dict[str, Any]:
    """One event as a JSON object: its fields, and `type` with the class name; bytes become base64 text."""
    body = {item.name: _plain(getattr(event, item.name)) for item in fields(event)}
    return {"type": type(event).__name__, **body}
