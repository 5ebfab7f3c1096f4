"""Ctrl-C while a command is still loading."""

from __future__ import annotations

import subprocess
import sys

import pytest

INTERRUPTED = """
import sys

class Interrupted:
    def find_spec(self, name, *_):
        if name == {name!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
from {package}.__main__ import main
sys.exit(main(["--help"]))
"""


@pytest.mark.parametrize("package", ["dbk_config", "dbk_session", "dbk_sync", "dbk_local"])
def test_an_interrupt_while_a_command_loads_ends_it_without_a_word(package):
    code = INTERRUPTED.format(package=package, name=f"{package}._cli")

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")
