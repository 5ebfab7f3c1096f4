"""`dbk-config init`: by options, and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest


@pytest.fixture
def terminal(tmp_path, no_token_in):
    """terminal(env, answers) -> (exit code, everything shown): a real process on a pseudo terminal."""
    processes = []

    def start(env, *answers, words=()):
        outer, inner = pty.openpty()
        command = [sys.executable, "-m", "dbk_config", "init", *words]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=os.environ | env, stdin=inner, stdout=inner, stderr=inner, close_fds=True
        )
        processes.append(process)
        os.close(inner)
        shown = _converse(outer, answers)
        no_token_in("what a terminal showed", shown)
        os.close(outer)
        return process.wait(60), shown

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait(60)


def _converse(terminal, answers):
    """Answers each question, recognised by the space after its bracket, until the other side closes."""
    shown, asked, deadline = "", 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux: the process has closed its side
            break
        if not piece:
            break
        shown += piece.decode()
        if shown.endswith("] ") and asked < len(answers):
            os.write(terminal, f"{answers[asked]}\n".encode())
            asked += 1
    return shown.replace("\r\n", "\n")


def written(tmp_path):
    return (tmp_path / "pyproject.toml").read_text()


def test_a_given_cluster_is_written_without_asking_anybody(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, out, _ = run("init", "--cluster-id", "0123-456789-abcdef12", "--profile", "dev")

    assert code == 0
    assert "dbk-config check" in out
    assert written(tmp_path) == (
        '[tool.jupyter-databricks-kernel]\ncluster_id = "0123-456789-abcdef12"\nprofile = "dev"\n'
    )


def test_without_a_terminal_it_needs_to_be_told(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, out, err = run("init")

    assert (code, out) == (2, "")
    assert "hint: Give it: dbk-config init --cluster-id ID" in err
    assert not (tmp_path / "pyproject.toml").exists()


def test_the_only_suitable_cluster_is_taken_when_nobody_is_to_be_asked(workspace, run, tmp_path):
    code, _, _ = run("init", "--yes")

    assert code == 0
    assert written(tmp_path) == f'[tool.jupyter-databricks-kernel]\ncluster_id = "{workspace.cluster_id}"\n'


def test_no_suitable_cluster_is_an_error_with_the_reasons(run, tmp_path, monkeypatch):
    dbk_local = pytest.importorskip("dbk_local")
    monkeypatch.chdir(tmp_path)
    with dbk_local.Workspace(spark=False, options={"single_user_name": "boss@example.com"}) as workspace:
        for name, value in workspace.env().items():
            monkeypatch.setenv(name, value)

        code, _, err = run("init", "--yes")

    assert code == 1
    assert "No cluster that you may use" in err
    assert "it is dedicated to boss@example.com, and you are dev@example.com" in err
    assert not (tmp_path / "pyproject.toml").exists()


def test_without_a_host_it_says_how_to_set_one(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, _, err = run("init", "--yes")

    assert code == 2
    assert "error: DATABRICKS_HOST not set" in err


def test_on_a_terminal_it_lists_the_clusters_to_choose_from(workspace, terminal, tmp_path):
    code, shown = terminal({}, "7", "1")

    assert code == 0
    assert f"{workspace.host}, as {workspace.user_name}" in shown
    assert workspace.cluster_id in shown
    assert shown.count("Which cluster? [1-1]") == 2
    assert shown.count("Give a number from 1 to 1") == 1
    assert written(tmp_path) == f'[tool.jupyter-databricks-kernel]\ncluster_id = "{workspace.cluster_id}"\n'


def test_on_a_terminal_it_asks_for_a_profile_when_it_knows_no_host(site, terminal, profiles, tmp_path):
    env = profiles(f"[one]\nhost = {site.host}\ntoken = {site.token}\n[two]\nhost = http://127.0.0.1:9\ntoken = x\n")

    code, shown = terminal(env, "1", "1")

    assert code == 0
    assert "Which profile? [1-2]" in shown
    assert site.token not in shown
    assert written(tmp_path) == (
        f'[tool.jupyter-databricks-kernel]\nprofile = "one"\ncluster_id = "{site.cluster_id}"\n'
    )


@pytest.mark.parametrize(("answer", "code", "kept"), [("n", 1, True), ("y", 0, False)])
def test_what_is_set_already_is_replaced_only_when_agreed(terminal, project, answer, code, kept):
    file = project('[tool.jupyter-databricks-kernel]\ncluster_id = "old"\n')

    got, shown = terminal({}, answer, words=["--cluster-id", "new"])

    assert got == code
    assert f"{file}:2 has cluster_id = old." in shown
    assert ("old" in file.read_text()) is kept


def test_the_end_of_input_changes_nothing(workspace, terminal, tmp_path):
    code, shown = terminal({}, "\x04")

    assert code == 1
    assert "error: No answer" in shown
    assert not (tmp_path / "pyproject.toml").exists()
