"""Where a workspace keeps its files: in a folder that stays, or in a temporary one that is gone afterwards.

The temporary one is gone even when its owner was killed: then the next workspace sweeps it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import FolderUnusable

PREFIX = "dbk-local-"
TOKEN = ".token"
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


@contextlib.contextmanager
def kept_folder(folder: Path) -> Iterator[Path]:
    """A folder that stays, made if need be, used by one workspace at a time.

    Raises:
        FolderUnusable: it cannot be written, or another workspace uses it.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((folder / LOCK).open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "End that one, or choose another --folder."
            raise FolderUnusable(f"{folder} is in use by another workspace.", hint) from None
        except OSError as error:
            hint = "Choose another --folder, or none, for a workspace that is gone at its end."
            raise FolderUnusable(f"{folder} cannot be used: {error.strerror}.", hint) from None
        yield folder


def kept_token(folder: Path) -> str:
    """The token of the workspace in a folder that stays: whoever used it before may go on."""
    file = folder / TOKEN
    with contextlib.suppress(OSError):
        known = file.read_text("ascii").strip()
        if known and not file.stat().st_mode & 0o077:
            return known
    token = new_token()
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(token + "\n")
    return token


def new_token() -> str:
    """A token nobody can guess, in the form of Databricks' own."""
    return f"dapi{secrets.token_hex(16)}"


def sweep(parent: Path) -> None:
    """Remove this user's folders whose owner is gone."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("r+") as lock:
            if os.fstat(lock.fileno()).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
