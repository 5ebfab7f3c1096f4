"""`dbutils`: what a notebook asks of the workspace it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from dbk_local._driver._flow import EndOfCommand
from dbk_local._driver._fs import FsUtils
from dbk_local._driver._notebook_utils import NotebookUtils
from dbk_local._driver._secrets import SecretUtils
from dbk_local._driver._service import Service
from dbk_local._driver._widgets import WidgetUtils

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell

_HELP = """This module provides various utilities for users to interact with the rest of Databricks.
fs: DbfsUtils -> Manipulates the Databricks filesystem (DBFS) from the console
library: LibraryUtils -> Utilities for session isolated libraries
notebook: NotebookUtils -> Utilities for the control flow of a notebook
secrets: SecretUtils -> Provides utilities for leveraging secrets within notebooks
widgets: WidgetsUtils -> Methods to create and get bound value of input widgets inside notebooks"""


class DbUtils:
    """The object named `dbutils`.

    Args:
        notebook: `{"path", "widgets"}` of the notebook that is run, empty where commands come through the API.
    """

    def __init__(self, shell: CommandShell, service: Service, notebook: dict[str, Any]) -> None:
        self.fs = FsUtils(lambda: shell.truth)
        self.library = LibraryUtils(shell)
        self.notebook = NotebookUtils(shell, service, notebook.get("path"))
        self.secrets = SecretUtils(lambda: shell.truth, shell.secrets_read.add)
        self.widgets = WidgetUtils(notebook.get("widgets", {}))

    def help(self) -> None:
        """Tell what there is."""
        print(_HELP)


class LibraryUtils:
    """`dbutils.library`."""

    def __init__(self, shell: CommandShell) -> None:
        self._shell = shell

    def restartPython(self) -> NoReturn:
        """End the command and replace Python by a fresh one; the context stays."""
        self._shell.emitted.restart = True
        raise EndOfCommand
