"""`dbutils`: what a notebook asks of the workspace it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from dbk_local._driver._flow import EndOfCommand

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell


class DbUtils:
    """The object named `dbutils`."""

    def __init__(self, shell: CommandShell) -> None:
        self.notebook = NotebookUtils(shell)
        self.library = LibraryUtils(shell)


class NotebookUtils:
    """`dbutils.notebook`."""

    def __init__(self, shell: CommandShell) -> None:
        self._shell = shell

    def exit(self, value: object) -> NoReturn:
        """End the command now, as a success whose only text is `value`."""
        self._shell.emitted.exit_value = str(value)
        raise EndOfCommand


class LibraryUtils:
    """`dbutils.library`."""

    def __init__(self, shell: CommandShell) -> None:
        self._shell = shell

    def restartPython(self) -> NoReturn:
        """End the command and replace Python by a fresh one; the context stays."""
        self._shell.emitted.restart = True
        raise EndOfCommand
