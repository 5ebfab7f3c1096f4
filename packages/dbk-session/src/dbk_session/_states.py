"""The life of a session and of a command, each as one table.

A table maps (state, happening) to the next state. What is not in the table cannot happen: `Machine.on` refuses it and
stays where it is. The diagrams in `docs/design/session-states.md` are drawn from these tables.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from dbk_session.errors import ProtocolError

__all__ = [
    "COMMAND",
    "COMMAND_END",
    "COMMAND_START",
    "COMMAND_UNSENT",
    "SESSION",
    "SESSION_END",
    "SESSION_START",
    "Machine",
]

Table = Mapping[tuple[str, str], str]

SESSION_START: Final = "new"
SESSION_END: Final = frozenset({"closed", "detached"})

_OPEN = ("idle", "busy", "cancelling", "wedged")
_ALIVE = ("new", "starting", "opening", *_OPEN, "lost")

SESSION: Final[Table] = {
    # Coming up. `connect` asks for the cluster's state, `cluster_up` for a context, `opened` means the agent answers.
    ("new", "connect"): "starting",
    ("lost", "connect"): "starting",
    ("starting", "cluster_up"): "opening",
    ("opening", "opened"): "idle",
    # It did not come up: the next command tries again from the beginning.
    ("starting", "failed"): "new",
    ("opening", "failed"): "new",
    # One command at a time.
    ("idle", "command"): "busy",
    ("busy", "finished"): "idle",
    ("busy", "cancel"): "cancelling",
    ("cancelling", "cancel"): "cancelling",
    ("cancelling", "finished"): "idle",
    ("cancelling", "unstoppable"): "wedged",
    ("wedged", "stopped"): "idle",
    # The interpreter went away, or was replaced.
    **{(state, "lost"): "lost" for state in ("opening", *_OPEN)},
    # Asked for a fresh one.
    **{(state, "restart"): "lost" for state in _OPEN},
    ("lost", "restart"): "lost",
    ("new", "restart"): "new",
    # Taking over one that was detached.
    ("new", "adopt"): "idle",
    # The end.
    **{(state, "detach"): "detached" for state in _OPEN},
    **{(state, "close"): "closed" for state in _ALIVE},
    ("detached", "close"): "detached",
    ("closed", "close"): "closed",
}

COMMAND_START: Final = "waiting"
COMMAND_END: Final = frozenset({"finished"})
COMMAND_UNSENT: Final = frozenset({"waiting", "preparing", "sending", "unsure"})

COMMAND: Final[Table] = {
    # In the queue, then while cluster, context and agent are made ready.
    ("waiting", "begin"): "preparing",
    ("preparing", "ready"): "sending",
    # Sent once. Without a clear answer, the driver is asked whether it has seen the run id.
    ("sending", "accepted"): "running",
    ("sending", "doubtful"): "unsure",
    ("sending", "refused"): "preparing",
    ("unsure", "seen"): "running",
    ("unsure", "unseen"): "sending",
    # Running; a cancel may take its time.
    ("running", "cancel"): "cancelling",
    ("unsure", "cancel"): "unsure",
    ("cancelling", "cancel"): "cancelling",
    # The command is final; its last events are still to be collected.
    ("running", "final"): "draining",
    ("cancelling", "final"): "draining",
    # Exactly one way out.
    ("draining", "complete"): "finished",
    ("waiting", "drop"): "finished",
    ("preparing", "drop"): "finished",
    ("sending", "drop"): "finished",
    ("unsure", "drop"): "finished",
    ("running", "drop"): "finished",
    ("cancelling", "drop"): "finished",
    ("draining", "drop"): "finished",
    # Attaching to a command that another process has started.
    ("waiting", "adopt"): "running",
}


class Machine:
    """One thing that moves through a table. May be used from any thread."""

    def __init__(self, table: Table, start: str) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._state = start

    @property
    def state(self) -> str:
        """Where it is."""
        return self._state

    def on(self, happening: str) -> str:
        """Moves, and gives the new state.

        Raises:
            ProtocolError: the table has no such move; the state is unchanged.
        """
        with self._lock:
            following = self._table.get((self._state, happening))
            if following is None:
                raise ProtocolError(f"{happening!r} cannot happen in state {self._state!r}.")
            self._state = following
            return following

    def can(self, happening: str) -> bool:
        """True when the table has a move for it from here."""
        with self._lock:
            return (self._state, happening) in self._table

    def try_on(self, happening: str) -> bool:
        """Moves when the table has the move; False when it has not."""
        with self._lock:
            following = self._table.get((self._state, happening))
            if following is not None:
                self._state = following
            return following is not None
