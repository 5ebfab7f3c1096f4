"""A session's work: commands and questions, done by one thread, one after the other."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from dbk_session._bus import Bus
from dbk_session._clock import Clock
from dbk_session._collect import read_rest
from dbk_session._context import Gone, NoAgent
from dbk_session._control import Control
from dbk_session._events import Event, Finished
from dbk_session._feed import Feed
from dbk_session._interpreter import Interpreter
from dbk_session._jobs import Job, Jobs
from dbk_session._keeper import Keeper
from dbk_session._link import Link
from dbk_session._plan import Plan
from dbk_session._pump import Pump
from dbk_session._remote import Doubtful, Stopped
from dbk_session._runner import Runner
from dbk_session._stops import Stops
from dbk_session._track import Track
from dbk_session.errors import ContextLostError, ProtocolError

__all__ = ["Engine"]

_KEPT_FEEDS = 50
_RESTARTED = "Python was restarted, so its variables are gone"
# Code that replaces the Python process does so when its command has ended well already.
_RESTARTS = re.compile(r"restart_?[pP]ython|%(pip|conda|uv)\b")


class Engine:
    """See the module. Also what a `Runner` needs of its session.

    Attributes:
        clock: time and waiting.
        bus: where events go.
        jobs: the queue of its work.
        stops: cancels what is in it.
        keeper: has the interpreter.
        pump: reads the running command's output.
    """

    def __init__(
        self,
        plan: Plan,
        link: Link,
        clock: Clock,
        bus: Bus,
        prepare: Callable[[Callable[[str], str]], None] | None = None,
    ) -> None:
        self.clock = clock
        self.bus = bus
        bus.divert(self._divert)
        self.keeper = Keeper(plan, link, clock, bus, prepare, self._look_at_current)
        self.pump = Pump(self._control, self._spool, clock, self.keeper.give_up_control)
        self.jobs = Jobs(self._after)
        self.stops = Stops(self.jobs, self.keeper.machine, clock, bus)
        self._lock = threading.Lock()
        self._feeds: OrderedDict[str, Feed] = OrderedDict()

    # Work.

    def submit(self, track: Track) -> None:
        """Queues a command."""
        runner = Runner(self, track)
        self.jobs.add(Job(runner.run, track, runner))

    def adopt(self, track: Track, interpreter: Interpreter, command_id: str | None) -> None:
        """Queues the watching of a command that another process has sent."""
        runner = Runner(self, track)
        self.jobs.add(Job(lambda: self._adopt(runner, interpreter, command_id), track, runner))

    def ask(self, work: Callable[[Interpreter], Any], ensure: bool = True) -> Future[Any]:
        """Queues a question to the interpreter; without `ensure` the answer is None when there is no interpreter."""
        future: Future[Any] = Future()
        self.jobs.add(Job(lambda: self._answer(work, ensure, future)))
        return future

    def ask_when_idle(self, work: Callable[[Interpreter], Any]) -> Future[Any] | None:
        """The same, when the question would not have to wait; None, and nothing is queued, when it would."""
        future: Future[Any] = Future()
        queued = self.jobs.add_when_idle(Job(lambda: self._answer(work, False, future)))
        return future if queued else None

    def _after(self, track: Track) -> None:
        self.stops.is_over(track)
        interpreter = self.keeper.interpreter
        if interpreter is not None:
            interpreter.used_s = self.clock.now()
            interpreter.is_suspect = _RESTARTS.search(track.order.code) is not None
        self.keeper.machine.try_on("finished")

    def _adopt(self, runner: Runner, interpreter: Interpreter, command_id: str | None) -> None:
        self.keeper.machine.on("command")
        runner.adopt(interpreter, command_id)

    def _answer(self, work: Callable[[Interpreter], Any], ensure: bool, future: Future[Any]) -> None:
        try:
            future.set_result(self._ask(work, ensure))
        except BaseException as error:  # it is raised where the answer is waited for
            future.set_exception(error)

    def _ask(self, work: Callable[[Interpreter], Any], ensure: bool) -> Any:
        interpreter = self._ensure(self.jobs.leaving) if ensure else self.keeper.interpreter
        if interpreter is None or self.keeper.machine.state != "idle":
            return None
        try:
            return work(interpreter)
        except Gone as gone:
            self.lost(str(gone))
            raise ContextLostError(f"The interpreter is gone: {gone}.") from gone
        except NoAgent as error:
            self.replaced(_RESTARTED)
            raise ContextLostError(f"{_RESTARTED}.") from error
        except (Doubtful, Stopped) as error:
            raise ProtocolError(f"The interpreter gave no clear answer ({error}).") from error
        finally:
            interpreter.used_s = self.clock.now()

    # What the runner needs (`Host`).

    def ensure(self, track: Track) -> Interpreter:
        """See `Host.ensure`."""
        if self.keeper.machine.state == "wedged":
            self.stops.wait_until_free(track.cancelled)
        interpreter = self._ensure(track.cancelled)
        self.keeper.machine.on("command")
        return interpreter

    def _ensure(self, stop: threading.Event) -> Interpreter:
        if self.keeper.machine.state == "wedged":
            self.stops.check_free()
        return self.keeper.ensure(stop)

    def lost(self, reason: str) -> None:
        """See `Host.lost`."""
        self.keeper.lost(reason)

    def replaced(self, reason: str) -> None:
        """See `Host.replaced`."""
        self.keeper.replaced(reason)

    def feed_of(self, track: Track) -> Feed:
        """See `Host.feed_of`."""
        interpreter = self.keeper.interpreter
        key = interpreter.agent.key if interpreter is not None and interpreter.agent is not None else b""
        feed = Feed(track, key)
        with self._lock:
            self._feeds[track.run_id] = feed
            while len(self._feeds) > _KEPT_FEEDS:
                self._feeds.popitem(last=False)
        return feed

    def late(self, lengths: Mapping[str, int]) -> None:
        """See `Host.late`."""
        interpreter = self.keeper.interpreter
        for run_id, length in lengths.items():
            feed = self._feeds.get(run_id)
            if feed is not None and interpreter is not None and feed.offset < length:
                read_rest(interpreter, feed, length, self.jobs.leaving)

    @property
    def reads_live(self) -> bool:
        """See `Host.reads_live`."""
        opening = self.keeper.is_opening
        return opening or self._control() is not None

    @property
    def budget_bytes(self) -> int:
        """See `Host.budget_bytes`."""
        return self.keeper.plan.budget_bytes

    def _divert(self, event: Event) -> bool:
        job = self.jobs.running
        if job is None or job.track is None:
            return False
        job.track.emit(event)
        return True

    def _control(self) -> Control | None:
        interpreter = self.keeper.interpreter
        return interpreter.control if interpreter is not None else None

    def _spool(self) -> str | None:
        interpreter = self.keeper.interpreter
        return interpreter.agent.spool if interpreter is not None and interpreter.agent is not None else None

    def _look_at_current(self) -> None:
        track = self.jobs.current
        if track is not None:
            track.look.set()

    # The end.

    def restart(self) -> None:
        """Replaces the interpreter; see `Session.restart`."""
        self.stops.stop_all()
        done: Future[Any] = Future()

        def work() -> None:
            try:
                was_open = self.keeper.interpreter is not None
                self.keeper.machine.on("restart")
                self.keeper.remove(for_good=False)
                if was_open:
                    self.keeper.ensure(self.jobs.leaving)
                done.set_result(None)
            except BaseException as error:  # it is raised where the restart is waited for
                done.set_exception(error)

        self.jobs.add(Job(work))
        done.result()

    def leave(self, cancel: bool) -> None:
        """Takes no more work. With `cancel` what runs is stopped, else it goes on without being watched."""
        self.jobs.leave()
        sent = self.jobs.sent if not cancel else None
        if sent is not None:
            reason = "The session was detached; the command goes on."
            sent[0].finish(Finished(sent[0].run_id, "lost", reason=reason))
        self.stops.stop_all()
        self.pump.close()
        self.keeper.leave()
        self.jobs.join()
