"""What can go wrong with the embedded workspace itself.

LocalError
├── BadOption          an option or preset that does not exist, or a value it cannot have
├── BadFault           a fault description that makes no sense
├── CannotListen       the port is in use, or not for everybody
├── FolderUnusable     the folder to keep files in cannot be written, or another workspace uses it
├── NotLoopback        asked to listen where other machines could reach it
├── SparkNotInstalled  the Spark of a runtime could not be fetched
└── StartFailed        the workspace's own process did not come up
"""

from __future__ import annotations

__all__ = [
    "BadFault",
    "BadOption",
    "CannotListen",
    "FolderUnusable",
    "LocalError",
    "NotLoopback",
    "SparkNotInstalled",
    "StartFailed",
]


class LocalError(Exception):
    """Base of all errors of this package; `hint` says what to do next, empty when there is nothing to say."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


class BadOption(LocalError):
    """An option that does not exist, or a value it cannot have; `problems` lists all of one input."""

    def __init__(self, problems: list[str], hint: str = "") -> None:
        super().__init__("; ".join(problems), hint)
        self.problems = problems


class BadFault(LocalError):
    """A fault whose kind, route or parameters are unknown."""


class CannotListen(LocalError):
    """The port is in use, or the system keeps it for others."""


class FolderUnusable(LocalError):
    """The folder cannot be written, or another workspace uses it."""


class NotLoopback(LocalError):
    """The workspace runs code for whoever knows its token, so it listens on this machine alone."""


class SparkNotInstalled(LocalError):
    """The Spark of a runtime could not be fetched into the cache."""


class StartFailed(LocalError):
    """The workspace's own process ended, or stayed silent, before it was ready."""
