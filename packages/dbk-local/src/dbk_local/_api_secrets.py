"""`/api/2.0/secrets/*`."""

from __future__ import annotations

import asyncio
import base64

from ._call import Call
from ._replies import Reply, as_json
from ._routes import Route, route
from ._site import Site


@route("POST", "/api/2.0/secrets/scopes/create", "live test")
async def create_scope(site: Site, call: Call) -> Reply:
    """A new scope."""
    await asyncio.to_thread(site.secrets.create_scope, call.text("scope"))
    return as_json({})


@route("POST", "/api/2.0/secrets/scopes/delete", "documented")
async def delete_scope(site: Site, call: Call) -> Reply:
    """Remove a scope."""
    await asyncio.to_thread(site.secrets.delete_scope, call.text("scope"))
    return as_json({})


@route("GET", "/api/2.0/secrets/scopes/list", "live test")
async def list_scopes(site: Site, call: Call) -> Reply:  # noqa: ARG001 - every endpoint takes the same two arguments
    """All scopes."""
    names = await asyncio.to_thread(site.secrets.scopes)
    return as_json({"scopes": [{"name": name, "backend_type": "DATABRICKS"} for name in names]})


@route("POST", "/api/2.0/secrets/put", "live test")
async def put(site: Site, call: Call) -> Reply:
    """Write a secret from `string_value` or `bytes_value` (base64)."""
    value = call.content("bytes_value") if "bytes_value" in call.arguments else call.text("string_value").encode()
    await asyncio.to_thread(site.secrets.put, call.text("scope"), call.text("key"), value)
    return as_json({})


@route("GET", "/api/2.0/secrets/get", "documented")
async def get(site: Site, call: Call) -> Reply:
    """Read a secret, base64."""
    value = await asyncio.to_thread(site.secrets.get, call.text("scope"), call.text("key"))
    return as_json({"key": call.text("key"), "value": base64.b64encode(value).decode()})


@route("GET", "/api/2.0/secrets/list", "live test")
async def list_(site: Site, call: Call) -> Reply:
    """Names of the secrets of a scope."""
    return as_json({"secrets": await asyncio.to_thread(site.secrets.keys, call.text("scope"))})


@route("POST", "/api/2.0/secrets/delete", "documented")
async def delete(site: Site, call: Call) -> Reply:
    """Remove a secret."""
    await asyncio.to_thread(site.secrets.delete, call.text("scope"), call.text("key"))
    return as_json({})


ROUTES: tuple[Route, ...] = (create_scope, delete_scope, list_scopes, put, get, list_, delete)
