"""`dbutils.fs`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

from dbk_local._driver._fs_paths import ExecutionError, Location, locate
from dbk_local._seam import Truth

_MOUNTS = (
    ("/databricks-datasets", "databricks-datasets"),
    ("/Volumes", "UnityCatalogVolumes"),
    ("/databricks/mlflow-tracking", "databricks/mlflow-tracking"),
    ("/databricks-results", "databricks-results"),
    ("/databricks/mlflow-registry", "databricks/mlflow-registry"),
    ("/", "DatabricksRoot"),
)


class FileInfo(NamedTuple):
    """One entry of a folder; the name of a folder ends in a slash, its size is 0."""

    path: str
    name: str
    size: int
    modificationTime: int

    def isDir(self) -> bool:
        """It is a folder."""
        return self.name.endswith("/")

    def isFile(self) -> bool:
        """It is a file."""
        return not self.isDir()


class MountInfo(NamedTuple):
    """One mount of the DBFS root."""

    mountPoint: str
    source: str
    encryptionType: str


class FsUtils:
    """Files of DBFS, of volumes and of the driver, by `dbfs:/x`, `/x`, `/Volumes/...` and `file:/x`."""

    def __init__(self, truth: Callable[[], Truth]) -> None:
        self._truth = truth

    def _at(self, path: str, call: str) -> Location:
        return locate(path, self._truth(), call)

    def _writable(self, path: str, call: str) -> Location:
        place = self._at(path, call)
        place.check_writable(call)
        return place

    def _existing(self, path: str, call: str) -> Location:
        place = self._at(path, call)
        if not place.real.exists():
            raise ExecutionError(call, "java.io.FileNotFoundException", f"No such file or directory {place.path}")
        return place

    def ls(self, path: str) -> list[FileInfo]:
        """Entries of a folder, by name; a file lists itself."""
        place = self._existing(path, "ls")
        if place.real.is_file():
            return [_info(place)]
        return [_info(place.child(entry.name)) for entry in sorted(place.real.iterdir())]

    def cp(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Copy a file, or with `recurse` a folder; into `dest` when that is a folder."""
        origin, target = self._existing(source, "cp"), self._writable(dest, "cp")
        if origin.real.is_dir():
            if not recurse:
                raise ExecutionError(
                    "cp", "java.io.IOException", f"Cannot copy directory {origin} unless recurse is set to true"
                )
            shutil.copytree(origin.real, target.real, dirs_exist_ok=True)
            return True
        _make_parent(_into(origin, target))
        shutil.copyfile(origin.real, _into(origin, target).real)
        return True

    def mv(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Move, as a copy and a removal."""
        origin = self._existing(source, "mv")
        origin.check_removable("mv")
        if origin.real.is_dir() and not recurse:
            raise ExecutionError(
                "mv", "java.io.IOException", f"Cannot move directory {origin} unless recurse is set to true"
            )
        target = self._writable(dest, "mv")
        if origin.real.is_file():
            target = _into(origin, target)
        _make_parent(target)
        shutil.move(origin.real, target.real)
        return True

    def rm(self, path: str, recurse: bool = False) -> bool:
        """Remove; False when there was nothing."""
        place = self._at(path, "rm")
        place.check_removable("rm")
        if not place.real.exists():
            return False
        if place.real.is_file():
            place.real.unlink()
        elif recurse:
            shutil.rmtree(place.real)
        elif any(place.real.iterdir()):
            raise ExecutionError(
                "rm", "java.io.IOException", "Directory is not empty. Use recursive delete or remove contents first."
            )
        else:
            place.real.rmdir()
        return True

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Write text to a file."""
        place = self._writable(file, "put")
        if place.real.exists() and not overwrite:
            raise ExecutionError(
                "put", "org.apache.hadoop.fs.FileAlreadyExistsException", f"{place.path} already exists"
            )
        _make_parent(place)
        data = contents.encode()
        place.real.write_bytes(data)
        print(f"Wrote {len(data)} bytes.")
        return True

    def head(self, file: str, maxBytes: int = 65536) -> str:
        """The first bytes of a file as text."""
        place = self._existing(file, "head")
        with open(place.real, "rb") as stream:
            data = stream.read(maxBytes)
        if place.real.stat().st_size > maxBytes:
            print(f"[Truncated to first {maxBytes} bytes]")
        return data.decode(errors="replace")

    def mkdirs(self, dir: str) -> bool:
        """Make a folder and its parents."""
        self._writable(dir, "mkdirs").real.mkdir(parents=True, exist_ok=True)
        return True

    def mounts(self) -> list[MountInfo]:
        """The mounts every workspace has."""
        return [MountInfo(point, source, "") for point, source in _MOUNTS]

    def refreshMounts(self) -> bool:
        """Nothing to refresh."""
        return True

    def mount(self, *_args: Any, **_options: Any) -> bool:
        """Refused: there is no cloud storage here."""
        raise ExecutionError(
            "mount", "java.lang.UnsupportedOperationException", "mounts of cloud storage are not embedded"
        )

    unmount = updateMount = mount


def _info(place: Location) -> FileInfo:
    about = place.real.stat()
    slash, size = ("/", 0) if place.real.is_dir() else ("", about.st_size)
    return FileInfo(f"{place}{slash}", place.path.name + slash, size, about.st_mtime_ns // 1_000_000)


def _into(origin: Location, target: Location) -> Location:
    return target.child(origin.path.name) if target.real.is_dir() else target


def _make_parent(place: Location) -> None:
    place.real.parent.mkdir(parents=True, exist_ok=True)
