"""What the cross-package tests share: where the repository and its packages are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    """A developer's own workspace and profile never reach a test."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "DBK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
