# ruff: noqa: ARG001 - every endpoint takes the same two arguments
"""Who is asking and where: SCIM `Me`, the host's own description."""

from __future__ import annotations

from ._call import Call
from ._replies import Reply, as_json
from ._routes import Route, route
from ._site import WORKSPACE_ID, Site


def user(site: Site) -> dict[str, object]:
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


@route("GET", "/api/2.0/preview/scim/v2/Me", "documented")
async def me(site: Site, call: Call) -> Reply:
    """The caller; header `X-Databricks-Org-Id` carries the workspace id."""
    return as_json(user(site), headers={"X-Databricks-Org-Id": WORKSPACE_ID})


@route("GET", "/.well-known/databricks-config", "client code", open=True)
async def host_metadata(site: Site, call: Call) -> Reply:
    """What the SDK asks in its constructor."""
    return as_json({"oidc_endpoint": f"{site.host}/oidc", "workspace_id": WORKSPACE_ID})


ROUTES: tuple[Route, ...] = (me, host_metadata)
