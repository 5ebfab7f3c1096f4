# ruff: noqa: ARG001 - every endpoint takes the same two arguments
"""Who is asking and where: SCIM with one user and one group, the host's own description, settings of the workspace."""

from __future__ import annotations

import re
from typing import Any

from ._call import Call
from ._replies import Reply, ScimError, as_json
from ._routes import Route, route
from ._site import WORKSPACE_ID, Site

SCIM = "/api/2.0/preview/scim/v2"
_FILTER = re.compile(r"""(?P<name>[\w.]+)\s+(?P<operator>eq|ne|co|sw|ew)\s+"?(?P<value>[^"]*)"?""", re.IGNORECASE)
_TESTS = {
    "eq": str.__eq__,
    "ne": str.__ne__,
    "co": str.__contains__,
    "sw": str.startswith,
    "ew": str.endswith,
}


def user(site: Site) -> dict[str, Any]:
    """The one user of this workspace, as SCIM shows it."""
    name = site.options.user_name
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1001",
        "userName": name,
        "displayName": name.partition("@")[0],
        "active": True,
        "emails": [{"type": "work", "value": name, "primary": True}],
        "groups": [{"display": "users", "type": "direct", "value": "2001", "$ref": "Groups/2001"}],
        "entitlements": [{"value": "workspace-access"}],
    }


def group(site: Site) -> dict[str, Any]:
    """The one group."""
    member = {"display": site.options.user_name, "value": "1001", "$ref": "Users/1001"}
    schema = "urn:ietf:params:scim:schemas:core:2.0:Group"
    return {"schemas": [schema], "id": "2001", "displayName": "users", "members": [member]}


@route("GET", f"{SCIM}/Me", "documented")
async def me(site: Site, call: Call) -> Reply:
    """The caller; header `X-Databricks-Org-Id` carries the workspace id."""
    return as_json(user(site), headers={"X-Databricks-Org-Id": WORKSPACE_ID})


@route("GET", f"{SCIM}/Users", "live test")
async def users(site: Site, call: Call) -> Reply:
    """The one user, filtered and in pages."""
    return _page([user(site)], call)


@route("GET", f"{SCIM}/Groups", "live test")
async def groups(site: Site, call: Call) -> Reply:
    """The one group, filtered and in pages; a filter that does not parse is a SCIM error."""
    return _page([group(site)], call)


@route("GET", f"{SCIM}/ServicePrincipals", "live test")
async def principals(site: Site, call: Call) -> Reply:
    """No service principals."""
    return _page([], call)


@route("GET", f"{SCIM}/Users/{{id}}", "live test")
async def one_user(site: Site, call: Call) -> Reply:
    """A user by id."""
    return _one(user(site), "User", call)


@route("GET", f"{SCIM}/Groups/{{id}}", "documented")
async def one_group(site: Site, call: Call) -> Reply:
    """A group by id."""
    return _one(group(site), "Group", call)


@route("GET", "/.well-known/databricks-config", "client code", open=True)
async def host_metadata(site: Site, call: Call) -> Reply:
    """What the SDK asks in its constructor."""
    return as_json({"oidc_endpoint": f"{site.host}/oidc", "workspace_id": WORKSPACE_ID})


@route("GET", "/api/2.0/workspace-conf", "live test")
async def get_settings(site: Site, call: Call) -> Reply:
    """Settings of the workspace by `keys`; kept, without effect."""
    return as_json({key: site.settings.get(key) for key in call.text("keys").split(",")})


@route("PATCH", "/api/2.0/workspace-conf", "live test")
async def set_settings(site: Site, call: Call) -> Reply:
    """Change settings of the workspace; kept, without effect."""
    site.settings.update({name: call.text(name) for name in call.arguments})
    return Reply(204)


@route("GET", "/api/2.0/repos", "live test")
async def repos(site: Site, call: Call) -> Reply:
    """No repos."""
    return as_json({})


def _page(found: list[dict[str, Any]], call: Call) -> Reply:
    if text := call.text("filter", ""):
        found = [row for row in found if _meets(row, text)]
    start, count = max(call.number("startIndex", 1), 1), call.number("count", 100)
    rows = found[start - 1 : start - 1 + count]
    sizes = {"totalResults": len(found), "startIndex": start, "itemsPerPage": len(rows)}
    return as_json({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], **sizes, "Resources": rows})


def _meets(row: dict[str, Any], text: str) -> bool:
    if (found := _FILTER.fullmatch(text.strip())) is None:
        raise ScimError(
            400, f"Given filter operator is not supported or the filter is malformed: {text}", "invalidFilter"
        )
    value = str(row.get(found["name"], ""))
    return bool(_TESTS[found["operator"].lower()](value, found["value"]))


def _one(row: dict[str, Any], kind: str, call: Call) -> Reply:
    if row["id"] != call.variables["id"]:
        raise ScimError(404, f"{kind} with id {call.variables['id']} not found.")
    return as_json(row)


ROUTES: tuple[Route, ...] = (
    me,
    users,
    groups,
    principals,
    one_user,
    one_group,
    host_metadata,
    get_settings,
    set_settings,
    repos,
)
