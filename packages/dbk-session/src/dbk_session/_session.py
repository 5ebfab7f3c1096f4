"""`Session`: one interpreter on a cluster, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dbk_session._command import Command
from dbk_session._events import Event, InputRequest
from dbk_session._results import CommandResult, Completion, Inspection

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from dbk_config import Settings

__all__ = ["Attachments", "Caller", "Session"]

Attachments = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""Name to JSON value; or a function that gives them, called at the moment the command is sent."""

Caller = Callable[[str], str]
"""Runs helper code in the user's interpreter and gives what it printed."""


class Session:
    """One Python interpreter on a Databricks cluster. Every method may be called from any thread.

    Nothing is contacted before the first command. Commands run one after the other, in the order of their start.

    Args:
        settings: where and how to connect; `dbk_config.load()` when None.
        client: an existing `WorkspaceClient`; its host and credentials are used instead of those of `settings`.
        cluster_id: overrides the one of `settings`.
        name: makes the session findable for `Session.attach` after `detach`.
        channel: `"auto"`, `"spool"`, `"result"` or `"plain"`; overrides the one of `settings`.
        on_event: called with every event, also with those of no command and with late output. It is called from
            the session's own threads, one call at a time, and must not block for long or call back into the session.
        prepare: called each time a fresh interpreter is ready (the first, and after each loss), before the waiting
            command is sent, with a function that runs helper code in it. What it raises fails the waiting command.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        client: WorkspaceClient | None = None,
        cluster_id: str | None = None,
        name: str | None = None,
        channel: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        prepare: Callable[[Caller], None] | None = None,
    ) -> None:
        raise NotImplementedError

    @classmethod
    def attach(
        cls,
        name: str,
        settings: Settings | None = None,
        *,
        client: WorkspaceClient | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Session:
        """Takes over a session that `detach` left, on this machine. `current` is its command, when one was running.

        Raises:
            SessionNotFound: none of that name is known.
            ContextLostError: its interpreter is gone.
        """
        raise NotImplementedError

    @property
    def state(self) -> str:
        """`"new"`, `"starting"`, `"opening"`, `"idle"`, `"busy"`, `"cancelling"`, `"wedged"`, `"lost"`, `"closed"`."""
        raise NotImplementedError

    @property
    def channel(self) -> str | None:
        """The channel in use, None before the first command."""
        raise NotImplementedError

    @property
    def context_id(self) -> str | None:
        """The workspace's id of the interpreter's context, None before the first command."""
        raise NotImplementedError

    @property
    def current(self) -> Command | None:
        """The command that runs, or waits at the head of the queue; None when there is nothing to do."""
        raise NotImplementedError

    def start(
        self,
        code: str,
        *,
        run_id: str | None = None,
        silent: bool = False,
        store_history: bool = True,
        allow_stdin: bool = False,
        expressions: Mapping[str, str] | None = None,
        attachments: Attachments | None = None,
        execution_count: int | None = None,
    ) -> Command:
        """Queues `code` and gives its handle at once.

        Args:
            code: sent as it is; anything IPython takes.
            run_id: made up when None. The driver refuses an id it has seen.
            silent: no result, no history, no count.
            store_history: False keeps the code out of `In` and of the count.
            allow_stdin: somebody listens for `InputRequest` and calls `answer`; False makes `input()` raise at once.
            expressions: name to expression, evaluated after the code; see `Finished`.
            attachments: JSON values for handlers on the driver, by handler name; they run before the code, and one
                that raises keeps the code from running.
            execution_count: the number to give it (`In [n]`); None takes IPython's own.

        Raises:
            SessionClosed: the session is closed.
        """
        raise NotImplementedError

    def run(self, code: str, *, answer: Callable[[InputRequest], str] | None = None, **options: Any) -> CommandResult:
        """Runs `code` to its end. With `answer`, `input()` works. `options` are those of `start`.

        A `KeyboardInterrupt` while it waits cancels the command on the cluster and is raised again.

        Raises:
            SessionError: see `Command.result`. An exception of the code itself is in the result and is not raised.
        """
        raise NotImplementedError

    def stream(self, code: str, **options: Any) -> Iterator[Event]:
        """The events of `code` as they happen. `options` are those of `start`.

        Raises:
            SessionError: see `Command.result`.
        """
        raise NotImplementedError

    def cancel(self) -> None:
        """Cancels the running command and those that wait behind it."""
        raise NotImplementedError

    def call(self, code: str) -> str:
        """Runs helper code in the user's interpreter and gives what it printed; it leaves no history and no count.

        It waits its turn behind the commands that were started before.

        Raises:
            CommandFailed: it raised.
            SessionError: see `Command.result`.
        """
        raise NotImplementedError

    def complete(self, code: str, pos: int | None = None) -> Completion:
        """Names that fit at `pos` (characters; the end when None). While a command runs: from the last snapshot.

        It never waits behind a command and never starts a cluster: without an interpreter there are no matches.
        """
        raise NotImplementedError

    def inspect(self, code: str, pos: int | None = None, detail: int = 0) -> Inspection:
        """What is known of the object at `pos`; `detail=1` asks for the source. Waits for nothing, like `complete`."""
        raise NotImplementedError

    def comm(self, msg_type: str, content: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Sends a comm message of the front end (`comm_open`, `comm_msg`, `comm_close`) to the driver."""
        raise NotImplementedError

    def restart(self) -> None:
        """Replaces the interpreter by a fresh one; what runs is cancelled, and all variables are gone."""
        raise NotImplementedError

    def detach(self) -> str:
        """Leaves the interpreter, and what runs in it, alive for `Session.attach`; gives the name to attach by."""
        raise NotImplementedError

    def close(self) -> None:
        """Cancels what runs and removes everything from the cluster. Can be called again, to no effect."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
