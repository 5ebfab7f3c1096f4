"""Helper code in the user's interpreter, and what it printed."""

from __future__ import annotations

import secrets

from dbk_session._context import Context
from dbk_session._events import Failure
from dbk_session._interpreter import Interpreter
from dbk_session._plain import events_of
from dbk_session.errors import CommandFailed

__all__ = ["call_in"]


def call_in(interpreter: Interpreter, code: str) -> str:
    """Runs helper code in the interpreter and gives what it printed.

    Raises:
        CommandFailed: it raised.
        NoAgent, Gone, SessionError: see `Context.ask`.
    """
    if interpreter.agent is None:
        return _call_plainly(interpreter.context, code)
    # The id makes the agent answer a repetition (the first answer may be lost on its way) without running it again.
    answer = interpreter.ask("exec", {"code": code, "id": secrets.token_hex(8)})
    return str(answer.get("stdout", ""))


def _call_plainly(context: Context, code: str) -> str:
    results = context.outcome(context.execute(code))
    for event in events_of("", results):
        if isinstance(event, Failure):
            raise CommandFailed(event.ename, event.evalue, event.traceback)
    return str((results or {}).get("data") or "")
