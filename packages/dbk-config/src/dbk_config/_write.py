"""Replaces a file at once: a reader, or a crash, meets the old text or the new one and nothing between."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from dbk_config.errors import DbkError

__all__ = ["write_text"]

BOM = b"\xef\xbb\xbf"


def write_text(file: Path, text: str, *, instead_of: str | None) -> None:
    """Writes UTF-8 `text` to `file`; its mode, its byte order mark and a symbolic link to it stay.

    Args:
        file: the file to replace or make.
        text: all of its new text, line ends as they are.
        instead_of: the text it is meant to replace; None for a file that is not there yet.

    Raises:
        DbkError: the file has changed meanwhile, or it cannot be written.
    """
    target = file.resolve()
    try:
        old = target.read_bytes() if target.exists() else None
        if instead_of is not None and old is not None and old.removeprefix(BOM) != instead_of.encode():
            raise DbkError(f"{file} was changed by someone else meanwhile", "Run the command again.")
        raw = (BOM if old is not None and old.startswith(BOM) else b"") + text.encode()
        _replace(target, raw, stat.S_IMODE(target.stat().st_mode) if old is not None else None)
    except OSError as error:
        raise DbkError(f"{file} cannot be written: {error.strerror}", "Nothing was changed.") from error


def _replace(target: Path, raw: bytes, mode: int | None) -> None:
    # In the same folder, since a rename is atomic only within one file system.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself last; where a folder cannot be opened (Windows), the system sees to it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
