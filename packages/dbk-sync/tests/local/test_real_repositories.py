"""The nightly comparison with git on real repositories, on two small ones."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Plant = Callable[..., None]
SCRIPT = Path(__file__).parent.parent / "real_repositories.py"
LIST = SCRIPT.with_name("repositories.txt")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")


@pytest.fixture
def repository(tmp_path: Path, plant: Plant) -> Path:
    root = tmp_path / "repositories" / "one"
    root.mkdir(parents=True)
    plant(
        root, {".gitignore": b"*.log\nbuild/\n", "a.py": b"a", "d/.gitignore": b"!*.log\n", "d/b": b"", "l": "-> a.py"}
    )
    identity = ("-c", "user.name=n", "-c", "user.email=e")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "all")):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_repositories_of_a_directory_and_of_a_list_are_compared_and_are_too_few(repository: Path, tmp_path: Path):
    (tmp_path / "list").write_text(f"# one\n{repository.as_uri()}  # again\n\n{(tmp_path / 'none').as_uri()}\n")
    command = [sys.executable, SCRIPT, "--least", "3", tmp_path / "repositories", tmp_path / "list"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    counted = r"2 repositories, \d+ files, 4 ignore files: \d+ selected, 0 repositories different"
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "none: cannot be had" in ran.stderr
    assert re.fullmatch(counted, ran.stderr.splitlines()[-1])


def test_the_list_is_long_enough_and_names_each_once():
    addresses = [line for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]

    assert len(set(addresses)) == len(addresses) >= 100
    assert all(re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address) for address in addresses)
