"""The official SDK, unmodified, against the workspace."""

from __future__ import annotations

import io
import os
from datetime import timedelta

import pytest

sdk = pytest.importorskip("databricks.sdk")

from databricks.sdk.errors import (  # noqa: E402 - only where the SDK is installed
    BadRequest,
    InvalidParameterValue,
    InvalidState,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
    TooManyRequests,
    Unauthenticated,
)
from databricks.sdk.service import compute  # noqa: E402
from databricks.sdk.service import workspace as ws  # noqa: E402

CLOCK_S = timedelta(seconds=60)


@pytest.fixture
def client(workspace, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
    config = sdk.core.Config(host=workspace.host, token=workspace.token, retry_timeout_seconds=5)
    with_session = sdk.WorkspaceClient(config=config)
    yield with_session
    with_session.api_client._api_client._session.close()


@pytest.fixture
def context_of(client, workspace):
    waiter = client.command_execution.create(cluster_id=workspace.cluster_id, language=compute.Language.PYTHON)
    return waiter.result(timeout=CLOCK_S).id


def run(client, workspace, context, text):
    names = {"cluster_id": workspace.cluster_id, "context_id": context, "language": compute.Language.PYTHON}
    return client.command_execution.execute(**names, command=text).result(timeout=CLOCK_S)


def test_contexts_and_commands(client, workspace, context_of):
    text = run(client, workspace, context_of, "  x = 20\n  print(x + 1)")
    error = run(client, workspace, context_of, "1/0")
    client.command_execution.destroy(cluster_id=workspace.cluster_id, context_id=context_of)

    assert text.status is compute.CommandStatus.FINISHED
    assert (text.results.result_type, text.results.data) == (compute.ResultType.TEXT, "21")
    assert error.results.result_type is compute.ResultType.ERROR
    assert "ZeroDivisionError" in error.results.summary


def test_a_missing_context_has_no_error_code(client):
    with pytest.raises(sdk.errors.DatabricksError, match="requirement failed: missing contextId") as caught:
        client.command_execution.execute(cluster_id="__non_existing__")

    assert caught.value.error_code is None


def test_a_command_can_be_cancelled(client, workspace, context_of, until):
    names = {"cluster_id": workspace.cluster_id, "context_id": context_of}
    command = client.command_execution.execute(
        **names, language=compute.Language.PYTHON, command="while True: pass"
    ).command_id

    def status():
        return client.command_execution.command_status(**names, command_id=command)

    until(lambda: status().status is compute.CommandStatus.RUNNING)
    client.command_execution.cancel(**names, command_id=command)

    until(lambda: status().status is compute.CommandStatus.FINISHED)
    assert "CommandCancelledException" in status().results.cause


def test_clusters(client, workspace):
    cluster = client.clusters.get(workspace.cluster_id)
    listed = [row.cluster_id for row in client.clusters.list()]
    kinds = [event.type for event in client.clusters.events(workspace.cluster_id)]

    assert cluster.state is compute.State.RUNNING
    assert cluster.data_security_mode is compute.DataSecurityMode.SINGLE_USER
    assert listed == [workspace.cluster_id]
    assert compute.EventType.CREATING in kinds
    assert client.clusters.select_node_type(local_disk=True) == "local"
    assert client.clusters.select_spark_version(long_term_support=True, latest=True).endswith("scala2.12")
    client.clusters.ensure_cluster_is_running(workspace.cluster_id)
    with pytest.raises(InvalidState):
        client.clusters.start(workspace.cluster_id)
    with pytest.raises((InvalidParameterValue, ResourceDoesNotExist), match="does not exist"):
        client.clusters.get("123456789")


def test_a_stopped_cluster_is_started(client, workspace):
    workspace.terminate_cluster()

    client.clusters.ensure_cluster_is_running(workspace.cluster_id)

    assert client.clusters.get(workspace.cluster_id).state is compute.State.RUNNING


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_dbfs_upload_and_download(client, size):
    content = os.urandom(size)

    client.dbfs.upload("/tmp/sdk.bin", io.BytesIO(content), overwrite=True)

    with client.dbfs.download("/tmp/sdk.bin") as file:
        assert file.read() == content
    with pytest.raises(ResourceAlreadyExists):
        client.dbfs.upload("/tmp/sdk.bin", io.BytesIO(b""), overwrite=False)
    assert client.dbfs.exists("/tmp/sdk.bin")
    client.dbfs.delete("/tmp/sdk.bin")
    assert not client.dbfs.exists("/tmp/sdk.bin")


def test_workspace_import_and_export(client):
    home = f"/Users/{client.current_user.me().user_name}/sdk"
    client.workspace.mkdirs(home)

    client.workspace.upload(f"{home}/nb.py", io.BytesIO(b"print(1)"), overwrite=True)
    client.workspace.upload(f"{home}/f.py", io.BytesIO(b"print(1)"), format=ws.ImportFormat.AUTO, overwrite=True)

    kinds = {row.path: row.object_type for row in client.workspace.list(home, recursive=True)}
    with client.workspace.download(f"{home}/nb.py") as file:
        assert file.read() == b"# Databricks notebook source\nprint(1)"
    with client.workspace.download(f"{home}/f.py") as file:
        assert file.read() == b"print(1)"
    assert kinds == {f"{home}/nb.py": ws.ObjectType.NOTEBOOK, f"{home}/f.py": ws.ObjectType.FILE}
    with pytest.raises(BadRequest):
        client.workspace.delete(home)
    client.workspace.delete(home, recursive=True)
    with pytest.raises(NotFound):
        client.workspace.get_status(home)


def test_files_in_volumes(client):
    content = os.urandom(3_000_000)
    path = "/Volumes/main/default/files/sdk/deep/f.bin"

    client.files.upload(path, io.BytesIO(content), overwrite=True)

    with client.files.download(path).contents as file:
        assert file.read() == content
    assert client.files.get_metadata(path).content_length == len(content)
    assert [row.name for row in client.files.list_directory_contents("/Volumes/main/default/files/sdk")] == ["deep"]
    client.files.delete(path)
    with pytest.raises(NotFound):
        client.files.get_metadata(path)


def test_who_and_where(client):
    assert client.current_user.me().user_name == "dev@example.com"
    assert client.get_workspace_id() == 1234567890123456
    assert [user.user_name for user in client.users.list()] == ["dev@example.com"]


def test_remote_dbutils_runs_in_a_context(client, workspace, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CLUSTER_ID", workspace.cluster_id)
    config = sdk.core.Config(host=workspace.host, token=workspace.token, cluster_id=workspace.cluster_id)
    dbutils = sdk.WorkspaceClient(config=config).dbutils

    dbutils.fs.put("/tmp/remote", "text", True)

    assert dbutils.fs.head("/tmp/remote") == "text"
    assert isinstance(dbutils.fs.mounts(), list)


def test_errors_have_the_sdks_classes(client, workspace):
    workspace.set_options(permission="CAN_ATTACH_TO")
    with pytest.raises(PermissionDenied):
        client.clusters.restart(workspace.cluster_id)
    workspace.fault("*", "429", times=None)
    with pytest.raises(TimeoutError) as caught:
        client.clusters.get(workspace.cluster_id)
    assert isinstance(caught.value.__cause__, TooManyRequests)
    workspace.clear_faults()
    workspace.set_options(wrong_token="401")
    workspace.fault("*", "expired-token")
    with pytest.raises(Unauthenticated):
        client.clusters.get(workspace.cluster_id)


def test_the_sdk_runs_a_command_twice_when_its_answer_is_lost(client, workspace, context_of):
    # What the fault is for: the SDK repeats a POST whose connection broke, and the API has no idempotency key.
    run(client, workspace, context_of, "n = 0")
    workspace.fault("POST /api/1.2/commands/execute", "drop-after")

    run(client, workspace, context_of, "n += 1")

    assert run(client, workspace, context_of, "print(n)").results.data == "2"


def test_a_503_in_json_is_waited_out(client, workspace):
    busy = {"status": 503, "code": "TEMPORARILY_UNAVAILABLE", "message": "busy", "retry_after": 0}
    workspace.fault("GET /api/2.1/clusters/get", "status", times=2, **busy)

    assert client.clusters.get(workspace.cluster_id).state is compute.State.RUNNING

    assert [request.status for request in workspace.requests() if request.path.endswith("clusters/get")] == [
        503,
        503,
        200,
    ]
