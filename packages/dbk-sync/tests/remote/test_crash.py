"""A receiver killed before each change it makes to the disk, and before each change of the repair."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="the receiver runs on Linux, and this test forks")
def test_a_kill_before_any_step_leaves_the_old_or_the_new_tree(tmp_path):
    script = Path(__file__).with_name("killed_receiver.py")

    ran = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=550, check=False
    )

    assert ran.returncode == 0, ran.stderr
    outcome = json.loads(ran.stdout)
    assert outcome["bad"] == []
    assert all(kills > 10 for kills in outcome["kills"].values()), outcome
