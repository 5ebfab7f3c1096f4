"""What the cross-package tests share: where the repository and its packages are."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config):
    """No test prints a token: see `secrecy.py`."""
    spec = importlib.util.spec_from_file_location("secrecy", ROOT / "tests" / "secrecy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.register(config)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def run_release_step(root) -> Callable[..., subprocess.CompletedProcess[str]]:
    """run_release_step(name, folder, **variables): one `run:` of the release's build job, as GitHub would run it."""
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((root / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    steps = {step["name"]: step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step}

    def run(name, folder, **variables):
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-ec", steps[name]], cwd=folder, env=environment | variables, capture_output=True, text=True
        )

    return run


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    """A developer's own workspace and profile never reach a test."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "DBK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
