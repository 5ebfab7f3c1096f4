"""One command from its turn in the queue to its `Finished`: sent once, watched, collected.

This is the place where "nothing is lost and nothing runs twice" is decided, so the rules come first:

- A command is sent again only after a clear statement that it did not run: refused at the door, or, after a broken
  connection, the interpreter itself says that it has never seen the run id.
- The interpreter is asked through its own queue of commands, so its answer comes after anything that was sent before.
- An interpreter that is gone takes its answer with it: then the command counts as lost and is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbk_session._calls import CommandStatus
from dbk_session._context import NULL_RESULTS_POLLS, Gone, frame_in
from dbk_session._ending import Ending
from dbk_session._events import Finished, Status
from dbk_session._feed import Feed
from dbk_session._host import Host
from dbk_session._interpreter import Interpreter
from dbk_session._remote import Doubtful, Stopped
from dbk_session._schedule import COMMAND, COMMAND_WATCHED, HELPER
from dbk_session._track import Track
from dbk_session.driver import wire
from dbk_session.errors import ConnectionLost, SessionError

__all__ = ["Runner"]

_FOLLOW_AFTER_S = 0.05
# Hearing of the end by the spool takes a round trip longer than asking for it, which matters while it is short.
_TRUST_AFTER_S = 0.35


class Runner:
    """Runs one command. Its `run` is called once; the rest may be looked at from other threads."""

    def __init__(self, host: Host, track: Track) -> None:
        self._host = host
        self._track = track
        self._feed: Feed | None = None
        self._doubts = 0
        self._abandoned = False
        self.interpreter: Interpreter | None = None
        self.command_id: str | None = None

    @property
    def start(self) -> Mapping[str, Any]:
        """Its `start` record, empty while it is not known."""
        return self._feed.start if self._feed is not None else {}

    def has_stopped(self) -> bool:
        """Whether a command that was given up on has ended since."""
        if self.interpreter is None or self.command_id is None:
            return False
        try:
            return self.interpreter.context.status(self.command_id).is_final
        except Gone:
            return True

    def run(self) -> None:
        """Runs it; whatever happens, the command has its `Finished` afterwards."""
        track = self._track
        try:
            track.on("begin")
            self._run()
        except Stopped:
            track.drop()
        except Gone as gone:
            self._lost(str(gone))
        except Exception as error:  # `prepare` and `attachments` are the caller's, and so are their errors
            status: Status = "lost" if self.command_id or self._doubts else "error"
            track.finish(Finished(track.run_id, status, reason=str(error)), error)
        finally:
            self._leave()

    def adopt(self, interpreter: Interpreter, command_id: str | None) -> None:
        """Like `run`, for a command that another process has sent."""
        track = self._track
        self.interpreter, self.command_id = interpreter, command_id
        try:
            track.on("adopt")
            self._feed = self._host.feed_of(track)
            self._ending().finish(self._observe(command_id) if command_id else self._observe(self._ask_has()))
        except Gone as gone:
            self._lost(str(gone))
        except SessionError as error:
            track.finish(Finished(track.run_id, "lost", reason=error.message), error)
        finally:
            self._leave()

    def _run(self) -> None:
        while True:
            interpreter = self._host.ensure(self._track)
            text = self._text(interpreter)
            self.interpreter = interpreter
            self._feed = self._host.feed_of(self._track) if self._is_recorded(interpreter) else None
            self._track.on("ready")
            try:
                self._send(interpreter, text)
                break
            except Gone as gone:
                if self._doubts:
                    raise
                self._track.on("refused")
                self._host.lost(str(gone))
        if self.command_id is None:
            self._ending().collect_by_reading()
        else:
            self._ending().finish(self._observe(self.command_id))

    def _ending(self) -> Ending:
        assert self.interpreter is not None
        return Ending(self._host, self._track, self.interpreter, self._feed)

    def _is_recorded(self, interpreter: Interpreter) -> bool:
        """Whether the agent sees it: other languages have interpreters of their own in the context."""
        return interpreter.agent is not None and self._track.order.language == "python"

    def _text(self, interpreter: Interpreter) -> str:
        order = self._track.order
        if not self._is_recorded(interpreter):
            # The API refuses a command without any text.
            return order.code or "\n"
        attachments = order.attachments() if callable(order.attachments) else order.attachments
        trailer: dict[str, Any] = {
            "run": order.run_id,
            "silent": order.silent,
            "store_history": order.store_history,
            "allow_stdin": order.allow_stdin,
            "expressions": dict(order.expressions),
            "count": order.execution_count,
            "attachments": dict(attachments),
            "budget_bytes": self._host.budget_bytes,
            "spool": interpreter.control is not None,
        }
        return wire.with_trailer(order.code, trailer)

    def _send(self, interpreter: Interpreter, text: str) -> None:
        """Sends it. `command_id` stays None when it runs, or has run, under an id that was lost on the way."""
        stop = self._track.cancelled
        while True:
            try:
                command_id = interpreter.context.execute(text, stop, self._track.order.language)
            except Doubtful as doubt:
                self._doubts += 1
                self._track.on("doubtful")
                if self._feed is None:
                    # Nobody there can tell whether it arrived.
                    raise ConnectionLost(
                        f"Connection lost while the command was sent ({doubt}): it may have run.",
                        "Look at what it should have done before you run it again.",
                    ) from doubt
                if self._was_seen():
                    self._track.on("seen")
                    return
                self._track.on("unseen")
                continue
            # Before anybody can see that it runs: a session that is left from then on notes the id, and it goes on.
            self.command_id = command_id
            if self._track.over.is_set():
                # Given up meanwhile: it must not go on behind the caller's back.
                interpreter.context.cancel(command_id)
            self._track.on("accepted")
            if stop.is_set():
                self._track.on("cancel")
            return

    def _was_seen(self) -> bool:
        """Asks the interpreter for the run id. While it runs, this waits; its output comes through the spool."""
        frame = None
        while frame is None:
            status = self._observe(self._ask_has())
            frame = frame_in(status.results if status else None)
        return bool((frame.get("value") or {}).get("state") != "never")

    def _ask_has(self) -> str:
        assert self.interpreter is not None
        text = wire.call_text("has", {"run": self._track.run_id})
        return self.interpreter.context.execute(text, self._track.over, repeatable=True)

    def _observe(self, command_id: str) -> CommandStatus | None:
        """Waits until a command is final; None when the handle was given its `Finished` meanwhile."""
        interpreter, track, clock = self.interpreter, self._track, self._host.clock
        assert interpreter is not None
        began_s = clock.now()
        waited: float | None = None
        polls = without = 0
        while not track.over.is_set():
            status = interpreter.context.status(command_id, track.over)
            without += status.is_final and status.results is None
            if status.is_final and (status.results is not None or without > NULL_RESULTS_POLLS):
                return status
            polls += 1
            if polls > 1 and clock.now() - began_s >= _FOLLOW_AFTER_S:
                self._follow()
            waited = self._pace(status, clock.now() - began_s).after(waited)
            if clock.wait(track.look, waited):
                track.look.clear()
                waited = None
        self._abandoned = True
        return None

    def _pace(self, status: CommandStatus, ran_s: float) -> Any:
        ending = self._feed is not None and self._feed.done is not None
        if ending or status.is_final or self._track.cancelled.is_set():
            return HELPER
        return COMMAND_WATCHED if self._follows() and ran_s >= _TRUST_AFTER_S else COMMAND

    def _follow(self) -> None:
        if self._feed is not None and self.interpreter is not None and self.interpreter.control is not None:
            self._host.pump.follow(self._feed)

    def _follows(self) -> bool:
        return self._feed is not None and self._host.pump.reads(self._feed)

    def _leave(self) -> None:
        feed = self._feed
        if feed is None:
            return
        if self._abandoned and self.interpreter is not None and self.interpreter.control is not None:
            # It was given up on while it runs: what it still writes is shown all the same.
            self._host.pump.linger(feed)
        else:
            self._host.pump.leave(feed)

    def _lost(self, reason: str) -> None:
        """The context is gone with the command in it. What it wrote before may still be on the driver's disk."""
        track, feed = self._track, self._feed
        if feed is not None and self.interpreter is not None and self.interpreter.control is not None:
            self._ending().done_through_spool()
        self._host.lost(reason)
        track.finish(Finished(track.run_id, "lost", reason=f"The interpreter is gone: {reason}."))
