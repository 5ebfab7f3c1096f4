"""The Files API over volumes: `/api/2.0/fs/files/...` and `/api/2.0/fs/directories/...`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path

from ._call import Call
from ._replies import ApiError, Reply, as_json, bad_value
from ._routes import Route, route
from ._site import Site
from ._volumes import already_exists, file_headers

FILES, FOLDERS = "/api/2.0/fs/files{path...}", "/api/2.0/fs/directories{path...}"


@route("GET", FILES, "documented")
async def read(site: Site, call: Call) -> Reply:
    """A file's bytes, a `Range` of them when asked."""
    place = await asyncio.to_thread(site.volumes.file, call.variables["path"])
    whole = Reply(200, place, file_headers(place))
    _check_unchanged(call, place)
    return _part(whole, call.headers["range"], place) if "range" in call.headers else whole


@route("HEAD", FILES, "live test")
async def head(site: Site, call: Call) -> Reply:
    """Size, type and time of a file, as headers."""
    place = await asyncio.to_thread(site.volumes.file, call.variables["path"])
    return Reply(200, place, file_headers(place))


@route("PUT", FILES, "documented", raw=True)
async def write(site: Site, call: Call) -> Reply:
    """Write a file from the raw body; `overwrite=false` on one that exists is 409."""
    overwrite = call.flag("overwrite", True)
    place = await asyncio.to_thread(site.volumes.target, call.variables["path"], overwrite)
    await asyncio.to_thread(_store, call.body, place, overwrite)
    return Reply(204)


@route("DELETE", FILES, "documented")
async def delete(site: Site, call: Call) -> Reply:
    """Delete a file."""
    await asyncio.to_thread(site.volumes.delete_file, call.variables["path"])
    return Reply(204)


@route("GET", FOLDERS, "documented")
async def list_(site: Site, call: Call) -> Reply:
    """What is in a folder, in pages of `page_size`."""
    found = await asyncio.to_thread(site.volumes.entries, call.variables["path"])
    size = min(call.number("page_size", 1000) or 1000, 1000)
    start = call.number("page_token", 0)
    page: dict[str, object] = {"contents": found[start : start + size]}
    if start + size < len(found):
        page["next_page_token"] = str(start + size)
    return as_json(page)


@route("HEAD", FOLDERS, "documented")
async def head_folder(site: Site, call: Call) -> Reply:
    """200 when there is such a folder."""
    await asyncio.to_thread(site.volumes.folder, call.variables["path"])
    return Reply(200)


@route("PUT", FOLDERS, "documented")
async def make_folder(site: Site, call: Call) -> Reply:
    """Make a folder and its parents; over a file it is 409."""
    await asyncio.to_thread(site.volumes.make_folder, call.variables["path"])
    return Reply(204)


@route("DELETE", FOLDERS, "documented")
async def delete_folder(site: Site, call: Call) -> Reply:
    """Delete a folder; a full one is 400 with reason `FILES_API_DIRECTORY_IS_NOT_EMPTY`."""
    await asyncio.to_thread(site.volumes.delete_folder, call.variables["path"])
    return Reply(204)


def _store(body: bytes | Path, place: Path, overwrite: bool) -> None:
    """All of the file or none of it: written beside and moved into place; of two that must be new only one is."""
    draft = place.with_name(f".{place.name}.{os.urandom(4).hex()}.part")
    if isinstance(body, bytes):
        draft.write_bytes(body)
    else:
        shutil.copyfile(body, draft)
    if overwrite:
        draft.replace(place)
        return
    try:
        os.link(draft, place)  # unlike a rename, it fails where the name is taken
    except FileExistsError:
        raise already_exists() from None
    finally:
        draft.unlink()


def _check_unchanged(call: Call, place: Path) -> None:
    since = call.headers.get("if-unmodified-since")
    if since and int(os.stat(place).st_mtime) > parsedate_to_datetime(since).timestamp():
        raise ApiError(412, "PRECONDITION_FAILED", f"The file was modified after {since}")


def _part(whole: Reply, header: str, place: Path) -> Reply:
    """The bytes of one range (RFC 9110 §14)."""
    size = place.stat().st_size
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if not found or not any(found.groups()):
        raise bad_value(f"Invalid Range header: {header}")
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        raise ApiError(416, "INVALID_PARAMETER_VALUE", f"Range {header} of a file of {size} bytes cannot be satisfied")
    headers = {**whole.headers, "Content-Range": f"bytes {start}-{end}/{size}"}
    return replace(whole, status=206, start=start, length=end - start + 1, headers=headers)


ROUTES: tuple[Route, ...] = (read, head, write, delete, list_, head_folder, make_folder, delete_folder)
