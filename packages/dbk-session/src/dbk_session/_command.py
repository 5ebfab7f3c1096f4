"""The handle of one command: where its events arrive and where answers and cancels go in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dbk_session._events import Event, InputRequest
from dbk_session._results import CommandResult
from dbk_session._track import Track
from dbk_session.errors import StdinNotAllowed

__all__ = ["Command"]


class Command:
    """A command that was handed to a session. Every method may be called from any thread."""

    def __init__(
        self, track: Track, stop: Callable[[Track], None], send: Callable[[Track, InputRequest, str | None], None]
    ) -> None:
        self._track = track
        self._stop = stop
        self._send = send

    def __repr__(self) -> str:
        return f"<Command {self.run_id} {self.state}>"

    @property
    def run_id(self) -> str:
        """The id under which session, driver and events know this command."""
        return self._track.run_id

    @property
    def code(self) -> str:
        """What it runs, as it was given."""
        return self._track.order.code

    @property
    def state(self) -> str:
        """`waiting`, `preparing`, `sending`, `unsure`, `running`, `cancelling`, `draining` or `finished`."""
        return self._track.state

    @property
    def done(self) -> bool:
        """True once `Finished` was emitted."""
        return self._track.over.is_set()

    def wait_for_change(self, timeout_s: float = 60.0, *, since: str | None = None) -> str:
        """Waits until the state is another one than `since` (than now, when None), or the time is over; gives it.

        Who has looked at `state` before passes it, for it may have changed in between.
        """
        return self._track.wait_for_change(timeout_s, since)

    def events(self) -> Iterator[Event]:
        """Every event from the first on, live, ending after `Finished`. May be iterated more than once.

        Leaving the loop early does not stop the command; `cancel` does.

        Raises:
            SessionError: after the last event, when the command could not be started or watched (see `result`).
        """
        return self._track.events()

    def result(self, timeout_s: float | None = None) -> CommandResult:
        """Waits until the command is over and gives all of it.

        Raises:
            TimeoutError: `timeout_s` seconds have passed; the command goes on.
            SessionError: it could not be started or watched (no cluster, no connection, ...); see `errors`.
        """
        return self._track.result(timeout_s)

    def cancel(self) -> None:
        """Stops the command wherever it is: waiting, running, or asking for input. Returns at once.

        Each call is one interrupt, as of a local interpreter: code that catches it goes on. `Finished` follows within
        ten seconds in every case; what still runs then goes on writing, and the next command waits for its end.
        """
        if not self.done:
            self._stop(self._track)

    def answer(self, text: str | None) -> None:
        """Sends one line (without its line end) to the `InputRequest` that waits; None for the end of all input.

        Raises:
            StdinNotAllowed: nothing waits for an answer.
            SessionError: it could not be delivered.
        """
        request = self._track.take_request()
        if request is None:
            raise StdinNotAllowed(f"Command {self.run_id} does not wait for input.")
        self._send(self._track, request, text)
