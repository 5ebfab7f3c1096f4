"""`/dbfs`, `/Workspace`, `/Volumes` and the other places of a driver, seen by its processes alone.

The zygote moves into a mount namespace whose root is a small tmpfs: every entry of the old root is bound into it, so
nothing has to be made at the machine's own `/`. Root may do that; others need user namespaces. Where neither works
(macOS, many containers) the places are absent.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_UNBINDABLE = 0x1000, 0x4000, 1 << 18, 1 << 17
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
    _unshare(with_user)
    _mount(None, Path("/"), _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", new_root, 0, "tmpfs")
    _mount(None, new_root, _MS_UNBINDABLE)  # else binding its parent would bind it into itself
    for entry in os.scandir("/"):
        _copy(entry, new_root / entry.name)
    for place, folder in places.items():
        target = new_root / place.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        _bind(folder, target)
    _change_root(new_root)
    os.chdir(cwd)


def _unshare(with_user: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    _check(_libc().unshare(_CLONE_NEWNS | (_CLONE_NEWUSER if with_user else 0)))
    if with_user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _copy(entry: os.DirEntry[str], target: Path) -> None:
    if entry.is_symlink():
        target.symlink_to(os.readlink(entry.path))
        return
    if entry.is_dir():
        target.mkdir()
    else:
        target.touch()
    with contextlib.suppress(OSError):  # a mount of another user that may not be bound
        _bind(Path(entry.path), target)


def _change_root(new_root: Path) -> None:
    os.chdir(new_root)
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        os.chroot(".")
        return
    # New and old root on one place: the old one lies on top, and is taken away.
    _check(_libc().syscall(number, b".", b"."))
    _check(_libc().umount2(b".", _MNT_DETACH))
    os.chdir("/")


def cover_tmp(folder: Path, kept: Sequence[Path]) -> bool:
    """Give this process a `/tmp` of its own, which is `folder`; False when that cannot be done.

    Args:
        kept: Paths that stay what they are, should they lie below `/tmp`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    below = sorted({path for path in kept if path.is_relative_to("/tmp") and path != Path("/tmp") and path.is_dir()})
    try:
        _unshare(with_user=False)
        _mount(None, Path("/"), _MS_REC | _MS_PRIVATE)
        handles = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in below]
        _bind(folder, Path("/tmp"))
        for path, handle in zip(below, handles, strict=True):
            if not path.is_dir():  # else it came with one above it
                path.mkdir(parents=True)
                _bind(Path(f"/proc/self/fd/{handle}"), path)
            os.close(handle)
    except OSError:
        return False
    return True


def _bind(source: Path, target: Path) -> None:
    _mount(str(source), target, _MS_BIND | _MS_REC)


def _mount(source: str | None, target: Path, flags: int, kind: str | None = None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, str(target), kind)]
    _check(_libc().mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), None))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
