"""`Session`: one interpreter on a cluster, and what can be asked of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dbk_session import _asking
from dbk_session._bus import Bus
from dbk_session._calling import call_in
from dbk_session._calls import cluster_of, get_cluster
from dbk_session._command import Command
from dbk_session._detach import attached, claimed, detached
from dbk_session._events import Event, InputRequest
from dbk_session._introspection import Completeness, Completion, Inspection
from dbk_session._journal import Entry, Journal
from dbk_session._results import CommandResult
from dbk_session._schedule import FIRST_CONTACT
from dbk_session._track import Attachments, Order, Track
from dbk_session._wiring import Connection, engine_for
from dbk_session.driver import wire

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from dbk_config import Settings

__all__ = ["Attachments", "Caller", "Session"]

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
        widgets: whether who looks at the output sees widgets (ipywidgets): `tqdm.auto` then shows its bar as one.
        completion: whether `complete` will be called: what it needs (40 MB, loaded in a second) is then loaded on the
            driver in an idle moment after a command, and not while somebody waits for the first names.

    Raises:
        SettingsError: host or cluster are not set.
        ValueError: there is no such `channel`.
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
        widgets: bool = False,
        completion: bool = False,
        _entry: Entry | None = None,
    ) -> None:
        self._bus = Bus(on_event)
        self._snapshots = _asking.Snapshots()
        order = Connection(settings, client, cluster_id, name or "", channel, _entry, widgets, completion)
        self._engine = engine_for(order, self._bus, prepare)
        self._attached: Command | None = None

    @classmethod
    def attach(
        cls,
        name: str,
        settings: Settings | None = None,
        *,
        client: WorkspaceClient | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Session:
        """Takes over a session that `detach` left, on this machine. `attached` is its command, when one was running.

        Raises:
            SessionNotFound: none of that name is known.
            ContextLostError: its interpreter is gone.
        """
        entry = claimed(Journal(), name)
        session = cls(settings, client=client, cluster_id=entry.cluster_id, name=name, on_event=on_event, _entry=entry)
        track = attached(session._engine, session._bus, entry)
        session._attached = session._handle(track) if track is not None else None
        return session

    @property
    def state(self) -> str:
        """`new`, `starting`, `opening`, `idle`, `busy`, `cancelling`, `wedged`, `lost`, `detached` or `closed`."""
        return self._engine.keeper.machine.state

    @property
    def channel(self) -> str | None:
        """The channel in use, None without an interpreter."""
        interpreter = self._engine.keeper.interpreter
        return interpreter.channel if interpreter is not None else None

    @property
    def context_id(self) -> str | None:
        """The workspace's id of the interpreter's context, None without one."""
        interpreter = self._engine.keeper.interpreter
        return interpreter.context.context_id if interpreter is not None else None

    @property
    def host(self) -> str:
        """The workspace, "" while it is not known."""
        return self._engine.keeper.link.entry.host

    @property
    def cluster_id(self) -> str:
        """The cluster."""
        return self._engine.keeper.link.cluster_id

    def cluster(self) -> dict[str, str]:
        """What the workspace says of the cluster now, with one request.

        `name`, `state`, `message`, `runtime` and `access_mode`, in the words of the Clusters API.

        Raises:
            SessionError: refused, or no connection.
        """
        remote = self._engine.keeper.link.connect(self._bus)
        found = cluster_of(remote.call(get_cluster(self.cluster_id), FIRST_CONTACT))
        return {
            "name": found.name,
            "state": found.state,
            "message": found.message,
            "runtime": found.runtime,
            "access_mode": found.access_mode,
        }

    @property
    def attached(self) -> Command | None:
        """The command that ran when the session was left, also when it has ended since; None without one."""
        return self._attached

    @property
    def current(self) -> Command | None:
        """The command that runs, or waits at the head of the queue; None when there is nothing to do."""
        track = self._engine.jobs.current
        return self._handle(track) if track is not None else None

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
        language: str = "python",
    ) -> Command:
        """Queues `code` and gives its handle at once.

        Args:
            code: sent as it is; anything IPython takes. Without anything in it but white space it gets no number.
            run_id: made up when None. The driver refuses an id it has seen.
            silent: no result, no history, no count.
            store_history: False keeps the code out of `In` and of the count.
            allow_stdin: somebody listens for `InputRequest` and calls `answer`; False makes `input()` raise at once.
            expressions: name to expression, evaluated after the code; see `Finished`.
            attachments: JSON values for handlers on the driver, by handler name; they run before the code, and one
                that raises keeps the code from running.
            execution_count: the number to give it (`In [n]`); None takes IPython's own.
            language: `"python"`, or `"sql"`, `"scala"`, `"r"`: those run plainly, without live output.

        Raises:
            SessionClosed: the session is closed.
            TypeError: `code` is no text.
            ValueError: `run_id` has other characters than letters, digits, `_`, `.` and `-`, or over 120 of them.
        """
        if not isinstance(code, str):
            raise TypeError(f"code must be text (str), not {type(code).__name__}")
        order = Order(
            code=code,
            run_id=_checked(run_id) if run_id is not None else secrets.token_hex(12),
            silent=silent,
            store_history=store_history,
            allow_stdin=allow_stdin,
            expressions=dict(expressions or {}),
            attachments=attachments if attachments is not None else {},
            execution_count=execution_count,
            language=language,
        )
        track = Track(order, self._bus)
        self._engine.submit(track)
        return self._handle(track)

    def run(self, code: str, *, answer: Callable[[InputRequest], str] | None = None, **options: Any) -> CommandResult:
        """Runs `code` to its end. With `answer`, `input()` works. `options` are those of `start`.

        A `KeyboardInterrupt` while it waits cancels the command on the cluster and is raised again.

        Raises:
            SessionError: see `Command.result`. An exception of the code itself is in the result and is not raised.
        """
        command = self.start(code, **{"allow_stdin": answer is not None, **options})
        try:
            for event in command.events():
                if answer is not None and isinstance(event, InputRequest):
                    command.answer(answer(event))
        except KeyboardInterrupt:
            command.cancel()
            command.result()
            raise
        return command.result()

    def stream(self, code: str, **options: Any) -> Iterator[Event]:
        """The events of `code` as they happen. `options` are those of `start`.

        Raises:
            SessionError: see `Command.result`.
        """
        return self.start(code, **options).events()

    def cancel(self) -> None:
        """Cancels the running command and those that wait behind it; or, once more, one that did not stop."""
        self._engine.stops.stop_all()

    def call(self, code: str) -> str:
        """Runs helper code in the user's interpreter and gives what it printed; it leaves no history and no count.

        It has a namespace of its own, and waits its turn behind the commands that were started before.

        Raises:
            CommandFailed: it raised.
            SessionError: see `Command.result`.
        """
        return str(self._engine.ask(lambda interpreter: call_in(interpreter, code)).result())

    def farewell(self, code: str) -> None:
        """Sets Python code that is run on the driver when the session has ended, to remove what it leaves there.

        It runs in an interpreter of its own when the user's has gone; where there is no live channel, in the user's,
        if that is idle. It is run for a killed process, too, but not at `restart` and `detach`. `""` sets none.
        """
        self._engine.keeper.farewell(code)

    def complete(self, code: str, pos: int | None = None) -> Completion:
        """Names that fit at `pos` (characters; the end when None). While a command runs: from the last snapshot.

        It never waits behind a command and never starts a cluster: without an interpreter there are no matches.
        """
        return _asking.complete(self._engine, self._snapshots, code, len(code) if pos is None else pos)

    def inspect(self, code: str, pos: int | None = None, detail: int = 0) -> Inspection:
        """What is known of the object at `pos`; `detail=1` asks for the source. Waits for nothing, like `complete`."""
        return _asking.inspect(self._engine, self._snapshots, code, len(code) if pos is None else pos, detail)

    def is_complete(self, code: str) -> Completeness:
        """Whether `code` is a whole cell, by the rules of the interpreter, its own magics and transformers included.

        While a command runs, or without an interpreter: by IPython's rules as they are on this machine.
        """
        return _asking.is_complete(self._engine, self._snapshots, code)

    def comm(
        self,
        msg_type: str,
        content: Mapping[str, Any],
        buffers: Sequence[bytes] = (),
        *,
        metadata: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> None:
        """Sends a comm message of the front end to the driver; waits until it is handled when the interpreter is idle.

        Args:
            msg_type: `comm_open`, `comm_msg` or `comm_close`.
            content: of the message.
            buffers: binary parts.
            metadata: of the message.
            run_id: what its handlers write gets this id; made up when None.

        Raises:
            SessionError: it could not be delivered.
        """
        order = Order("", _checked(run_id) if run_id is not None else secrets.token_hex(12))
        _asking.comm(self._engine, Track(order, self._bus), msg_type, content, buffers, metadata or {})

    def restart(self) -> None:
        """Replaces the interpreter by a fresh one; what runs is cancelled, and all variables are gone.

        Raises:
            SessionError: the fresh one could not be opened.
        """
        self._engine.restart()

    def detach(self) -> str:
        """Leaves the interpreter, and what runs in it, alive for `Session.attach`; gives the name to attach by.

        A command that is still being sent is waited for; those that wait behind it are cancelled.

        Raises:
            SessionClosed: there is nothing to leave: no interpreter was opened, or the session is closed.
            NameTaken: another session was left under this name.
        """
        return detached(self._engine)

    def close(self) -> None:
        """Cancels what runs and removes everything from the cluster. Can be called again, to no effect."""
        if self._engine.keeper.machine.state in ("closed", "detached"):
            return
        self._engine.leave(cancel=True)
        self._engine.keeper.remove(for_good=True)
        self._engine.keeper.machine.try_on("close")
        self._engine.keeper.link.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on cluster {self.cluster_id} of {self.host}: {self.state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _handle(self, track: Track) -> Command:
        return Command(track, self._engine.stops.stop, self._answer)

    def _answer(self, track: Track, request: InputRequest, text: str | None) -> None:
        _asking.answer(self._engine, track, request, text)


def _checked(run_id: str) -> str:
    if not wire.RUN_ID.fullmatch(run_id):
        raise ValueError(f"A run id is 1 to 120 letters, digits, '_', '.' and '-'; not {run_id!r}.")
    return run_id
