"""A command's life as a table, and what the API says about each step of it.

    Queued --start--> Running --end--> Finished
      |                  |--cancel--> Cancelling --end--> Finished (error: CommandCancelledException)
      |--cancel--> Finished (the same)      |
      '--lose--> Finished (error: shutdown) <-- lose --'

`Cancelled` is where a cancel ends only when the option `cancel_final` says so: the documentation and a live test say
`Finished` (API notes, C5). `Error` is for failures of the machinery: an interpreter that died by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

QUEUED, RUNNING, CANCELLING, FINISHED, CANCELLED, ERROR = (
    "Queued",
    "Running",
    "Cancelling",
    "Finished",
    "Cancelled",
    "Error",
)
FINAL = frozenset({FINISHED, CANCELLED, ERROR})

STEPS: dict[tuple[str, str], str] = {
    (QUEUED, "start"): RUNNING,
    (QUEUED, "cancel"): FINISHED,
    (QUEUED, "lose"): FINISHED,
    (RUNNING, "end"): FINISHED,
    (RUNNING, "cancel"): CANCELLING,
    (RUNNING, "lose"): FINISHED,
    (CANCELLING, "end"): FINISHED,
    (CANCELLING, "cancel"): CANCELLING,
    (CANCELLING, "lose"): FINISHED,
}
"""What is not here changes nothing: cancelling a finished command is accepted and has no effect."""

_RPC = "com.databricks.backend.common.rpc.CommandCancelledException"
_CANCEL_FRAMES = (
    "com.databricks.backend.daemon.driver.SequenceExecutionState.$anonfun$cancel$5(SequenceExecutionState.scala:136)",
    "scala.Option.getOrElse(Option.scala:189)",
    "com.databricks.backend.daemon.driver.SequenceExecutionState.$anonfun$cancel$3(SequenceExecutionState.scala:136)",
    "com.databricks.backend.daemon.driver.SequenceExecutionState.cancel(SequenceExecutionState.scala:103)",
    "com.databricks.backend.daemon.driver.ExecContextState.cancelRunningSequence(ExecContextState.scala:727)",
)
_SHUTDOWN_FRAMES = (
    "com.databricks.backend.daemon.driver.SequenceExecutionState.$anonfun$cancel$5(SequenceExecutionState.scala:136)",
    "com.databricks.backend.daemon.driver.ExecContextState.abortRunningSequence(ExecContextState.scala:752)",
    "com.databricks.backend.daemon.driver.ExecContextState.$anonfun$shutdown$1(ExecContextState.scala:395)",
    "com.databricks.backend.daemon.driver.ExecContextState.shutdown(ExecContextState.scala:390)",
)
DRIVER_STOPPED = (
    "The spark driver has stopped unexpectedly and is restarting. Your notebook will be automatically reattached."
)


@dataclass
class Command:
    """One command of a context; `results` is the API's object once it is final."""

    id: str
    context_id: str
    language: str
    text: str = field(repr=False)
    created_s: float = 0.0
    status: str = QUEUED
    results: dict[str, Any] | None = None
    started_s: float | None = None
    ended_s: float | None = None
    reads: int = 0
    background: bool = False
    """A structured stream that it started outlives it."""
    forced_end: str = FINISHED
    """Where a cancel ends: `Finished` or `Cancelled`."""

    @property
    def size(self) -> int:
        """Characters of its text result."""
        data = (self.results or {}).get("data")
        return len(data) if isinstance(data, str) else 0

    @property
    def is_final(self) -> bool:
        """True when nothing will change any more."""
        return self.status in FINAL

    def step(self, event: str) -> bool:
        """Take a step of the table; False when it changes nothing."""
        state = STEPS.get((self.status, event))
        if state is None:
            return False
        was, self.status = self.status, state
        if state == FINISHED and (event == "cancel" or was == CANCELLING):
            self.status = self.forced_end
        return True


def cancelled(summary: str = "null") -> dict[str, Any]:
    """The result of a command that was cancelled: JVM frames, no Python traceback, no `KeyboardInterrupt`."""
    return _aborted(_CANCEL_FRAMES, summary)


def shut_down(summary: str = "null") -> dict[str, Any]:
    """The result of a command whose context was destroyed or evicted: the same exception, other frames."""
    return _aborted(_SHUTDOWN_FRAMES, summary)


def _aborted(frames: tuple[str, ...], summary: str) -> dict[str, Any]:
    shown = {"null": None, "empty": "", "text": "Command cancelled"}[summary]
    return {"resultType": "error", "summary": shown, "cause": "\n\tat ".join((_RPC, *frames))}


def failed(cause: str, summary: str | None = None) -> dict[str, Any]:
    """An error result with a text of the machinery."""
    return {"resultType": "error", "summary": summary or cause.splitlines()[0], "cause": cause}


def start_failed(reason: str) -> dict[str, Any]:
    """The result of a command on a context whose interpreter never came up."""
    frame = "com.databricks.backend.daemon.driver.ExecContextState.answerStartReplFailed(ExecContextState.scala:203)"
    cause = f"com.databricks.backend.common.rpc.ReplStartFailureException: {reason}\n\tat {frame}"
    return failed(cause, f"ReplStartFailureException: {reason}")
