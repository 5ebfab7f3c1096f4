"""What survives the process: the hash cache, and what a target acknowledged, in one file per target and source.

A state only saves work. Whatever is wrong with it (missing, cut short, damaged, of another version, for another target
or owner) the answer is an empty state, which means a full scan and a full plan. The layout is (integers little-endian):

```
 8 bytes  b"DBKSTATE"
 4 bytes  format, 1
 4 bytes  length of the key, K;     K bytes  the key, JSON in UTF-8
 4 bytes  length of the receipt, R; R bytes  the receipt, UTF-8
 4 bytes  number of rows, N
 N * 78   columns, one after the other: N times the status (36 bytes each, see `_cache`), the SHA-256 of the content
          (32), its size (8), flags (1), mode (1, see `_manifest`)
 rest     N paths, each ended by a NUL byte, ascending; the columns are in their order
32 bytes  SHA-256 of everything before
```
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import struct
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from dbk_config import is_private

from dbk_sync._cache import STATUS, HashCache
from dbk_sync._collector import collector_paused
from dbk_sync._manifest import MODE_CODES, MODES, Entry, Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from dbk_config import Settings

    from dbk_sync._plan import Plan

_MAGIC: Final = b"DBKSTATE"
_FORMAT: Final = 1
_HEAD = struct.Struct("<8sI")
_NUMBER = struct.Struct("<I")
_DIGEST_BYTES: Final = 32
_ROW_BYTES: Final = STATUS.size + _DIGEST_BYTES + 8 + 1 + 1
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
            return _parsed(content, key)
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
            parts = _serialised(key, plan.cache, receipt)
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


def _serialised(key: StateKey, cache: HashCache, receipt: str) -> list[bytes]:
    """The file in parts; they are never put together, which for a large project costs more than hashing them."""
    entries = cache.manifest.entries
    paths = [entry[0] for entry in entries]
    # Most often they are in this order already.
    statuses = cache.statuses.values() if list(cache.statuses) == paths else map(cache.statuses.__getitem__, paths)
    flags = bytearray(len(paths))
    for path, flag in cache.secrets.items():
        flags[bisect_left(paths, path)] = flag
    texts = (_key_bytes(key), receipt.encode("utf-8"))
    parts = [_HEAD.pack(_MAGIC, _FORMAT), *(_NUMBER.pack(len(text)) + text for text in texts)]
    # One column after the other: a list of one item of each entry is made at a fifth of what a loop over them costs.
    parts += [
        _NUMBER.pack(len(paths)),
        b"".join(statuses),
        b"".join([entry[3] for entry in entries]),
        struct.pack(f"<{len(paths)}Q", *[entry[2] for entry in entries]),
        bytes(flags),
        bytes([MODE_CODES[entry[1]] for entry in entries]),
        b"\0".join([*paths, b""]),
    ]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return [*parts, digest.digest()]


def _parsed(content: bytes, key: StateKey) -> State:
    """The state in `content`; raises ValueError, LookupError or struct.error if it is not one for `key`."""
    whole = memoryview(content)
    body, checksum = whole[:-_DIGEST_BYTES], whole[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != checksum or _HEAD.unpack_from(body) != (_MAGIC, _FORMAT):
        raise ValueError("not a state of this format")
    key_bytes, at = _text(body, _HEAD.size)
    receipt, at = _text(body, at)
    if key_bytes != _key_bytes(key):
        raise ValueError("a state of something else")
    (count,) = _NUMBER.unpack_from(body, at)
    at += _NUMBER.size
    paths = bytes(body[at + count * _ROW_BYTES :]).split(b"\0")
    if paths.pop() or len(paths) != count:
        raise ValueError("another number of paths than of rows")
    cache = _columns(content, at, paths)
    return State(cache, cache.manifest, receipt.decode("utf-8"))


def _columns(content: bytes, at: int, paths: list[bytes]) -> HashCache:
    """What is known about `paths`, whose columns begin at `at`."""
    count = len(paths)
    digests_at = at + STATUS.size * count
    sizes_at = digests_at + _DIGEST_BYTES * count
    flags_at, codes_at = sizes_at + 8 * count, sizes_at + 9 * count
    table = memoryview(content)
    statuses, digests = _strings(table[at:digests_at], STATUS.size), _strings(table[digests_at:sizes_at], _DIGEST_BYTES)
    sizes = struct.unpack_from(f"<{count}Q", content, sizes_at)
    modes = map(MODES.__getitem__, content[codes_at : codes_at + count])
    entries = tuple(map(tuple.__new__, repeat(Entry), zip(paths, modes, sizes, digests, strict=True)))
    secrets = {paths[one.start()]: one[0][0] for one in re.finditer(rb"[^\0]", content[flags_at:codes_at])}
    return HashCache(Manifest(entries), dict(zip(paths, statuses, strict=True)), secrets)


def _strings(column: memoryview, width: int) -> list[bytes]:
    """A column cut into strings of one width, many at a time: four times faster than one by one."""
    block = struct.Struct(f"{width}s" * 256)
    whole = len(column) - len(column) % block.size
    rest = [one for (one,) in struct.iter_unpack(f"{width}s", column[whole:])]
    return [*chain.from_iterable(block.iter_unpack(column[:whole])), *rest]


def _text(body: memoryview, at: int) -> tuple[bytes, int]:
    (length,) = _NUMBER.unpack_from(body, at)
    start = at + _NUMBER.size
    return bytes(body[start : start + length]), start + length


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
