"""Taking an interpreter off the cluster: its contexts, and the files of its agent."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace

from dbk_session._context import Context, Gone, NoAgent
from dbk_session._interpreter import Interpreter
from dbk_session._link import Link
from dbk_session._remote import Doubtful, Stopped
from dbk_session._schedule import LEAVING
from dbk_session.driver import wire
from dbk_session.errors import SessionError

__all__ = ["Farewell", "farewell_of", "remove_from_cluster"]

_CLEAN_S = 3.0
# Deleting many files of a workspace folder takes a while, and nobody waits for the guard.
_FREE_S = 60.0
# The user's own context does it at once, or has something else to do.
_BUSY_S = 1.5


def remove_from_cluster(interpreter: Interpreter, link: Link, farewell: str | None = None) -> None:
    """Destroys an interpreter's contexts, and with them the agent's files and what `farewell` removes.

    With a control context that is done when the user's code has ended, which may use the files as long as it runs.

    Args:
        interpreter: what is on the cluster.
        link: notes what is gone.
        farewell: code to run in the end; None when this is not the end of the session.
    """
    said = True
    if interpreter.control is not None:
        _destroy(interpreter.context, link)
        said = _say(farewell_of(interpreter, farewell or ""))
    # When it is still at work: the guard has more time.
    if said or farewell is None or link.guard_pid is None:
        _destroy(farewell_of(interpreter, "").context, link)


@dataclass(frozen=True, slots=True)
class Farewell:
    """What is done on the driver in the end.

    Attributes:
        context: the one that does it, and is the last to go.
        texts: the commands.
        wait_s: how long they may take.
    """

    context: Context
    texts: tuple[str, ...]
    wait_s: float


def farewell_of(interpreter: Interpreter, text: str) -> Farewell:
    """The farewell of an interpreter, with `text` in it unless that is empty."""
    control, agent = interpreter.control, interpreter.agent
    more = (text,) if text else ()
    if control is None:
        return Farewell(interpreter.context, more, _BUSY_S)
    if agent is not None and agent.spool is not None:
        more = (*more, wire.control_text("cleanup", {"spool": agent.spool}))
    return Farewell(control.context, more, _FREE_S)


def _destroy(context: Context, link: Link) -> None:
    # What cannot be destroyed now stays known to the guard, which tries for longer, and to the next start.
    with contextlib.suppress(SessionError):
        context.destroy()
        link.forget(context.context_id)


def _say(farewell: Farewell) -> bool:
    """Has the driver's files removed, without waiting for long; False when that was not long enough.

    When it fails, the disk is gone with the driver, or the next agent sweeps it.
    """
    enough = threading.Event()
    timer = threading.Timer(_CLEAN_S, enough.set)
    timer.daemon = True
    timer.start()
    hasty = replace(farewell.context, patience=LEAVING)
    try:
        for text in farewell.texts:
            hasty.outcome(hasty.execute(text, enough, repeatable=True), enough)
    except Stopped:
        return False
    except (SessionError, Gone, NoAgent, Doubtful):
        return True
    finally:
        timer.cancel()
    return True
