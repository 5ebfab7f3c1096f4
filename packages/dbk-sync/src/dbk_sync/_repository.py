"""Where the git repository of a directory is, found as git finds it, without git."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_OBJECT_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.IGNORECASE)
_LARGEST_GITFILE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with a working tree.

    Attributes:
        root: Top of the working tree.
        git_dir: Its git directory; of a linked worktree or submodule, its own.
        common_dir: The git directory shared by all worktrees; equal to `git_dir` in a plain repository.
    """

    root: bytes
    git_dir: bytes
    common_dir: bytes


def find_repository(directory: bytes, environ: Mapping[str, str] = os.environ) -> Repository | None:
    """The repository that `directory` (absolute, without links) is in, or None.

    As git does, the search stops at a bare repository, at a ceiling (`GIT_CEILING_DIRECTORIES`) and at the border of a
    file system, unless `GIT_DISCOVERY_ACROSS_FILESYSTEM` is true.
    """
    ceilings = _ceilings(environ)
    across = environ.get("GIT_DISCOVERY_ACROSS_FILESYSTEM", "").lower() in ("1", "true", "yes", "on")
    device = os.lstat(directory).st_dev
    at = directory
    while True:
        found = repository_at(at)
        if found is not None or is_git_directory(at):
            return found
        parent = os.path.dirname(at)
        if parent == at or parent in ceilings:
            return None
        if not across and os.lstat(parent).st_dev != device:
            return None
        at = parent


def repository_at(directory: bytes) -> Repository | None:
    """The repository whose working tree starts at `directory`, or None (git: `is_nonbare_repository_dir`)."""
    path = os.path.join(directory, b".git")
    git_dir = _gitfile_target(path) or (path if is_git_directory(path) else None)
    return None if git_dir is None else Repository(directory, git_dir, common_directory(git_dir))


def is_git_directory(path: bytes) -> bool:
    """Whether `path` is a git directory: a valid HEAD, and searchable `objects` and `refs`."""
    if not _is_head(os.path.join(path, b"HEAD")):
        return False
    common = common_directory(path)
    return all(os.access(os.path.join(common, part), os.X_OK) for part in (b"objects", b"refs"))


def common_directory(git_dir: bytes) -> bytes:
    """The directory that all worktrees of the repository share."""
    content = _read(os.path.join(git_dir, b"commondir"))
    if content is None:
        return git_dir
    return os.path.normpath(os.path.join(git_dir, content.rstrip(b"\r\n")))


def _gitfile_target(path: bytes) -> bytes | None:
    """The git directory that the file `path` names (submodules, linked worktrees), if it is one."""
    content = _read(path, _LARGEST_GITFILE_BYTES)
    if content is None or not content.startswith(b"gitdir: "):
        return None
    target = os.path.join(os.path.dirname(path), content[len(b"gitdir: ") :].rstrip(b"\r\n"))
    return os.path.normpath(target) if is_git_directory(target) else None


def _is_head(path: bytes) -> bool:
    with contextlib.suppress(OSError):
        return os.readlink(path).startswith(b"refs/")
    content = _read(path)
    if content is None:
        return False
    if content.startswith(b"ref:"):
        return content[len(b"ref:") :].lstrip(b" \t\n\r").startswith(b"refs/")
    return _OBJECT_ID.match(content) is not None


def _read(path: bytes, most_bytes: int = 4096) -> bytes | None:
    """The content of a small regular file; None when there is none, or it is larger."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            content = file.read(most_bytes + 1)
    except OSError:
        return None
    return content if len(content) <= most_bytes else None


def _ceilings(environ: Mapping[str, str]) -> frozenset[bytes]:
    listed = environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    return frozenset(os.fsencode(os.path.realpath(path)) for path in listed if os.path.isabs(path))
