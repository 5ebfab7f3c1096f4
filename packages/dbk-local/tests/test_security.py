"""A web page in the user's browser cannot drive the workspace, and other machines cannot reach it."""

from __future__ import annotations

import base64
import socket
import urllib.parse

import pytest
from dbk_local import NotLoopback
from dbk_local._server import listening_socket

ME = "/api/2.0/preview/scim/v2/Me"


def port_of(workspace):
    return urllib.parse.urlsplit(workspace.host).port


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example.com:{port}"])
@pytest.mark.parametrize("path", ["/", ME, "/_local/status", "/driver-proxy-api/o/0/x/1/"])
def test_a_request_addressed_to_another_name_is_misdirected(api, workspace, host, path):
    answer = api.send("GET", path, headers={"Host": host.format(port=port_of(workspace))})

    assert answer.status == 421


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_names_of_this_machine_are_served(api, workspace, host):
    assert api.send("GET", ME, headers={"Host": host.format(port=port_of(workspace))}).status == 200


def test_no_answer_has_a_cors_header_or_a_cookie(api):
    origin = {"Origin": "https://evil.example.com"}
    preflight = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    answers = [
        api.send("OPTIONS", "/api/1.2/commands/execute", headers=preflight, token=False),
        api.send("GET", ME, headers=origin),
        api.send("GET", "/", headers=origin, token=False),
    ]

    assert answers[0].status != 200
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-") or name == "set-cookie"]


def test_the_token_counts_in_the_header_alone(api, workspace):
    token = workspace.token

    in_query = api.send("GET", f"{ME}?token={token}&access_token={token}", token=False)
    in_cookie = api.send("GET", ME, headers={"Cookie": f"token={token}"}, token=False)
    as_basic = base64.b64encode(f"token:{token}".encode()).decode()
    by_basic = api.send("GET", ME, headers={"Authorization": f"Basic {as_basic}"}, token=False)

    assert (in_query.status, in_cookie.status, by_basic.status) == (401, 401, 200)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic !!!", "Basic dG9rZW46eA==", "Digest x", "\x00"])
def test_a_malformed_authorization_is_refused(api, value):
    assert api.send("GET", ME, headers={"Authorization": value}, token=False).status in (400, 401, 403)


@pytest.mark.parametrize(
    "path", ["/_local/status", "/_local/requests", "/api/2.0/dbfs/list?path=/", "/api/9.9/nothing"]
)
def test_every_route_but_the_hosts_description_wants_the_token(api, path):
    assert api.send("GET", path, token=False).status == 401


def test_what_the_sdk_asks_first_is_open_and_holds_no_secret(api, workspace):
    answer = api.send("GET", "/.well-known/databricks-config", token=False)

    assert answer.json == {"oidc_endpoint": f"{workspace.host}/oidc", "workspace_id": "1234567890123456"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])
def test_an_address_that_others_can_reach_is_refused(host):
    with pytest.raises(NotLoopback):
        listening_socket(host, 0)


def test_the_socket_is_bound_to_the_loopback_alone(workspace):
    with socket.socket() as other:
        other.settimeout(5)
        # Another address of this same machine: bound to 127.0.0.1 alone, the workspace does not answer on it.
        with pytest.raises((ConnectionRefusedError, TimeoutError)):
            other.connect(("127.0.0.9", port_of(workspace)))


def test_a_proxy_client_is_served_under_the_name_that_resolves_nowhere(api):
    answer = api.send("GET", f"http://dbk-local.invalid{ME}", headers={"Host": "dbk-local.invalid"})

    assert answer.json["userName"] == "dev@example.com"


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/a/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd"]
)
@pytest.mark.parametrize("base", ["/api/2.0/fs/files/Volumes/a/b/c", "/api/2.0/workspace-files"])
def test_no_path_leads_out_of_the_workspaces_folder(api, base, path):
    answer = api.send("GET", base + path)

    assert answer.status in (400, 404)


def test_a_link_made_by_a_command_does_not_lead_a_request_out(api, context, workspace):
    workspace.set_options(dbfs_fuse=True)
    api.post("/api/2.0/dbfs/mkdirs", path="/links")
    made = api.run(context, "import os\nos.symlink('/etc', '/dbfs/links/etc')")
    if made["resultType"] == "error":
        pytest.skip("/dbfs is not visible to plain file functions on this platform")

    assert api.get("/api/2.0/dbfs/read", path="/links/etc/passwd").status == 400


def test_the_token_is_in_no_repr_and_no_error(api, workspace):
    answers = [api.get("/api/2.1/clusters/get", cluster_id="x"), api.send("POST", "/api/1.2/commands/execute", b"{")]

    assert workspace.token not in repr(workspace)
    assert all(workspace.token not in answer.body.decode() for answer in answers)
