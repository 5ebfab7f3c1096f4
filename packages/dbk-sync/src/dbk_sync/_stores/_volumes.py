"""Volumes of Unity Catalog, by the Files API 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from urllib.parse import quote

from dbk_sync._answer import Answer
from dbk_sync._bodies import Body
from dbk_sync._http import Http
from dbk_sync._refused import Refused
from dbk_sync._stores._store import Found, Progress, check_open


class VolumeStore:
    """`/Volumes/...`, by the Files API 2.0."""

    name = "volumes"
    concurrency = 5
    makes_dirs = False
    case_sensitive = False  # the bytes are in a storage of the customer's choice

    def __init__(self, http: Http) -> None:
        self._http = http

    def put(self, path: str, body: Body, *, overwrite: bool = True, progress: Progress | None = None) -> bool:
        answer = self._put(path, body, overwrite, progress)
        if answer.status == 404:
            self.make_dir(path.rpartition("/")[0])
            answer = self._put(path, body, overwrite, progress)
        if answer.status == 409 and not overwrite:
            return False
        check_open(answer, path, self.name)
        answer.check()
        return True

    def get(self, path: str) -> bytes | None:
        answer = self._http.request("GET", f"/api/2.0/fs/files{quote(path)}")
        if answer.status == 404:
            return None
        check_open(answer, path, self.name)
        return answer.check().body

    def make_dir(self, path: str) -> None:
        answer = self._http.request("PUT", f"/api/2.0/fs/directories{quote(path)}")
        if answer.status == 404:
            raise Refused(f"There is no volume at {path} ({answer.message}).")
        check_open(answer, path, self.name)
        answer.check()

    def delete(self, path: str) -> None:
        answer = self._http.request("DELETE", f"/api/2.0/fs/files{quote(path)}")
        if answer.status != 404:
            answer.check()

    def remove_dir(self, path: str) -> bool:
        return self._http.request("DELETE", f"/api/2.0/fs/directories{quote(path)}").ok

    def list(self, path: str) -> Iterator[Found]:
        token = ""
        while True:
            query = {"page_token": token} if token else None
            answer = self._http.request("GET", f"/api/2.0/fs/directories{quote(path)}", query=query)
            if answer.status == 404:
                return
            check_open(answer, path, self.name)
            page = answer.check().json
            for row in page.get("contents", []):
                modified_s = row.get("last_modified", 0) / 1000
                yield Found(row["name"], bool(row.get("is_directory")), row.get("file_size", 0), modified_s)
            token = page.get("next_page_token") or ""
            if not token:
                return

    def hurried(self) -> AbstractContextManager[None]:
        return self._http.hurried()

    def _put(self, path: str, body: Body, overwrite: bool, progress: Progress | None) -> Answer:
        query = {"overwrite": "true" if overwrite else "false"}
        return self._http.request("PUT", f"/api/2.0/fs/files{quote(path)}", query=query, body=body, progress=progress)
