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
# So long a press looks for a way, while the control context may still come up.
_TRY_S = 30.0


class Stop:
    """The cancellation of one command: a thread for each press, and one that watches the time.

    The first may hang on a dead connection, and the answer must come all the same. As with a local interpreter, each
    press is one interrupt: code that has caught it is not interrupted again by itself.

    Args:
        track: the command.
        runner: knows where it runs.
        clock: time and waiting.
        unstoppable: called when the command was given up on while it may still run.
    """

    def __init__(self, track: Track, runner: Runner, clock: Clock, unstoppable: Callable[[Stop], None]) -> None:
        self.track = track
        self._runner = runner
        self._clock = clock
        self._unstoppable = unstoppable
        self._lock = threading.Lock()
        self._presses = 0
        self._given_up = False
        self._never = threading.Event()
        self.press()
        threading.Thread(target=self._watch, name="dbk-cancel-watch", daemon=True).start()

    def press(self) -> None:
        """Interrupts it once more, also after it was given up on."""
        with self._lock:
            self._presses += 1
            press = threading.Thread(target=self._press, args=(self._presses,), name="dbk-cancel", daemon=True)
        press.start()

    def has_stopped(self) -> bool:
        """Whether a command that was given up on has ended since."""
        return self._runner.has_stopped()

    def _press(self, presses: int) -> None:
        with contextlib.suppress(SessionError, Gone, NoAgent):
            began_s = self._clock.now()
            patience_s = CANCEL_SIGNAL_S if presses == 1 else _GRACE_S
            cancelled = False
            while self._may_run() and self._clock.now() - began_s < _TRY_S:
                if self._runner.command_id is not None and not cancelled and self._wants_cancel(presses):
                    cancelled = True
                    self._cancel(self._runner.command_id)
                if self._clock.now() - began_s >= patience_s and self._signal(presses):
                    return
                self._clock.wait(self._never if self._given_up else self.track.over, _LOOK_S)

    def _may_run(self) -> bool:
        return self._given_up or not self.track.over.is_set()

    def _wants_cancel(self, presses: int) -> bool:
        """The API's cancel is for the first press, and for all where nothing better is there."""
        interpreter = self._runner.interpreter
        return presses == 1 or interpreter is None or interpreter.control is None

    def _cancel(self, command_id: str) -> None:
        if self._runner.interpreter is not None:
            self._runner.interpreter.context.cancel(command_id)
            self.track.look.set()

    def _signal(self, presses: int) -> bool:
        """Reaches for the process itself, unless the interrupt is there already; False while there is no way to."""
        interpreter = self._runner.interpreter
        if interpreter is None or interpreter.control is None or interpreter.agent is None:
            return False
        agent, start = interpreter.agent, self._runner.start
        target = {"spool": agent.spool, "run": self.track.run_id, "presses": presses}
        how = interpreter.control.ask("signal", target).get("how")
        if how == "delivered":
            return True
        if how == "gone":
            # Its process cannot be seen from here: the agent itself is asked to do it.
            message = json.dumps({"type": "interrupt", "run": self.track.run_id, "presses": presses}).encode()
            interpreter.control.ask("signal", {**target, "sealed": wire.seal(agent.key, message)})
        marks = {name: start[name] for name in ("group", "tag") if start.get(name)}
        if marks and not start.get("connect"):
            interpreter.control.ask("cancel_spark", marks)
        self.track.look.set()
        return True

    def _watch(self) -> None:
        if self._clock.wait(self.track.over, CANCEL_ANSWER_S):
            return
        # Whether it was sent must be known before the handle is given its end.
        sent = self.track.state in ("sending", "unsure", "running", "cancelling", "draining")
        reason = "It did not stop when it was cancelled." if sent else "It was cancelled before it began."
        self._given_up = sent
        if self.track.finish(Finished(self.track.run_id, "cancelled", reason=reason)) and sent:
            self._unstoppable(self)
