"""`/api/2.0/dbfs/*`."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

from ._call import Call
from ._replies import ApiError, Reply, as_json
from ._routes import Route, route
from ._site import Site


async def _work(site: Site, call: Call, operation: Callable[..., Any], *arguments: Any) -> Any:
    """Run a file operation off the loop, unless the DBFS root is disabled."""
    if site.options.dbfs == "disabled":
        path = call.text("path", call.text("source_path", "/"))
        text = f"[DBFS_DISABLED] Public DBFS root is disabled. Access is denied on path: {path} SQLSTATE: 56038"
        status = site.options.dbfs_disabled_status
        raise ApiError(status, "PERMISSION_DENIED" if status == 403 else "DBFS_DISABLED", text)
    return await asyncio.to_thread(operation, *arguments)


@route("GET", "/api/2.0/dbfs/get-status", "client code")
async def get_status(site: Site, call: Call) -> Reply:
    """One file or folder; 404 RESOURCE_DOES_NOT_EXIST when there is none."""
    return as_json(await _work(site, call, site.dbfs.status, call.text("path")))


@route("GET", "/api/2.0/dbfs/list", "client code")
async def list_(site: Site, call: Call) -> Reply:
    """What is in a folder."""
    found = await _work(site, call, site.dbfs.list, call.text("path"))
    return as_json({"files": found} if found else {})


@route("GET", "/api/2.0/dbfs/read", "documented")
async def read(site: Site, call: Call) -> Reply:
    """Up to 1 MB from an offset, base64; 0.5 MB unless `length` says otherwise."""
    offset, length = call.number("offset", 0), call.number("length", 2**19)
    data: bytes = await _work(site, call, site.dbfs.read, call.text("path"), offset, length)
    return as_json({"bytes_read": len(data), "data": base64.b64encode(data).decode()})


@route("POST", "/api/2.0/dbfs/put", "documented")
async def put(site: Site, call: Call) -> Reply:
    """Write a file: base64 `contents` up to 1 MB, or a multipart file part of any size."""
    part = next((value for value in call.arguments.values() if isinstance(value, bytes)), None)
    content = call.content("contents") if part is None else part
    await _work(site, call, site.dbfs.put, call.text("path"), content, call.flag("overwrite"), part is not None)
    return as_json({})


@route("POST", "/api/2.0/dbfs/create", "live test")
async def create(site: Site, call: Call) -> Reply:
    """Open a file for writing in blocks."""
    return as_json({"handle": await _work(site, call, site.dbfs.create, call.text("path"), call.flag("overwrite"))})


@route("POST", "/api/2.0/dbfs/add-block", "documented")
async def add_block(site: Site, call: Call) -> Reply:
    """Append up to 1 MB (decoded); more is MAX_BLOCK_SIZE_EXCEEDED."""
    await _work(site, call, site.dbfs.add_block, call.number("handle"), call.content("data"))
    return as_json({})


@route("POST", "/api/2.0/dbfs/close", "documented")
async def close(site: Site, call: Call) -> Reply:
    """End a file that was written in blocks."""
    await _work(site, call, site.dbfs.close, call.number("handle"))
    return as_json({})


@route("POST", "/api/2.0/dbfs/mkdirs", "documented")
async def mkdirs(site: Site, call: Call) -> Reply:
    """Make a folder and its parents."""
    await _work(site, call, site.dbfs.make_folder, call.text("path"))
    return as_json({})


@route("POST", "/api/2.0/dbfs/move", "documented")
async def move(site: Site, call: Call) -> Reply:
    """Move a file or folder; an existing file is not overwritten."""
    await _work(site, call, site.dbfs.move, call.text("source_path"), call.text("destination_path"))
    return as_json({})


@route("POST", "/api/2.0/dbfs/delete", "client code")
async def delete(site: Site, call: Call) -> Reply:
    """Delete; what is missing is fine, a full folder needs `recursive`."""
    await _work(site, call, site.dbfs.delete, call.text("path"), call.flag("recursive"))
    return as_json({})


ROUTES: tuple[Route, ...] = (get_status, list_, read, put, create, add_block, close, mkdirs, move, delete)
