"""Destroys the contexts of sessions whose process and guard are both gone."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from dbk_session import _calls as calls
from dbk_session._answers import refusal_of
from dbk_session._journal import Entry, Journal
from dbk_session._transport import Door, Http, NotSent, Transport, Unsure
from dbk_session.errors import SessionError

__all__ = ["Swept", "has_ended", "sweep", "sweep_beside"]

_CLOCKS_DIFFER_S = 60.0
_LOCAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of one left-over context.

    Attributes:
        entry: whose it was.
        context_id: which one; "" for one that was asked for and whose id never came.
        problem: "" when it is gone now.
    """

    entry: Entry
    context_id: str
    problem: str


def sweep(journal: Journal, entries: Iterable[Entry], transport: Transport) -> list[Swept]:
    """Destroys the contexts of `entries`, which are all on one workspace, and forgets those that are gone."""
    found: list[Swept] = []
    for entry in entries:
        outcomes = [_destroy(journal, entry, context_id, transport) for context_id in journal.contexts(entry.session)]
        outcomes += _unanswered(journal, entry, transport)
        found += outcomes
        if not any(outcome.problem for outcome in outcomes):
            journal.remove(entry.session)
    return found


def _unanswered(journal: Journal, entry: Entry, transport: Transport) -> list[Swept]:
    """The contexts that may be left without anybody knowing their ids; those of an earlier driver are gone with it."""
    notes = journal.unanswered(entry.session)
    since_s = _nothing_is_older_than(entry, transport) if notes else 0.0
    left = []
    for note, asked_s in notes.items():
        if asked_s + _CLOCKS_DIFFER_S < since_s:
            journal.end_create(entry.session, note)
        else:
            left.append(Swept(entry, "", f"asked for at {_when(asked_s)}, and the answer never came"))
    return left


def _nothing_is_older_than(entry: Entry, transport: Transport) -> float:
    """When the cluster's driver was started, in Unix seconds; infinity for a cluster that does not run."""
    try:
        answer = transport.send(calls.get_cluster(entry.cluster_id))
        refusal = refusal_of(answer)
        if refusal is not None:
            return math.inf if refusal.kind == "no_cluster" else 0.0
        cluster = calls.cluster_of(answer.json())
    except (NotSent, Unsure, SessionError):
        return 0.0
    return math.inf if cluster.state in ("TERMINATED", "PENDING") else cluster.started_s


def has_ended(host: str) -> bool:
    """Whether this was an embedded workspace (dbk-local), which is over: its contexts were processes of its own.

    One of Databricks is never spoken to without encryption, and never on this machine.
    """
    parts = urlsplit(host)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return False
    try:
        socket.create_connection((parts.hostname, parts.port or 80), timeout=_LOCAL_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _when(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s).astimezone().isoformat(sep=" ", timespec="seconds")


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
