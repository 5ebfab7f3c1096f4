"""Paths of the workspace on paths of this machine, never outside the folder they belong to."""

from __future__ import annotations

import posixpath
from pathlib import Path

from ._replies import bad_value


def clean(path: str) -> str:
    """An absolute path with one form: no doubled slashes, no `.` or `..`, no trailing slash."""
    return posixpath.normpath("/" + path.lstrip("/"))


def under(root: Path, path: str) -> Path:
    """The place of an absolute path below a folder of this machine.

    Raises:
        bad_value: the path has a NUL, or a symbolic link in it leads out of the folder.
    """
    if "\0" in path:
        raise bad_value("Path contains a NUL character")
    place = root / clean(path).lstrip("/")
    if not place.resolve().is_relative_to(root.resolve()):
        raise bad_value(f"Path must not lead out of its root: {path}")
    return place
