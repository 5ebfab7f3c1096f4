"""Where the tree of each session lies, by what a request says about it.

It is decided once, and an interpreter that comes after finds the same place again.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _locks, _roots
from ._disk import Disk
from ._names import as_text
from ._refusals import UnsafeTarget, described


class Place(NamedTuple):
    """A directory for a tree."""

    path: bytes
    where: str
    """`workspace`, `driver` or `path`."""


class Places:
    """The places of all sessions; `notify` hears a sentence when one is not what was wished for."""

    def __init__(self, disk: Disk, notify: Callable[[str], None]) -> None:
        self._disk = disk
        self._notify = notify
        self._known: dict[str, Place] = {}

    def of(self, session: str, request: dict[str, Any]) -> Place:
        """The session's place. What nobody works on any more beside a new one is removed."""
        if session not in self._known:
            place = self._known[session] = self._decide(session, request)
            if place.where != "path":
                _locks.sweep(os.path.dirname(place.path), self._disk, time.time())
        return self._known[session]

    def forget(self, session: str) -> None:
        """The session has ended."""
        self._known.pop(session, None)

    def _decide(self, session: str, request: dict[str, Any]) -> Place:
        wish = request["extract_to"]
        if wish not in ("workspace", "driver"):
            return Place(_roots.asked_for(wish), "path")
        name = os.fsencode(_plain(request["project"]) + "-" + session)
        if wish == "driver":
            return Place(os.path.join(_roots.driver_root(self._disk), name), "driver")
        try:
            root = _roots.workspace_root(request["user"], self._disk)
        except OSError as error:
            local = os.path.join(_roots.driver_root(self._disk), name)
            self._notify(
                f"Workspace files cannot be written from this cluster ({described(error)}); "
                f"the project is on the driver's disk, in {as_text(local)}."
            )
            return Place(local, "driver")
        return Place(os.path.join(root, name), "workspace")


def inner(folder: str) -> str:
    """A folder of the tree as it was asked for; raises UnsafeTarget when it leads out of it."""
    if os.path.isabs(folder) or ".." in folder.split("/") or "\0" in folder:
        raise UnsafeTarget("The folder that code runs in is not one of the project.")
    return folder


def _plain(project: str) -> str:
    """The project's name as part of a directory name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", project).strip(".-")[:40] or "project"
