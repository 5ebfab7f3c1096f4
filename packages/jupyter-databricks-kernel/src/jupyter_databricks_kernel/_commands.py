"""What each `%dbk` command does."""

from threading import Lock

from jupyter_databricks_kernel import _report
from jupyter_databricks_kernel._connection import Connection

__all__ = ["answer"]


def answer(connection: Connection, command: str, argument: str, turn: Lock) -> dict[str, str]:
    """Does what a `%dbk` line asks; `turn` is held while files are sent. Gives a mime bundle.

    Raises:
        DbkError: It could not be done.
    """
    match command:
        case "restart":
            if connection.session is None:
                return _report.plain("There is nothing to restart: no cell has run yet.")
            connection.session.restart()
            return _report.plain("A fresh interpreter is ready. All variables are gone.")
        case "cluster":
            connection.reset(argument)
            return _report.plain(f"The next cell runs on cluster {argument}. All variables are gone.")
        case "reconnect":
            connection.reset()
            return _report.plain("The next cell reads the settings again and connects anew. All variables are gone.")
        case "sync":
            return _sync_now(connection, turn)
        case _:
            return _report.status(connection.facts())


def _sync_now(connection: Connection, turn: Lock) -> dict[str, str]:
    session = connection.need()
    if connection.files is None:
        return _report.plain("Sending files is switched off in the settings (sync.enabled).")
    with turn:
        return _report.sent(connection.files.push_now(session.call))
