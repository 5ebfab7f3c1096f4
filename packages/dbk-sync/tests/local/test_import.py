"""Importing the package is cheap, and planning needs nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dbk_sync
import pytest
from dbk_config import SyncSettings


def run(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


HEAVY = ("databricks", "requests", "urllib3", "pathspec", "IPython", "asyncio")


@pytest.mark.parametrize(
    "work",
    [
        "pass",
        "dbk_sync.plan(dbk_sync.scan('.'))",
        "dbk_sync.select('.'), dbk_sync.explain('.', b'a')",
        "list(dbk_sync.pack(p := dbk_sync.plan(dbk_sync.scan('.')), dbk_sync.ContentReader(p.source)))",
    ],
)
def test_planning_imports_nothing_heavy(work: str, root: Path):
    loaded = run(
        f"import sys, dbk_sync; {work}; print(*{{name.partition('.')[0] for name in sys.modules}})", root
    ).split()

    assert [name for name in HEAVY if name in loaded] == []


def test_importing_takes_less_than_60_milliseconds(root: Path):
    # CPU time, the best of three, and ten times the target: the machine may be slow or busy.
    code = "import time; t = time.process_time(); import dbk_sync; print(time.process_time() - t)"

    assert min(float(run(code, root)) for _ in range(3)) < 0.6


def test_every_public_name_is_there_and_documented():
    assert sorted(dbk_sync.__all__) == dbk_sync.__all__
    for name in dbk_sync.__all__:
        assert getattr(dbk_sync, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dbk_sync.nothing  # noqa: B018 -- looking is the test


def test_the_options_of_a_scan_come_from_the_settings():
    settings = SyncSettings(exclude=("a",), use_gitignore=False, max_size_mb=1, max_file_size_mb=2, secrets="error")

    options = dbk_sync.ScanOptions.from_settings(settings)

    assert options == dbk_sync.ScanOptions(("a",), False, 1, 2, "inside", "error")
