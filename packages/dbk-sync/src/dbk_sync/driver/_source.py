"""Opens a pack on the driver, wherever the client put it.

A source is a dict: `{"kind": "inline"}` (the bytes came with the call), `{"kind": "file", "paths": [...]}` (the first
that exists, as the driver's own file), `{"kind": "dbfs", "path": "/tmp/..."}` (the mount `/dbfs`, else `dbutils`),
`{"kind": "pieces", "upload": id}` (sent in several calls before).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

from ._refusals import BadPack, NoPack

ROOT = ""
"""What stands before `/dbfs`, `/Volumes` and `/Workspace`: nothing on a driver, a directory of a test elsewhere."""
_PACK = re.compile(r"dbk-sync-[0-9a-f]{32}\.pack")
_UPLOAD = re.compile(r"[0-9a-f]{8,64}")


class Pieces:
    """Packs that arrive in several calls, each in a file in the directory that `folder()` makes on first use."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, upload: str, offset: int, data: bytes, sha256: str) -> int:
        """Writes one piece at its offset, so that one sent twice does no harm; gives the size so far."""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadPack("A piece of the pack was damaged on its way.")
        path = self.path(upload)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "wb") as file:
            if offset > os.path.getsize(path):
                raise NoPack("A piece of the pack is missing.")
            file.seek(offset)
            file.write(data)
            return offset + len(data)

    def path(self, upload: str) -> str:
        """Where the pieces of an upload are put together."""
        if not _UPLOAD.fullmatch(upload):
            raise BadPack("This is not the name of an upload.")
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="dbk-sync-")
        return os.path.join(self._folder.name, upload)

    def remove(self) -> None:
        """Removes everything that arrived."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


@contextlib.contextmanager
def opened(source: dict[str, Any], data: bytes, pieces: Pieces) -> Iterator[BinaryIO]:
    """The pack as a file; one that lies on the driver's own disk because of us is removed afterwards."""
    if source["kind"] == "inline":
        yield io.BytesIO(data)
    elif source["kind"] == "pieces":
        path = pieces.path(source["upload"])
        try:
            with open(path, "rb") as file:
                yield file
        except FileNotFoundError:
            raise NoPack("The pieces of the pack are gone.") from None
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)
    elif source["kind"] == "dbfs":
        with _opened_dbfs(source["path"]) as file:
            yield file
    else:
        with _open(source["paths"]) as file:
            yield file


def remove(source: dict[str, Any]) -> bool:
    """Removes an uploaded pack through the driver's own mount, which saves the client a request; False to leave it."""
    paths = ["/dbfs" + source["path"]] if source["kind"] == "dbfs" else source.get("paths", [])
    for path in paths:
        if _PACK.fullmatch(os.path.basename(path)):
            with contextlib.suppress(OSError):
                os.unlink(ROOT + path)
                return True
    return False


def has_dbfs() -> bool:
    """Whether the driver sees DBFS as files; in standard access mode it does not."""
    return os.path.isdir(f"{ROOT}/dbfs")


def _await(path: str) -> None:
    """Gives a mount a moment to see what was put there by another way; not where there is no such directory at all."""
    for _ in range(15):
        if os.path.exists(path) or not os.path.isdir(os.path.dirname(path)):
            return
        time.sleep(0.2)


def _open(paths: list[str]) -> BinaryIO:
    reasons = []
    for path in paths:
        try:
            _await(ROOT + path)
            return open(ROOT + path, "rb")
        except OSError as error:
            reasons.append(f"{path}: {error.strerror}")
    raise NoPack("The driver cannot read the uploaded pack: " + "; ".join(reasons) + ".")


@contextlib.contextmanager
def _opened_dbfs(path: str) -> Iterator[BinaryIO]:
    try:
        mounted = _open(["/dbfs" + path])
    except NoPack as refusal:
        with tempfile.TemporaryDirectory(prefix="dbk-sync-") as folder:
            copy = os.path.join(folder, "pack")
            try:
                _dbutils().fs.cp("dbfs:" + path, "file:" + copy)
            except Exception as error:  # whatever the runtime answers where DBFS is closed to it
                reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                raise NoPack(f"{refusal.message[:-1]}; dbutils.fs.cp: {reason[:300]}.") from None
            with open(copy, "rb") as file:
                yield file
    else:
        with mounted:
            yield mounted


def _dbutils() -> Any:
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    dbutils = None if shell is None else shell.user_ns.get("dbutils")
    if dbutils is None:
        raise NoPack("there is no dbutils here")
    return dbutils
