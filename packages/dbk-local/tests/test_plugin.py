"""The pytest plugin, as a project of somebody else would use it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def dbk_workspace_options():
    return {"spark": False, "runtime": "16.4"}
"""
TESTS = """
import os

def test_one(dbk_workspace):
    dbk_workspace.set_options(latency_s=0.01)
    dbk_workspace.fault("*", "503")
    assert dbk_workspace.options()["runtime"] == "16.4"

def test_two_gets_it_as_new(dbk_workspace):
    assert dbk_workspace.options()["latency_s"] == 0
    assert dbk_workspace.faults() == []
    assert dbk_workspace.requests() == []
    assert dbk_workspace.contexts() == []

def test_three_has_the_environment(dbk_cluster, dbk_workspace):
    assert os.environ["DATABRICKS_CLUSTER_ID"] == dbk_cluster == dbk_workspace.cluster_id
    assert os.environ["DATABRICKS_HOST"] == dbk_workspace.host
    assert "DATABRICKS_CONFIG_PROFILE" not in os.environ

def test_four_has_no_environment():
    assert os.environ["DATABRICKS_CONFIG_PROFILE"] == "mine"
    assert "DATABRICKS_HOST" not in os.environ
"""


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(TESTS)
    return tmp_path


def pytest_in(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    more = {"capture_output": True, "text": True, "timeout": 200}
    return subprocess.run(command, cwd=folder, env={**environment, "DATABRICKS_CONFIG_PROFILE": "mine"}, **more)


def test_the_fixtures_give_a_workspace_as_new_to_every_test(elsewhere):
    done = pytest_in(elsewhere)

    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_the_fixtures_are_documented(elsewhere):
    shown = pytest_in(elsewhere, "--fixtures").stdout

    for name in ("dbk_workspace", "dbk_cluster", "dbk_workspace_options"):
        assert name in shown
