"""Keeps a session's interpreter: opens it, notices that it is gone, opens it again, and removes it in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dbk_session._bus import Bus
from dbk_session._calling import call_in
from dbk_session._clock import Clock
from dbk_session._cluster import Opener
from dbk_session._context import Context, Gone, NoAgent
from dbk_session._control import Control
from dbk_session._events import ContextLost, ContextOpened, Notice
from dbk_session._interpreter import Agent, ControlOpening, Interpreter, install
from dbk_session._link import Link
from dbk_session._plan import Plan
from dbk_session._remote import Stopped
from dbk_session._removal import farewell_of, remove_from_cluster
from dbk_session._states import SESSION, SESSION_START, Machine
from dbk_session.driver import wire
from dbk_session.errors import CommandFailed, ProtocolError, SessionError

__all__ = ["Keeper"]

_STALE_S = 60.0


class Keeper:
    """Opening and replacing is done by the session's one working thread; the rest may be called from any.

    Args:
        plan: what the session was told.
        link: the way to the workspace.
        clock: time and waiting.
        bus: where events go.
        prepare: see `Session`.
        ready: called when the control context has come up.

    Attributes:
        machine: the session's state.
        interpreter: None while there is none.
    """

    def __init__(
        self,
        plan: Plan,
        link: Link,
        clock: Clock,
        bus: Bus,
        prepare: Callable[[Callable[[str], str]], None] | None,
        ready: Callable[[], None],
    ) -> None:
        self.plan = plan
        self.machine = Machine(SESSION, SESSION_START)
        self.interpreter: Interpreter | None = None
        self.link = link
        self._clock = clock
        self._bus = bus
        self._prepare = prepare
        self._ready = ready
        self._farewell = ""
        self._opening: ControlOpening | None = None
        self._leaving = threading.Event()
        self._told: set[str] = set()

    def ensure(self, stop: threading.Event) -> Interpreter:
        """An idle interpreter: the one there is, or a fresh one.

        Raises:
            Stopped: `stop` was set before it was ready.
            SessionError: there is none to be had.
        """
        interpreter = self.interpreter
        if self.machine.state == "idle" and interpreter is not None and self._is_trusted(interpreter):
            return interpreter
        if stop.is_set():
            raise Stopped
        self.machine.on("connect")
        try:
            return self._open(stop)
        except BaseException:
            self.machine.try_on("failed")
            raise

    def _is_trusted(self, interpreter: Interpreter) -> bool:
        """Whether it is still the interpreter it was; asked for when there is reason to doubt.

        After a pause it may have been evicted, and code that restarts Python does so after its own end. It is better to
        know before something is sent than to guess afterwards.
        """
        if self._clock.now() - interpreter.used_s < _STALE_S and not interpreter.is_suspect:
            return True
        interpreter.is_suspect = False
        try:
            if interpreter.agent is None:
                if not interpreter.context.lives():
                    raise Gone(interpreter.context.why())
                return True
            if interpreter.context.frame(wire.call_text("has", {"run": "-"})).get("nonce") == interpreter.agent.nonce:
                return True
        except Gone as gone:
            self.lost(str(gone))
            return False
        except (NoAgent, CommandFailed):
            pass
        self.replaced("Python was restarted, so its variables are gone")
        return False

    def lost(self, reason: str) -> None:
        """The context is gone, and all there was in it."""
        interpreter, self.interpreter = self.interpreter, None
        if self.machine.try_on("lost") and interpreter is not None:
            remove_from_cluster(interpreter, self.link)
            self._bus.post(ContextLost(f"{reason[:1].upper()}{reason[1:]}."))

    def replaced(self, reason: str) -> None:
        """The context lives, with a new interpreter in it: only the agent has to be put there again."""
        if self.machine.try_on("lost"):
            self._bus.post(ContextLost(f"{reason[:1].upper()}{reason[1:]}."))

    def adopt(self, context_id: str, agent: Agent | None, control_id: str | None) -> Interpreter:
        """Takes over what another process has opened.

        Raises:
            Gone: it does not exist any more.
            SessionError: no connection.
        """
        context = self._context(context_id)
        if not context.lives():
            raise Gone(context.why())
        interpreter = Interpreter(context, agent, None, self._clock.now())
        if control_id is not None:
            control = Control(self._context(control_id), interpreter.room)
            if control.context.lives():
                interpreter.control = control
        self.interpreter = interpreter
        self._tell_guard()
        self.machine.on("adopt")
        if interpreter.control is None and self._may_be_live(agent):
            # It was left before it had one, and what runs in it may go on for hours.
            self._open_control(interpreter)
        return interpreter

    def _may_be_live(self, agent: Agent | None) -> bool:
        return agent is not None and agent.spool is not None and self.plan.channel in ("auto", "spool")

    @property
    def is_opening(self) -> bool:
        """True while the control context is on its way."""
        return self._opening is not None and self._opening.is_alive

    def give_up_control(self, reason: str) -> None:
        """There is no live channel (any more)."""
        if self.interpreter is not None:
            self.interpreter.control = None
        if not self._leaving.is_set():
            self._tell_once(f"Output is shown when a command ends, for there is no live channel: {reason}.")

    def leave(self) -> None:
        """Nothing is opened any more."""
        self._leaving.set()
        if self._opening is not None:
            self._opening.join(10.0)

    def remove(self, *, for_good: bool) -> None:
        """Removes everything from the cluster; `for_good` when no other interpreter follows."""
        if self._opening is not None:
            self._opening.join(10.0)
        interpreter, self.interpreter = self.interpreter, None
        if interpreter is not None:
            remove_from_cluster(interpreter, self.link, self._farewell if for_good else None)

    def farewell(self, code: str) -> None:
        """Has `code` run on the driver in the end; see `Session.farewell`."""
        self._farewell = code
        self._tell_guard()

    def _tell_guard(self) -> None:
        if self.interpreter is not None:
            farewell = farewell_of(self.interpreter, self._farewell)
            self.link.farewell(farewell.context.context_id, farewell.texts, farewell.wait_s)

    def _open(self, stop: threading.Event) -> Interpreter:
        remote = self.link.connect(self._bus)
        opener = Opener(remote, self._clock, self.link.cluster_id, self.plan.start_timeout_s, self._bus.post, stop)
        opener.ensure_running()
        self.machine.on("cluster_up")
        kept = self.interpreter
        if kept is not None and kept.context.lives():
            interpreter = Interpreter(kept.context, self._install(kept.context), kept.control)
        else:
            context = self._context(opener.create())
            interpreter = Interpreter(context, self._install(context))
        self.interpreter = interpreter
        interpreter.used_s = self._clock.now()
        self.machine.on("opened")
        self._tell_guard()
        self._announce(interpreter)
        if self._prepare is not None:
            self._prepare(lambda code: call_in(interpreter, code))
        return interpreter

    def _announce(self, interpreter: Interpreter) -> None:
        agent = interpreter.agent
        live = self._may_be_live(agent)
        channel = "spool" if live else interpreter.channel
        self._bus.post(ContextOpened(interpreter.context.context_id, channel, agent.python if agent else ""))
        if live and interpreter.control is None:
            self._open_control(interpreter)

    def _context(self, context_id: str) -> Context:
        return Context(self.link.connect(self._bus), self._clock, self.link.cluster_id, context_id)

    def _install(self, context: Context) -> Agent | None:
        if self.plan.channel == "plain":
            return None
        try:
            return install(context, self.plan.agent_options)
        except (CommandFailed, ProtocolError) as error:
            if self.plan.channel != "auto":
                raise
            self._tell_once(f"The cluster does not take the agent, so output is plain and comes at the end ({error}).")
            return None
        except Gone as gone:
            raise SessionError(f"The interpreter went away while it was prepared: {gone}.") from gone

    def _open_control(self, interpreter: Interpreter) -> None:
        remote, timeout_s = interpreter.context.remote, self.plan.start_timeout_s
        opener = Opener(remote, self._clock, self.link.cluster_id, timeout_s, lambda _: None, self._leaving)
        self._opening = ControlOpening(interpreter, opener, self._control_opened, self.give_up_control)

    def _control_opened(self, _control: Control) -> None:
        self._tell_guard()
        self._ready()

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._bus.post(Notice(text))
