"""Reads the spool of the running command through the control context, live, and goes quiet when nothing runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from dbk_session._clock import Clock
from dbk_session._context import Gone, NoAgent
from dbk_session._control import Control
from dbk_session._events import SparkProgress
from dbk_session._feed import Feed
from dbk_session._schedule import CONTROL
from dbk_session._watched import Watched
from dbk_session.errors import AuthenticationError, ConnectionLost, SessionError

__all__ = ["Pump"]

_WAIT_S = 25.0
_SETTLE_S = (0.0, 0.05, 0.1, 0.25, 0.5)
# What is not the running command's own may come a little later, and so costs few calls.
_SETTLE_LATE_S = (*_SETTLE_S, 1.0, 2.0)
_LARGE_S = 0.25
_PIECE_CHARS = 36_000
_BEREAVED_S = 1.0


class Pump:
    """One thread that reads what the run at work writes, and with it what earlier runs still write.

    Args:
        control: gives the control context, None while there is none.
        spool: gives the agent's folder.
        clock: time and waiting.
        failed: called with one line when live reading has to be given up.
    """

    def __init__(
        self,
        control: Callable[[], Control | None],
        spool: Callable[[], str | None],
        clock: Clock,
        failed: Callable[[str], None],
    ) -> None:
        self._control = control
        self._spool = spool
        self._clock = clock
        self._failed = failed
        self._changed = threading.Condition()
        self._watched = Watched()
        self._folder: str | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._healthy = False

    def reads(self, feed: Feed) -> bool:
        """True while this run is being read: its status need not be asked for often."""
        return self._watched.current is feed and self._healthy

    def follow(self, feed: Feed) -> None:
        """Reads this run from now on; nothing new when it does already."""
        with self._changed:
            is_new = self._watched.follow(feed)
            self._healthy = self._healthy and not is_new
            self._start()
        if is_new:
            self._interrupt()

    def linger(self, feed: Feed) -> None:
        """Reads a run that is over until its threads have been silent for a while, and while another one runs."""
        with self._changed:
            is_new = self._watched.linger(feed, self._clock.now())
            self._start()
        if is_new:
            self._interrupt()

    def leave(self, feed: Feed) -> None:
        """Stops reading a run that is over; one that is lingered for is read on."""
        with self._changed:
            if not self._watched.leave(feed):
                return
            self._healthy = False
            is_over = not self._watched.is_due(self._clock.now())
        if is_over:
            self._interrupt()

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="dbk-pump", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def close(self) -> None:
        """Ends the thread, at the latest when its present request is answered."""
        with self._changed:
            self._closed = True
            self._watched.forget()
            self._changed.notify_all()
        self._interrupt()

    def look(self) -> None:
        """Asks at once whether there is something."""
        control = self._control()
        if control is not None:
            control.look()

    def answered(self) -> None:
        """Reads on after an answer was sent to a command that had asked for input."""
        with self._changed:
            self._changed.notify_all()

    def _interrupt(self) -> None:
        control = self._control()
        if control is not None:
            control.give_way()

    def _run(self) -> None:
        quiet = _Quiet()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._is_due())
                feed = self._watched.main
            if feed is None:
                return
            if quiet.feed is not feed:
                quiet = _Quiet(feed, self._clock.now())
            control = self._control()
            if control is None:
                self._pause(0.05)
                continue
            try:
                self._read(control, feed, quiet)
            except (SessionError, Gone, NoAgent) as error:
                self._give_up(feed, error)

    def _is_due(self) -> bool:
        self._healthy = self._watched.follows
        return self._watched.is_due(self._clock.now())

    def _read(self, control: Control, feed: Feed, quiet: _Quiet) -> None:
        others = self._others()
        question = self._question(feed, others, quiet)
        answer = control.poll("read", question, quiet.first_wait_s(self._clock.now()))
        if answer is None:
            self._pause(0.01)
            return
        found = feed.take_answer(answer)
        late = answer.get("late") or {}
        wrote = [run_id for run_id, piece in late.items() if run_id in others and others[run_id].take_answer(piece)]
        self._progress(feed, quiet, answer.get("progress"))
        if not answer.get("alive", True):
            self._bereave(feed)
        more = int(answer["offset"]) + int(answer["bytes"]) < int(answer["size"])
        quiet.after(found, bool(wrote), more)
        if wrote or (found and self._watched.current is not feed):
            with self._changed:
                self._watched.found_late(self._clock.now())

    def _others(self) -> dict[str, Feed]:
        """What is read besides, by name; those of an interpreter that is gone are not."""
        with self._changed:
            folder, self._folder = self._folder, self._spool()
            if folder not in (None, self._folder):
                self._watched.forget_late()
            return {feed.track.run_id: feed for feed in self._watched.others}

    def _bereave(self, feed: Feed) -> None:
        """The process that writes is gone: nothing more will come, and the status will tell what that means."""
        with self._changed:
            self._healthy = False
            feed.track.look.set()
            self._changed.wait(_BEREAVED_S)

    def _question(self, feed: Feed, others: Mapping[str, Feed], quiet: _Quiet) -> dict[str, Any]:
        question: dict[str, Any] = {
            **feed.question,
            "spool": self._folder,
            "wait_s": _WAIT_S,
            "settle_s": quiet.settle_s,
            "max_chars": _PIECE_CHARS,
        }
        if others:
            question["late"] = [other.question for other in others.values()]
        start = feed.start
        for name in ("group", "tag"):
            if start.get(name) and not start.get("connect"):
                question[name] = start[name]
                # The numbers that are known: the poll ends early when they are others.
                question["progress"] = quiet.progress or True
        return question

    def _progress(self, feed: Feed, quiet: _Quiet, progress: dict[str, int] | None) -> None:
        if progress and progress != quiet.progress and feed.done is None:
            quiet.progress = progress
            names = ("jobs", "stages", "tasks_done", "tasks_total")
            feed.track.emit(SparkProgress(feed.track.run_id, *(int(progress.get(name) or 0) for name in names)))

    def _give_up(self, feed: Feed, error: Exception) -> None:
        with self._changed:
            self._watched.forget()
            self._healthy = False
        if not isinstance(error, (AuthenticationError, ConnectionLost)):
            self._failed(str(error))
        feed.track.look.set()

    def _pause(self, delay_s: float) -> None:
        with self._changed:
            self._changed.wait(delay_s)


class _Quiet:
    """How long to wait between questions, and for more output, from how it went so far.

    The first output of a command is passed on at once; a command that keeps writing is read in larger portions, so
    that it costs fewer calls.
    """

    def __init__(self, feed: Feed | None = None, began_s: float = 0.0) -> None:
        self.feed = feed
        self._began_s = began_s
        self.waited: float | None = None
        self.progress: dict[str, int] | None = None
        self._portions = 0
        self._steps_s: tuple[float, ...] = _SETTLE_S
        self._more = False

    @property
    def settle_s(self) -> float:
        if self._more:
            return 0.0
        return self._steps_s[min(self._portions, len(self._steps_s) - 1)]

    def first_wait_s(self, now_s: float) -> float | None:
        """A large portion is not asked for before the time that it takes is over.

        But the end of a command is never noticed later than by a quarter of the time that it took.
        """
        if self.waited is None and self.settle_s >= _LARGE_S:
            return min(self.settle_s, (now_s - self._began_s) / 4)
        return self.waited

    def after(self, found: bool, found_late: bool, more: bool) -> None:
        """Notes what an answer had of the run and of earlier ones, and whether more is there already."""
        self._more = more
        self._steps_s = _SETTLE_LATE_S if found_late and not found else _SETTLE_S
        if found or found_late:
            self._portions += 1
            self.waited = None
        else:
            self._portions = 0
            self.waited = CONTROL.most_s
