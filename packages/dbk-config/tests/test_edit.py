"""Changing `pyproject.toml`: the change is made, nothing else is touched, nothing invalid is written."""

from __future__ import annotations

import os
import stat
import tomllib

import pytest
from dbk_config import DbkError, SettingsError, load
from dbk_config._edit import changed
from dbk_config._write import write_text

NO_FILES = {"DATABRICKS_CONFIG_FILE": "/dev/null"}

FILE = """\
# Ours.
[project]
name = "x"          # the name

[tool.jupyter-databricks-kernel]  # the kernel
# Which cluster.
cluster_id = "a"  # the small one
channel   =   "auto"

[tool.jupyter-databricks-kernel.sync]
exclude = [
    "*.log",  # noise
    "data/",  # large
]

[tool.ruff]
line-length = 120
"""


@pytest.fixture
def file(project, monkeypatch):
    written = project(FILE)
    monkeypatch.chdir(written.parent)
    return written


def difference(file, before=FILE):
    """The lines that went and those that came."""
    old, new = before.splitlines(), file.read_text().splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_a_value_is_changed_in_its_place_with_its_comment(file, run):
    code, out, _ = run("set", "cluster_id", "b")

    assert (code, out) == (0, f"{file}: cluster_id set\n")
    assert difference(file) == (['cluster_id = "a"  # the small one'], ['cluster_id = "b"  # the small one'])


def test_a_variable_that_outranks_what_was_set_is_named(file, run, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CLUSTER_ID", "c")

    assert run("set", "cluster_id", "b")[1].splitlines()[1:] == [
        "note: the environment variable DATABRICKS_CLUSTER_ID is set and outranks it"
    ]
    assert len(run("set", "channel", "plain")[1].splitlines()) == 1


@pytest.mark.parametrize("command", [("set", "sync.source", "src"), ("unset", "sync.source")])
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tool = 5\n", "tool"),
        ("[[tool.jupyter-databricks-kernel]]\n", "tool.jupyter-databricks-kernel"),
        ("[tool]\njupyter-databricks-kernel = 1\n", "tool.jupyter-databricks-kernel"),
        ("[tool.jupyter-databricks-kernel]\nsync = 3\n", "tool.jupyter-databricks-kernel.sync"),
    ],
)
def test_what_stands_where_a_table_belongs_is_named_and_left_alone(project, run, text, name, command):
    file = project(text)

    code, _, err = run(*command, "--file", file)

    assert (code, file.read_text()) == (1 if name == "tool" else 2, text)
    assert f"{name}: must be a table" in err
    assert "defect" not in err


def test_an_item_of_a_list_leaves_the_others_with_their_comments(file, run):
    run("set", "sync.exclude", "*.log", "build/")

    gone, come = difference(file)
    assert gone == ['    "data/",  # large']
    assert any("build/" in line for line in come)
    assert '    "*.log",  # noise\n' in file.read_text()
    assert load(cwd=file.parent, env=NO_FILES).sync.exclude == ("*.log", "build/")


def test_a_new_key_goes_into_its_table(file, run):
    run("set", "sync.max_size_mb", "12.5")

    assert difference(file) == ([], ["max_size_mb = 12.5"])
    assert load(cwd=file.parent, env=NO_FILES).sync.max_size_mb == 12.5


def test_a_key_is_removed_and_all_else_stays(file, run):
    code, out, _ = run("unset", "channel")

    assert (code, out) == (0, f"{file}: channel removed\n")
    assert difference(file) == (['channel   =   "auto"'], [])


def test_what_is_so_already_is_not_written(file, run):
    before = file.stat().st_mtime_ns

    assert "is so already" in run("set", "cluster_id", "a")[1]
    assert "is not there" in run("unset", "profile")[1]
    assert file.stat().st_mtime_ns == before


def test_a_table_that_is_not_there_is_added_at_the_end(project, run, monkeypatch):
    file = project('[project]\nname = "x"\n')
    monkeypatch.chdir(file.parent)

    _, out, _ = run("set", "sync.exclude", "*.log")

    assert out.endswith(f"The project is now the folder {file.parent}: its files follow to the cluster.\n")
    assert file.read_text() == ('[project]\nname = "x"\n\n[tool.jupyter-databricks-kernel.sync]\nexclude = ["*.log"]\n')


def test_a_file_that_is_not_there_is_made(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)

    run("set", "cluster_id", "a")

    assert (tmp_path / "pyproject.toml").read_text() == '[tool.jupyter-databricks-kernel]\ncluster_id = "a"\n'
    assert stat.S_IMODE((tmp_path / "pyproject.toml").stat().st_mode) == 0o666 & ~_umask()


def test_the_file_that_is_read_is_the_one_that_is_changed(file, run, monkeypatch):
    inner = file.parent / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\n")
    monkeypatch.chdir(inner)

    run("set", "cluster_id", "b")
    run("set", "--file", inner, "cluster_id", "c")

    assert 'cluster_id = "b"' in file.read_text()
    assert 'cluster_id = "c"' in (inner / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("display_rows", "none"), 'display_rows: must be a whole number of rows, 1 or more, not "none"'),
        (("display_rows", "0"), "display_rows: must be a whole number of rows, 1 or more, not 0"),
        (("display_rows", "1", "2"), "display_rows: takes one value, not 2"),
        (("display_rows",), "display_rows: takes one value, not 0"),
        (("channel", "proxy"), "channel: must be one of"),
        (("clusterid", "x"), "hint: Did you mean 'cluster_id'?"),
        (("sync.store", "volume"), 'sync.store is "volume" but sync.volume is not set'),
        (("token", "dapi-very-secret"), "token does not belong in pyproject.toml"),
        (("host", "x"), "host does not belong in pyproject.toml"),
    ],
)
def test_what_would_not_be_valid_is_not_written(file, run, words, said):
    code, out, err = run("set", *words)

    assert (code, out) == (2, "")
    assert said in err
    assert "dapi-very-secret" not in err
    assert file.read_text() == FILE


def test_faults_can_be_corrected_one_by_one(project, run, monkeypatch):
    file = project("[tool.jupyter-databricks-kernel]\ncluster_id = 5\nchanel = 1\ntoken = 'dapi'\n")
    monkeypatch.chdir(file.parent)

    assert run("set", "cluster_id", "a")[0] == 0
    assert run("unset", "chanel", "token")[0] == 0
    assert load(cwd=file.parent, env=NO_FILES).cluster_id == "a"


def test_a_file_that_is_not_toml_is_left_alone(project, run, monkeypatch):
    file = project("[tool.jupyter-databricks-kernel\n")
    monkeypatch.chdir(file.parent)

    code, _, err = run("set", "cluster_id", "a")

    assert code == 2
    assert f"{file}:1: not valid TOML" in err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "[tool]\n",
        "[tool.other]\na = 1\n",
        "[tool.jupyter-databricks-kernel]",
        "[tool.jupyter-databricks-kernel]\n[tool.jupyter-databricks-kernel.sync]\n",
        "[tool.jupyter-databricks-kernel.sync]\ninline = true\n",
        "[tool.jupyter-databricks-kernel]\nsync.inline = true\n",
        "[tool.jupyter-databricks-kernel]\nsync = { inline = true }\n",
        "[tool]\njupyter-databricks-kernel = { cluster_id = 'x' }\n",
        "tool.jupyter-databricks-kernel.cluster_id = 'x'\n",
        "[tool.a]\nb = 1\n[tool.jupyter-databricks-kernel]\ncluster_id = 'x'\n[other]\nc = 1\n[tool.d]\ne = 1\n",
        "[tool.a]\n[x]\n[tool.'jupyter-databricks-kernel'.sync]\nlinks = 'skip'\n[y]\n[tool.b]\n",
        "[[x]]\n[[x]]\n[tool.jupyter-databricks-kernel]\r\nprofile = 'p' # c\r\n",
    ],
)
@pytest.mark.parametrize("name", ["cluster_id", "sync.source"])
def test_every_way_to_write_the_table_can_be_changed(tmp_path, text, name):
    file = tmp_path / "pyproject.toml"

    edited = changed(text, file, {name: "new"})

    before, after = tomllib.loads(text), tomllib.loads(edited)
    *tables, key = name.split(".")
    ours = after["tool"]["jupyter-databricks-kernel"]
    assert (ours[tables[0]] if tables else ours)[key] == "new"
    assert [part for part in before if part not in after] == []
    assert "new" not in changed(edited, file, {name: None})
    assert all(line in edited for line in text.split("\n") if line.startswith("["))


def test_crlf_line_ends_stay(tmp_path):
    text = "[tool.jupyter-databricks-kernel]\r\nprofile = 'p' # c\r\n"

    edited = changed(text, tmp_path / "pyproject.toml", {"cluster_id": "a", "sync.inline": False})

    assert edited.count("\n") == edited.count("\r\n") > 3


def test_the_mode_the_mark_and_the_link_of_the_file_stay(tmp_path):
    real = tmp_path / "real.toml"
    real.write_bytes(b"\xef\xbb\xbfa = 1\n")
    real.chmod(0o640)
    link = tmp_path / "pyproject.toml"
    link.symlink_to(real)

    write_text(link, "a = 2\n", instead_of="a = 1\n")

    assert link.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbfa = 2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml", "real.toml"]


def test_a_change_by_someone_else_is_not_overwritten(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text("a = 3\n")

    with pytest.raises(DbkError, match="changed by someone else"):
        write_text(file, "a = 2\n", instead_of="a = 1\n")

    assert file.read_text() == "a = 3\n"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "pyproject.toml"
    file.write_text("a = 1\n")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(DbkError, match="cannot be written: No space left"):
        write_text(file, "a = 2\n", instead_of="a = 1\n")

    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]
    assert file.read_text() == "a = 1\n"


def test_a_new_problem_is_refused_though_an_old_one_is_there(tmp_path):
    with pytest.raises(SettingsError, match="display_rows"):
        changed("[tool.jupyter-databricks-kernel]\ncluster_id = 5\n", tmp_path / "pyproject.toml", {"display_rows": 0})


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
