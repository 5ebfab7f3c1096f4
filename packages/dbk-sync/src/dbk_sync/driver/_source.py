"""Opens a pack on the driver, wherever the client put it.

A source is a dict: `{"kind": "inline"}` (the bytes came with the call), `{"kind": "file", "paths": [...]}` (parts, in
order, as files of the driver), `{"kind": "dbfs", "paths": ["/tmp/...", ...]}` (by the mount `/dbfs`, else `dbutils`),
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


class Joined:
    """Files that are read one after the other, as the one that they are parts of."""

    def __init__(self, files: list[BinaryIO]) -> None:
        self._files = files
        self._at = 0

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end of the last file."""
        while True:
            piece = self._files[self._at].read(size)
            if piece or self._at == len(self._files) - 1:
                return piece
            self._at += 1

    def rewind(self) -> None:
        """Goes back to the start."""
        for file in self._files:
            file.seek(0)
        self._at = 0


@contextlib.contextmanager
def opened(source: dict[str, Any], data: bytes, pieces: Pieces) -> Iterator[Joined]:
    """The pack; what lies on the driver's own disk because of us is removed afterwards."""
    with contextlib.ExitStack() as stack:
        if source["kind"] == "inline":
            yield Joined([io.BytesIO(data)])
        elif source["kind"] == "pieces":
            yield Joined([_open_pieces(pieces.path(source["upload"]), stack)])
        else:
            open_part = _open_dbfs if source["kind"] == "dbfs" else _open
            yield Joined([open_part(path, stack) for path in source["paths"]])


def remove(source: dict[str, Any]) -> bool:
    """Removes an uploaded pack through the driver's own mount, which saves the client requests; False to leave it."""
    top = "/dbfs" if source["kind"] == "dbfs" else ""
    paths = [top + path for path in source.get("paths", []) if _PACK.fullmatch(os.path.basename(path))]
    try:
        for path in paths:
            os.unlink(ROOT + path)
    except OSError:
        return False
    return bool(paths)


def has_dbfs() -> bool:
    """Whether the driver sees DBFS as files; in standard access mode it does not."""
    return os.path.isdir(f"{ROOT}/dbfs")


def _await(path: str) -> None:
    """Gives a mount a moment to see what was put there by another way; not where there is no such directory at all."""
    for _ in range(15):
        if os.path.exists(path) or not os.path.isdir(os.path.dirname(path)):
            return
        time.sleep(0.2)


def _open_pieces(path: str, stack: contextlib.ExitStack) -> BinaryIO:
    stack.callback(_forget, path)
    try:
        return stack.enter_context(open(path, "rb"))
    except FileNotFoundError:
        raise NoPack("The pieces of the pack are gone.") from None


def _forget(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _open(path: str, stack: contextlib.ExitStack) -> BinaryIO:
    try:
        _await(ROOT + path)
        return stack.enter_context(open(ROOT + path, "rb"))
    except OSError as error:
        raise NoPack(f"The driver cannot read the uploaded pack: {path}: {error.strerror}.") from error


def _open_dbfs(path: str, stack: contextlib.ExitStack) -> BinaryIO:
    try:
        return _open("/dbfs" + path, stack)
    except NoPack as refusal:
        copy = os.path.join(stack.enter_context(tempfile.TemporaryDirectory(prefix="dbk-sync-")), "pack")
        try:
            _dbutils().fs.cp("dbfs:" + path, "file:" + copy)
        except Exception as error:  # whatever the runtime answers where DBFS is closed to it
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise NoPack(f"{refusal.message[:-1]}; dbutils.fs.cp: {reason[:300]}.") from None
        return stack.enter_context(open(copy, "rb"))


def _dbutils() -> Any:
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    dbutils = None if shell is None else shell.user_ns.get("dbutils")
    if dbutils is None:
        raise NoPack("there is no dbutils here")
    return dbutils
