"""`dbk-config check` against an embedded workspace: each thing that can be wrong, and what it says to do."""

from __future__ import annotations

import http.server
import json
import socket
import threading

import pytest


@pytest.fixture
def check(run):
    """check(*options) -> exit code and the findings: name -> list of (level, message, hint)."""

    def call(*options):
        code, out, err = run("check", "--json", *options)
        assert err == ""
        found = {}
        for finding in json.loads(out):
            found.setdefault(finding["name"], []).append((finding["level"], finding["message"], finding["hint"]))
        return code, found

    return call


@pytest.fixture
def cluster(workspace):
    """cluster(**settings) -> ID of a further cluster with them."""
    made = []

    def create(**settings):
        from dbk_config._rest import Workspace

        body = {"cluster_name": "mine", "spark_version": "16.4.x-scala2.12", **settings}
        api = Workspace(workspace.host, {"Authorization": f"Bearer {workspace.token}"})
        made.append(api.call("POST", "/api/2.1/clusters/create", body=body).body["cluster_id"])
        return made[-1]

    yield create
    from dbk_config._rest import Workspace

    api = Workspace(workspace.host, {"Authorization": f"Bearer {workspace.token}"})
    for cluster_id in made:
        api.call("POST", "/api/2.1/clusters/permanent-delete", body={"cluster_id": cluster_id})


def test_a_workspace_that_works_passes(workspace, check):
    code, found = check()

    assert code == 0
    assert {level for findings in found.values() for level, *_ in findings} == {"ok"}
    assert list(found) == ["host", "credentials", "cluster", "dbfs", "workspace"]
    assert found["credentials"][0][1].startswith(workspace.user_name)


def test_nothing_is_left_behind(workspace, check):
    workspace.clear_requests()
    check()
    asked = [(request.path, (request.body_json or {}).get("path")) for request in workspace.requests()]

    put = dict(asked)["/api/2.0/dbfs/put"]
    made = dict(asked)["/api/2.0/workspace/mkdirs"]
    assert put.startswith("/tmp/")
    assert ("/api/2.0/dbfs/delete", put) in asked
    assert made.startswith(f"/Workspace/Users/{workspace.user_name}/")
    assert ("/api/2.0/workspace/delete", made) in asked


def test_the_table_for_people_says_the_same(workspace, run):
    code, out, _ = run("check")

    assert code == 0
    assert out.startswith("ok       host")
    assert "dbfs:/tmp/ takes files" in out


def test_without_a_host_it_says_how_to_set_one(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, out, _ = run("check")

    assert code == 1
    assert "FAILED   host         DATABRICKS_HOST not set\n" in out
    assert "> Set DATABRICKS_HOST environment variable" in out


def test_without_any_credentials_it_says_how_to_set_a_token(workspace, check, monkeypatch, tmp_path):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("PATH", str(tmp_path))  # no Databricks or Azure CLI to ask

    code, found = check()

    ((level, message, hint),) = found["credentials"]
    assert (code, level, message) == (1, "failed", "DATABRICKS_TOKEN not set")
    assert hint.startswith("Set DATABRICKS_TOKEN environment variable or configure Databricks CLI")


@pytest.mark.parametrize(("form", "said"), [("401", "401 Unauthorized"), ("403", "403"), ("html", "403")])
def test_a_wrong_token_is_named_as_such(workspace, check, monkeypatch, form, said):
    workspace.set_options(wrong_token=form)
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-very-wrong")

    code, found = check()

    ((level, message, hint),) = found["credentials"]
    assert (code, level) == (1, "failed")
    assert message.startswith("Invalid token (environment DATABRICKS_TOKEN)")
    assert said in message
    assert hint.startswith("Regenerate your Personal Access Token")
    assert "cluster" not in found


def test_a_dead_host_is_reported_at_once(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-very-secret")

    code, out, _ = run("check")

    assert code == 1
    assert f"http://127.0.0.1:{port} cannot be reached" in out
    assert "Check DATABRICKS_HOST, the network, VPN and proxy." in out


def test_a_host_that_answers_with_a_page_is_no_workspace(workspace, check):
    workspace.fault("GET /api/2.0/preview/scim/v2/Me", "html", times=1)

    code, found = check()

    ((level, message, hint),) = found["host"]
    assert (code, level) == (1, "failed")
    assert "does not answer as a workspace" in message
    assert "DATABRICKS_HOST" in hint


def test_a_redirect_is_not_followed_with_the_token(check, monkeypatch, tmp_path):
    asked = []

    class Redirects(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    monkeypatch.chdir(tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirects) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-very-secret")
        code, found = check()
        server.shutdown()
        thread.join()

    assert asked == ["/api/2.0/preview/scim/v2/Me"]
    assert (code, found["host"][0][1].split(": ")[-1]) == (1, "HTTP status 302")


def test_a_cluster_that_does_not_exist_is_not_found(workspace, check):
    code, found = check("--cluster-id", "0123-456789-gone")

    ((level, message, hint),) = found["cluster"]
    assert (code, level) == (1, "failed")
    assert message.startswith("Cluster not found: 0123-456789-gone (argument)")
    assert hint.startswith("Verify cluster ID and your access permissions")


def test_a_cluster_that_the_workspace_cannot_tell_of_has_a_next_step_too(workspace, check):
    workspace.fault("GET /api/2.1/clusters/get", "status", times=None, status=500, message="broken")

    code, found = check()

    ((level, message, hint),) = found["cluster"]
    assert (code, level) == (1, "failed")
    assert "broken" in message
    assert hint.startswith("Look at the cluster's page")


def test_a_cluster_that_may_not_be_seen_is_a_missing_permission(workspace, check):
    workspace.fault("GET /api/2.1/clusters/get", "status", times=1, status=403, code="PERMISSION_DENIED", message="no")

    code, found = check()

    assert code == 1
    assert found["cluster"][0][1].startswith(f"Permission denied on cluster {workspace.cluster_id}")


def test_no_cluster_is_named_with_the_way_to_choose_one(workspace, check, monkeypatch):
    monkeypatch.delenv("DATABRICKS_CLUSTER_ID")

    _, found = check()

    assert found["cluster"][0][1:] == (
        "DATABRICKS_CLUSTER_ID not set",
        "Set DATABRICKS_CLUSTER_ID or configure in pyproject.toml: dbk-config init",
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cluster_source": "JOB"}, "a job cluster"),
        ({"cluster_source": "SQL"}, "SQL-only compute"),
        ({"cluster_source": "PIPELINE"}, "a pipeline's cluster"),
        ({"workload_type": {"clients": {"notebooks": False, "jobs": True}}}, "reserved for jobs"),
        (
            {"data_security_mode": "SINGLE_USER", "single_user_name": "boss@example.com"},
            "dedicated to boss@example.com",
        ),
        ({"spark_version": "14.3.x-scala2.12"}, "runtime 14.3 is too old"),
    ],
)
def test_compute_that_will_not_do_is_refused_with_its_reason(cluster, check, settings, said):
    code, found = check("--cluster-id", cluster(**settings))

    failed = [(message, hint) for level, message, hint in found["cluster"] if level == "failed"]
    assert code == 1
    assert said in failed[0][0]
    assert failed[0][1]


@pytest.mark.parametrize(
    ("cluster_id", "said"),
    [("1234567890abcdef", "SQL warehouse"), ("serverless", "serverless compute"), ("auto", "serv")],
)
def test_an_id_that_is_no_clusters_is_refused_at_sight(workspace, check, cluster_id, said):
    code, found = check("--cluster-id", cluster_id)

    assert code == 1
    assert said in found["cluster"][0][1]


@pytest.mark.parametrize(
    ("settings", "level", "said"),
    [
        ({"spark_version": "17.3.x-scala2.13"}, "ok", "runtime 17.3 LTS: recommended"),
        ({"spark_version": "16.4.x-cpu-ml-scala2.12"}, "ok", "runtime 16.4 LTS: recommended"),
        ({"spark_version": "15.4.x-photon-scala2.12"}, "ok", "runtime 15.4 LTS: supported"),
        ({"spark_version": "17.1.x-scala2.13"}, "warning", "runtime 17.1 is not tested"),
        ({"spark_version": "custom:mine"}, "warning", "cannot tell"),
        ({"data_security_mode": "USER_ISOLATION"}, "ok", "access mode: standard"),
        ({"data_security_mode": "NONE"}, "ok", "access mode: no isolation"),
        ({"data_security_mode": "LEGACY_TABLE_ACL"}, "warning", "may refuse Python"),
        ({"data_security_mode": "SINGLE_USER", "single_user_name": "users"}, "ok", "dedicated to users"),
        ({"data_security_mode": "SINGLE_USER", "single_user_name": "DEV@example.com"}, "ok", "dedicated to DEV"),
    ],
)
def test_compute_that_will_do_is_described(cluster, check, settings, level, said):
    code, found = check("--cluster-id", cluster(**settings))

    assert code == 0
    assert [level for level, message, _ in found["cluster"] if said in message] == [level]


def test_a_stopped_cluster_is_no_failure(workspace, check):
    workspace.set_cluster_state("TERMINATED")

    code, found = check()
    workspace.set_cluster_state("RUNNING")

    assert code == 0
    assert "terminated; the first cell starts it, which takes 5-6 minutes" in found["cluster"][0][1]


def test_a_cluster_that_one_may_not_attach_to_is_found_out_before_the_first_cell(workspace, check):
    workspace.set_options(permission="NONE")

    code, found = check()

    level, message, hint = found["cluster"][-1]
    assert (code, level) == (1, "failed")
    assert "Permission denied: " in message
    assert "'Attach' permissions" in message
    assert hint == 'Ask for "Can Attach To" or "Can Restart" permission on the cluster.'


def test_a_cluster_that_gives_no_context_says_why(workspace, check):
    body = '{"error": "ContextLimitExceeded: too many"}'
    workspace.fault("POST /api/1.2/contexts/create", "status", times=1, status=500, text=body)

    code, found = check()

    assert code == 1
    assert found["cluster"][-1][1].endswith("no execution context: ContextLimitExceeded: too many")
    assert "limit of 145" in found["cluster"][-1][2]


def test_the_context_that_was_opened_is_destroyed(workspace, check):
    check()

    assert workspace.contexts() == []


def test_disabled_dbfs_is_named_as_such(workspace, check):
    workspace.set_options(dbfs="disabled")

    code, found = check()

    ((level, message, hint),) = found["dbfs"]
    assert (code, level, message) == (0, "warning", "DBFS is disabled in this workspace")
    assert hint.endswith("dbk-config set sync.store workspace")


def test_a_missing_right_on_dbfs_names_the_folder_and_another_store(workspace, check):
    workspace.fault("POST /api/2.0/dbfs/put", "status", times=1, status=403, code="PERMISSION_DENIED", message="no")

    code, found = check()

    ((level, message, hint),) = found["dbfs"]
    assert (code, level, message) == (0, "warning", "Permission denied on DBFS: no")
    assert "Verify DBFS write access to `/tmp/`" in hint
    assert "sync.store" in hint


def test_a_missing_right_on_the_workspace_folder_names_it(workspace, check):
    route = "POST /api/2.0/workspace/mkdirs"
    workspace.fault(route, "status", times=1, status=403, code="PERMISSION_DENIED", message="no")

    _, found = check()

    assert found["workspace"][0][1] == f"Permission denied on /Workspace/Users/{workspace.user_name}/: no"


def test_a_volume_is_checked_where_it_is_the_store(workspace, check, monkeypatch):
    monkeypatch.setenv("DBK_SYNC_STORE", "volume")
    monkeypatch.setenv("DBK_SYNC_VOLUME", "/Volumes/main/default/files")
    workspace.fault("PUT /api/2.0/fs/files/*", "status", times=1, status=403, code="PERMISSION_DENIED", message="no")

    code, found = check()

    assert (code, found["volume"][0][0]) == (0, "warning")
    assert "dbfs" not in found
    assert found["volume"][0][1] == "Permission denied on /Volumes/main/default/files: no"


def test_a_store_that_is_not_there_is_no_missing_permission(workspace, check, monkeypatch):
    monkeypatch.setenv("DBK_SYNC_STORE", "volume")
    monkeypatch.setenv("DBK_SYNC_VOLUME", "/Volumes/main/default/files")
    workspace.fault("PUT /api/2.0/fs/files/*", "status", times=1, status=404, code="NOT_FOUND", message="gone")

    assert check()[1]["volume"][0][1] == "Cannot write to /Volumes/main/default/files: gone"


def test_no_right_to_write_is_needed_without_synchronisation(workspace, check, monkeypatch):
    monkeypatch.setenv("DBK_SYNC_ENABLED", "false")

    code, found = check()

    assert (code, found["files"]) == (0, [("skipped", "sync.enabled is false", "")])


def test_other_credentials_than_a_token_are_used_through_the_sdk(workspace, check, monkeypatch, profiles):
    pytest.importorskip("databricks.sdk")
    env = profiles(f"[basic]\nhost = {workspace.host}\nusername = token\npassword = {workspace.token}\n")
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", env["DATABRICKS_CONFIG_FILE"])

    code, found = check("--profile", "basic")

    assert (code, found["credentials"][0][0]) == (0, "ok")
    assert found["credentials"][0][1].endswith("by the SDK")


def test_http_to_another_machine_is_warned_of():
    from dbk_config import Origin, Settings
    from dbk_config._check import _host

    origin = Origin("environment", key="DATABRICKS_HOST")

    assert _host(Settings(host="http://ws.example.com", origins={"host": origin})).level == "warning"
    assert _host(Settings(host="https://ws.example.com", origins={"host": origin})).level == "ok"
