"""Where a workspace keeps its files on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Where a workspace keeps its files on this machine; all of it survives when `root` is the user's own."""

    root: Path

    @property
    def dbfs(self) -> Path:
        """What `dbfs:/` is."""
        return self.root / "dbfs"

    @property
    def workspace(self) -> Path:
        """What `/Workspace` is."""
        return self.root / "workspace"

    @property
    def volumes(self) -> Path:
        """What `/Volumes` is."""
        return self.root / "volumes"

    @property
    def secrets(self) -> Path:
        """The secret scopes: JSON, `{"scope": {"key": "value"}}`."""
        return self.root / "secrets.json"

    @property
    def clusters(self) -> Path:
        """One folder per cluster; nothing in it survives the cluster."""
        return self.root / "clusters"

    def create(self) -> Folders:
        """Make what is missing."""
        found = [self.dbfs / name for name in ("FileStore", "tmp", "user")]
        for folder in (*found, self.workspace, self.volumes, self.clusters):
            folder.mkdir(parents=True, exist_ok=True)
        return self
