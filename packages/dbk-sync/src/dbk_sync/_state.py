"""What survives the process: the hash cache, and what a target acknowledged, in one file per target and source.

A state only saves work. Whatever is wrong with it (missing, cut short, damaged, of another version, for another target
or owner) the answer is an empty state, which means a full scan and a full plan. The format is in `_state_format`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from dbk_config import is_private

from dbk_sync._cache import HashCache
from dbk_sync._collector import collector_paused
from dbk_sync._manifest import Manifest
from dbk_sync._state_format import parsed, serialised

if TYPE_CHECKING:
    from pathlib import Path

    from dbk_config import Settings

    from dbk_sync._plan import Plan

_OPEN_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class StateKey:
    """What a state belongs to: two that differ in any part share nothing."""

    host: str
    workspace_id: str
    user: str
    target: str
    source: str


def key_of(settings: Settings, target: str, source: Path) -> StateKey:
    """The key of a target and a source, by what is known without asking anybody.

    The host names the workspace and the profile the user. Whom a token belongs to only the workspace can tell; nothing
    depends on it, since hashes are those of local files, and a manifest counts only where the target has that tree.
    """
    return StateKey(settings.host or "", "", settings.profile or "", target, str(source))


@dataclass(frozen=True, slots=True)
class State:
    """What is known from before.

    Attributes:
        cache: The files that were read, to give to the next scan.
        manifest: The tree the target acknowledged last; None when nothing is known.
        receipt: What the caller wanted to remember about the target then.
    """

    cache: HashCache = field(default_factory=HashCache)
    manifest: Manifest | None = None
    receipt: str = ""


def load(key: StateKey, environ: Mapping[str, str] = os.environ) -> State:
    """The state saved for `key`; an empty one if there is none that can be trusted."""
    folder = cache_folder(environ)
    if not is_private(folder):
        return State()
    try:
        content = _read(os.path.join(folder, _file_name(key)))
        with collector_paused():
            cache, receipt = parsed(content, _key_bytes(key))
        return State(cache, cache.manifest, receipt)
    except (OSError, ValueError, struct.error, LookupError):
        return State()


def save(key: StateKey, plan: Plan, receipt: str = "", environ: Mapping[str, str] = os.environ) -> bool:
    """Remembers that the target acknowledged the tree of `plan`; call it only then.

    Gives False when the cache folder is not ours or cannot be written: the next process then scans and sends anew.
    """
    folder = cache_folder(environ)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not is_private(folder):
            return False
        with collector_paused():
            parts = serialised(_key_bytes(key), plan.cache, receipt)
        _write(os.path.join(folder, _file_name(key)), parts)
    except (OSError, struct.error):
        return False
    return True


def forget(key: StateKey, environ: Mapping[str, str] = os.environ) -> None:
    """Removes the state of `key`, if there is one."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(cache_folder(environ), _file_name(key)))


def cache_folder(environ: Mapping[str, str] = os.environ) -> str:
    """The folder of all states: `dbk-sync` in the user's cache folder (XDG)."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME") or os.path.expanduser("~")
        base = environ.get("LOCALAPPDATA") or os.path.join(home, ".cache")
    return os.path.join(base, "dbk-sync")


def _key_bytes(key: StateKey) -> bytes:
    return json.dumps(asdict(key), sort_keys=True).encode("ascii")


def _file_name(key: StateKey) -> str:
    return hashlib.sha256(_key_bytes(key)).hexdigest()[:32] + ".state"


def _read(path: str) -> bytes:
    descriptor = os.open(path, _OPEN_READ)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        foreign = os.name == "posix" and status.st_uid != os.geteuid()
        if foreign or not stat.S_ISREG(status.st_mode):
            raise OSError("not a file of ours")
        return file.read()


def _write(path: str, parts: list[bytes]) -> None:
    """Replaces the file as a whole: a reader sees the old or the new content, also after a crash."""
    fresh = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    descriptor = os.open(fresh, _OPEN_NEW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(descriptor)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
