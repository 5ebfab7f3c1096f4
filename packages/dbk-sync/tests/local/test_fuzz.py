"""Two thousand random repositories, judged by git; the same command runs more: see `tests/fuzz.py`."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROUNDS = 2_000


@pytest.fixture(scope="module")
def fuzz_module() -> ModuleType:
    path = Path(__file__).parent.parent / "fuzz.py"
    spec = importlib.util.spec_from_file_location("dbk_sync_fuzz", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(1800)  # half a minute, but it starts some 2,500 processes, which a busy machine takes its time for
@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
def test_random_repositories_are_selected_as_git_selects_them(fuzz_module: ModuleType):
    with fuzz_module.Fuzz() as fuzz:
        problems = [problem for number in range(ROUNDS) if (problem := fuzz.round(number))]

    assert problems == []
