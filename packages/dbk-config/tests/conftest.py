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
