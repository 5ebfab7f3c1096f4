"""Nothing is left: no process, thread, descriptor or folder, however the workspace ends."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
import tempfile

import psutil
import pytest
from dbk_local import StartFailed, Workspace


def alive(processes):
    """Those that still run; a zombie is dead."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def family(pid):
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def usage(pid):
    """Threads, descriptors and living children of the server."""
    server = psutil.Process(pid)
    return server.num_threads(), server.num_fds(), len(alive(server.children(recursive=True)))


@pytest.fixture
def own_temp(tmp_path, monkeypatch):
    """A folder for temporary files, which the workspace uses."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_150_contexts_8_of_them_busy_leave_nothing(api_of, until, own_temp):
    with Workspace(spark=False) as workspace:
        api = api_of(workspace)
        api.run(api.create(), "1")
        workspace.reset()
        # The pool of the loop's executor grows to its own limit on demand; use it up first.
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            list(pool.map(lambda n: api.post("/api/2.0/dbfs/mkdirs", path=f"/warm/{n}"), range(200)))
        until(lambda: usage(workspace.pid)[2] == 1)
        before = usage(workspace.pid)

        for _ in range(5):
            contexts = [api.create() for _ in range(30)]
            busy = [(context, api.execute(context, "while True: pass")) for context in contexts[:8]]
            for context, command in busy:
                api.running(context, command)
            seen = [process for row in workspace.contexts() for process in family(row["pid"]) if row["pid"]]
            for context in contexts:
                assert api.destroy(context).status == 200
            until(lambda seen=seen: not alive(seen))

        until(lambda: usage(workspace.pid)[2] == before[2])
        until(lambda: usage(workspace.pid)[1] <= before[1])
        assert usage(workspace.pid)[0] <= before[0] + 1
        assert workspace.contexts() == []
        everything = family(workspace.pid)
        (root,) = own_temp.glob("dbk-local-*")
        assert list((root / "clusters" / workspace.cluster_id).rglob("contexts/*")) == []
    until(lambda: not alive(everything))
    assert list(own_temp.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_the_server(api_of, until, number):
    with Workspace(spark=False) as workspace:
        api = api_of(workspace)
        context = api.create()
        command = api.execute(context, "import subprocess; subprocess.run(['sleep', '600'])")
        api.running(context, command)
        until(lambda: any(process.name() == "sleep" for process in family(workspace.pid)))
        everything = family(workspace.pid)

        os.kill(workspace.pid, number)

        until(lambda: not alive(everything))


def test_the_workspace_ends_with_a_parent_that_is_killed(until):
    code = (
        "import sys; from dbk_local import Workspace\n"
        "w = Workspace(spark=False); w.start(); print(w.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        everything = family(int(parent.stdout.readline()))

        parent.kill()

        until(lambda: not alive(everything))


def test_the_folder_of_a_killed_workspace_is_swept_by_the_next_one(own_temp):
    with Workspace(spark=False, cluster_state="TERMINATED") as lives:
        killed = Workspace(spark=False, cluster_state="TERMINATED")
        killed.start()
        killed.kill()
        assert len(list(own_temp.iterdir())) == 2

        with Workspace(spark=False, cluster_state="TERMINATED"):
            assert len(list(own_temp.iterdir())) == 2
        assert lives.status()["user_name"] == "dev@example.com"

    assert list(own_temp.iterdir()) == []


def test_a_folder_of_the_users_own_stays_and_holds_no_cluster(tmp_path, api_of):
    with Workspace(spark=False, folder=tmp_path / "kept") as workspace:
        api_of(workspace).run(api_of(workspace).create(), "1")

    files = [".owner", ".token", "clusters", "dbfs", "volumes", "workspace"]
    assert sorted(child.name for child in (tmp_path / "kept").iterdir()) == files
    assert [path for path in (tmp_path / "kept" / "clusters").rglob("*") if path.is_file()] == []


def test_a_workspace_that_cannot_start_says_so(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StartFailed, match="did not start"):
        Workspace(folder=tmp_path / "file" / "x").start()


def test_a_workspace_can_be_started_and_stopped_again():
    workspace = Workspace(spark=False, cluster_state="TERMINATED")

    tokens = set()
    for _ in range(2):
        with workspace:
            tokens.add(workspace.token)
            assert workspace.status()["clusters"][0]["state"] == "TERMINATED"
    workspace.stop()

    assert len(tokens) == 2
