"""`CommandExecutor` of databricks-labs-blueprint, unmodified, against the workspace."""

from __future__ import annotations

import os

import pytest

sdk = pytest.importorskip("databricks.sdk")
commands = pytest.importorskip("databricks.labs.blueprint.commands")


@pytest.fixture
def executor(workspace, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
    config = sdk.core.Config(host=workspace.host, token=workspace.token, retry_timeout_seconds=60)
    client = sdk.WorkspaceClient(config=config)
    yield commands.CommandExecutor(client.clusters, client.command_execution, lambda: workspace.cluster_id)
    client.api_client._api_client._session.close()


def test_values_errors_and_state_come_back(executor, workspace):
    assert executor.run("return 1+1") == 2
    assert executor.run("return {'a': [1, None]}") == {"a": [1, None]}
    with pytest.raises(sdk.errors.DatabricksError, match="ValueError: boom"):
        executor.run("raise ValueError('boom')")

    assert len(workspace.contexts()) == 1
