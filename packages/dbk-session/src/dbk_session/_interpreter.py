"""A Python interpreter on the cluster with the agent in it, and the control context that looks after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbk_session._cluster import Opener
from dbk_session._context import Context, Gone, NoAgent
from dbk_session._control import Control
from dbk_session._remote import Doubtful, Stopped
from dbk_session._room import Room
from dbk_session.driver import bootstrap, control_bootstrap, wire
from dbk_session.errors import CommandFailed, ProtocolError, SessionError

__all__ = ["Agent", "ControlOpening", "Interpreter", "agent_of", "install"]

_PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Agent:
    """What the agent said of itself.

    Attributes:
        nonce: names this very interpreter.
        key: proves and seals what is passed through the driver's disk; never logged.
        spool: the folder where it writes events, None when it has none.
        pid: its process.
        started: tells `pid` from another process of the same number.
        python: its version.
        runtime: Databricks Runtime version, "" where there is none.
        capabilities: see the agent's `hello`.
        fresh: True when it has just been installed.
    """

    nonce: str
    key: bytes = field(repr=False)
    spool: str | None
    pid: int
    started: str
    python: str
    runtime: str
    capabilities: tuple[str, ...]
    fresh: bool = True


@dataclass
class Interpreter:
    """What a session has on the cluster.

    Attributes:
        context: the user's.
        agent: None on the plain channel.
        control: None where it is not wanted, not ready yet, or of no use.
        used_s: when it was last heard of.
        is_suspect: True when it may have been replaced since.
        room: how much it may answer.
    """

    context: Context
    agent: Agent | None
    control: Control | None = None
    used_s: float = 0.0
    is_suspect: bool = False
    room: Room = field(init=False)

    def __post_init__(self) -> None:
        self.room = Room(self.agent.runtime if self.agent is not None else "")

    @property
    def channel(self) -> str:
        """How output arrives at this moment."""
        if self.agent is None:
            return "plain"
        return "result" if self.control is None else "spool"

    def ask(self, op: str, arguments: Mapping[str, Any], stop: threading.Event | None = None) -> Any:
        """Runs one operation of the agent, behind whatever runs.

        Raises:
            NoAgent, Gone, CommandFailed, Stopped, SessionError: see `Context.ask`.
        """
        return self.context.ask(wire.call_text(op, dict(arguments)), stop)

    def open_control(self, opener: Opener) -> Control | None:
        """Opens the control context; None when it cannot see what the agent writes.

        Raises:
            Stopped, Gone, SessionError: it could not be opened.
        """
        agent = self.agent
        if agent is None or agent.spool is None:
            return None
        context = Context(self.context.remote, self.context.clock, self.context.cluster_id, opener.create())
        try:
            context.frame(control_bootstrap())
            control = Control(context, self.room)
            seen = control.ask(_PROBE, {"spool": agent.spool, "nonce": agent.nonce})
            if not seen.get("shared"):
                context.destroy()
                return None
        except (NoAgent, CommandFailed, ProtocolError):
            context.destroy()
            return None
        return control


def install(context: Context, options: Mapping[str, Any]) -> Agent:
    """Puts the agent into a context, or greets the one that is there.

    Raises:
        CommandFailed, ProtocolError: this interpreter does not take it.
        Gone, SessionError: see `Context.ask`.
    """
    try:
        return agent_of(context.frame(bootstrap(**options)))
    except (NoAgent, KeyError, ValueError) as error:
        raise ProtocolError(f"The agent did not introduce itself: {error}") from error


def agent_of(hello: Mapping[str, Any]) -> Agent:
    """Reads a `hello`."""
    return Agent(
        nonce=str(hello["nonce"]),
        key=bytes.fromhex(hello["key"]),
        spool=hello.get("spool"),
        pid=int(hello["pid"]),
        started=str(hello.get("started") or ""),
        python=str(hello.get("python") or ""),
        runtime=str(hello.get("runtime") or ""),
        capabilities=tuple(hello.get("capabilities") or ()),
        fresh=bool(hello.get("fresh", True)),
    )


class ControlOpening:
    """Opens the control context beside the first command, so that nobody waits for it.

    Args:
        interpreter: gets the control context when it is ready.
        opener: creates it; its stop event ends the opening.
        failed: called with one line when there will be none.
    """

    def __init__(
        self, interpreter: Interpreter, opener: Opener, opened: Callable[[Control], None], failed: Callable[[str], None]
    ) -> None:
        self._interpreter = interpreter
        self._opener = opener
        self._opened = opened
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name="dbk-control-open", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True until it is ready, or will never be."""
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> None:
        """Waits until it is ready, or will never be."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            control = self._interpreter.open_control(self._opener)
        except Stopped:
            return
        except (SessionError, Gone, Doubtful) as error:
            self._failed(str(error))
            return
        if control is None:
            self._failed("its contexts do not share a disk")
            return
        self._interpreter.control = control
        self._opened(control)
