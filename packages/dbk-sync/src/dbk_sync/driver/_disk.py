"""Every way the receiver changes a disk, each announced just before it happens.

The announcement is how a test stops the receiver between any two steps; in service it does nothing.
Paths are bytes. Nothing here follows a symbolic link.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable

Announce = Callable[[str, bytes], None]

# O_CLOEXEC is Python's default; O_BINARY exists on Windows alone.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def _silent(_step: str, _path: bytes) -> None:
    """Announces to nobody."""


class Disk:
    """Makes, moves and removes files; `announce(step, path)` is called before each change."""

    def __init__(self, announce: Announce = _silent) -> None:
        self._announce = announce

    def make_dir(self, path: bytes, mode: int = 0o777) -> None:
        """Makes one directory; its parent exists. An existing one is an error."""
        self._announce("make_dir", path)
        os.mkdir(path, mode)

    def create(self, path: bytes, pieces: Iterable[bytes], mode: int = 0o644) -> None:
        """Writes a file that does not exist yet."""
        self._announce("create", path)
        handle = os.open(path, _CREATE, mode)
        try:
            for piece in pieces:
                self._announce("write", path)
                _write_all(handle, piece)
        finally:
            os.close(handle)

    def date(self, path: bytes, time_ns: int) -> None:
        """Gives a file a modification time, where the file system can keep it."""
        self._announce("date", path)
        with contextlib.suppress(OSError, OverflowError):
            os.utime(path, ns=(time_ns, time_ns), follow_symlinks=False)

    def replace(self, path: bytes, content: bytes) -> None:
        """Gives the file at `path` new content at once: it has the old or the new, never a part."""
        waiting = path + b".new"
        if os.path.lexists(waiting):
            self.unlink(waiting)
        self.create(waiting, [content], 0o600)
        self.rename(waiting, path)

    def link(self, target: bytes, path: bytes) -> None:
        """Makes a symbolic link at `path`."""
        self._announce("link", path)
        os.symlink(target, path)

    def rename(self, old: bytes, new: bytes) -> None:
        """Moves `old` to `new` in one step, over a file that may be there."""
        self._announce("rename", new)
        os.rename(old, new)

    def unlink(self, path: bytes) -> None:
        """Removes a file or link."""
        self._announce("unlink", path)
        os.unlink(path)

    def remove_dir(self, path: bytes) -> None:
        """Removes an empty directory."""
        self._announce("remove_dir", path)
        os.rmdir(path)

    def remove_tree(self, path: bytes) -> None:
        """Removes a file, link or whole directory; one that is gone already is fine."""
        try:
            is_dir = stat.S_ISDIR(os.lstat(path).st_mode)
        except FileNotFoundError:
            return
        if not is_dir:
            self.unlink(path)
            return
        with os.scandir(path) as found:
            names = [entry.name for entry in found]
        for name in names:
            self.remove_tree(os.path.join(path, name))
        self.remove_dir(path)


def _write_all(handle: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]
