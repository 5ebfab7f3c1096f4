"""The only place where the parts of the family meet: settings, a session, and the files that go with it."""

import contextlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import dbk_config
from dbk_config import Settings
from dbk_session import (
    Attachment,
    ClusterProgress,
    Command,
    ContextOpened,
    Event,
    Failure,
    Finished,
    Notice,
    RunEvent,
    Session,
)
from dbk_session.errors import ContextLostError, SessionClosed

from jupyter_databricks_kernel import _report
from jupyter_databricks_kernel._facts import gather
from jupyter_databricks_kernel._files import ATTACHMENT, Files, NeedsAll
from jupyter_databricks_kernel._languages import split
from jupyter_databricks_kernel._phases import OPENING, SCANNING, cluster_phase
from jupyter_databricks_kernel._progress import Phase
from jupyter_databricks_kernel._remote import CommMessage, Job, PhaseEntered

__all__ = ["Composition", "warm_up"]

# A delta that the driver cannot use is followed by one that it can, whatever it has.
ATTEMPTS = 2
# `%pip` restarts Python where it has changed a package.
_RESTARTS = re.compile(r"restartPython|%restart_python|%pip|%conda")
_LIVE = frozenset({"idle", "busy", "cancelling", "wedged"})


def warm_up() -> None:
    """Loads what every session needs and is slow to load; contacts nothing.

    The SDK is not among it: with a host and a token nobody needs it, and it costs 45 MB. A session that does need it
    starts to load it by itself.
    """
    import requests  # noqa: F401  # for its effect on sys.modules


@dataclass
class _Running:
    """The job that runs now.

    Attributes:
        job: What was asked for.
        run_id: The id it is sent under; another one than that of the job when it had to be sent again.
        command: Its handle, once it was sent.
        cancelled: True once somebody wanted it stopped.
        refusal: Why the driver did not take its files, and so did not run it.
    """

    job: Job
    run_id: str
    command: Command | None = None
    cancelled: bool = False
    refusal: Exception | None = None


class Composition:
    """A `Remote` made of a `dbk_session.Session` and `dbk_sync`, opened by the first job.

    Args:
        on_event: Takes every event, from any thread.
    """

    def __init__(self, on_event: Callable[[Event | PhaseEntered], None]) -> None:
        self._on_event = on_event
        self._lock = threading.Lock()
        # A cell that was given up after an interrupt may still be busy with the files when the next one comes.
        self._turn = threading.Lock()
        self._cluster_id: str | None = None
        self._settings: Settings | None = None
        self._session: Session | None = None
        self._files: Files | None = None
        self._running: _Running | None = None
        self._python_version = ""
        self._restart_suspected = False

    @property
    def live(self) -> bool:
        """See `Remote.live`."""
        return self._session is not None and self._session.state in _LIVE

    @property
    def python_version(self) -> str:
        """See `Remote.python_version`."""
        return self._python_version

    def run(self, job: Job) -> None:
        """See `Remote.run`."""
        self._running = running = _Running(job, job.run_id)
        session = self._open()
        self._look_for_restart(session, job.request.code)
        files = None if job.request.hidden else self._files
        for request in job.before:
            session.start(request.code, silent=True, store_history=False)
        for attempt in range(1, ATTEMPTS + 1):
            self._bring_files(session, files)
            running.refusal = None
            self._run_once(session, running, files)
            if not isinstance(running.refusal, NeedsAll):
                break
            # The driver has said that the code did not start, so this is no second run of it.
            running.run_id = f"{job.run_id}.{attempt}"
        if running.refusal is not None:
            raise running.refusal

    def _look_for_restart(self, session: Session, code: str) -> None:
        """After code that restarts Python, asks for the interpreter first: the fresh one has neither agent nor files.

        Without the question the next cell would run there as it is, and the loss would be noticed after it.
        """
        suspected, self._restart_suspected = self._restart_suspected, bool(_RESTARTS.search(code))
        if suspected and self.live:
            with contextlib.suppress(ContextLostError):  # said once as an event; the next call finds a fresh one
                session.call("pass")

    def _bring_files(self, session: Session, files: Files | None) -> None:
        if files is not None:
            self._enter(SCANNING)
            with self._turn:
                files.before_cell(session.call if self.live else None)
        self._enter(None if self.live else OPENING)

    def _run_once(self, session: Session, running: _Running, files: Files | None) -> None:
        command = self._start(session, running, files)
        with self._lock:
            running.command = command
            cancelled = running.cancelled
        if cancelled:
            command.cancel()
        command.result()

    def _start(self, session: Session, running: _Running, files: Files | None) -> Command:
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

    def cancel(self, run_id: str) -> None:
        """See `Remote.cancel`."""
        with self._lock:
            running = self._running
            if running is None or running.job.run_id != run_id:
                return
            running.cancelled = True
            command = running.command
        if command is not None:
            command.cancel()

    def answer(self, run_id: str, text: str | None) -> None:
        """See `Remote.answer`."""
        running = self._running
        if running is not None and running.command is not None and running.job.run_id == run_id:
            running.command.answer(text)

    def complete(self, code: str, cursor: int) -> dict[str, Any]:
        """See `Remote.complete`."""
        found = self._need_session().complete(code, cursor)
        return {
            "matches": list(found.matches),
            "cursor_start": found.cursor_start,
            "cursor_end": found.cursor_end,
            "metadata": dict(found.metadata),
        }

    def inspect(self, code: str, cursor: int, detail: int) -> dict[str, Any]:
        """See `Remote.inspect`."""
        found = self._need_session().inspect(code, cursor, detail)
        return {"found": found.found, "data": dict(found.data), "metadata": dict(found.metadata)}

    def comm(self, message: CommMessage) -> None:
        """See `Remote.comm`."""
        self._need_session().comm(
            message.msg_type,
            message.content,
            message.buffers,
            metadata=message.metadata,
            run_id=message.run_id,
        )

    def magic(self, command: str, argument: str) -> dict[str, str]:
        """See `Remote.magic`."""
        match command:
            case "restart":
                return self._restart()
            case "cluster":
                self._reset(argument)
                return _report.plain(f"The next cell runs on cluster {argument}. All variables are gone.")
            case "reconnect":
                self._reset(self._cluster_id)
                return _report.plain(
                    "The next cell reads the settings again and connects anew. All variables are gone."
                )
            case "sync":
                return self._sync_now()
            case _:
                return _report.status(self._facts())

    def close(self) -> None:
        """See `Remote.close`."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            if self._files is not None and session.state == "idle":
                self._files.close(session.call)
        finally:
            session.close()

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self) -> Session:
        if self._session is None:
            settings = dbk_config.load(arguments={"cluster_id": self._cluster_id})
            settings.require("host", "cluster_id")
            self._files = Files(settings, enter=self._enter, notice=self._notice) if settings.sync.enabled else None
            self._session = Session(settings, on_event=self._take, prepare=self._prepare)
            self._settings = settings
        return self._session

    def _need_session(self) -> Session:
        if self._session is None:
            raise SessionClosed("there is no session yet", "Run a cell first.")
        return self._session

    def _prepare(self, call: Callable[[str], str]) -> None:
        """A fresh interpreter is ready."""
        if self._files is not None:
            self._files.bring_all(call)

    def _reset(self, cluster_id: str | None) -> None:
        self.close()
        self._cluster_id = cluster_id

    # --- events -----------------------------------------------------------------------------------------------------

    def _enter(self, phase: Phase | None) -> None:
        self._on_event(PhaseEntered(phase))

    def _notice(self, text: str) -> None:
        self._on_event(Notice(text))

    def _take(self, event: Event) -> None:
        """Passes an event of the session on, unless it is about how things are done rather than what they give."""
        running = self._running
        match event:
            case ClusterProgress():
                self._enter(cluster_phase(event, self._cluster_page()) or OPENING)
                return
            case ContextOpened():
                self._python_version = event.python
            case Attachment(name=name) if name == ATTACHMENT and self._files is not None:
                self._take_attachment(event, self._files, running)
                return
            case Failure() | Finished() if running is not None and running.refusal is not None:
                if event.run_id == running.run_id:
                    return
        if running is not None and isinstance(event, RunEvent) and event.run_id == running.run_id:
            event = replace(event, run_id=running.job.run_id)
        self._on_event(event)

    def _take_attachment(self, event: Attachment, files: Files, running: _Running | None) -> None:
        if event.error is None:
            files.delivered(event.reply)
        elif running is not None and event.run_id == running.run_id:
            running.refusal = files.refused(event.error)

    # --- `%dbk` -----------------------------------------------------------------------------------------------------

    def _restart(self) -> dict[str, str]:
        self._need_session().restart()
        return _report.plain("A fresh interpreter is ready. All variables are gone.")

    def _sync_now(self) -> dict[str, str]:
        session = self._need_session()
        if self._files is None:
            return _report.plain("Sending files is switched off in the settings (sync.enabled).")
        with self._turn:
            return _report.sent(self._files.push_now(session.call))

    def _cluster_page(self) -> str:
        settings = self._settings
        return f"{settings.host}/compute/clusters/{settings.cluster_id}" if settings is not None else ""

    def _facts(self) -> _report.Facts:
        settings = self._settings or dbk_config.load(arguments={"cluster_id": self._cluster_id})
        return gather(settings, self._session, self._files, self._python_version)
