"""A temporary folder that is gone afterwards, even when its owner was killed: then the next workspace sweeps it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "dbk-local-"
LOCK = ".owner"
"""Held by the owner for its life; the system lets go of it however the owner ends."""


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A new folder for the time of the block; folders of owners that are gone go first."""
    sweep(Path(tempfile.gettempdir()))
    # Made under another name and locked before it gets its own: a sweep never sees it without an owner.
    draft = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    with (draft / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = draft.rename(draft.with_name(draft.name.removeprefix(".")))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove this user's folders whose owner is gone."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("r+") as lock:
            if os.fstat(lock.fileno()).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
