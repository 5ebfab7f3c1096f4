"""The system calls of mount namespaces, each raising `OSError` when it fails."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE = 1 << 12, 1 << 14, 1 << 18, 1 << 19, 1 << 20, 1 << 17
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000


def unshare(with_user: bool) -> None:
    """Move into a new mount namespace; `with_user` into a user namespace as well, in which that is allowed."""
    uid, gid = os.getuid(), os.getgid()
    check(libc().unshare(_CLONE_NEWNS | (_CLONE_NEWUSER if with_user else 0)))
    if with_user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def bind(source: Path, target: Path) -> None:
    """Make `source`, with what is mounted in it, appear at `target`."""
    mount(str(source), target, MS_BIND | MS_REC)


def mount(source: str | None, target: Path, flags: int, kind: str | None = None) -> None:
    """`mount(2)`."""
    encoded = [None if text is None else text.encode() for text in (source, str(target), kind)]
    check(libc().mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), None))


def libc() -> ctypes.CDLL:
    """The C library, for calls that have no function here."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int) -> None:
    """Raise what a call that returned `result` has failed with."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
