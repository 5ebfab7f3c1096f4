"""Where sessions are noted: in the user's state folder, else in a private one among the temporary files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dbk_config import is_private

__all__ = ["state_folder", "usable_state_folder"]

_NAME = "dbk-session"


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where state belongs: `$XDG_STATE_HOME/dbk-session`, by default under `~/.local/state`."""
    base = environment.get("XDG_STATE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~"), ".local", "state")) / _NAME


def usable_state_folder(environment: Mapping[str, str]) -> Path:
    """`state_folder`, or what stands in for it where that cannot be written.

    A container may run under a number that has no home folder; its sessions must be found by its next process.
    """
    wanted = state_folder(environment)
    return wanted if _can_be_written(wanted) else _among_temporary_files()


def _can_be_written(folder: Path) -> bool:
    if not folder.is_absolute():
        return False  # there is no home folder at all
    nearest = next(str(path) for path in (folder, *folder.parents) if os.path.exists(path))
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)


def _among_temporary_files() -> Path:
    name = f"{_NAME}-{os.getuid()}" if hasattr(os, "getuid") else _NAME
    folder = Path(tempfile.gettempdir(), name)
    folder.mkdir(mode=0o700, exist_ok=True)
    # The name can be foreseen: somebody else may have been here first.
    return folder if is_private(folder) else Path(tempfile.mkdtemp(prefix=f"{name}-"))
