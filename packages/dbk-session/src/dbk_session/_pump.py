"""Reads the spool of the running command through the control context, live, and goes quiet when nothing runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dbk_session._clock import Clock
from dbk_session._context import Gone, NoAgent
from dbk_session._control import Control
from dbk_session._events import SparkProgress
from dbk_session._feed import Feed
from dbk_session._rhythm import Rhythm
from dbk_session._room import Room
from dbk_session._watched import Watched
from dbk_session.errors import AuthenticationError, ConnectionLost, SessionError

__all__ = ["Pump"]

_WAIT_S = 25.0
_BEREAVED_S = 1.0


@dataclass
class _Reading:
    """How it goes with the run that is read."""

    feed: Feed
    rhythm: Rhythm
    progress: dict[str, int] | None = None


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
        reading: _Reading | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._is_due())
                feed = self._watched.main
            if feed is None:
                return
            if reading is None or reading.feed is not feed:
                reading = _Reading(feed, Rhythm(self._clock.now()))
            control = self._control()
            if control is None:
                self._pause(0.05)
                continue
            try:
                self._read(control, reading)
            except (SessionError, Gone, NoAgent) as error:
                self._give_up(feed, error)

    def _is_due(self) -> bool:
        self._healthy = self._watched.follows
        return self._watched.is_due(self._clock.now())

    def _read(self, control: Control, reading: _Reading) -> None:
        feed, rhythm, others = reading.feed, reading.rhythm, self._others()
        question = self._question(reading, others, control.room)
        answer = control.poll("read", question, rhythm.first_wait_s(self._clock.now()))
        if answer is None:
            self._pause(0.01)
            return
        found = feed.take_answer(answer)
        late = answer.get("late") or {}
        wrote = [run_id for run_id, piece in late.items() if run_id in others and others[run_id].take_answer(piece)]
        self._progress(reading, answer.get("progress"))
        if not answer.get("alive", True):
            self._bereave(feed)
        more = int(answer["offset"]) + int(answer["bytes"]) < int(answer["size"])
        rhythm.after(self._clock.now(), found=found, found_late=bool(wrote), more=more)
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

    def _question(self, reading: _Reading, others: Mapping[str, Feed], room: Room) -> dict[str, Any]:
        feed, rhythm = reading.feed, reading.rhythm
        question: dict[str, Any] = {
            **feed.question,
            "spool": self._folder,
            "wait_s": _WAIT_S,
            "settle_s": rhythm.settle_s,
            "max_chars": room.chars,
        }
        if others:
            question["late"] = [other.question for other in others.values()]
            question["late_after_s"] = rhythm.late_after_s(self._clock.now())
        start = feed.start
        for name in ("group", "tag"):
            if start.get(name) and not start.get("connect"):
                question[name] = start[name]
                # The numbers that are known: the poll ends early when they are others.
                question["progress"] = reading.progress or True
        return question

    def _progress(self, reading: _Reading, progress: dict[str, int] | None) -> None:
        feed = reading.feed
        if progress and progress != reading.progress and feed.done is None:
            reading.progress = progress
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
