"""`dbfs:/`, by the DBFS API 2.0."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final

from dbk_sync._answer import Answer
from dbk_sync._bodies import Body, Multipart
from dbk_sync._http import Http
from dbk_sync._refused import Refused
from dbk_sync._stores._store import Found, Progress

BLOCK_BYTES: Final = 1 << 20
"""Most that DBFS takes or gives in one JSON value, before base64."""


class DbfsStore:
    """`dbfs:/`, by the DBFS API 2.0."""

    name = "DBFS"
    concurrency = 10
    makes_dirs = True
    case_sensitive = True

    def __init__(self, http: Http) -> None:
        self._http = http
        self._takes_forms = True

    def put(self, path: str, body: Body, *, overwrite: bool = True, progress: Progress | None = None) -> bool:
        """One request whatever the size, as a posted file; blocks of 1 MiB where that is not taken."""
        if not self._takes_forms:
            return self._put_blocks(path, body, overwrite, progress)
        # The field names of the legacy command line, which has posted files this way for years:
        # databricks/databricks-cli:databricks_cli/sdk/service.py.
        fields = {"path": f"dbfs:{path}", "overwrite": str(overwrite)}
        form = Multipart(fields, "file", path.rpartition("/")[2], body)
        answer = self._http.request(
            "POST", "/api/2.0/dbfs/put", body=form, content_type=form.content_type, progress=progress
        )
        if answer.code == "RESOURCE_ALREADY_EXISTS":
            return False
        if answer.ok:
            return True
        self._check_open(answer, path)
        if answer.status not in (400, 404, 411, 413, 415, 500, 501):
            raise answer.error()
        done = self._put_blocks(path, body, overwrite, progress)
        self._takes_forms = answer.status == 500  # which may have been about this one alone
        return done

    def get(self, path: str) -> bytes | None:
        pieces: list[bytes] = []
        offset = 0
        while True:
            query = {"path": path, "offset": str(offset), "length": str(BLOCK_BYTES)}
            answer = self._http.request("GET", "/api/2.0/dbfs/read", query=query)
            if answer.status == 404 or answer.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            self._check_open(answer, path)
            piece = base64.b64decode(answer.check().json.get("data", ""))
            pieces.append(piece)
            offset += len(piece)
            if len(piece) < BLOCK_BYTES:
                return b"".join(pieces)

    def make_dir(self, path: str) -> None:
        answer = self._http.request("POST", "/api/2.0/dbfs/mkdirs", json={"path": path})
        self._check_open(answer, path)
        answer.check()

    def delete(self, path: str) -> None:
        answer = self._http.request("POST", "/api/2.0/dbfs/delete", json={"path": path, "recursive": False})
        if answer.status == 404 or answer.code == "RESOURCE_DOES_NOT_EXIST":
            return
        self._check_open(answer, path)
        answer.check()

    def remove_dir(self, path: str) -> bool:
        answer = self._http.request("POST", "/api/2.0/dbfs/delete", json={"path": path, "recursive": False})
        return answer.ok

    def list(self, path: str) -> Iterator[Found]:
        answer = self._http.request("GET", "/api/2.0/dbfs/list", query={"path": path})
        if answer.status == 404 or answer.code == "RESOURCE_DOES_NOT_EXIST":
            return
        self._check_open(answer, path)
        for row in answer.check().json.get("files", []):
            name = row["path"].rstrip("/").rpartition("/")[2]
            modified_s = row.get("modification_time", 0) / 1000
            yield Found(name, bool(row.get("is_dir")), row.get("file_size", 0), modified_s)

    def hurried(self) -> AbstractContextManager[None]:
        return self._http.hurried()

    def _put_blocks(self, path: str, body: Body, overwrite: bool, progress: Progress | None) -> bool:
        answer = self._http.request("POST", "/api/2.0/dbfs/create", json={"path": path, "overwrite": overwrite})
        if answer.code == "RESOURCE_ALREADY_EXISTS":
            return False
        self._check_open(answer, path)
        handle = answer.check().json["handle"]
        file = body.open()
        sent = 0
        while block := file.read(BLOCK_BYTES):
            data = base64.b64encode(block).decode("ascii")
            # A block that is sent twice would be in the file twice.
            self._http.request(
                "POST", "/api/2.0/dbfs/add-block", json={"handle": handle, "data": data}, repeatable=False
            ).check()
            sent += len(block)
            if progress is not None:
                progress(sent)
        self._http.request("POST", "/api/2.0/dbfs/close", json={"handle": handle}, repeatable=False).check()
        return True

    @staticmethod
    def _check_open(answer: Answer, path: str) -> None:
        text = answer.body[:4000].decode("utf-8", "replace")
        if answer.ok:
            return
        if answer.signed_out:
            raise answer.error()
        if "DBFS_DISABLED" in text or "DBFS root is disabled" in text:
            raise Refused(f"DBFS is disabled in this workspace ({answer.message}).")
        if answer.status == 403 or answer.code == "PERMISSION_DENIED" or "No operations allowed on this path" in text:
            raise Refused(f"Permission denied on DBFS: no write access to dbfs:{path} ({answer.message}).")
