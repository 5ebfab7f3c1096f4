"""The three places of a workspace that keep files, behind one Protocol: DBFS, volumes, workspace files.

All paths are absolute and `/`-separated text: `/tmp/x` for DBFS, `/Volumes/c/s/v/x`, `/Workspace/Users/u/x`.
"""

from __future__ import annotations

from dbk_sync._http import Http
from dbk_sync._refused import Refused
from dbk_sync._stores._dbfs import DbfsStore
from dbk_sync._stores._store import Found, Progress, Store
from dbk_sync._stores._volumes import VolumeStore
from dbk_sync._stores._workspace import WorkspaceStore

__all__ = ["DbfsStore", "Found", "Progress", "Refused", "Store", "VolumeStore", "WorkspaceStore", "store_of"]


def store_of(path: str, http: Http) -> Store:
    """Whose path it is, by its beginning; what is neither in a volume nor in the workspace is in DBFS."""
    if path.startswith("/Volumes/"):
        return VolumeStore(http)
    if path.startswith("/Workspace/"):
        return WorkspaceStore(http)
    return DbfsStore(http)
