"""Whether a folder is for this user alone."""

from __future__ import annotations

import os
import stat

__all__ = ["is_private"]


def is_private(folder: str | os.PathLike[str]) -> bool:
    """Whether nobody else can have put files into `folder`: a real folder, ours, closed to all others.

    False also where there is none, and for a link. On Windows every folder counts: a profile is its user's own there.
    """
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if os.name != "posix":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077
