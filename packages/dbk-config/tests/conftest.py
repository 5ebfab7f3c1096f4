"""What the tests share: a project on disk, and an environment that is the test's own."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    """A developer's own workspace and profile never reach a test."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "DBK_", "ARM_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)


@pytest.fixture
def project(tmp_path):
    """project(text, folder="") -> the pyproject.toml written there."""

    def write(text, folder=""):
        file = tmp_path / folder / "pyproject.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    return write


@pytest.fixture
def profiles(tmp_path):
    """profiles(text) -> the environment that points to a configuration file with this text."""

    def write(text):
        file = tmp_path / "databrickscfg"
        file.write_bytes(text.encode())
        return {"DATABRICKS_CONFIG_FILE": str(file)}

    return write


@pytest.fixture(scope="session")
def site():
    """An embedded workspace, without Spark; `at_work` gives it back as it was."""
    dbk_local = pytest.importorskip("dbk_local")
    with dbk_local.Workspace(spark=False) as workspace:
        yield workspace


@pytest.fixture
def workspace(site, monkeypatch, tmp_path):
    """The embedded workspace, named by the environment, the current folder being an empty one."""
    usual = site.options()
    for name, value in site.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield site
    site.clear_faults()
    site.set_options(**usual)


@pytest.fixture
def run(capsys, monkeypatch):
    """run(*words) -> (exit code, stdout, stderr) of the command, in this process, on 80 columns."""
    from dbk_config.__main__ import main

    monkeypatch.setenv("COLUMNS", "80")

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call
