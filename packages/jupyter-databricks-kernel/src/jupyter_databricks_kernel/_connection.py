"""Settings, a session, and the files that go with it: made by the first cell, and anew after `%dbk`."""

from collections.abc import Callable

import dbk_config
from dbk_config import Settings
from dbk_config.cli import configure_logging
from dbk_session import Event, Notice, Session
from dbk_session.errors import SessionClosed

from jupyter_databricks_kernel._facts import gather
from jupyter_databricks_kernel._files import Files
from jupyter_databricks_kernel._progress import Phase
from jupyter_databricks_kernel._report import Facts

__all__ = ["Connection"]

_LIVE = frozenset({"idle", "busy", "cancelling", "wedged"})


class Connection:
    """What is there of a session at the moment.

    Args:
        take: Takes every event of the session, from any thread.
        enter: Told when a phase of sending files begins.

    Attributes:
        session: None before the first cell.
        files: None before the first cell, and when files are not sent at all.
        python_version: That of the interpreter, empty before the first one.
    """

    def __init__(self, take: Callable[[Event], None], enter: Callable[[Phase | None], None]) -> None:
        self._take = take
        self._enter = enter
        self._cluster_id: str | None = None
        self._settings: Settings | None = None
        self.session: Session | None = None
        self.files: Files | None = None
        self.python_version = ""

    @property
    def live(self) -> bool:
        """True when an interpreter is there."""
        return self.session is not None and self.session.state in _LIVE

    @property
    def cluster_page(self) -> str:
        """The address of the cluster's page; empty before there are settings."""
        settings = self._settings
        return f"{settings.host}/compute/clusters/{settings.cluster_id}" if settings is not None else ""

    def open(self) -> Session:
        """The session, made when there is none; that contacts nothing yet.

        Raises:
            SettingsError: The settings are wrong, or something that is needed is not set.
        """
        if self.session is None:
            settings = self._load()
            configure_logging(settings.log_level)
            settings.require("host", "cluster_id")
            self.session = Session(settings, on_event=self._take, prepare=self._prepare, widgets=True, completion=True)
            self.files = self._files_of(settings, self.session)
            self._settings = settings
        return self.session

    def need(self) -> Session:
        """The session that is there.

        Raises:
            SessionClosed: There is none.
        """
        if self.session is None:
            raise SessionClosed("there is no session yet", "Run a cell first.")
        return self.session

    def reset(self, cluster_id: str | None = None) -> None:
        """Closes it; the next one reads the settings again, and goes to the given cluster, or the same as before."""
        self.close()
        self._cluster_id = cluster_id or self._cluster_id

    def close(self) -> None:
        """Removes everything from the cluster."""
        session, self.session = self.session, None
        if session is None:
            return
        try:
            if self.files is not None and session.state == "idle":
                self.files.close(session.call)
        finally:
            session.close()

    def facts(self) -> Facts:
        """What `%dbk status` tells; one request where a session is there."""
        return gather(self._settings or self._load(), self.session, self.files, self.python_version)

    def _load(self) -> Settings:
        return dbk_config.load(arguments={"cluster_id": self._cluster_id})

    def _files_of(self, settings: Settings, session: Session) -> Files | None:
        if not settings.sync.enabled:
            return None
        return Files(settings, enter=self._enter, notice=self._tell, farewell=session.farewell)

    def _prepare(self, call: Callable[[str], str]) -> None:
        """A fresh interpreter is ready."""
        if self.files is not None:
            self.files.bring_all(call)

    def _tell(self, text: str) -> None:
        self._take(Notice(text))
