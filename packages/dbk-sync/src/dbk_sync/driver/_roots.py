"""Where trees may lie: the user's workspace folder, the driver's disk, or a directory that was asked for.

The first two have a root of ours in which each session has its own directory, so that two kernels of one project, or
two people on one cluster, never meet. The third is checked hard before it is taken over.
"""

from __future__ import annotations

import os
import stat
import tempfile

from ._disk import Disk
from ._names import as_text
from ._refusals import UnsafeTarget

WORKSPACE = b"/Workspace/Users"
LOCAL_DISKS = (b"/local_disk0/tmp",)
"""Tried before the temp directory: on a driver this is the fast disk."""

# Served by Databricks, not by a disk: owner and mode of files mean nothing there.
MOUNTS = (b"/Workspace/", b"/Volumes/", b"/dbfs/")
_SYSTEM = frozenset(b"bin boot databricks dev etc lib lib32 lib64 libx32 proc run sbin sys usr".split())
_SHALLOWEST = {b"Workspace": 4, b"Volumes": 5, b"dbfs": 3}
"""Fewest parts of a path below these: beside a user's or volume's own root there is always one more."""


def workspace_root(user: str, disk: Disk) -> bytes:
    """The root in the user's workspace folder, made when missing and tried out.

    Raises OSError when it cannot be written to.
    """
    home = os.path.join(WORKSPACE, _one_part(user))
    if not stat.S_ISDIR(os.lstat(home).st_mode):
        raise NotADirectoryError(20, "Not a directory", as_text(home))
    root = os.path.join(home, b".dbk")
    _make(root, disk)
    _try_out(root, disk)
    return root


def driver_root(disk: Disk) -> bytes:
    """The root on the driver's disk that belongs to this user alone, made when missing.

    Raises OSError when no local directory can be written to.
    """
    failure: OSError | None = None
    for folder in (*LOCAL_DISKS, os.fsencode(tempfile.gettempdir())):
        root = os.path.join(folder, b"dbk-%d" % os.geteuid())
        try:
            _make(root, disk)
            _check_private(root)
            _try_out(root, disk)
        except OSError as error:
            failure = failure or error
            continue
        return root
    raise failure or OSError("no local directory")


def asked_for(path: str) -> bytes:
    """The directory a person chose, with links resolved, or a refusal that says why not."""
    hint = "Choose a directory of its own, such as /tmp/my-project, in sync.extract_to."
    if not path.startswith("/") or any(ord(char) < 32 or ord(char) == 127 for char in path):
        raise UnsafeTarget(f"{path!r} is not an absolute path without control characters.", hint)
    whole = os.path.realpath(os.fsencode(path))
    parts = whole.strip(b"/").split(b"/")
    if len(parts) < _SHALLOWEST.get(parts[0], 2):
        raise UnsafeTarget(f"{path!r} is too near the root of the file system.", hint)
    if parts[0] in _SYSTEM or b".git" in parts or b".databricks" in parts:
        raise UnsafeTarget(f"{path!r} belongs to the system.", hint)
    home = os.path.realpath(os.path.expanduser(b"~"))
    if home == whole or home.startswith(whole + b"/"):
        raise UnsafeTarget(f"{path!r} is the home directory, or holds it.", hint)
    if os.path.ismount(whole):
        raise UnsafeTarget(f"{path!r} is a mount point.", hint)
    return whole


def check_takeover(whole: bytes, has_marker: bool) -> None:
    """Refuses an existing directory that is neither ours nor empty."""
    try:
        found = os.lstat(whole)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeTarget(f"{as_text(whole)!r} is not a directory.")
    if not whole.startswith(MOUNTS) and found.st_uid != os.geteuid():
        raise UnsafeTarget(f"{as_text(whole)!r} belongs to another user of the driver.")
    if not has_marker and os.listdir(whole):
        raise UnsafeTarget(
            f"{as_text(whole)!r} has files that are not from a sync.",
            "Empty it yourself, or choose another directory in sync.extract_to.",
        )


def _one_part(name: str) -> bytes:
    part = os.fsencode(name)
    if part in (b"", b".", b"..") or b"/" in part or b"\0" in part:
        raise UnsafeTarget(f"{name!r} is not a user name.")
    return part


def _make(root: bytes, disk: Disk) -> None:
    try:
        disk.make_dir(root, 0o700)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(root).st_mode):
            raise


def _check_private(root: bytes) -> None:
    found = os.lstat(root)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(1, "Made by somebody else, or open to others", as_text(root))


def _try_out(root: bytes, disk: Disk) -> None:
    """Makes, renames and removes a file, the three things every sync does."""
    handle, name = tempfile.mkstemp(dir=root)
    os.close(handle)
    moved = name + b".moved"
    disk.rename(name, moved)
    disk.unlink(moved)
