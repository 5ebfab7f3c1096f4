"""Stopping a command that has been sent: the API's cancel, then a signal, and an answer in time whatever happens."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable

from dbk_session._clock import Clock
from dbk_session._context import Gone, NoAgent
from dbk_session._events import Finished
from dbk_session._runner import Runner
from dbk_session._schedule import CANCEL_ANSWER_S, CANCEL_SIGNAL_S
from dbk_session._track import Track
from dbk_session.driver import wire
from dbk_session.errors import SessionError

__all__ = ["Stop"]

_LOOK_S = 0.05
# A second signal that comes while Python still unwinds the first one spoils the traceback.
_GRACE_S = 0.5


class Stop:
    """The cancellation of one command, on two threads: one presses, one watches the time.

    The first may hang on a dead connection, and the answer must come all the same.

    Args:
        track: the command.
        runner: knows where it runs.
        clock: time and waiting.
        unstoppable: called when the command was given up on while it may still run.
    """

    def __init__(self, track: Track, runner: Runner, clock: Clock, unstoppable: Callable[[Runner], None]) -> None:
        self._track = track
        self._runner = runner
        self._clock = clock
        self._unstoppable = unstoppable
        self._harder = threading.Event()
        self._api_cancelled = False
        self._began_s = clock.now()
        for target in (self._press, self._watch):
            threading.Thread(target=target, name="dbk-cancel", daemon=True).start()

    def press(self) -> None:
        """Does not wait for the polite way to work."""
        self._harder.set()

    def _press(self) -> None:
        with contextlib.suppress(SessionError, Gone, NoAgent):
            while not self._track.over.is_set():
                waited_s = self._clock.now() - self._began_s
                late = waited_s >= (_GRACE_S if self._harder.is_set() else CANCEL_SIGNAL_S)
                if self._runner.command_id is not None and not self._api_cancelled:
                    self._cancel(self._runner.command_id)
                if late and self._signal():
                    return
                self._clock.wait(self._track.over, _LOOK_S)

    def _cancel(self, command_id: str) -> None:
        self._api_cancelled = True
        if self._runner.interpreter is not None:
            self._runner.interpreter.context.cancel(command_id)
            self._track.look.set()

    def _signal(self) -> bool:
        """Reaches for the process itself; False while there is no way to."""
        interpreter = self._runner.interpreter
        if interpreter is None or interpreter.control is None or interpreter.agent is None:
            return False
        agent, start = interpreter.agent, self._runner.start
        target = {"spool": agent.spool, "run": self._track.run_id}
        if interpreter.control.ask("signal", target).get("how") == "gone":
            # Its process cannot be seen from here: the agent itself is asked to do it.
            message = json.dumps({"type": "interrupt", "run": self._track.run_id}).encode()
            interpreter.control.ask("signal", {**target, "sealed": wire.seal(agent.key, message)})
        marks = {name: start[name] for name in ("group", "tag") if start.get(name)}
        if marks and not start.get("connect"):
            interpreter.control.ask("cancel_spark", marks)
        self._track.look.set()
        return True

    def _watch(self) -> None:
        if self._clock.wait(self._track.over, CANCEL_ANSWER_S):
            return
        # Whether it was sent must be known before the handle is given its end.
        sent = self._track.state in ("sending", "unsure", "running", "cancelling", "draining")
        reason = "It did not stop when it was cancelled." if sent else "It was cancelled before it began."
        if self._track.finish(Finished(self._track.run_id, "cancelled", reason=reason)) and sent:
            self._unstoppable(self._runner)
