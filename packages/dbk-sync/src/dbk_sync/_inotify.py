"""Linux' inotify (inotify(7)): whether something happened in any of some directories, for the price of one `read`.

The system queues an event before the call that caused it returns, so an empty queue is proof, and needs no waiting.
That holds for changes made by this machine through the watched directories. It does not hold for file systems that
others change, for a file that has another name elsewhere, and for writes through mapped memory (`mmap`).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import weakref
from collections.abc import Iterable
from typing import Any, Final

_MODIFY, _ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _ONLYDIR, _DONT_FOLLOW = 0x400, 0x800, 0x1000000, 0x2000000
_WATCHED: Final = (
    _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
)
_IS_DIR: Final = 0x40000000
_FILES_ONLY: Final = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_EVENT: Final = struct.Struct("iIII")
_READ_BYTES: Final = 1 << 16
LOCAL_TYPES: Final = frozenset((b"ext2", b"ext3", b"ext4", b"xfs", b"btrfs", b"tmpfs", b"overlay", b"f2fs", b"zfs"))
"""File systems that nobody but this machine changes."""


class Inotify:
    """Watches over directories from `add` until it is garbage.

    Raises OSError where there is no inotify, or the user has no instance of it left.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._handle = _checked(self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._close = weakref.finalize(self, os.close, self._handle)

    def add(self, path: bytes) -> None:
        """Watches over the children of a directory, but not over what is in their directories.

        Raises OSError when there is none, or the user may not watch over so many.
        """
        _checked(self._library.inotify_add_watch(self._handle, path, _WATCHED | _ONLYDIR | _DONT_FOLLOW))

    def taken(self) -> tuple[bool, bool]:
        """Whether anything happened since the last call, and whether to directories, or to the watch itself."""
        happened = 0
        while events := self._read():
            at = 0
            while at < len(events):
                _, mask, _, name_bytes = _EVENT.unpack_from(events, at)
                happened |= mask
                at += _EVENT.size + name_bytes
        return bool(happened), bool(happened & ~_FILES_ONLY)

    def close(self) -> None:
        """Ends the watch."""
        self._close()

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, _READ_BYTES)
        except BlockingIOError:
            return b""


def is_local(source: bytes, directories: Iterable[bytes]) -> bool:
    """Whether all `directories` lie in the file system of `source`, and that is one which only this machine changes."""
    device = os.lstat(source).st_dev
    if any(os.lstat(path).st_dev != device for path in directories):
        return False
    with open("/proc/self/mountinfo", "rb") as file:  # proc_pid_mountinfo(5)
        mounts = [line.split() for line in file]
    number = b"%d:%d" % (os.major(device), os.minor(device))
    types = {fields[fields.index(b"-") + 1] for fields in mounts if fields[2] == number}
    return bool(types) and types <= LOCAL_TYPES


def _library() -> Any:
    if not sys.platform.startswith("linux"):
        raise OSError("no inotify")
    library = ctypes.CDLL(None, use_errno=True)
    library.inotify_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
    return library


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
