"""`/api/2.1/unity-catalog/*`: catalogs, schemas and volumes."""

from __future__ import annotations

import asyncio

from ._call import Call
from ._replies import Reply, as_json
from ._routes import Route, route
from ._site import Site

BASE = "/api/2.1/unity-catalog"


@route("GET", f"{BASE}/catalogs", "documented")
async def list_catalogs(site: Site, call: Call) -> Reply:  # noqa: ARG001 - every endpoint takes the same two arguments
    """All catalogs."""
    return as_json({"catalogs": await asyncio.to_thread(site.catalog.list, "")})


@route("GET", f"{BASE}/schemas", "documented")
async def list_schemas(site: Site, call: Call) -> Reply:
    """The schemas of `catalog_name`."""
    return as_json({"schemas": await asyncio.to_thread(site.catalog.list, call.text("catalog_name"))})


@route("GET", f"{BASE}/volumes", "documented")
async def list_volumes(site: Site, call: Call) -> Reply:
    """The volumes of `catalog_name`, `schema_name`."""
    parent = f"{call.text('catalog_name')}.{call.text('schema_name')}"
    return as_json({"volumes": await asyncio.to_thread(site.catalog.list, parent)})


@route("POST", f"{BASE}/catalogs", "documented")
async def create_catalog(site: Site, call: Call) -> Reply:
    """A new catalog."""
    return as_json(await asyncio.to_thread(site.catalog.create, call.text("name")))


@route("POST", f"{BASE}/schemas", "live test")
async def create_schema(site: Site, call: Call) -> Reply:
    """A new schema."""
    return as_json(await asyncio.to_thread(site.catalog.create, f"{call.text('catalog_name')}.{call.text('name')}"))


@route("POST", f"{BASE}/volumes", "live test")
async def create_volume(site: Site, call: Call) -> Reply:
    """A new volume, which the Files API and `/Volumes` then show."""
    name = f"{call.text('catalog_name')}.{call.text('schema_name')}.{call.text('name')}"
    made = await asyncio.to_thread(site.catalog.create, name)
    await site.show_volume(name)
    return as_json(made)


@route("GET", f"{BASE}/catalogs/{{name}}", "documented")
async def get_catalog(site: Site, call: Call) -> Reply:
    """One catalog."""
    return as_json(await asyncio.to_thread(site.catalog.describe, call.variables["name"]))


@route("GET", f"{BASE}/schemas/{{name}}", "documented")
async def get_schema(site: Site, call: Call) -> Reply:
    """One schema, by full name."""
    return as_json(await asyncio.to_thread(site.catalog.describe, call.variables["name"]))


@route("GET", f"{BASE}/volumes/{{name}}", "documented")
async def get_volume(site: Site, call: Call) -> Reply:
    """One volume, by full name."""
    return as_json(await asyncio.to_thread(site.catalog.describe, call.variables["name"]))


@route("DELETE", f"{BASE}/schemas/{{name}}", "live test")
async def delete_schema(site: Site, call: Call) -> Reply:
    """Remove a schema; a full one needs `force`."""
    await asyncio.to_thread(site.catalog.delete, call.variables["name"], call.flag("force"))
    return as_json({})


@route("DELETE", f"{BASE}/volumes/{{name}}", "live test")
async def delete_volume(site: Site, call: Call) -> Reply:
    """Remove a volume and all that is in it."""
    await asyncio.to_thread(site.catalog.delete, call.variables["name"])
    return as_json({})


ROUTES: tuple[Route, ...] = (
    list_catalogs,
    list_schemas,
    list_volumes,
    create_catalog,
    create_schema,
    create_volume,
    get_catalog,
    get_schema,
    get_volume,
    delete_schema,
    delete_volume,
)
