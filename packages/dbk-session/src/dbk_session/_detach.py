"""Leaving a session's interpreter alive, and taking it over in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbk_session._bus import Bus
from dbk_session._context import Gone
from dbk_session._engine import Engine
from dbk_session._interpreter import Agent, Interpreter
from dbk_session._journal import Entry, Journal
from dbk_session._track import Order, Track
from dbk_session.errors import ContextLostError, NameTaken, SessionClosed, SessionNotFound

__all__ = ["attached", "check_name", "claimed", "detached"]


def check_name(journal: Journal, name: str) -> None:
    """Does nothing if a session can be left under this name.

    Raises:
        NameTaken: another one was left under it.
    """
    if name and journal.named(name) is not None:
        raise NameTaken(
            f"A session that was left is called {name!r} already.",
            f"Take another name, or end that one: dbk-session attach {name}",
        )


def detached(engine: Engine) -> str:
    """See `Session.detach`."""
    while (track := engine.jobs.current) is not None and track.is_unsent:
        track.wait_until_sent()
    interpreter, link = engine.keeper.interpreter, engine.keeper.link
    if interpreter is None or engine.keeper.machine.state in ("closed", "detached"):
        raise SessionClosed("There is no interpreter to leave.", "Run a command first.")
    check_name(link.journal, link.entry.name)
    sent = engine.jobs.sent
    what = _noted(interpreter, sent)
    engine.leave(cancel=False)
    engine.keeper.machine.on("detach")
    return link.detach(what)


def claimed(journal: Journal, name: str) -> Entry:
    """The journal entry of a detached session, which this process now owns.

    Raises:
        SessionNotFound: there is none.
    """
    found = journal.named(name)
    entry = journal.claim(found) if found is not None else None
    if found is None or entry is None:
        raise SessionNotFound(f"No detached session is called {name!r}.", "`dbk-session sweep --list` shows them.")
    return Entry(**{**_fields(entry), "detached": found.detached})


def attached(engine: Engine, bus: Bus, entry: Entry) -> Track | None:
    """See `Session.attach`; gives the command that was left."""
    what = entry.detached or {}
    link = engine.keeper.link
    link.connect(bus)
    try:
        agent = _agent(what["agent"]) if what.get("agent") else None
        interpreter = engine.keeper.adopt(what["context"], agent, what.get("control"))
    except Gone as gone:
        link.forget(what["context"])
        link.close()
        raise ContextLostError(f"Session {entry.name!r} is gone: {gone}.") from gone
    run = what.get("run")
    if not run:
        return None
    track = Track(Order(run["code"], run["id"]), bus)
    engine.adopt(track, interpreter, run["command"])
    return track


def _noted(interpreter: Interpreter, sent: tuple[Track, str | None] | None) -> dict[str, Any]:
    agent, control = interpreter.agent, interpreter.control
    return {
        "context": interpreter.context.context_id,
        "control": control.context.context_id if control is not None else None,
        "agent": _described(agent) if agent is not None else None,
        "run": {"id": sent[0].run_id, "command": sent[1], "code": sent[0].order.code} if sent is not None else None,
    }


def _described(agent: Agent) -> dict[str, Any]:
    return {**_fields(agent), "key": agent.key.hex()}


def _agent(noted: Mapping[str, Any]) -> Agent:
    fields = {**noted, "key": bytes.fromhex(noted["key"]), "capabilities": tuple(noted["capabilities"])}
    return Agent(**fields)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
