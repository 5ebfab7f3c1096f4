"""The job that runs now, as every thread may see it."""

import threading
from dataclasses import replace

from dbk_session import Command, Event, RunEvent

from jupyter_databricks_kernel._remote import Job

__all__ = ["Running"]


class Running:
    """A job from the moment it was asked for, before and after it is sent.

    Attributes:
        job: What was asked for.
        run_id: The id it is sent under; another one than that of the job when it had to be sent again.
        refusal: Why the driver did not take its files, and so did not run it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.run_id = job.run_id
        self.refusal: Exception | None = None
        self._lock = threading.Lock()
        self._command: Command | None = None
        self._cancelled = False

    def sent(self, command: Command) -> None:
        """Takes the handle of the job; cancels it when somebody wanted that in the meantime."""
        with self._lock:
            self._command = command
            cancelled = self._cancelled
        if cancelled:
            command.cancel()

    def cancel(self) -> None:
        """Stops it, or sees to it that it is stopped as soon as it is sent; a second call presses harder."""
        with self._lock:
            self._cancelled = True
            command = self._command
        if command is not None:
            command.cancel()

    def answer(self, text: str | None) -> None:
        """Answers its question; None is the end of input."""
        if self._command is not None:
            self._command.answer(text)

    def made(self, event: Event) -> bool:
        """True for an event of this job."""
        return isinstance(event, RunEvent) and event.run_id == self.run_id

    def in_its_name(self, event: Event) -> Event:
        """The event under the id that the job was asked for with."""
        return replace(event, run_id=self.job.run_id) if isinstance(event, RunEvent) else event
