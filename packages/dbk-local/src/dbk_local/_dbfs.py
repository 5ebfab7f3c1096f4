"""DBFS as its REST API shows it, kept in a plain folder."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ._clock import Clock
from ._paths import clean, under
from ._replies import ApiError, bad_value, exists_already, not_found

BLOCK_BYTES = 2**20
"""Limit of one `add-block`, `put` or `read`, counted decoded."""
HANDLE_IDLE_S = 600.0


@dataclass
class _Handle:
    file: BinaryIO
    used_s: float


class Dbfs:
    """Operations take DBFS paths, with or without `dbfs:`, and answer without it."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._handles: dict[int, _Handle] = {}
        self._random = random.SystemRandom()

    def status(self, path: str) -> dict[str, Any]:
        """One file or folder."""
        return self._info(self._existing(path))

    def list(self, path: str) -> list[dict[str, Any]]:
        """What is in a folder, by name; of a file itself."""
        place = self._existing(path)
        if not place.is_dir():
            return [self._info(place)]
        return [self._info(child) for child in sorted(place.iterdir())]

    def read(self, path: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on; fewer at the end."""
        if offset < 0 or length < 0:
            raise bad_value("offset and length must not be negative")
        if length > BLOCK_BYTES:
            raise ApiError(400, "MAX_READ_SIZE_EXCEEDED", f"Maximum read length is {BLOCK_BYTES} bytes, got {length}")
        place = self._existing(path)
        if place.is_dir():
            raise bad_value(f"{self._shown(place)} is a directory")
        with place.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def put(self, path: str, content: bytes, overwrite: bool, streamed: bool = False) -> None:
        """Write a whole file; as a multipart upload it may be longer than a block."""
        if len(content) > BLOCK_BYTES and not streamed:
            raise _too_large(len(content))
        self._writable(path, overwrite).write_bytes(content)

    def create(self, path: str, overwrite: bool) -> int:
        """Open a file for blocks; the answer is the handle."""
        file = self._writable(path, overwrite).open("wb")
        handle = self._random.randrange(1, 2**63)
        self._handles[handle] = _Handle(file, self._clock.now_s())
        return handle

    def add_block(self, handle: int, data: bytes) -> None:
        """Append one block."""
        if len(data) > BLOCK_BYTES:
            raise _too_large(len(data))
        opened = self._opened(handle)
        opened.file.write(data)
        opened.used_s = self._clock.now_s()

    def close(self, handle: int) -> None:
        """End a file that was written block by block."""
        self._opened(handle).file.close()
        del self._handles[handle]

    def close_all(self) -> None:
        """Close what clients left open."""
        for opened in self._handles.values():
            opened.file.close()
        self._handles.clear()

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents."""
        place = self._place(path)
        with self._as_file_conflict(place):
            place.mkdir(parents=True, exist_ok=True)

    def move(self, source: str, destination: str) -> None:
        """Move a file or a folder; into the destination when that is a folder."""
        place, target = self._existing(source), self._place(destination)
        if target.is_dir():
            target = target / place.name
        if target.exists():
            raise exists_already(f"A file or directory already exists at the destination path {self._shown(target)}")
        if not target.parent.is_dir():
            raise not_found(f"No file or directory exists on path {self._shown(target.parent)}.")
        shutil.move(place, target)

    def delete(self, path: str, recursive: bool) -> None:
        """Delete; what is not there is deleted already."""
        place = self._place(path)
        if place == self._root:
            raise bad_value("The DBFS root cannot be deleted")
        if not place.exists() and not place.is_symlink():
            return
        if not place.is_dir() or place.is_symlink():
            place.unlink()
            return
        if any(place.iterdir()) and not recursive:
            text = "Directory is not empty. Use recursive delete or remove contents first."
            raise ApiError(400, "IO_ERROR", text)
        shutil.rmtree(place)

    def _place(self, path: str) -> Path:
        bare = path.removeprefix("dbfs:")
        if not bare.startswith("/"):
            raise bad_value(f"Path must be absolute: {bare}")
        if clean(bare).split("/")[1:2] == ["Volumes"]:
            raise bad_value("No operations allowed on this path.")
        return under(self._root, bare)

    def _existing(self, path: str) -> Path:
        place = self._place(path)
        if not place.exists():
            raise not_found(f"No file or directory exists on path {path}.")
        return place

    def _writable(self, path: str, overwrite: bool) -> Path:
        """Where to write, its parents made."""
        place = self._place(path)
        if place.is_dir() or (place.exists() and not overwrite):
            raise exists_already(f"A file or directory already exists at the input path {self._shown(place)}")
        with self._as_file_conflict(place.parent):
            place.parent.mkdir(parents=True, exist_ok=True)
        return place

    @contextlib.contextmanager
    def _as_file_conflict(self, place: Path) -> Iterator[None]:
        try:
            yield
        except (FileExistsError, NotADirectoryError):
            raise exists_already(
                f"Cannot create directory {self._shown(place)} because it is an existing file."
            ) from None

    def _opened(self, handle: int) -> _Handle:
        opened = self._handles.get(handle)
        if opened and self._clock.now_s() - opened.used_s > HANDLE_IDLE_S:
            self._handles.pop(handle).file.close()
            opened = None
        if opened is None:
            raise not_found(f"No open stream exists for handle {handle}.")
        return opened

    def _info(self, place: Path) -> dict[str, Any]:
        state = os.stat(place)
        is_folder = place.is_dir()
        return {
            "path": self._shown(place),
            "is_dir": is_folder,
            "file_size": 0 if is_folder else state.st_size,
            "modification_time": int(state.st_mtime * 1000),
        }

    def _shown(self, place: Path) -> str:
        return "/" + place.relative_to(self._root).as_posix() if place != self._root else "/"


def _too_large(size: int) -> ApiError:
    return ApiError(
        400, "MAX_BLOCK_SIZE_EXCEEDED", f"The block of {size} bytes exceeds the maximum of {BLOCK_BYTES} bytes."
    )
