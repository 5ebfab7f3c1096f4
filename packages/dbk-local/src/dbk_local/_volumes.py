"""Unity Catalog volumes as the Files API shows them, kept in plain folders `catalog/schema/volume/...`."""

from __future__ import annotations

import os
from email.utils import formatdate
from pathlib import Path
from typing import Any

from ._paths import clean, under
from ._replies import ApiError, bad_value

DOMAIN = "filesystem.databricks.com"


def already_exists() -> ApiError:
    """The answer to a file that must be new and is not."""
    text = "The file being created already exists."
    return ApiError(409, "ALREADY_EXISTS", text, "FILES_API_FILE_ALREADY_EXISTS", DOMAIN)


class Volumes:
    """Operations take `/Volumes/<catalog>/<schema>/<volume>/...`; the catalog's own API makes and removes volumes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def file(self, path: str) -> Path:
        """An existing file, on this machine."""
        place = self._place(path)
        if place.is_dir():
            raise _conflict(
                "The given path points to an existing directory. This API does not support operations on directories."
            )
        if not place.exists():
            raise _missing("The file being accessed is not found.")
        return place

    def target(self, path: str, overwrite: bool) -> Path:
        """Where a file may be written, its folder made."""
        place = self._place(path)
        self._check_volume(path)
        if place.is_dir():
            raise _conflict(
                "The given path points to an existing directory. This API does not support operations on directories."
            )
        if place.exists() and not overwrite:
            raise already_exists()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _conflict("A parent of the given path is a file.") from None
        return place

    def delete_file(self, path: str) -> None:
        """Delete one file."""
        self.file(path).unlink()

    def folder(self, path: str) -> Path:
        """An existing folder, on this machine; a file in its place counts as none (clients then try it as a file)."""
        place = self._place(path, volume_itself=True)
        if not place.is_dir():
            raise _missing("The directory being accessed is not found.")
        return place

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents; one that is there is fine."""
        place = self._place(path, volume_itself=True)
        self._check_volume(path)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _conflict(
                "The given path points to an existing file. This API does not support operations on files."
            ) from None

    def delete_folder(self, path: str) -> None:
        """Delete an empty folder."""
        place = self.folder(path)
        if any(place.iterdir()):
            raise ApiError(
                400,
                "INVALID_PARAMETER_VALUE",
                "The directory is not empty.",
                "FILES_API_DIRECTORY_IS_NOT_EMPTY",
                DOMAIN,
            )
        place.rmdir()

    def entries(self, path: str) -> list[dict[str, Any]]:
        """What is in a folder, by name."""
        place = self.folder(path)
        shown = clean(path)
        return [_entry(child, f"{shown}/{child.name}") for child in sorted(place.iterdir())]

    def _check_volume(self, path: str) -> None:
        """Nothing can be put where there is no volume. The text is a guess, the status what clients go by."""
        names = clean(path).split("/")[2:5]
        if not under(self._root, "/".join(names)).is_dir():
            raise _missing(f"The directory being accessed is not found: volume '{'.'.join(names)}' does not exist.")

    def _place(self, path: str, volume_itself: bool = False) -> Path:
        parts = clean(path).split("/")[1:]
        if parts[0] != "Volumes" or len(parts) < (4 if volume_itself else 5):
            raise bad_value(f"Invalid path: expected /Volumes/<catalog>/<schema>/<volume>/..., got {path}")
        return under(self._root, "/".join(parts[1:]))


def file_headers(place: Path) -> dict[str, str]:
    """The headers of a file that is read or asked about; the type is always the same, as a live test shows."""
    return {
        "Content-Type": "application/octet-stream",
        "Last-Modified": formatdate(os.stat(place).st_mtime, usegmt=True),
        "Accept-Ranges": "bytes",
    }


def _entry(place: Path, path: str) -> dict[str, Any]:
    state = os.stat(place)
    entry = {
        "name": place.name,
        "path": path,
        "is_directory": place.is_dir(),
        "last_modified": int(state.st_mtime * 1000),
    }
    return entry if place.is_dir() else {**entry, "file_size": state.st_size}


def _missing(message: str) -> ApiError:
    return ApiError(
        404,
        "NOT_FOUND",
        message,
        "FILES_API_DIRECTORY_IS_NOT_FOUND" if "directory" in message else "FILES_API_FILE_NOT_FOUND",
        DOMAIN,
    )


def _conflict(message: str) -> ApiError:
    return ApiError(409, "ALREADY_EXISTS", message)
