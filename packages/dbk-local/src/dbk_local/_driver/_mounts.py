"""`/dbfs`, `/Workspace`, `/Volumes` and the other places of a driver, seen by its processes alone.

The zygote moves into a mount namespace whose root is a small tmpfs: every entry of the old root is bound into it, so
nothing has to be made at the machine's own `/`. Root may do that; others need user namespaces. Where neither works
(macOS, many containers) the places are absent.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dbk_local._driver._mount_calls import (
    MS_PRIVATE,
    MS_REC,
    MS_SLAVE,
    MS_UNBINDABLE,
    bind,
    check,
    libc,
    mount,
    unshare,
)
from dbk_local._driver._volume_mounts import guard_volumes

VOLUMES = "/Volumes"
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41}
"""Number of the system call, for which the C library has no function."""


def mount_places(places: Mapping[str, Path], new_root: Path) -> bool:
    """Make `places` (absolute path -> folder) appear to this process and its children; False when it cannot be done.

    The process must have a single thread. It is tried in a child first: half of it cannot be taken back.
    """
    if sys.platform != "linux":
        return False
    new_root.mkdir(parents=True, exist_ok=True)
    for with_user in (False, True):
        if _works(places, new_root, with_user):
            _enter(places, new_root, with_user)
            return True
    return False


def _works(places: Mapping[str, Path], new_root: Path, with_user: bool) -> bool:
    child = os.fork()
    if child == 0:
        try:
            _enter(places, new_root, with_user)
            os._exit(0)
        except BaseException:  # whatever it is, it does not work here
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _enter(places: Mapping[str, Path], new_root: Path, with_user: bool) -> None:
    cwd = os.getcwd()
    unshare(with_user)
    mount(None, Path("/"), MS_REC | MS_PRIVATE)
    mount("tmpfs", new_root, 0, "tmpfs")
    mount(None, new_root, MS_UNBINDABLE)  # else binding its parent would bind it into itself
    for entry in os.scandir("/"):
        _copy(entry, new_root / entry.name)
    for place, folder in places.items():
        target = new_root / place.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        bind(folder, target)
        if place == VOLUMES:
            guard_volumes(target, folder)
    _change_root(new_root)
    os.chdir(cwd)


def _copy(entry: os.DirEntry[str], target: Path) -> None:
    if entry.is_symlink():
        target.symlink_to(os.readlink(entry.path))
        return
    if entry.is_dir():
        target.mkdir()
    else:
        target.touch()
    with contextlib.suppress(OSError):  # a mount of another user that may not be bound
        bind(Path(entry.path), target)


def _change_root(new_root: Path) -> None:
    os.chdir(new_root)
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        os.chroot(".")
        return
    # New and old root on one place: the old one lies on top, and is taken away.
    check(libc().syscall(number, b".", b"."))
    check(libc().umount2(b".", _MNT_DETACH))
    os.chdir("/")


def cover_tmp(folder: Path, kept: Sequence[Path]) -> bool:
    """Give this process a `/tmp` of its own, which is `folder`; False when that cannot be done.

    Args:
        kept: Paths that stay what they are, should they lie below `/tmp`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    below = sorted({path for path in kept if path.is_relative_to("/tmp") and path != Path("/tmp") and path.is_dir()})
    try:
        unshare(with_user=False)
        mount(None, Path("/"), MS_REC | MS_SLAVE)  # nothing goes out, and new volumes come in
        handles = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in below]
        bind(folder, Path("/tmp"))
        for path, handle in zip(below, handles, strict=True):
            if not path.is_dir():  # else it came with one above it
                path.mkdir(parents=True)
                bind(Path(f"/proc/self/fd/{handle}"), path)
            os.close(handle)
    except OSError:
        return False
    return True
