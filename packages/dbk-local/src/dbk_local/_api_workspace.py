"""`/api/2.0/workspace/*` and `/api/2.0/workspace-files/*`."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from ._call import Call
from ._notebooks import EXTENSIONS
from ._replies import ApiError, Reply, as_json
from ._routes import Route, route
from ._site import Site
from ._tree import IMPORT_BYTES
from ._volumes import file_headers


@route("GET", "/api/2.0/workspace/get-status", "client code")
async def get_status(site: Site, call: Call) -> Reply:
    """One object, with or without `/Workspace` in front; `return_export_info` adds a field."""
    return as_json(await asyncio.to_thread(site.tree.status, call.text("path"), call.flag("return_export_info")))


@route("GET", "/api/2.0/workspace/list", "client code")
async def list_(site: Site, call: Call) -> Reply:
    """What is in a folder."""
    found = await asyncio.to_thread(site.tree.list, call.text("path"))
    after = call.number("notebooks_modified_after", 0)
    found = [item for item in found if item["object_type"] != "NOTEBOOK" or item["modified_at"] >= after]
    return as_json({"objects": found} if found else {})


@route("POST", "/api/2.0/workspace/mkdirs", "documented")
async def mkdirs(site: Site, call: Call) -> Reply:
    """Make a folder and its parents."""
    await asyncio.to_thread(site.tree.make_folder, call.text("path"))
    return as_json({})


@route("POST", "/api/2.0/workspace/delete", "documented")
async def delete(site: Site, call: Call) -> Reply:
    """Delete; a full folder without `recursive` is DIRECTORY_NOT_EMPTY."""
    await asyncio.to_thread(site.tree.delete, call.text("path"), call.flag("recursive"))
    return as_json({})


@route("POST", "/api/2.0/workspace/import", "live test")
async def import_(site: Site, call: Call) -> Reply:
    """A notebook or file from base64 or a multipart part; formats SOURCE, AUTO, RAW, JUPYTER, DBC (a zip)."""
    path, form = call.text("path"), call.text("format", "SOURCE").upper()
    language = call.text("language", "").upper()
    if language and language not in EXTENSIONS.values():
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Unsupported language {language}")
    content = call.content("content")
    await asyncio.to_thread(site.tree.import_, path, content, form, language, call.flag("overwrite"))
    return as_json({})


@route("GET", "/api/2.0/workspace/export", "live test")
async def export(site: Site, call: Call) -> Reply:
    """An object's content: base64 in JSON, or bytes with `direct_download`."""
    content, extension = await asyncio.to_thread(site.tree.export, call.text("path"), call.text("format", "SOURCE"))
    if len(content) > IMPORT_BYTES:
        text = f"The export size exceeds the limit ({IMPORT_BYTES} bytes)"
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", text)
    if call.flag("direct_download"):
        return Reply(200, content, {"Content-Type": "application/octet-stream"})
    body: dict[str, Any] = {"content": base64.b64encode(content).decode(), "file_type": extension}
    return as_json(body)


@route("POST", "/api/2.0/workspace-files/import-file/{path...}", "client code", raw=True)
async def import_file(site: Site, call: Call) -> Reply:
    """A file from the raw body; no parent 404, there already 409, there as a notebook 400."""
    path = "/" + call.variables["path"].lstrip("/")
    await asyncio.to_thread(site.tree.import_file, path, call.body, call.flag("overwrite"))
    return as_json({})


@route("GET", "/api/2.0/workspace-files/{path...}", "client code")
async def read_file(site: Site, call: Call) -> Reply:
    """A file's bytes."""
    place = await asyncio.to_thread(site.tree.read_file, "/" + call.variables["path"].lstrip("/"))
    return Reply(200, place, file_headers(place))


ROUTES: tuple[Route, ...] = (get_status, list_, mkdirs, delete, import_, export, import_file, read_file)
