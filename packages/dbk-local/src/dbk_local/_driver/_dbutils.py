"""`dbutils`: what a notebook asks of the workspace it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from dbk_local._driver._flow import EndOfCommand
from dbk_local._driver._fs import FsUtils
from dbk_local._driver._secrets import SecretUtils
from dbk_local._driver._widgets import WidgetUtils

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell

_HELP = """This module provides various utilities for users to interact with the rest of Databricks.
fs: DbfsUtils -> Manipulates the Databricks filesystem (DBFS) from the console
library: LibraryUtils -> Utilities for session isolated libraries
notebook: NotebookUtils -> Utilities for the control flow of a notebook
secrets: SecretUtils -> Provides utilities for leveraging secrets within notebooks
widgets: WidgetsUtils -> Methods to create and get bound value of input widgets inside notebooks"""

_NO_JOBS = (
    "dbutils.notebook.run({path!r}) starts a job of its own, and the embedded workspace has no jobs. "
    "Run the notebook in this context (%run), or its cells in another context of the cluster"
)


class DbUtils:
    """The object named `dbutils`."""

    def __init__(self, shell: CommandShell) -> None:
        self.fs = FsUtils(lambda: shell.truth)
        self.library = LibraryUtils(shell)
        self.notebook = NotebookUtils(shell)
        self.secrets = SecretUtils(lambda: shell.truth, shell.secrets_read.add)
        self.widgets = WidgetUtils()

    def help(self) -> None:
        """Tell what there is."""
        print(_HELP)


class NotebookUtils:
    """`dbutils.notebook`."""

    def __init__(self, shell: CommandShell) -> None:
        self._shell = shell

    def exit(self, value: object) -> NoReturn:
        """End the command now, as a success whose only text is `value`."""
        self._shell.emitted.exit_value = str(value)
        raise EndOfCommand

    def run(self, path: str, timeout_seconds: int = 0, arguments: object = None) -> NoReturn:
        """Refused: it would be a job of its own, and there are no jobs here."""
        raise NotImplementedError(_NO_JOBS.format(path=path))


class LibraryUtils:
    """`dbutils.library`."""

    def __init__(self, shell: CommandShell) -> None:
        self._shell = shell

    def restartPython(self) -> NoReturn:
        """End the command and replace Python by a fresh one; the context stays."""
        self._shell.emitted.restart = True
        raise EndOfCommand
