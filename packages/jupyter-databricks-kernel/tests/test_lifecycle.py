"""What is left on the cluster when a kernel ends, however it ends (checks 24 to 26), and the quiet of an idle one."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
import requests

# The promise is 10 s; the machine of the tests is slow and busy.
GONE_WITHIN_S = 120.0


@pytest.fixture
def started(workspace, environment, start_kernel, make_project):
    """A context manager for a kernel of its own that has run a cell, so that it has contexts."""

    def start(**options):
        return start_kernel(environment(workspace, **options), make_project())

    return start


@pytest.fixture
def trees(workspace):
    """The projects that kernels have brought there, by path."""

    def found():
        answer = requests.get(
            f"{workspace.host}/api/2.0/workspace/list",
            params={"path": f"/Users/{workspace.user_name}/.dbk"},
            headers={"Authorization": f"Bearer {workspace.token}"},
            timeout=60,
        )
        return {entry["path"] for entry in answer.json().get("objects", ())}

    return found


@pytest.fixture(autouse=True)
def nothing_there(workspace, wait_until):
    """Tests here count contexts, so each begins with none, and must leave none."""
    workspace.reset()
    yield
    try:
        wait_until(lambda: not workspace.contexts(), "no contexts left", GONE_WITHIN_S)
    finally:
        workspace.reset()


@pytest.mark.parametrize(
    ("how", "busy"), [("shutdown", True), ("SIGTERM", False), ("SIGKILL", False), ("SIGKILL", True)]
)
def test_check_25_no_context_and_no_file_is_left(started, workspace, wait_until, gone, trees, how, busy):
    before = trees()
    with started() as kernel:
        kernel.client.run("1")
        # The one for code, and the one that is opened beside the first cell.
        wait_until(lambda: len(ids(workspace)) == 2, "the kernel has its contexts")
        (tree,) = trees() - before
        if busy:
            kernel.client.start("import time\nprint('go', flush=True)\ntime.sleep(600)")
            wait_until(
                lambda: (m := kernel.client.next_output()) is not None and m["msg_type"] == "stream", "the cell runs"
            )
        if how == "shutdown":
            kernel.manager.shutdown_kernel()
        else:
            pid = kernel.pid
            os.kill(pid, getattr(signal, how))
            wait_until(lambda: gone(pid), "the process is gone")

        wait_until(lambda: not workspace.contexts(), f"no contexts after {how}", GONE_WITHIN_S)
        assert tree not in trees()


def test_check_25_no_context_is_left_when_the_parent_dies(workspace, environment, make_project, wait_until, gone):
    parent = textwrap.dedent(
        """
        import os, sys, time
        from jupyter_client.manager import start_new_kernel
        km, kc = start_new_kernel(kernel_name="databricks", cwd=sys.argv[1], startup_timeout=120)
        kc.execute_interactive("1", timeout=120, output_hook=lambda message: None)
        print("kernel", km.provisioner.pid, flush=True)
        time.sleep(600)
        """
    )
    command = [sys.executable, "-c", parent, str(make_project())]
    with subprocess.Popen(command, env=environment(workspace), stdout=subprocess.PIPE, text=True) as process:
        try:
            pid = next(int(line.split()[1]) for line in process.stdout if line.startswith("kernel "))
            assert not gone(pid)
            assert workspace.contexts()
        finally:
            process.kill()

    wait_until(lambda: gone(pid), "the kernel has followed its parent")
    wait_until(lambda: not workspace.contexts(), "no contexts after the death of the parent", GONE_WITHIN_S)


def test_check_24_a_restart_leaves_what_the_new_kernel_uses_and_no_more(started, workspace, wait_until):
    with started() as kernel:
        kernel.client.run("x = 1")
        # The one for code, and the one that is opened beside the first cell.
        wait_until(lambda: len(ids(workspace)) == 2, "the kernel has its contexts")
        before = ids(workspace)
        kernel.manager.restart_kernel()
        kernel.client.kc.wait_for_ready(timeout=60)
        assert kernel.client.run("x").reply["ename"] == "NameError"

        wait_until(lambda: len(ids(workspace)) == 2 and not ids(workspace) & before, "the new kernel has its own")


def test_check_26_what_even_the_watchdog_missed_the_next_kernel_removes(started, workspace, wait_until):
    with started() as kernel:
        kernel.client.run("1")
        orphans = ids(workspace)
        family = [psutil.Process(kernel.pid), *psutil.Process(kernel.pid).children(recursive=True)]
        assert len(family) > 1
        for process in reversed(family):  # the watchdog first: it would see the end of its kernel
            process.kill()
    assert orphans
    assert orphans <= ids(workspace)

    with started() as kernel:
        kernel.client.run("1")
        wait_until(lambda: not orphans & ids(workspace), "the orphans are gone", GONE_WITHIN_S)


def ids(workspace):
    return {context["id"] for context in workspace.contexts()}


def test_an_idle_kernel_makes_no_calls(started, workspace, wait_until):
    with started() as kernel:
        kernel.client.run("1")

        wait_until(lambda: _made_in(3, workspace) == 0, "no calls for three seconds")


def _made_in(seconds, workspace):
    """The number of requests of some seconds."""
    before = len(workspace.requests())
    time.sleep(seconds)
    return len(workspace.requests()) - before


def test_check_41_hidden_requests_start_nothing(started, workspace):
    with started() as kernel:
        workspace.clear_requests()
        kernel.client.run("import sys", silent=True)
        kernel.client.run("import ipywidgets", store_history=False)
        kernel.client.run("")
        kernel.client.ask("complete", "pri")
        kernel.client.ask("inspect", "print")

        assert workspace.contexts() == []
        assert workspace.requests() == []


def test_check_35_hidden_code_runs_before_the_first_cell(started):
    with started() as kernel:
        kernel.client.run("prepared = 41; print('unseen')", store_history=False)
        answer = kernel.client.run("prepared + 1")

        assert answer.kinds == ["execute_result"]
        assert answer.result["text/plain"] == "42"
        assert answer.count == 1
