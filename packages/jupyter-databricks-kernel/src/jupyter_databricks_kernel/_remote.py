"""What the kernel needs of the other side of the wire, without knowing who provides it (`_compose` does)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jupyter_databricks_kernel._policy import Request
from jupyter_databricks_kernel._progress import Phase

__all__ = ["CommMessage", "Job", "PhaseEntered", "Remote"]


@dataclass(frozen=True)
class Job:
    """A request on its way to the cluster.

    Attributes:
        run_id: The id of its `execute_request`, under which all its events come back.
        request: What to run.
        count: Its number, `In [count]`.
        before: Hidden requests to run first, without a trace: they came when there was no interpreter.
    """

    run_id: str
    request: Request
    count: int
    before: tuple[Request, ...] = ()


@dataclass(frozen=True)
class PhaseEntered:
    """The running job now waits for something; None: it waits for nothing but the code. Comes among the events."""

    phase: Phase | None


@dataclass(frozen=True)
class CommMessage:
    """A widget message of the front end.

    Attributes:
        run_id: The id of the message; what its handlers show comes back under it.
        msg_type: `comm_open`, `comm_msg` or `comm_close`.
        content: As the Jupyter protocol has it, like the rest.
    """

    run_id: str
    msg_type: str
    content: Mapping[str, Any]
    metadata: Mapping[str, Any]
    buffers: tuple[bytes, ...]


class Remote(Protocol):
    """An interpreter on a cluster, started by the first job. Every method may block and is called in a thread.

    Events are given to the callback the object was made with, from any thread; those of a job before its `run`
    returns, except for output that its threads make later.
    """

    @property
    def live(self) -> bool:
        """True when an interpreter is there; answers at once."""

    @property
    def python_version(self) -> str:
        """The version of the interpreter, empty before the first one; answers at once."""

    def run(self, job: Job) -> None:
        """Runs a job to its end.

        Raises:
            DbkError: It could not be started, or its files could not be sent.
        """

    def cancel(self, run_id: str) -> None:
        """Stops a job wherever it is; a second call presses harder."""

    def press(self) -> None:
        """Interrupts a job once more that was given up and still runs; nothing to do when none does."""

    def answer(self, run_id: str, text: str | None) -> None:
        """Answers the question of a job; None is the end of input."""

    def complete(self, code: str, cursor: int) -> dict[str, Any]:
        """The content of a `complete_reply`, without its status."""

    def inspect(self, code: str, cursor: int, detail: int) -> dict[str, Any]:
        """The content of an `inspect_reply`, without its status."""

    def comm(self, message: CommMessage) -> None:
        """Takes a widget message to the interpreter."""

    def magic(self, command: str, argument: str) -> dict[str, str]:
        """Does what a `%dbk` line asks and gives a mime bundle with the answer.

        Raises:
            DbkError: It could not be done.
        """

    def close(self) -> None:
        """Cancels what runs and removes everything from the cluster."""
