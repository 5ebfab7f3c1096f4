"""Reads the spool of the running command through the control context, live, and goes quiet when nothing runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from dbk_session._clock import Clock
from dbk_session._context import Gone, NoAgent
from dbk_session._control import Control
from dbk_session._events import SparkProgress
from dbk_session._feed import Feed
from dbk_session._schedule import CONTROL
from dbk_session.driver import wire
from dbk_session.errors import AuthenticationError, ConnectionLost, SessionError

__all__ = ["Pump"]

_WAIT_S = 25.0
_SETTLE_S = (0.0, 0.05, 0.1, 0.25, 0.5)
_LARGE_S = 0.25
_PIECE_CHARS = 36_000
_BEREAVED_S = 1.0
_LINGER_S = 30.0
_LINGER_MOST_S = 600.0


class Pump:
    """One thread that follows one run at a time.

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
        self._feed: Feed | None = None
        self._until_s: float | None = None
        self._last_s = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._healthy = False

    def reads(self, feed: Feed) -> bool:
        """True while this run is being read: its status need not be asked for often."""
        return self._feed is feed and self._healthy

    def follow(self, feed: Feed) -> None:
        """Reads this run from now on; nothing new when it does already."""
        self._turn_to(feed, None)

    def linger(self, feed: Feed) -> None:
        """Reads a run that is over until its threads have been silent for a while."""
        now = self._clock.now()
        self._last_s = now + _LINGER_MOST_S
        self._turn_to(feed, now + _LINGER_S)

    def leave(self, feed: Feed) -> None:
        """Stops reading a run that is over; one that is lingered for is read on."""
        with self._changed:
            if self._feed is not feed or self._until_s is not None:
                return
            self._feed, self._healthy = None, False
        self._interrupt()

    def _turn_to(self, feed: Feed, until_s: float | None) -> None:
        with self._changed:
            known = self._feed is feed
            self._until_s = until_s
            if not known:
                self._feed, self._healthy = feed, False
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="dbk-pump", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        if not known:
            self._interrupt()

    def close(self) -> None:
        """Ends the thread, at the latest when its present request is answered."""
        with self._changed:
            self._closed, self._feed = True, None
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
                self._changed.wait_for(lambda: self._closed or self._has_something_to_read())
                feed = self._feed
            if feed is None:
                return
            if quiet.feed is not feed:
                quiet = _Quiet(feed, self._clock.now())
            control = self._control()
            if control is None:
                self._pause(0.05)
                self._linger(feed, found=False)
                continue
            try:
                self._read(control, feed, quiet)
            except (SessionError, Gone, NoAgent) as error:
                self._give_up(feed, error)

    def _has_something_to_read(self) -> bool:
        """Not while the code waits for a person, who may take hours; not after its end, unless it is lingered for."""
        feed = self._feed
        if feed is None:
            return False
        waits = feed.track.asks or (feed.done is not None and self._until_s is None)
        self._healthy = not waits
        return not waits

    def _read(self, control: Control, feed: Feed, quiet: _Quiet) -> None:
        began = feed.offset
        answer = control.poll("read", self._question(feed, quiet), quiet.first_wait_s(self._clock.now()))
        if answer is None:
            self._pause(0.01)
            return
        feed.take(int(answer["offset"]), wire.unpack_piece(answer))
        self._progress(feed, quiet, answer.get("progress"))
        if not answer.get("alive", True):
            self._bereave(feed)
        quiet.after(feed.offset > began)
        self._linger(feed, feed.offset > began)

    def _bereave(self, feed: Feed) -> None:
        """The process that writes is gone: nothing more will come, and the status will tell what that means."""
        with self._changed:
            self._healthy = False
            feed.track.look.set()
            self._changed.wait(_BEREAVED_S)

    def _question(self, feed: Feed, quiet: _Quiet) -> dict[str, Any]:
        question: dict[str, Any] = {
            "spool": self._spool(),
            "run": feed.track.run_id,
            "offset": feed.offset,
            "wait_s": _WAIT_S,
            "settle_s": quiet.settle_s,
            "max_chars": _PIECE_CHARS,
        }
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

    def _linger(self, feed: Feed, found: bool) -> None:
        with self._changed:
            if self._feed is not feed or self._until_s is None:
                return
            now = self._clock.now()
            if found and now < self._last_s:
                self._until_s = now + _LINGER_S
            elif now >= self._until_s:
                self._feed = None

    def _give_up(self, feed: Feed, error: Exception) -> None:
        with self._changed:
            if self._feed is feed:
                self._feed, self._healthy = None, False
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

    @property
    def settle_s(self) -> float:
        return _SETTLE_S[min(self._portions, len(_SETTLE_S) - 1)]

    def first_wait_s(self, now_s: float) -> float | None:
        """A large portion is not asked for before the time that it takes is over.

        But the end of a command is never noticed later than by a quarter of the time that it took.
        """
        if self.waited is None and self.settle_s >= _LARGE_S:
            return min(self.settle_s, (now_s - self._began_s) / 4)
        return self.waited

    def after(self, found: bool) -> None:
        if found:
            self._portions += 1
            self.waited = None
        else:
            self._portions = 0
            self.waited = CONTROL.most_s
