"""Which commands are being cancelled, and the one that did not stop: the next waits for its end."""

from __future__ import annotations

import threading

from dbk_session._bus import Bus
from dbk_session._clock import Clock
from dbk_session._events import Blocked, Notice
from dbk_session._jobs import Jobs
from dbk_session._remote import Stopped
from dbk_session._runner import Runner
from dbk_session._schedule import WEDGED
from dbk_session._states import Machine
from dbk_session._stop import Stop
from dbk_session._track import Track
from dbk_session.errors import ContextWedged

__all__ = ["Stops"]


class Stops:
    """Cancels commands wherever they are. May be used from any thread.

    Args:
        jobs: the session's queue of work.
        machine: the session's state.
        clock: time and waiting.
        bus: where events go.
    """

    def __init__(self, jobs: Jobs, machine: Machine, clock: Clock, bus: Bus) -> None:
        self._jobs = jobs
        self._machine = machine
        self._clock = clock
        self._bus = bus
        self._lock = threading.RLock()
        self._begun: dict[str, Stop] = {}
        self._wedged: Stop | None = None

    def stop(self, track: Track) -> None:
        """Cancels a command."""
        job = self._jobs.withdraw(track)
        if job is not None and job.runner is not None:
            self.press(track, job.runner)

    def stop_all(self) -> None:
        """Cancels everything; without any work once more the command that did not stop."""
        is_idle = not self._jobs.all
        job = self._jobs.withdraw_all()
        if job is not None and job.track is not None and job.runner is not None:
            self.press(job.track, job.runner)
        if is_idle and self._wedged is not None:
            self._wedged.press()

    def press(self, track: Track, runner: Runner) -> None:
        """Interrupts the command at work, once for each call."""
        with self._lock:
            stop = self._begun.get(track.run_id)
            if stop is None:
                track.try_cancel()
                self._machine.try_on("cancel")
                self._begun[track.run_id] = Stop(track, runner, self._clock, self._unstoppable)
        if stop is not None:
            stop.press()
        elif self._wedged is not None:
            # This one only waits for that one.
            self._wedged.press()
        track.look.set()

    def is_over(self, track: Track) -> None:
        """A command has ended."""
        self._begun.pop(track.run_id, None)

    def _unstoppable(self, stop: Stop) -> None:
        self._wedged = stop
        self._machine.try_on("unstoppable")
        self._bus.post(Notice("The command did not stop when it was cancelled. Wait for it, or restart the session."))

    def wait_until_free(self, stop: threading.Event) -> None:
        """Waits for the end of the command that did not stop.

        Raises:
            Stopped: `stop` was set before.
        """
        waited_s: float | None = None
        while self._wedged is not None and not self._wedged.has_stopped():
            if waited_s is None:
                self._bus.post(Blocked())
            waited_s = WEDGED.after(waited_s)
            if self._clock.wait(stop, waited_s):
                raise Stopped("cancelled while another command was still running")
        self._is_free()

    def check_free(self) -> None:
        """Notes that the command that did not stop has ended.

        Raises:
            ContextWedged: it has not.
        """
        if self._wedged is not None and not self._wedged.has_stopped():
            raise ContextWedged(
                "The command that was cancelled before still runs, so nothing can be asked.",
                "Wait until it stops, or restart the session, which loses its variables.",
            )
        self._is_free()

    def _is_free(self) -> None:
        self._wedged = None
        self._machine.on("stopped")
