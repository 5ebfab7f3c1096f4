"""Which file on this machine a path of `dbutils.fs` means, and what may not be touched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dbk_local._seam import Truth


class ExecutionError(Exception):
    """What a failing `dbutils.fs` call raises on Databricks: a Java exception carried over."""

    def __init__(self, call: str, java_class: str, message: str) -> None:
        super().__init__(
            f"An error occurred while calling z:com.databricks.backend.daemon.dbutils.FSUtils.{call}.\n: "
            f"{java_class}: {message}"
        )


@dataclass(frozen=True)
class Location:
    """A path as the user sees it, and where it is."""

    scheme: str
    """`dbfs` or `file`."""
    path: PurePosixPath
    """Absolute, without scheme."""
    real: Path

    def __str__(self) -> str:
        return f"{self.scheme}:{self.path}"

    @property
    def volume(self) -> Path | None:
        """Where the volume is that it is in, or is; None outside of `/Volumes`, and for what is no volume."""
        parts = self.path.parts[2:]
        if self.path.parts[1:2] != ("Volumes",) or len(parts) < 3:
            return None
        return (self.real, *self.real.parents)[len(parts) - 3]

    def check_writable(self, call: str) -> None:
        """Nothing can be put where there is no volume. The text is a guess.

        Raises:
            ExecutionError: it is in `/Volumes` and not in a volume.
        """
        if self.path.parts[1:2] == ("Volumes",) and not (self.volume and self.volume.is_dir()):
            name = ".".join(self.path.parts[2:5])
            raise ExecutionError(call, "java.io.FileNotFoundException", f"{self}: volume '{name}' does not exist")

    def check_removable(self, call: str) -> None:
        """Volumes, and what they are in, are removed by the catalog.

        Raises:
            ExecutionError: it is one of these.
        """
        if self.path.parts[1:2] == ("Volumes",) and len(self.path.parts) <= 5:
            raise ExecutionError(call, "java.nio.file.AccessDeniedException", f"{self}: not in a volume")

    def child(self, name: str) -> Location:
        """An entry of this folder."""
        return Location(self.scheme, self.path / name, self.real / name)


def locate(text: str, truth: Truth, call: str) -> Location:
    """Where `dbfs:/x`, `/x` (the same), `/Volumes/...` or `file:/x` is.

    Raises:
        ExecutionError: another scheme, or a place this workspace keeps closed.
    """
    scheme, path = _split(text, call)
    root, inner = _root(scheme, path, truth)
    if scheme == "file" and truth.access_mode == "standard":
        raise ExecutionError(
            call, "java.lang.IllegalAccessException", f"Local filesystem access is forbidden: file:{path}"
        )
    if root == truth.dbfs_root and not truth.dbfs_enabled:
        raise ExecutionError(
            call,
            "com.databricks.common.client.DatabricksServiceException",
            f"[DBFS_DISABLED] Public DBFS root is disabled. Access is denied on path: {path} SQLSTATE: 56038",
        )
    return Location(scheme, path, root / inner)


def _split(text: str, call: str) -> tuple[str, PurePosixPath]:
    scheme, colon, rest = text.partition(":")
    if not colon or "/" in scheme:
        scheme, rest = "dbfs", text
    if scheme not in ("dbfs", "file"):
        raise ExecutionError(call, "java.io.IOException", f"No FileSystem for scheme: {scheme}")
    # `..` is resolved by name, so that no path leads out of its root.
    parts: list[str] = []
    for part in rest.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return scheme, PurePosixPath("/", *parts)


def _root(scheme: str, path: PurePosixPath, truth: Truth) -> tuple[Path, PurePosixPath]:
    """The folder a path is in. The mounts of a driver are found by name, whether or not they are mounted here."""
    mounts = {"/Volumes": truth.volumes_root}
    if scheme == "file":
        mounts |= {"/Workspace": truth.workspace_root, "/dbfs": truth.dbfs_root, "/local_disk0": truth.local_disk}
    for mount, root in mounts.items():
        if path.is_relative_to(mount):
            return root, path.relative_to(mount)
    return (Path("/") if scheme == "file" else truth.dbfs_root), path.relative_to("/")
