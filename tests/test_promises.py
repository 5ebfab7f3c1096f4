"""What the kernel's first description tells people to type, set and expect, works as written.

The errors it lists are in `test_troubleshooting.py`; its cell runs in `test_demo.py`; its wheel is in `test_wheels.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dbk_config import load
from dbk_config.compute import judge_runtime

CLUSTER = """
[tool.jupyter-databricks-kernel]
cluster_id = "0123-456789-abcdef12"
"""
NO_GITIGNORE = """
[tool.jupyter-databricks-kernel.sync]
use_gitignore = false
"""
EXCLUDE = """
[tool.jupyter-databricks-kernel.sync]
exclude = ["*.log", "data/"]
"""
LIMITS = """
[tool.jupyter-databricks-kernel.sync]
max_size_mb = 100.0
max_file_size_mb = 10.0
"""
FULL = """
[tool.jupyter-databricks-kernel]
cluster_id = "0123-456789-abcdef12"

[tool.jupyter-databricks-kernel.sync]
enabled = true
source = "."
exclude = ["*.log", "data/", "*.tmp"]
max_size_mb = 100.0
max_file_size_mb = 10.0
use_gitignore = true
"""
TREE = ["main.py", "run.log", "data/table.csv", "secret.env.local", ".databricks/state.json", "x.tmp"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """project(settings) -> a folder with files of every kind that the description names, the current one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"

    def write(settings=""):
        for name in TREE:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        (folder / ".gitignore").write_text("*.local\n")
        (folder / "pyproject.toml").write_text(settings)
        monkeypatch.chdir(folder)
        return folder

    return write


def synchronised():
    """The files that go to the cluster, but for the two that only say which ones do."""
    from dbk_sync import Sync

    plan = Sync(load()).plan()
    return sorted({entry.path.decode() for entry in plan.delta.puts} - {".gitignore", "pyproject.toml"})


def test_the_three_variables_are_all_there_is_to_set(tmp_path):
    settings = load(
        cwd=tmp_path,
        env={
            "DATABRICKS_HOST": "https://your-workspace.cloud.databricks.com",
            "DATABRICKS_TOKEN": "your-personal-access-token",
            "DATABRICKS_CLUSTER_ID": "your-cluster-id",
            "HOME": str(tmp_path),
        },
    )

    settings.require("host", "token", "cluster_id")
    assert settings.host == "https://your-workspace.cloud.databricks.com"
    assert settings.token.reveal() == "your-personal-access-token"
    assert settings.cluster_id == "your-cluster-id"


def test_what_databricks_configure_writes_is_used(tmp_path):
    (tmp_path / ".databrickscfg").write_text(
        "[DEFAULT]\nhost  = https://your-workspace.cloud.databricks.com\ntoken = your-personal-access-token\n"
    )

    settings = load(cwd=tmp_path, env={"HOME": str(tmp_path)})

    assert settings.host == "https://your-workspace.cloud.databricks.com"
    assert settings.token.reveal() == "your-personal-access-token"


def test_the_cluster_can_be_in_the_project(project):
    project(CLUSTER)

    assert load().cluster_id == "0123-456789-abcdef12"


def test_the_full_example_sets_every_value(project):
    project(FULL)

    settings = load()
    assert settings.cluster_id == "0123-456789-abcdef12"
    assert (settings.sync.enabled, settings.sync.source, settings.sync.use_gitignore) == (True, ".", True)
    assert settings.sync.exclude == ("*.log", "data/", "*.tmp")
    assert (settings.sync.max_size_mb, settings.sync.max_file_size_mb) == (100.0, 10.0)


def test_without_limits_there_are_none(project):
    project()

    assert (load().sync.max_size_mb, load().sync.max_file_size_mb) == (None, None)


@pytest.mark.parametrize(
    ("settings", "left_out"),
    [
        ("", {".databricks/state.json", "secret.env.local"}),
        (NO_GITIGNORE, {".databricks/state.json"}),
        (EXCLUDE, {".databricks/state.json", "secret.env.local", "run.log", "data/table.csv"}),
        (FULL, {".databricks/state.json", "secret.env.local", "run.log", "data/table.csv", "x.tmp"}),
    ],
    ids=["defaults", "use_gitignore", "exclude", "full"],
)
def test_the_files_that_go_are_those_it_says(project, settings, left_out):
    project(settings)

    assert synchronised() == sorted(set(TREE) - left_out)


@pytest.mark.parametrize("megabytes", [11, 101])
def test_a_limit_is_a_file_size_error_that_names_what_exceeds_it(project, megabytes):
    from dbk_sync import FileSizeError, Sync

    with (project(LIMITS) / "big.bin").open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)

    with pytest.raises(FileSizeError, match=r"(?s)exceeded limit.*big\.bin"):
        Sync(load()).plan()


def test_the_command_that_installs_the_kernel_makes_jupyter_list_it(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path)}
    environment = {name: value for name, value in environment.items() if not name.startswith(("JUPYTER", "XDG"))}
    install = [sys.executable, "-m", "jupyter_databricks_kernel.install"]
    listed = [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"]

    subprocess.run(install, env=environment, check=True, capture_output=True, timeout=120)
    kernels = subprocess.run(listed, env=environment, check=True, capture_output=True, text=True, timeout=120).stdout

    (found,) = [kernel for name, kernel in json.loads(kernels)["kernelspecs"].items() if name == "databricks"]
    assert found["spec"]["display_name"] == "Databricks Session"
    assert Path(found["resource_dir"]).name == "databricks"
    assert [file.parent.name for file in tmp_path.rglob("kernel.json")] == ["databricks"]


@pytest.mark.parametrize(
    ("runtime", "said"),
    [("17.3.x-scala2.13", "recommended"), ("16.4.x-scala2.12", "recommended"), ("15.4.x-scala2.12", "supported")],
)
def test_the_runtimes_are_judged_as_in_its_table(runtime, said):
    verdict = judge_runtime(runtime)

    assert (verdict.level, verdict.message.rpartition(": ")[2]) == ("ok", said)


@pytest.mark.parametrize(
    "page", ["architecture", "setup", "usage", "use-cases", "constraints", "roadmap", "changelog", "../LICENSE"]
)
def test_the_pages_it_names_are_there(root, page):
    names = [root / "docs" / page, root / "docs" / f"{page}.md"]

    assert any(name.is_file() for name in names)


def test_its_link_to_the_troubleshooting_section_leads_there(root):
    assert "\n## 6. Troubleshooting\n" in (root / "docs/setup.md").read_text(encoding="utf-8")
