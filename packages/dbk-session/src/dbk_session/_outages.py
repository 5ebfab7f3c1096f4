"""A workspace that does not answer: how long a request is repeated, and who hears of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from dbk_session._clock import Clock
from dbk_session._events import Outage
from dbk_session._schedule import Patience, retry_delay_s
from dbk_session.errors import ConnectionLost

__all__ = ["Outages", "Waiting"]


class Outages:
    """Told once when requests have to wait for the workspace, and once when one is answered and no other waits."""

    def __init__(self, tell: Callable[[Outage], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting = 0
        self._told = False

    def enter(self, cause: str) -> None:
        """One more waits."""
        with self._lock:
            self._waiting += 1
            first, self._told = not self._told, True
        if first:
            self._tell(Outage(cause))

    def leave(self) -> None:
        """One waits no more."""
        with self._lock:
            self._waiting -= 1

    def answered(self) -> None:
        """One was answered."""
        with self._lock:
            over = self._told and self._waiting == 0
            self._told = self._told and not over
        if over:
            self._tell(Outage("", is_over=True))


class Waiting:
    """Counts how long a request has been without an answer, and says so once."""

    def __init__(self, clock: Clock, patience: Patience, outages: Outages) -> None:
        self._clock = clock
        self._patience = patience
        self._outages = outages
        self._since: float | None = None
        self._attempt = 0
        self._told = False

    def after(self, cause: str, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure.

        Raises:
            ConnectionLost: it has been too long.
        """
        now = self._clock.now()
        self._since = now if self._since is None else self._since
        waited = now - self._since
        if waited >= self._patience.total_s:
            raise ConnectionLost(
                f"Connection lost: the workspace has not answered for {waited:.0f} s ({cause}).",
                "Check the network and DATABRICKS_HOST. What already runs on the cluster goes on there.",
            )
        if waited >= self._patience.notice_s and not self._told:
            self._told = True
            self._outages.enter(cause)
        self._attempt += 1
        return retry_delay_s(self._attempt, retry_after_s, random.random())

    def end(self) -> None:
        """The request is over."""
        if self._told:
            self._outages.leave()
