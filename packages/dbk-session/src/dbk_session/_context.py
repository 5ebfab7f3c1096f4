"""One execution context on the cluster, and commands in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dbk_session import _calls as calls
from dbk_session._calls import CommandStatus
from dbk_session._clock import Clock
from dbk_session._plain import cancelled_by, events_of, text_of
from dbk_session._remote import Remote, Stopped
from dbk_session._schedule import HELPER, LEAVING, RUNNING, Patience
from dbk_session.driver import wire
from dbk_session.errors import CommandFailed, ProtocolError, WorkspaceError

__all__ = ["Context", "Gone", "NoAgent"]

NULL_RESULTS_POLLS = 5
_RESENDS = 4


class Gone(Exception):
    """The context does not exist any more; the text says why, as far as it is known."""


class NoAgent(Exception):
    """The context lives but its interpreter has no agent: it was replaced."""


@dataclass(frozen=True)
class Context:
    """A context and what can be asked of it. May be used from any thread.

    Attributes:
        remote: gets requests through.
        clock: time and waiting.
        cluster_id: where it is.
        context_id: which one it is.
        patience: how long requests are repeated while there is no answer.
    """

    remote: Remote
    clock: Clock
    cluster_id: str
    context_id: str
    patience: Patience = RUNNING

    def execute(
        self, text: str, stop: threading.Event | None = None, language: str = "python", *, repeatable: bool = False
    ) -> str:
        """Sends a command and gives its id: once, unless it is `repeatable`: then again while its fate is unknown.

        Raises:
            Doubtful: it may have arrived or not; never when it is repeatable.
            Gone: it did not run, for there is no such context.
            Stopped: `stop` was set before it was sent.
            SessionError: refused, or no connection.
        """
        call = replace(calls.execute(self.cluster_id, self.context_id, text, language), repeatable=repeatable)
        return calls.id_of(self._checked(lambda: self.remote.call(call, self.patience, stop)))

    def status(self, command_id: str, stop: threading.Event | None = None) -> CommandStatus:
        """How a command is doing.

        Raises:
            Gone: there is no such context, and so no such command, any more.
            SessionError: refused, or no connection.
        """
        call = calls.command_status(self.cluster_id, self.context_id, command_id)
        try:
            return calls.command_status_of(self._checked(lambda: self.remote.call(call, self.patience, stop)))
        except WorkspaceError as error:
            if "RunningInBackground" in str(error):
                # A structured stream goes on behind a command that has ended (databrickslabs/dbx#261).
                return CommandStatus("finished", None)
            raise

    def cancel(self, command_id: str, patience: Patience = LEAVING) -> None:
        """Asks for a command to be stopped. A command that is over already is no error."""
        try:
            self.remote.call(calls.cancel_command(self.cluster_id, self.context_id, command_id), patience)
        except WorkspaceError:
            return

    def lives(self) -> bool:
        """Whether the workspace still has it. Anything but a clear yes is a no (no error text is documented)."""
        call = calls.context_status(self.cluster_id, self.context_id)
        try:
            return calls.context_status_of(self.remote.call(call, self.patience)) in ("running", "pending")
        except (WorkspaceError, ProtocolError):
            return False

    def destroy(self) -> None:
        """Ends it; one that is gone already is no error."""
        try:
            self.remote.call(calls.destroy_context(self.cluster_id, self.context_id), LEAVING)
        except WorkspaceError:
            return

    def outcome(self, command_id: str, stop: threading.Event | None = None) -> Mapping[str, Any] | None:
        """Waits for a short command of ours and gives its results, None when it has none.

        Raises:
            Gone: the context went away meanwhile.
            Stopped: `stop` was set.
            SessionError: no connection.
        """
        waited: float | None = None
        without = 0
        while True:
            status = self.status(command_id, stop)
            if status.is_final:
                # Databricks has been seen to answer Finished before the results are there.
                without += 1
                if status.results is not None or without > NULL_RESULTS_POLLS:
                    return status.results
            waited = HELPER.after(waited)
            if self.clock.wait(stop or threading.Event(), waited):
                raise Stopped

    def ask(self, text: str, stop: threading.Event | None = None) -> Any:
        """Runs a helper command that may be repeated, and gives the value of its reply.

        Raises:
            NoAgent: nobody there answers to it.
            CommandFailed: the helper raised.
            Gone, Stopped, SessionError: see `execute`.
        """
        frame = self.frame(text, stop)
        if frame.get("kind") != "reply":
            return frame
        if frame.get("ok"):
            return frame.get("value")
        error = frame.get("error") or {}
        raise CommandFailed(str(error.get("ename")), str(error.get("evalue")), tuple(error.get("traceback") or ()))

    def frame(self, text: str, stop: threading.Event | None = None) -> Mapping[str, Any]:
        """Like `ask`, but gives the whole frame."""
        for _ in range(_RESENDS):
            results = self.outcome(self.execute(text, stop, repeatable=True), stop)
            frame = frame_in(results)
            if frame is not None:
                return frame
            if cancelled_by(results) == "shutdown":
                raise Gone(self.why())
        raise ProtocolError("The driver gave no readable answer.")

    def _checked(self, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Turns a refusal because of a missing context into `Gone`: by asking for the context, not by its words."""
        try:
            return send()
        except WorkspaceError as error:
            if self.lives():
                raise
            raise Gone(self.why()) from error

    def why(self) -> str:
        """Why it may be gone, for people, from the state of the cluster."""
        try:
            cluster = calls.cluster_of(self.remote.call(calls.get_cluster(self.cluster_id), LEAVING))
        except WorkspaceError:
            return "the cluster is gone"
        if cluster.state in ("RUNNING", "RESIZING"):
            return (
                "its context was evicted, the driver was restarted, or the code itself ended it: "
                "a crash in native code, out of memory, os._exit"
            )
        return f"the cluster is {cluster.state}" + (f" ({cluster.reason})" if cluster.reason else "")


def frame_in(results: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The frame in a helper's results, None when it was cut, cancelled, or there is none.

    Raises:
        NoAgent: the helper's module is not there.
        CommandFailed: it raised something else.
    """
    text = text_of(results)
    if text is not None:
        return wire.find_frame(text)[0]
    if results is None or cancelled_by(results):
        return None
    failure = events_of("", results)[0]
    ename, evalue = getattr(failure, "ename", "Error"), getattr(failure, "evalue", "")
    if "_dbk_agent" in evalue or "_dbk_control" in evalue:
        raise NoAgent(evalue)
    raise CommandFailed(ename, evalue, getattr(failure, "traceback", ()))
