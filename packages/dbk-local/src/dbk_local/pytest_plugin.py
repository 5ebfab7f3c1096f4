"""Fixtures for tests against the embedded workspace; loaded by pytest wherever `dbk-local` is installed.

`dbk_workspace`
    A `dbk_local.Workspace`, one process for the whole run. Every test gets it as new: options, faults, request log and
    contexts are put back before it, and the cluster runs. Files stay.

`dbk_cluster`
    The id of its cluster, with `DATABRICKS_HOST`, `DATABRICKS_TOKEN` and `DATABRICKS_CLUSTER_ID` set in the environment
    of the test, and every other `DATABRICKS_*` variable and the user's profile file out of the way.

`dbk_workspace_options`
    Session fixture to override: keyword arguments of that `Workspace`, e.g. `{"runtime": "16.4", "spark": False}`.

Example:
    def test_my_job(dbk_cluster):
        w = databricks.sdk.WorkspaceClient()
        assert w.clusters.get(dbk_cluster).state.value == "RUNNING"
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dbk_local import Workspace


@pytest.fixture(scope="session")
def dbk_workspace_options() -> dict[str, Any]:
    """Keyword arguments of the `Workspace` behind `dbk_workspace`; override it in a `conftest.py`."""
    return {}


@pytest.fixture(scope="session")
def _dbk_process(dbk_workspace_options: dict[str, Any]) -> Iterator[Workspace]:
    from dbk_local import Workspace

    with Workspace(**dbk_workspace_options) as workspace:
        yield workspace


@pytest.fixture
def dbk_workspace(_dbk_process: Workspace) -> Workspace:
    """The embedded workspace, as new."""
    _dbk_process.reset()
    return _dbk_process


@pytest.fixture
def dbk_cluster(dbk_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a running cluster, its workspace in the environment."""
    for name in [name for name in os.environ if name.startswith("DATABRICKS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
    for name, value in dbk_workspace.env().items():
        monkeypatch.setenv(name, value)
    return dbk_workspace.cluster_id
