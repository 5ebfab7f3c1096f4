"""What stands at a path, and which paths belong together. Nothing here follows a link or changes anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

CONTROL = b".databricks/dbk-sync"
"""Where in a tree everything of ours lies."""
MARKER = CONTROL + b"/tree.json"
"""The file by which a directory is known to be a tree."""


def kind(whole: bytes) -> str:
    """`file`, `directory`, `link`, `special` (device, pipe, socket), or `""` when there is nothing."""
    try:
        mode = os.lstat(whole).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISDIR(mode):
        return "directory"
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_ISREG(mode) else "special"


def parents(path: bytes) -> Iterator[bytes]:
    """The directories above a relative path, nearest first, without the root."""
    while path := os.path.dirname(path):
        yield path


def all_parents(paths: Iterable[bytes]) -> set[bytes]:
    """The directories above any of these."""
    return {above for path in paths for above in parents(path)}


def stays_inside(path: bytes, target: bytes) -> bool:
    """Whether a link at `path` (relative to the tree) to `target` cannot lead out of the tree by its own parts."""
    depth = path.count(b"/")
    if not target or target.startswith(b"/") or b"\0" in target:
        return False
    for part in target.split(b"/"):
        if part == b"..":
            depth -= 1
        elif part not in (b"", b"."):
            depth += 1
        if depth < 0:
            return False
    return True


def is_synchronised(path: str) -> bool:
    """Whether a path is in a tree that a sync has made."""
    folder, above = os.path.abspath(path), ""
    while folder != above:
        if os.path.isfile(os.path.join(folder, os.fsdecode(MARKER))):
            return True
        folder, above = os.path.dirname(folder), folder
    return False


def is_bytecode(folder: bytes, name: bytes) -> bool:
    """Whether the name is Python's compiled form of a source beside `folder`."""
    return os.path.basename(folder) == b"__pycache__" and name.endswith(b".pyc")


def as_text(path: bytes) -> str:
    """The path as text that JSON can carry; `as_bytes` gives it back whatever its encoding."""
    return path.decode("utf-8", "surrogateescape")


def as_bytes(path: str) -> bytes:
    """The inverse of `as_text`."""
    return path.encode("utf-8", "surrogateescape")
