"""Workspace files, by the workspace-files and workspace APIs 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final
from urllib.parse import quote

from dbk_sync._answer import Answer
from dbk_sync._bodies import Body
from dbk_sync._http import Http
from dbk_sync._stores._store import Found, Progress, check_open

_LARGE_BYTES: Final = 1 << 16


class WorkspaceStore:
    """`/Workspace/...`, by the workspace-files and workspace APIs 2.0."""

    name = "workspace files"
    concurrency = 10
    makes_dirs = False
    case_sensitive = True

    def __init__(self, http: Http) -> None:
        self._http = http
        self._made: set[str] = set()

    def put(self, path: str, body: Body, *, overwrite: bool = True, progress: Progress | None = None) -> bool:
        folder = path.rpartition("/")[0]
        if body.size_bytes > _LARGE_BYTES and folder not in self._made:
            self.make_dir(folder)  # or all of it may be sent in vain
        answer = self._put(path, body, overwrite, progress)
        if answer.status == 404:
            self.make_dir(folder)
            answer = self._put(path, body, overwrite, progress)
        if not overwrite and _exists_already(answer):
            return False
        check_open(answer, path, self.name)
        answer.check()
        return True

    def get(self, path: str) -> bytes | None:
        answer = self._http.request("GET", f"/api/2.0/workspace-files{quote(_bare(path))}")
        if answer.status == 404:
            return None
        check_open(answer, path, self.name)
        return answer.check().body

    def make_dir(self, path: str) -> None:
        answer = self._http.request("POST", "/api/2.0/workspace/mkdirs", json={"path": _bare(path)})
        check_open(answer, path, self.name)
        answer.check()
        self._made.add(path)

    def delete(self, path: str) -> None:
        answer = self._delete(path)
        if answer.status != 404:
            check_open(answer, path, self.name)
            answer.check()

    def remove_dir(self, path: str) -> bool:
        self._made.clear()
        return self._delete(path).ok

    def list(self, path: str) -> Iterator[Found]:
        answer = self._http.request("GET", "/api/2.0/workspace/list", query={"path": _bare(path)})
        if answer.status == 404:
            return
        check_open(answer, path, self.name)
        for row in answer.check().json.get("objects", []):
            is_dir = row.get("object_type") in ("DIRECTORY", "REPO")
            name = row["path"].rpartition("/")[2]
            yield Found(name, is_dir, row.get("size", 0), row.get("modified_at", 0) / 1000)

    def hurried(self) -> AbstractContextManager[None]:
        return self._http.hurried()

    def _put(self, path: str, body: Body, overwrite: bool, progress: Progress | None) -> Answer:
        query = {"overwrite": "true" if overwrite else "false"}
        url = f"/api/2.0/workspace-files/import-file{quote(_bare(path))}"
        return self._http.request("POST", url, query=query, body=body, progress=progress)

    def _delete(self, path: str) -> Answer:
        return self._http.request("POST", "/api/2.0/workspace/delete", json={"path": _bare(path), "recursive": False})


def _bare(path: str) -> str:
    """The workspace's own name of a path; the prefix is only how the driver sees it."""
    return path.removeprefix("/Workspace")


def _exists_already(answer: Answer) -> bool:
    # Three shapes are known: 409; 400 with the code; 400 with an empty code and only this text
    # (databricks/cli:libs/filer/workspace_files_client.go).
    return answer.status == 409 or answer.code == "RESOURCE_ALREADY_EXISTS" or "already exists" in answer.message
