"""A session's queue of work and the one thread that does it, one after the other."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dbk_session._events import Finished
from dbk_session._runner import Runner
from dbk_session._track import Track
from dbk_session.errors import SessionClosed

__all__ = ["Job", "Jobs"]

LOG = logging.getLogger("dbk.session")

_JOIN_S = 12.0


@dataclass(eq=False)
class Job:
    """One piece of work; a command has a track and a runner, too."""

    do: Callable[[], None]
    track: Track | None = None
    runner: Runner | None = None


class Jobs:
    """May be used from any thread.

    Args:
        after: called on the working thread when a command is over.

    Attributes:
        leaving: set once no more work is taken.
    """

    def __init__(self, after: Callable[[Track], None]) -> None:
        self.leaving = threading.Event()
        self._after = after
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._thread: threading.Thread | None = None

    def add(self, job: Job) -> None:
        """Queues it.

        Raises:
            SessionClosed: no more work is taken.
        """
        with self._changed:
            if self.leaving.is_set():
                raise SessionClosed("The session is closed.", "Open a new one.")
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="dbk-session", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def add_when_idle(self, job: Job) -> bool:
        """Queues it unless it would have to wait; False when it would.

        A command that has its end already is only being tidied up after.

        Raises:
            SessionClosed: no more work is taken.
        """
        with self._changed:
            if not all(known.track is not None and known.track.over.is_set() for known in self.all):
                return False
            self.add(job)
            return True

    @property
    def running(self) -> Job | None:
        """What is at work."""
        return self._running

    @property
    def all(self) -> list[Job]:
        """What is at work, then what waits."""
        with self._changed:
            return [*([self._running] if self._running else []), *self._waiting]

    @property
    def current(self) -> Track | None:
        """The command at work, or the first that waits."""
        return next((job.track for job in self.all if job.track is not None and not job.track.over.is_set()), None)

    @property
    def sent(self) -> tuple[Track, str | None] | None:
        """The command that is on the cluster, and the workspace's id of it."""
        job = self._running
        if job is None or job.track is None or job.runner is None or job.track.over.is_set():
            return None
        return job.track, job.runner.command_id

    def withdraw(self, track: Track) -> Job | None:
        """Takes a command that nobody wants any more out of the queue; its job when it is at work already."""
        with self._changed:
            track.cancelled.set()
            job = next((job for job in self.all if job.track is track), None)
            if job is None or job is self._running:
                return job
            self._waiting.remove(job)
        track.drop()
        return None

    def withdraw_all(self) -> Job | None:
        """Takes every command out of the queue, all at one moment; the one that is at work already is given."""
        with self._changed:
            waiting = [job.track for job in self._waiting if job.track is not None]
            self._waiting = deque(job for job in self._waiting if job.track is None)
            for track in waiting:
                track.cancelled.set()
            running = self._running
            if running is not None and running.track is not None:
                running.track.cancelled.set()
        for track in waiting:
            track.drop()
        return running

    def leave(self) -> None:
        """Takes no more work."""
        with self._changed:
            self.leaving.set()
            self._changed.notify_all()

    def join(self) -> None:
        """Waits for the end of what is at work, though not for ever."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self.leaving.is_set())
                if not self._waiting:
                    return
                job = self._running = self._waiting.popleft()
            try:
                job.do()
                if job.track is not None:
                    self._after(job.track)
            except Exception as error:  # a defect: neither this command nor the next may be waited for in vain
                LOG.exception("The session has a defect.")
                if job.track is not None:
                    job.track.finish(Finished(job.track.run_id, "lost", reason=repr(error)), error)
            finally:
                with self._changed:
                    self._running = None
                    self._changed.notify_all()
