"""One interpreter at a time works on a tree, and a tree nobody works on any more goes away."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time

from ._disk import Disk
from ._names import CONTROL, MARKER
from ._refusals import Locked
from ._roots import MOUNTS
from ._tree import Tree

try:
    import fcntl
except ImportError:  # no such thing on Windows, where only the tests of the pure parts run
    fcntl = None  # type: ignore[assignment]

_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.EPERM})
# Long enough for an interpreter to be restarted: what is swept too early would only be sent again.
_IDLE_LOCAL_S = 600.0
_IDLE_SHARED_S = 14 * 86400.0
_SWEPT_AT_ONCE = 20


# Code may throw all modules away, ours among them; what this process holds must be found by those that come next.
_HELD: dict[tuple[int, bytes, str], int] = sys.__dict__.setdefault("_dbk_sync_held", {})


def hold(control: bytes, session: str = "", patience_s: float = 10.0) -> int:
    """A handle that holds the tree until it is released or the process ends; -1 where files cannot be locked.

    Waits a while, since the interpreter that is just being replaced holds it until it is gone. What the same session
    (unless it is "") holds in this process already is handed on.
    """
    path = os.path.join(control, b"lock")
    mine = (os.getpid(), control, session)
    if session and mine in _HELD:
        if _is_at(_HELD[mine], path):
            return _HELD[mine]
        release(_HELD[mine])  # of a tree that was removed since
    handle = _wait_for(path, patience_s)
    if session and handle >= 0:
        _HELD[mine] = handle
    return handle


def _is_at(handle: int, path: bytes) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except OSError:
        return False


def _wait_for(path: bytes, patience_s: float) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            _lock(handle)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            os.close(handle)
            raise Locked(
                "The directory is in use by another session on this driver.",
                "Close that session, or choose another directory in sync.extract_to.",
            ) from None
        except OSError as error:
            os.close(handle)
            if error.errno in _UNSUPPORTED:
                return -1  # /Workspace and the like; there each session has a name that nobody can guess
            raise
        return handle


def release(handle: int) -> None:
    """Gives up what `hold` gave."""
    if handle < 0:
        return
    for key in [key for key, held in _HELD.items() if held == handle]:
        del _HELD[key]
    with contextlib.suppress(OSError):  # who closes files that are not theirs may have closed it
        os.close(handle)


def sweep(root: bytes, disk: Disk, now_s: float) -> list[bytes]:
    """Clears trees below a root of ours whose session is long gone; gives their names.

    A lock says nothing across clusters that share a workspace folder, so there only age counts.
    """
    shared = root.startswith(MOUNTS)
    removed: list[bytes] = []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(root)):
            if len(removed) == _SWEPT_AT_ONCE:
                break
            path = os.path.join(root, name)
            with contextlib.suppress(OSError, ValueError):
                if _is_abandoned(path, shared, now_s):
                    tree = Tree(path, disk)
                    tree.open()
                    tree.clear()
                    removed.append(name)
    return removed


def _is_abandoned(path: bytes, shared: bool, now_s: float) -> bool:
    control = os.path.join(path, CONTROL)
    marker = os.path.join(path, MARKER)
    touched = os.lstat(marker).st_mtime
    with open(marker, encoding="utf-8") as file:
        if json.load(file).get("keep"):
            return False
    if now_s - touched < (_IDLE_SHARED_S if shared else _IDLE_LOCAL_S):
        return False
    if shared:
        return True
    try:
        handle = hold(control, patience_s=0)
    except Locked:
        return False
    release(handle)
    return handle >= 0


def _lock(handle: int) -> None:
    if fcntl is None:
        raise OSError(errno.ENOSYS, "no file locks")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
