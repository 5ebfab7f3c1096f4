"""How many calls live output costs, and how late it is: the session's own loop on a clock that nobody waits for.

Only the network is played: an answer of the control context comes when `driver/control` would give it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest
from dbk_session import Stream
from dbk_session._answers import Answer
from dbk_session._bus import Bus
from dbk_session._context import Context
from dbk_session._control import Control
from dbk_session._feed import Feed
from dbk_session._pump import Pump
from dbk_session._remote import Remote
from dbk_session._rhythm import Rhythm
from dbk_session._room import Room
from dbk_session._schedule import COMMAND_WATCHED
from dbk_session._track import Order, Track
from dbk_session.driver import wire

KEY = b"k" * 32
TRIP_S = 0.05
NEVER = float("inf")


class Clock:
    """Time passes by waiting."""

    def __init__(self):
        self.now_s = 0.0

    def now(self):
        return self.now_s

    def wait(self, signal, timeout_s):
        self.now_s += timeout_s
        return signal.is_set()


class Driver:
    """A silent command until `end_s`, and beside it an earlier one that writes every `every_s` (0: never)."""

    def __init__(self, clock, end_s, every_s):
        self.clock, self.end_s, self.every_s = clock, end_s, every_s
        self.calls = []  # when
        self.answers = {}  # by command: when, and what

    def send(self, call):
        self.calls.append(self.clock.now_s)
        self.clock.now_s += TRIP_S / 2
        answer = self.execute(call) if call.path.endswith("/execute") else self.status(call)
        self.clock.now_s += TRIP_S / 2
        return Answer(200, json.dumps(answer))

    def execute(self, call):
        _, question = wire.parse_call(call.fields["command"].split('"')[3])
        command_id = str(len(self.answers))
        self.answers[command_id] = self.read(question)
        return {"id": command_id}

    def status(self, call):
        ready_s, frame = self.answers[call.fields["commandId"]]
        if self.clock.now_s < ready_s:
            return {"status": "Running", "results": None}
        return {"status": "Finished", "results": {"resultType": "text", "data": frame}}

    def read(self, question):
        """When `control.operations.read` answers, and what."""
        now_s = self.clock.now_s
        late = question.get("late") or [{"offset": 0}]
        heard_s = self.written_s(late[0]["offset"])
        late_s = max(heard_s, now_s + question.get("late_after_s", 0))
        ready_s = max(now_s, min(self.end_s, late_s, now_s + question["wait_s"]))
        value = piece(question, self.lines("now", [self.end_s], ready_s)) | {"alive": True}
        if heard_s <= ready_s:
            value["late"] = {"late": piece(late[0], self.lines("late", self.times(), ready_s))}
        return ready_s, wire.make_frame({"kind": "reply", "ok": True, "value": value})

    def times(self):
        nth = 0
        while self.every_s and (nth + 1) * self.every_s < self.end_s:
            nth += 1
            yield nth * self.every_s

    def written_s(self, offset):
        """When there is something behind `offset`."""
        sized = 0
        for nth, at_s in enumerate(self.times()):
            sized += len(line("late", nth, at_s))
            if sized > offset:
                return at_s
        return NEVER

    def lines(self, run_id, times, until_s):
        written = []
        for nth, at_s in enumerate(times):
            if at_s > until_s:
                break
            written.append(line(run_id, nth, at_s))
        return b"".join(written)

    def close(self):
        pass


def line(run_id, nth, at_s):
    content = {"t": "stream", "name": "stdout", "text": f"{at_s}\n"} if run_id == "late" else {"t": "done"}
    return wire.record_line({"n": nth + 1, "run": run_id, **content}, KEY)


def piece(question, data):
    new = data[question["offset"] :]
    text, used = wire.pack_piece(new, 1_000_000)
    return {"offset": question["offset"], "bytes": used, "data": text, "size": len(data)}


class Noticed(threading.Event):
    """Knows when it was set first."""

    def __init__(self, clock):
        super().__init__()
        self._clock, self.at_s = clock, None

    def set(self):
        self.at_s = self.at_s or self._clock.now_s
        super().set()


class Watch:
    """A command beside an earlier one, read to its end.

    Attributes:
        calls: how many in each minute.
        lags: how long after it was written a line was shown, by when that was.
        noticed_s: how long after the command's end it was noticed.
    """

    def __init__(self, minutes, every_s):
        clock, self.lags = Clock(), []
        driver = Driver(clock, minutes * 60.0, every_s)
        context = Context(Remote(driver, clock, lambda _: None), clock, "cluster", "context")
        pump = Pump(lambda: control, lambda: "spool", clock, lambda text: pytest.fail(text))
        control = Control(context, Room())
        ended = Noticed(clock)

        def shown(event):
            if isinstance(event, Stream):
                self.lags += [(float(text), clock.now_s - float(text)) for text in event.text.split()]

        late, now = (Feed(Track(Order("1", name), Bus(shown)), KEY) for name in ("late", "now"))
        now.track.look = ended
        if every_s:
            # Both before the thread begins: it reads one question after the other, in no time.
            pump._watched.linger(late, 0.0)
        pump.follow(now)
        assert ended.wait(60)
        self.noticed_s = ended.at_s - driver.end_s
        pump.leave(now)
        pump.close()
        self.calls = Counter(int(at_s // 60) for at_s in [*driver.calls, *watched_s(driver.end_s)])


def watched_s(end_s):
    """When the status of the command itself is asked for."""
    now_s, waited = 0.0, None
    while (now_s := now_s + (waited := COMMAND_WATCHED.after(waited))) < end_s:
        yield now_s


def test_a_silent_command_costs_few_calls_beside_nothing():
    watch = Watch(minutes=3, every_s=0)

    assert [watch.calls[minute] for minute in range(3)] == [49, 33, 34]
    assert watch.noticed_s <= 2.5


@pytest.mark.parametrize("every_s", [0.1, 0.7, 3.3, 7.0, 26.0])
def test_a_silent_command_costs_no_more_beside_one_that_keeps_writing(every_s):
    watch = Watch(minutes=3, every_s=every_s)

    # Up to a few before its output is waited for are to be added to those of the first minute.
    assert watch.calls[0] <= 56
    assert max(watch.calls[1], watch.calls[2]) <= 33
    assert max((lag for at_s, lag in watch.lags if at_s < 15), default=0) <= 2.7
    assert max(lag for _, lag in watch.lags) <= 5.2
    assert watch.noticed_s <= 4.6


def test_what_a_command_writes_is_looked_for_soon_again_after_a_long_silence():
    rhythm = Rhythm(0.0)
    for now_s in range(60, 3600, 5):
        rhythm.after(now_s, found=False, found_late=True, more=False)

    assert (rhythm.settle_s, rhythm.late_after_s(3600.0), rhythm.first_wait_s(3600.0)) == (0.0, 4.0, 4.5)
    rhythm.after(3600.0, found=True, found_late=True, more=False)

    assert (rhythm.settle_s, rhythm.late_after_s(3601.0), rhythm.first_wait_s(3601.0)) == (0.05, 2.0, None)
