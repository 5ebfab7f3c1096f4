"""The handle of one command: where its events arrive and where answers and cancels go in."""

from __future__ import annotations

from collections.abc import Iterator

from dbk_session._events import Event
from dbk_session._results import CommandResult

__all__ = ["Command"]


class Command:
    """A command that was handed to a session. Every method may be called from any thread."""

    @property
    def run_id(self) -> str:
        """The id under which session, driver and events know this command."""
        raise NotImplementedError

    @property
    def done(self) -> bool:
        """True once `Finished` was emitted."""
        raise NotImplementedError

    def events(self) -> Iterator[Event]:
        """Every event from the first on, live, ending after `Finished`. May be iterated more than once.

        Leaving the loop early does not stop the command; `cancel` does.
        """
        raise NotImplementedError

    def result(self, timeout_s: float | None = None) -> CommandResult:
        """Waits until the command is over and gives all of it.

        Raises:
            TimeoutError: `timeout_s` seconds have passed; the command goes on.
            SessionError: it could not be started or watched (no cluster, no connection, ...); see `errors`.
        """
        raise NotImplementedError

    def cancel(self) -> None:
        """Stops the command wherever it is: waiting, running, or asking for input. Returns at once.

        `Finished("cancelled")` follows within ten seconds in every case. A second call presses harder.
        """
        raise NotImplementedError

    def answer(self, text: str) -> None:
        """Sends one line (without its line end) to the `InputRequest` that waits.

        Raises:
            StdinNotAllowed: nothing waits for an answer.
        """
        raise NotImplementedError
