"""The end of a command that is final: the rest of its output, checked for completeness, and its `Finished`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbk_session._calls import CommandStatus
from dbk_session._collect import finished_of, read_rest
from dbk_session._context import Gone, NoAgent
from dbk_session._events import Failure, Finished, Status, Stream
from dbk_session._feed import Feed
from dbk_session._host import Host
from dbk_session._interpreter import Interpreter
from dbk_session._plain import cancelled_by, events_of, text_of
from dbk_session._remote import Stopped
from dbk_session._track import Track
from dbk_session.driver import wire
from dbk_session.errors import CommandFailed, ProtocolError

__all__ = ["Ending"]

_DONE_WAIT_S = 3.0


class Ending:
    """Ends one command.

    Args:
        host: its session.
        track: gets what is left, and the end.
        interpreter: where it ran.
        feed: where its records go in; None when no agent saw it.
    """

    def __init__(self, host: Host, track: Track, interpreter: Interpreter, feed: Feed | None) -> None:
        self._host = host
        self._track = track
        self._interpreter = interpreter
        self._feed = feed

    def finish(self, status: CommandStatus | None) -> None:
        """The command is final: gets the rest of its output and ends it."""
        if status is None:
            return
        self._track.on("final")
        results = status.results
        text = text_of(results)
        frame, rest = wire.find_frame(text) if text else (None, "")
        if self._feed is None:
            self._finish_plainly(results)
        elif frame is not None and frame.get("run") == self._track.run_id:
            self._finish_with(frame, rest)
        else:
            self._finish_without_frame(results)

    def _finish_with(self, frame: Mapping[str, Any], rest: str) -> None:
        feed, interpreter = self._feed, self._interpreter
        assert feed is not None  # there is a frame
        if frame.get("payload"):
            feed.take(0, str(frame["payload"]).encode())
        if not feed.agrees(frame):
            read_rest(interpreter, feed, frame.get("length"), self._track.over)
        if rest.strip():
            self._track.emit(Stream(self._track.run_id, "stdout", rest))
        self._end(feed, frame)
        self._host.late(frame.get("late") or {})

    def _finish_without_frame(self, results: Mapping[str, Any] | None) -> None:
        """The result says nothing of the agent: it was cancelled, or cut, or the interpreter is another one now."""
        if cancelled_by(results) == "shutdown" and not self._track.cancelled.is_set():
            raise Gone(self._interpreter.context.why())
        if self.done_through_spool():
            return
        self.collect_by_reading(results)

    def done_through_spool(self) -> bool:
        """Waits for the `done` record where somebody reads the spool, as long as more comes from there."""
        feed = self._feed
        assert feed is not None
        if self._interpreter.control is not None:
            self._host.pump.follow(feed)
        self._host.pump.look()
        offset, deadline_s = -1, 0.0
        while self._host.pump.reads(feed) and feed.done is None:
            if feed.offset > offset:
                offset, deadline_s = feed.offset, self._host.clock.now() + _DONE_WAIT_S
            elif self._host.clock.now() >= deadline_s:
                break
            self._host.clock.wait(self._track.look, 0.1)
            self._track.look.clear()
        if feed.done is not None:
            self._end(feed)
        return feed.done is not None

    def collect_by_reading(self, results: Mapping[str, Any] | None = None) -> None:
        feed, interpreter, track = self._feed, self._interpreter, self._track
        assert feed is not None  # there is an agent
        try:
            state = read_rest(interpreter, feed, None, track.over)
        except Stopped:
            return
        except (NoAgent, CommandFailed):
            self._finish_plainly(results)
            self._host.replaced("Python was restarted, so its variables are gone")
            return
        except ProtocolError as error:
            track.finish(Finished(track.run_id, "lost", reason=error.message), error)
            return
        if feed.done is not None:
            self._end(feed)
        elif state == "never":
            self._finish_plainly(results)
        else:
            reason = "The end of its output could not be read from the driver."
            track.finish(Finished(track.run_id, "lost", reason=reason))

    def _end(self, feed: Feed, frame: Mapping[str, Any] | None = None) -> None:
        if self._track.state != "draining":
            self._track.on("final")
        self._track.finish(finished_of(feed, self._track.cancelled.is_set()))
        # The frame is the later word. A command that was cancelled has none.
        last = frame or feed.done or {}
        if int(last.get("live") or 0) > 0 and self._host.reads_live:
            self._host.pump.linger(feed)

    def _finish_plainly(self, results: Mapping[str, Any] | None) -> None:
        """Ends it with what the API says of it."""
        track = self._track
        cancelled = cancelled_by(results) != "" and track.cancelled.is_set()
        events = () if cancelled else events_of(track.run_id, results)
        for event in events:
            track.emit(event)
        failed = any(isinstance(event, Failure) for event in events)
        status: Status = "cancelled" if cancelled else "error" if failed else "ok"
        track.finish(Finished(track.run_id, status))
