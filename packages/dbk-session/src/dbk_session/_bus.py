"""Where every event of a session passes through, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dbk_session._events import Event, Finished, RunEvent, Started

__all__ = ["Bus"]

LOG = logging.getLogger("dbk.session")


class Bus:
    """Hands events to the session's listener, in the order in which they were posted. May be used from any thread.

    Args:
        listener: called with each event; None when nobody listens.
    """

    def __init__(self, listener: Callable[[Event], None] | None) -> None:
        self._listener = listener
        self._divert: Callable[[Event], bool] = lambda _: False
        # Re-entrant: a listener may well cause an event, for instance by cancelling.
        self._lock = threading.RLock()

    def divert(self, divert: Callable[[Event], bool]) -> None:
        """Sets who takes the events of no command into a command's own, and delivers them then."""
        self._divert = divert

    def post(self, event: Event) -> None:
        """Hands one event on; one of no command also goes to the command that is being worked on."""
        if isinstance(event, RunEvent) or not self._divert(event):
            self.deliver(event)

    def deliver(self, event: Event) -> None:
        """Hands one event to the listener, and notes in the log what happened, but nothing that the code printed."""
        if isinstance(event, Started | Finished) or not isinstance(event, RunEvent):
            LOG.info("%s", _told(event))
        if self._listener is not None:
            with self._lock:
                self._listener(event)


def _told(event: Event) -> str:
    """An event in one line; of a command its run and how it ended, for the rest is the user's."""
    if isinstance(event, Finished):
        return f"{event.run_id} finished: {event.status}"
    return f"{event.run_id} started" if isinstance(event, Started) else str(event)
