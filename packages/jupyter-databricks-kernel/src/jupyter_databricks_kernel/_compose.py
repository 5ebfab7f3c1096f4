"""Jobs and questions of the kernel, carried out by a session, with the files they need brought before them."""

import threading
from collections.abc import Callable
from typing import Any

from dbk_session import Attachment, ClusterProgress, Command, ContextOpened, Event, Failure, Finished, Session

from jupyter_databricks_kernel._commands import answer
from jupyter_databricks_kernel._connection import Connection
from jupyter_databricks_kernel._files import ATTACHMENT, Files, NeedsAll
from jupyter_databricks_kernel._languages import split
from jupyter_databricks_kernel._phases import OPENING, SCANNING, cluster_phase
from jupyter_databricks_kernel._progress import Phase
from jupyter_databricks_kernel._remote import CommMessage, Job, PhaseEntered
from jupyter_databricks_kernel._running import Running

__all__ = ["Composition", "warm_up"]

# A delta that the driver cannot use is followed by one that it can, whatever it has.
ATTEMPTS = 2


def warm_up() -> None:
    """Loads what every session needs and is slow to load; contacts nothing.

    The SDK is not among it: with a host and a token nobody needs it, and it costs 45 MB. A session that does need it
    starts to load it by itself.
    """
    import requests  # noqa: F401  # for its effect on sys.modules


class Composition:
    """A `Remote` made of a `dbk_session.Session` and `dbk_sync`, opened by the first job.

    Args:
        on_event: Takes every event, from any thread.
    """

    def __init__(self, on_event: Callable[[Event | PhaseEntered], None]) -> None:
        self._on_event = on_event
        # A cell that was given up after an interrupt may still be busy with the files when the next one comes.
        self._turn = threading.Lock()
        self._connection = Connection(self._take, self._enter)
        self._running: Running | None = None

    @property
    def live(self) -> bool:
        """See `Remote.live`."""
        return self._connection.live

    @property
    def python_version(self) -> str:
        """See `Remote.python_version`."""
        return self._connection.python_version

    def run(self, job: Job) -> None:
        """See `Remote.run`."""
        self._running = running = Running(job)
        session = self._connection.open()
        files = None if job.request.hidden else self._connection.files
        for request in job.before:
            session.start(request.code, silent=True, store_history=False)
        for attempt in range(1, ATTEMPTS + 1):
            self._bring_files(session, files)
            running.refusal = None
            command = _start(session, running, files)
            running.sent(command)
            command.result()
            if not isinstance(running.refusal, NeedsAll):
                break
            # The driver has said that the code did not start, so this is no second run of it.
            running.run_id = f"{job.run_id}.{attempt}"
        if running.refusal is not None:
            raise running.refusal

    def _bring_files(self, session: Session, files: Files | None) -> None:
        if files is not None:
            self._enter(SCANNING)
            with self._turn:
                files.before_cell(session.call if self.live else None)
        self._enter(None if self.live else OPENING)

    def cancel(self, run_id: str) -> None:
        """See `Remote.cancel`."""
        running = self._running
        if running is not None and running.job.run_id == run_id:
            running.cancel()

    def press(self) -> None:
        """See `Remote.press`."""
        self._connection.need().cancel()

    def answer(self, run_id: str, text: str | None) -> None:
        """See `Remote.answer`."""
        running = self._running
        if running is not None and running.job.run_id == run_id:
            running.answer(text)

    def complete(self, code: str, cursor: int) -> dict[str, Any]:
        """See `Remote.complete`."""
        found = self._connection.need().complete(code, cursor)
        return {
            "matches": list(found.matches),
            "cursor_start": found.cursor_start,
            "cursor_end": found.cursor_end,
            "metadata": dict(found.metadata),
        }

    def inspect(self, code: str, cursor: int, detail: int) -> dict[str, Any]:
        """See `Remote.inspect`."""
        found = self._connection.need().inspect(code, cursor, detail)
        return {"found": found.found, "data": dict(found.data), "metadata": dict(found.metadata)}

    def comm(self, message: CommMessage) -> None:
        """See `Remote.comm`."""
        session = self._connection.need()
        options: dict[str, Any] = {"metadata": message.metadata, "run_id": message.run_id}
        session.comm(message.msg_type, message.content, message.buffers, **options)

    def magic(self, command: str, argument: str) -> dict[str, str]:
        """See `Remote.magic`."""
        return answer(self._connection, command, argument, self._turn)

    def close(self) -> None:
        """See `Remote.close`."""
        self._connection.close()

    # --- events -----------------------------------------------------------------------------------------------------

    def _enter(self, phase: Phase | None) -> None:
        self._on_event(PhaseEntered(phase))

    def _take(self, event: Event) -> None:
        """Passes an event of the session on, unless it is about how things are done rather than what they give."""
        running, files = self._running, self._connection.files
        match event:
            case ClusterProgress():
                self._enter(cluster_phase(event, self._connection.cluster_page) or OPENING)
                return
            case ContextOpened():
                self._connection.python_version = event.python
            case Attachment(name=name) if name == ATTACHMENT and files is not None:
                _take_attachment(event, files, running)
                return
            case Failure() | Finished() if running is not None and running.refusal is not None and running.made(event):
                return
        self._on_event(running.in_its_name(event) if running is not None and running.made(event) else event)


def _start(session: Session, running: Running, files: Files | None) -> Command:
    request = running.job.request
    language, code = split(request.code)
    return session.start(
        code,
        language=language,
        run_id=running.run_id,
        silent=request.silent,
        store_history=request.store_history,
        allow_stdin=request.allow_stdin,
        expressions=request.expressions,
        attachments=files.with_cell if files is not None else None,
        execution_count=running.job.count,
    )


def _take_attachment(event: Attachment, files: Files, running: Running | None) -> None:
    if event.error is None:
        files.delivered(event.reply)
    elif running is not None and running.made(event):
        running.refusal = files.refused(event.error)
