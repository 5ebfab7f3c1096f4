"""A session's way to the workspace: credentials, journal entry, guard process and requests, made when first needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dbk_session._bus import Bus
from dbk_session._clock import Clock
from dbk_session._journal import Entry, Journal, process_mark
from dbk_session._remote import Remote
from dbk_session._sweep import sweep_beside
from dbk_session._transport import Door, Transport
from dbk_session._watchdog import GuardedHttp, Watchdog

__all__ = ["Link"]


class Link:
    """May be used from any thread.

    Args:
        entry: the session, as it will be noted in the journal; its host is filled in.
        make_door: finds the credentials; called once with False, and with True when they are refused.
        journal: where open contexts are noted.
        clock: time and waiting.

    Attributes:
        journal: as it was given.
    """

    def __init__(self, entry: Entry, make_door: Callable[[bool], Door], journal: Journal, clock: Clock) -> None:
        self._entry = entry
        self._make_door = make_door
        self.journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._remote: Remote | None = None
        self._watchdog: Watchdog | None = None
        self._headers: Mapping[str, str] = {}
        self._speaker = ""

    @property
    def cluster_id(self) -> str:
        """Where the session's contexts are."""
        return self._entry.cluster_id

    @property
    def guard_pid(self) -> int | None:
        """The process that outlives this one, None while there is none."""
        return self._watchdog.pid if self._watchdog is not None else None

    @property
    def entry(self) -> Entry:
        """The session as noted in the journal."""
        return self._entry

    def connect(self, bus: Bus) -> Remote:
        """The way in. The first call finds the credentials and starts the guard.

        Raises:
            SessionError: no credentials, or unusable ones.
        """
        with self._lock:
            if self._remote is None:
                door = self._make_door(False)
                self._entry = replace(
                    self._entry, host=door.host, pid=os.getpid(), mark=process_mark(os.getpid()), detached=None
                )
                self.journal.write(self._entry)
                known = self.journal.contexts(self._entry.session)
                self._watchdog = Watchdog(self._entry, door, self.journal, known)
                transport = GuardedHttp(door, self._entry, self.journal, self._watchdog)
                self._headers = door.headers()
                self._remote = Remote(transport, self._clock, bus.post, self._renewed)
                sweep_beside(self.journal, door)
            return self._remote

    def _renewed(self) -> Transport | None:
        """A transport with other credentials than those that were refused, None when there are no others."""
        door = self._make_door(True)
        headers = door.headers()
        if _credentials(headers) == _credentials(self._headers):
            return None
        self._headers = headers
        return GuardedHttp(door, self._entry, self.journal, self._watchdog)

    def farewell(self, context_id: str, texts: tuple[str, ...], wait_s: float) -> None:
        """Has this context, and no other, run commands at the end, should the session die."""
        if self._watchdog is None:
            return
        if self._speaker not in ("", context_id):
            self._watchdog.farewell(self._speaker, (), 0.0)
        self._speaker = context_id
        self._watchdog.farewell(context_id, texts, wait_s)

    def forget(self, context_id: str) -> None:
        """Notes that a context is gone."""
        self.journal.drop_context(self._entry.session, context_id)
        if self._watchdog is not None:
            self._watchdog.forget(context_id)

    def detach(self, what: Mapping[str, Any]) -> str:
        """Leaves the contexts alive, with what `Session.attach` needs to know; gives the name to attach by."""
        name = self._entry.name or self._entry.session
        self.journal.write(replace(self._entry, name=name, pid=0, mark="", detached=what))
        if self._watchdog is not None:
            self._watchdog.release()
        self._close_remote()
        return name

    def close(self) -> None:
        """Lets go of everything. Contexts that are still noted are destroyed by the guard."""
        self._close_remote()
        if self._watchdog is not None:
            self._watchdog.close()
        self.journal.settle(self._entry.session)

    def _close_remote(self) -> None:
        if self._remote is not None:
            self._remote.close()


def _credentials(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "User-Agent"}
