"""The troubleshooting table: every row is provoked, and says what failed, with which value, and the next step.

The kernel shows the same errors in a cell: `packages/jupyter-databricks-kernel/tests/test_errors.py`.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from dbk_config import DbkError, load
from dbk_local import Workspace
from dbk_session import ContextLost, Outage, Session

ROOT = Path(__file__).resolve().parents[1]
# The rows, as they were promised: error -> where its test is, below.
TABLE = {
    "DATABRICKS_HOST not set": "host",
    "DATABRICKS_TOKEN not set": "token",
    "Invalid token": "wrong token",
    "401 Unauthorized": "wrong token, by its number",
    "DATABRICKS_CLUSTER_ID not set": "cluster id",
    "Cluster not found": "unknown cluster",
    "Cluster terminated": "stopped cluster",
    "FileSizeError: exceeded limit": "large file",
    "Permission denied on DBFS": "no right to write",
    "Socket file skipped": "socket",
    "Kernel not found after installation": "kernel",
    "Context timeout": "context",
    "Connection lost": "connection",
}


@dataclass(frozen=True)
class Row:
    """What a message has to have: what failed, the value that it failed with, and the next step."""

    failed: str
    value: str
    step: str


ERRORS = {
    "host": Row("DATABRICKS_HOST not set", "DATABRICKS_HOST", "Set DATABRICKS_HOST environment variable"),
    "token": Row("DATABRICKS_TOKEN not set", "DATABRICKS_TOKEN", "Set DATABRICKS_TOKEN, or configure a profile"),
    "wrong token": Row("Invalid token", "workspace answered 403", "Regenerate your Personal Access Token"),
    "wrong token, by its number": Row("Invalid token", "401 Unauthorized", "Regenerate your Personal Access Token"),
    "cluster id": Row("DATABRICKS_CLUSTER_ID not set", "CLUSTER_ID", "Set DATABRICKS_CLUSTER_ID or configure in pypro"),
    "unknown cluster": Row("Cluster not found", "0123-456789-gone", "Verify the cluster ID"),
    "stopped cluster": Row("Cluster terminated", "local001", "Restart the cluster from Databricks workspace"),
    "large file": Row("exceeded limit", "big.bin", "Add patterns to `exclude`, or raise `max_file_size_mb`"),
    "connection": Row("Connection lost", "not answered for", "Check the network"),
    "serverless": Row("serverless compute, which is not supported", "'serverless'", "use Databricks Connect"),
    "warehouse": Row("SQL warehouse: it runs no Python", "'1234567890abcdef'", "Choose an all-purpose cluster"),
    "SQL-only": Row("SQL-only compute, which runs no Python", "Cluster ", "Choose an all-purpose cluster"),
    "job cluster": Row("it is a job cluster", "Cluster ", "Choose an all-purpose cluster"),
    "old runtime": Row("cannot be used: runtime 14.3 is too old", "14.3", "17.3 LTS, 16.4 LTS, 15.4 LTS"),
    "someone else's": Row("Single-user check failed", "'boss@example.com'", "Use a cluster that is dedicated to you"),
}


@pytest.fixture(scope="module")
def served():
    with Workspace(spark=False) as workspace:
        yield workspace


@pytest.fixture
def workspace(served, tmp_path, monkeypatch):
    """The workspace as new, named by the environment; the current folder is a project of one file."""
    served.reset()
    for name, value in {**served.env(), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.jupyter-databricks-kernel]\n")
    monkeypatch.chdir(tmp_path / "project")
    yield served
    served.reset()


@pytest.fixture
def another_cluster(workspace):
    """another_cluster(**what its description says) -> its ID."""
    from databricks.sdk import WorkspaceClient

    def make(**described):
        body = {"cluster_name": "mine", "spark_version": "16.4.x-scala2.12", **described}
        return WorkspaceClient().api_client.do("POST", "/api/2.1/clusters/create", body=body)["cluster_id"]

    return make


@pytest.fixture
def provoke(workspace, another_cluster, monkeypatch):
    """provoke(name): makes the mistake, and does what a user would do then."""

    def run(cluster_id=None):
        with Session(cluster_id=cluster_id) as session:
            session.run("1")

    def without(name):
        monkeypatch.delenv(name)
        run()

    def refused(form):
        workspace.set_options(wrong_token=form)
        workspace.fault("*", "expired-token", times=None)
        run()

    def stopped():
        workspace.terminate_cluster()
        workspace.set_options(permission="CAN_ATTACH_TO")
        run()

    def large():
        from dbk_sync import Sync

        Path("big.bin").write_bytes(bytes(2_000_000))
        Path("pyproject.toml").write_text("[tool.jupyter-databricks-kernel.sync]\nmax_file_size_mb = 1.0\n")
        Sync(load()).plan()

    def nobody_there():
        monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
        run()

    mistakes = {
        "host": lambda: without("DATABRICKS_HOST"),
        "token": lambda: without("DATABRICKS_TOKEN"),
        "cluster id": lambda: without("DATABRICKS_CLUSTER_ID"),
        "wrong token": lambda: refused("403"),
        "wrong token, by its number": lambda: refused("401"),
        "unknown cluster": lambda: run("0123-456789-gone"),
        "stopped cluster": stopped,
        "large file": large,
        "connection": nobody_there,
        "serverless": lambda: run("serverless"),
        "warehouse": lambda: run("1234567890abcdef"),
        "SQL-only": lambda: run(another_cluster(cluster_source="SQL")),
        "job cluster": lambda: run(another_cluster(cluster_source="JOB")),
        "old runtime": lambda: run(another_cluster(spark_version="14.3.x-scala2.12")),
        "someone else's": lambda: run(
            another_cluster(data_security_mode="SINGLE_USER", single_user_name="boss@example.com")
        ),
    }
    return lambda name: mistakes[name]()


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_says_what_failed_with_which_value_and_the_next_step(provoke, name):
    row = ERRORS[name]

    with pytest.raises(DbkError) as caught:
        provoke(name)

    assert row.failed in caught.value.message
    assert row.value in caught.value.message
    assert row.step in caught.value.hint or row.step in caught.value.message


def test_a_large_file_is_a_file_size_error_and_nothing_is_sent(provoke, workspace):
    workspace.clear_requests()

    with pytest.raises(DbkError) as caught:
        provoke("large file")

    assert type(caught.value).__name__ == "FileSizeError"
    assert workspace.requests() == []


def test_no_right_to_write_names_dbfs_the_folder_and_other_stores(workspace, capsys):
    from dbk_config.__main__ import main

    workspace.fault("POST /api/2.0/dbfs/*", "status", times=None, status=403, code="PERMISSION_DENIED", message="no")

    code = main(["check"])

    shown = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert "Permission denied on DBFS: no" in shown
    assert "Verify DBFS write access to `/tmp/`" in shown
    assert "dbk-config set sync.store workspace" in shown


def test_a_socket_is_skipped_and_the_rest_is_sent(workspace, capfd):
    from dbk_sync._cli import main

    with socket.socket(socket.AF_UNIX) as served:
        served.bind("served.sock")
        code = main(["push", ".", "dbfs:/tmp/project"])

    shown = capfd.readouterr()
    assert code == 0
    assert "Socket file skipped: served.sock" in shown.out + shown.err
    assert "Sent 1 of 1 files" in shown.out + shown.err


def test_the_kernel_is_found_after_its_installation(tmp_path):
    from jupyter_client.kernelspec import KernelSpecManager

    command = [sys.executable, "-m", "jupyter_databricks_kernel.install", "--prefix", tmp_path]
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    found = KernelSpecManager(kernel_dirs=[str(tmp_path / "share/jupyter/kernels")]).get_kernel_spec("databricks")
    assert found.display_name == "Databricks Session"


def test_a_context_that_is_gone_is_told_and_the_cells_run_again(workspace):
    from jupyter_databricks_kernel._render import render

    told = []
    with Session(on_event=told.append) as session:
        session.run("x = 1")
        workspace.evict(session.context_id)

        assert session.run("'x' in globals()").text == "False"

    (lost,) = [event for event in told if isinstance(event, ContextLost)]
    assert lost.reason.startswith("Its context was evicted, the driver was restarted, or the code itself ended it: ")
    shown = render(lost, execution_count=2).content["text"]  # what a cell shows of it
    assert "Context timeout or restart" in shown
    assert lost.reason.rstrip(".") in shown
    assert "Run the cells again that this one needs." in shown


def test_a_connection_that_comes_back_is_told_and_costs_nothing(workspace):
    told = []

    def listen(event):
        if isinstance(event, Outage):
            told.append(event.text)
            workspace.clear_faults()  # the network is back as soon as the user knows that it was away

    with Session(on_event=listen, channel="result") as session:
        session.run("count = 0")
        workspace.fault("GET /api/1.2/commands/status", "drop-before", times=None)

        result = session.run("import time; time.sleep(0.2); count += 1; print(count)")

    assert result.stdout == "1\n"
    assert [text.partition(" (")[0] for text in told] == ["Connection lost", "Connected again."]
    assert told[0].endswith("trying again.")


def test_every_row_has_its_test():
    tests = {name for name, thing in globals().items() if name.startswith("test_") and callable(thing)}
    others = {
        "no right to write": "test_no_right_to_write_names_dbfs_the_folder_and_other_stores",
        "socket": "test_a_socket_is_skipped_and_the_rest_is_sent",
        "kernel": "test_the_kernel_is_found_after_its_installation",
        "context": "test_a_context_that_is_gone_is_told_and_the_cells_run_again",
    }

    assert set(TABLE.values()) <= set(ERRORS) | set(others)
    assert set(others.values()) <= tests


@pytest.mark.parametrize("error", TABLE)
def test_every_row_is_in_the_troubleshooting_section_of_the_setup_page(error):
    page = (ROOT / "docs/setup.md").read_text(encoding="utf-8")
    section = page[page.index("## 6. Troubleshooting") :].lower()

    for word in re.split(r"\W+", error.lower()):
        assert word in section
