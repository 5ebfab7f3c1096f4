"""Taking an interpreter off the cluster: its contexts, and the files of its agent."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

from dbk_session._context import Context, Gone, NoAgent
from dbk_session._interpreter import Interpreter
from dbk_session._link import Link
from dbk_session._remote import Doubtful, Stopped
from dbk_session._schedule import LEAVING
from dbk_session.driver import wire
from dbk_session.errors import SessionError

__all__ = ["remove_from_cluster"]

_CLEAN_S = 3.0


def remove_from_cluster(interpreter: Interpreter, link: Link) -> None:
    """Destroys an interpreter's contexts, and the driver's files before."""
    control, agent = interpreter.control, interpreter.agent
    if control is not None and agent is not None and agent.spool is not None:
        _clean_disk(control.context, agent.spool)
    for context in (interpreter.context, *([control.context] if control is not None else [])):
        # What cannot be destroyed now stays known to the guard, which tries for longer, and to the next start.
        with contextlib.suppress(SessionError):
            context.destroy()
            link.forget(context.context_id)


def _clean_disk(context: Context, spool: str) -> None:
    """Has the driver's files removed, without waiting for long.

    When that fails, the disk is gone with the driver, or the next agent sweeps it.
    """
    enough = threading.Event()
    timer = threading.Timer(_CLEAN_S, enough.set)
    timer.daemon = True
    timer.start()
    with contextlib.suppress(SessionError, Gone, NoAgent, Doubtful, Stopped):
        replace(context, patience=LEAVING).ask(wire.control_text("cleanup", {"spool": spool}), enough)
    timer.cancel()
