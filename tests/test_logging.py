"""One switch makes every command and the kernel say what they do, on stderr, and nothing that is the user's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from dbk_local import Workspace

# What is run -> what its log has at `info`, and at `debug`. All of them run PRINTS, or send a file of that text.
PRINTS = "print('pri' + 'vate')"
COMMANDS = {
    "dbk-session exec -c CODE": ("info dbk.session: ContextOpened(", "debug dbk.session.http: POST /api/1.2/"),
    "dbk-sync push . dbfs:/tmp/logged": ("", "debug dbk.sync.http: GET /api/2.0/dbfs/read"),
    "dbk-config check": ("", "debug dbk.config.rest: GET /api/2.1/clusters/get: 200"),
}


@pytest.fixture(scope="module")
def workspace():
    with Workspace(spark=False) as workspace:
        yield workspace


@pytest.fixture
def run(workspace, tmp_path):
    """run(*words, **variables) -> what the command wrote to stderr, in a project of one file and one notebook."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project/main.py").write_text(PRINTS)
    (tmp_path / "project/pyproject.toml").write_text("[tool.jupyter-databricks-kernel]\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PRINTS)])
    nbformat.write(notebook, tmp_path / "project/main.ipynb")

    def start(*words, **variables):
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **workspace.env(), "HOME": str(tmp_path), "PATH": path, **variables}
        done = subprocess.run(
            words, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        log = [line for line in done.stderr.splitlines() if "dbk." in line]
        assert not [line for line in log if "private" in line or "'pri'" in line]
        return done.stderr

    return start


@pytest.mark.parametrize("command", COMMANDS)
def test_verbose_and_debug_say_what_a_command_does(run, command):
    info, debug = COMMANDS[command]
    words = [PRINTS if word == "CODE" else word for word in command.split()]

    quiet = run(*words)
    verbose = run(*words, "--verbose")
    everything = run(*words, "--debug")

    assert "dbk." not in quiet
    assert info in verbose
    assert "debug dbk." not in verbose
    assert debug in everything


def test_the_same_switch_as_a_setting_makes_the_kernel_talk(run, tmp_path):
    settings = '[tool.jupyter-databricks-kernel]\nlog_level = "info"\n'
    (tmp_path / "project/pyproject.toml").write_text(settings)

    said = run("jupyter", "execute", "--kernel_name=databricks", "main.ipynb")

    assert "info dbk.session: ContextOpened(" in said
    assert " finished: ok" in said
