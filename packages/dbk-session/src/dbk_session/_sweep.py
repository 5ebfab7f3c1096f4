"""Destroys the contexts of sessions whose process and guard are both gone."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from dbk_session import _calls as calls
from dbk_session._calls import refusal_of
from dbk_session._journal import Entry, Journal
from dbk_session._transport import Door, Http, NotSent, Transport, Unsure
from dbk_session.errors import SessionError

__all__ = ["Swept", "sweep", "sweep_beside"]


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of one left-over context; `problem` is "" when it is gone now."""

    entry: Entry
    context_id: str
    problem: str


def sweep(journal: Journal, entries: Iterable[Entry], transport: Transport) -> list[Swept]:
    """Destroys the contexts of `entries`, which are all on one workspace, and forgets those that are gone."""
    found: list[Swept] = []
    for entry in entries:
        outcomes = [_destroy(journal, entry, context_id, transport) for context_id in journal.contexts(entry.session)]
        found += outcomes
        if not any(outcome.problem for outcome in outcomes):
            journal.remove(entry.session)
    return found


def sweep_beside(journal: Journal, door: Door) -> None:
    """Sweeps what is left over on this workspace, on a thread of its own, saying nothing."""
    left = [entry for entry in journal.orphans() if entry.host == door.host]
    if not left:
        return

    def work() -> None:
        http = Http(door)
        sweep(journal, left, http)
        http.close()

    threading.Thread(target=work, name="dbk-sweep", daemon=True).start()


def _destroy(journal: Journal, entry: Entry, context_id: str, transport: Transport) -> Swept:
    try:
        answer = transport.send(calls.destroy_context(entry.cluster_id, context_id))
    except (NotSent, Unsure, SessionError) as error:
        return Swept(entry, context_id, str(error))
    refusal = refusal_of(answer)
    if refusal is not None and (not refusal.handled or refusal.kind in ("credentials", "permission")):
        return Swept(entry, context_id, refusal.message)
    # Any other clear refusal means that there is nothing to destroy any more.
    journal.drop_context(entry.session, context_id)
    return Swept(entry, context_id, "")
