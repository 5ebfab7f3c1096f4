"""The command `dbk-config`, as its user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from dbk_config import SETTINGS

COMMANDS = ["show", "get", "check", "set", "unset", "init", "schema", "reference", "completion"]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def cwd(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_a_process(*words, **env):
    command = [sys.executable, "-m", "dbk_config", *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | env, timeout=120)


def test_show_has_a_line_for_every_setting_with_its_origin(cwd, project, run, monkeypatch):
    project('[tool.jupyter-databricks-kernel]\n\ncluster_id = "a"\nsync.exclude = ["*.log", "x"]\n')
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-very-secret")

    code, out, _ = run("show", "--host", "h.example.com")

    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert code == 0
    assert set(SETTINGS) <= set(rows)
    assert rows["host"] == ["https://h.example.com", "argument"]
    assert rows["token"] == ["***", "environment", "DATABRICKS_TOKEN"]
    assert rows["cluster_id"] == ["a", "pyproject.toml:3"]
    assert rows["sync.exclude"] == ["*.log,", "x", "pyproject.toml:4"]
    assert rows["start_timeout_s"] == ["1200", "s", "default"]


def test_what_stdout_cannot_encode_is_escaped(cwd, project):
    project('[tool.jupyter-databricks-kernel]\nsync.exclude = ["é😀"]\n')

    done = in_a_process("get", "sync.exclude", PYTHONIOENCODING="ascii")
    chosen = in_a_process("get", "sync.exclude", PYTHONIOENCODING="ascii:replace")

    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xe9\\U0001f600" in done.stdout
    assert "??" in chosen.stdout


def test_show_says_which_of_two_projects_is_not_used(cwd, project, run, monkeypatch):
    outer = project("[tool.jupyter-databricks-kernel]\n")
    inner = project("[tool.jupyter-databricks-kernel]\n", "inner")
    monkeypatch.chdir(inner.parent)

    assert f"note: {outer} is not used: {inner} is nearer.\n" in run("show")[1]


def test_show_says_when_a_configuration_file_was_not_read(cwd, profiles, run, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", profiles("[DEFAULT]\nhost = a\n")["DATABRICKS_CONFIG_FILE"])
    monkeypatch.setenv("DATABRICKS_HOST", "b")

    assert "was not read: DATABRICKS_HOST is set and no profile is named." in run("show")[1]


def test_show_tells_today_s_names_of_what_version_1_read(cwd, project, run, monkeypatch):
    project('[tool.jupyter-databricks-kernel.sync]\nworkspace_extract_dir = "/tmp/x"\ncompression_level = 6\n')
    monkeypatch.setenv("JUPYTER_DATABRICKS_KERNEL_EXTRACT_DIR", "/tmp/y")

    shown = run("show")[1]

    assert "note: sync.workspace_extract_dir is called sync.extract_to since version 2.\n" in shown
    assert "note: sync.compression_level has no effect any more.\n" in shown
    assert "note: JUPYTER_DATABRICKS_KERNEL_EXTRACT_DIR is called DBK_SYNC_EXTRACT_TO since version 2.\n" in shown


def test_show_points_out_a_misspelt_variable(cwd, run, monkeypatch):
    monkeypatch.setenv("DBK_CHANEL", "auto")
    monkeypatch.setenv("DBK_SOMETHING_ELSE", "1")

    out = run("show")[1]

    assert "note: DBK_CHANEL is not the name of a setting. Did you mean DBK_CHANNEL?" in out
    assert "SOMETHING_ELSE" not in out


def test_show_as_json_has_values_and_origins(cwd, project, run, monkeypatch):
    file = project('[tool.jupyter-databricks-kernel]\ncluster_id = "a"\n')
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-very-secret")

    shown = json.loads(run("show", "--json")[1])

    assert shown["project_dir"] == str(cwd)
    assert shown["settings"]["token"]["value"] == "***"
    assert shown["settings"]["cluster_id"] == {
        "value": "a",
        "unit": "",
        "origin": {
            "layer": "pyproject",
            "file": str(file),
            "line": 2,
            "key": "tool.jupyter-databricks-kernel.cluster_id",
        },
    }


def test_get_prints_the_bare_value(cwd, project, run):
    project('[tool.jupyter-databricks-kernel]\ncluster_id = "a"\nsync.exclude = ["x", "y z"]\nsync.inline = false\n')

    assert run("get", "cluster_id") == (0, "a\n", "")
    assert run("get", "sync.exclude") == (0, "x\ny z\n", "")
    assert run("get", "sync.exclude", "--json") == (0, '[\n  "x",\n  "y z"\n]\n', "")
    assert run("get", "sync.inline") == (0, "false\n", "")
    assert run("get", "start_timeout_s") == (0, "1200.0\n", "")
    assert run("get", "host") == (1, "", "")


def test_get_of_no_setting_is_a_usage_error(cwd, run):
    code, out, err = run("get", "clusterid")

    assert (code, out) == (2, "")
    assert err == "error: There is no setting 'clusterid'\nhint: Did you mean 'cluster_id'?\n"


def test_settings_that_cannot_be_used_are_reported_together(cwd, project, run):
    file = project("[tool.jupyter-databricks-kernel]\ncluster_id = 1\nchannel = 2\n")

    code, out, err = run("show")

    assert (code, out) == (2, "")
    assert err.startswith("error: 2 problems in the settings:\n")
    assert f"{file}:2: cluster_id: must be a text, not 1" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen_and_has_an_example(run, command):
    code, out, err = run(*command.split(), "--help")

    assert (code, err) == (0, "")
    assert len(out.splitlines()) <= 25
    assert max(map(len, out.splitlines())) <= 80
    assert f"example:\n  dbk-config {command}".rstrip() in out or f'example:\n  eval "$(dbk-config {command}' in out


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_knows_its_version(run, command):
    assert run(*command.split(), "--version") == (0, f"dbk-config {version('dbk-config')}\n", "")


def test_no_command_is_a_usage_error_with_the_help(run):
    code, out, err = run()

    assert (code, out) == (2, "")
    assert err.startswith("usage: dbk-config")


def test_the_schema_describes_the_table(cwd, run):
    schema = json.loads(run("schema")[1])

    assert set(schema["properties"]) == {
        *(name for name, s in SETTINGS.items() if "pyproject" in s.layers and "." not in name),
        "sync",
    }
    assert schema["properties"]["channel"]["enum"] == ["auto", "spool", "result", "plain"]
    assert "token" not in schema["properties"]


def test_the_reference_page_is_up_to_date(run):
    page = ROOT / "docs" / "reference" / "settings.md"
    if not page.exists():
        pytest.skip("not in a checkout of the repository")

    assert run("reference")[1] == page.read_text(), "run: python -m dbk_config reference > docs/reference/settings.md"


def test_the_example_of_the_reference_page_is_valid(cwd, run):
    example = run("reference")[1].split("```toml\n")[1].split("```")[0]
    (cwd / "pyproject.toml").write_text(example)

    assert run("show")[0] == 0
    (cwd / "pyproject.toml").write_text(example.replace("# profile", "profile"))
    code, _, err = run("show")
    assert (code, err.count("\n")) == (2, 2)
    assert "has no profile 'dev'" in err


def test_the_command_runs_as_a_process(cwd):
    done = in_a_process("get", "cluster_id", DATABRICKS_CLUSTER_ID="a")

    assert (done.returncode, done.stdout, done.stderr) == (0, "a\n", "")


def test_a_closed_pipe_is_no_stack_trace(cwd):
    command = f"{sys.executable} -m dbk_config reference | true"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)

    assert done.stderr == ""
